"""What stands in an answer of a forge. What is missing, or is not what it should be, reads as empty."""

from __future__ import annotations

import re

from mission_control.client.printing import plain
from mission_control.client.problems import Unreachable
from mission_control.client.work.values import text_at as text
from mission_control.client.work.values import value_at as at

__all__ = ("at", "text")

SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MOST_NUMBER = 2**53
LONGEST_NAME, LONGEST_ADDRESS, LONGEST_WORDS = 200, 2_000, 4_000
LONGEST_LOG = 4_096  # bytes
# Colours and cursors of terminals, and the marks by which GitLab folds sections.
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|section_(?:start|end):[0-9]+:[^\r\n]*\r")


def words(value: object, *path: str) -> str:
    return plain(text(value, *path).replace("\r\n", "\n").strip())[:LONGEST_WORDS]


def name(value: object, *path: str) -> str:
    return " ".join(words(value, *path).split())[:LONGEST_NAME]


def number(value: object, *path: str) -> int:
    inside = at(value, *path)
    return inside if type(inside) is int and 0 < inside < MOST_NUMBER else 0


def items(value: object, *path: str) -> list[object]:
    inside = at(value, *path)
    return inside if isinstance(inside, list) else []


def address(value: object, *path: str) -> str:
    inside = text(value, *path)
    is_web = inside.startswith(("https://", "http://")) and inside.isascii() and inside.isprintable()
    return inside if is_web and " " not in inside and len(inside) <= LONGEST_ADDRESS else ""


def commit(value: object, *path: str) -> str:
    inside = text(value, *path).lower()
    return inside if SHA.fullmatch(inside) else ""


def needed_commit(value: object, *path: str) -> str:
    if inside := commit(value, *path):
        return inside
    raise Unreachable(f"The answer names no commit in {'.'.join(path)}: it is not what a forge says.", "no_forge")


def needed_number(value: object, *path: str) -> int:
    if inside := number(value, *path):
        return inside
    raise Unreachable(f"The answer has no number in {'.'.join(path)}: it is not what a forge says.", "no_forge")


def end_of_log(log: bytes) -> str:
    """The last lines that fit, as a terminal may show them."""
    clean = plain(ESCAPES.sub("", log.decode("utf-8", "replace").replace("\r\n", "\n"))).strip()
    if len(clean.encode()) <= LONGEST_LOG:
        return clean
    cut = clean.encode()[-LONGEST_LOG:].decode("utf-8", "ignore")
    first, _, rest = cut.partition("\n")
    return rest or first


def place_and_words(comment: object, *lines: str) -> str:
    """What somebody says of a line of a file, after where that is."""
    path, at_line = name(comment, "path"), next(filter(None, (number(comment, field) for field in lines)), 0)
    where = f"{path}:{at_line}" if path and at_line else path
    return f"{where}: {words(comment, 'body')}" if where else words(comment, "body")
