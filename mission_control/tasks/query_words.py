"""The query of a board as people type it: `key:value` narrows, every other word searches the text.

Values are separated by commas, of which one suffices; quotes keep blanks together; `-` in front of a key excludes.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from mission_control.boards.days import days_of
from mission_control.boards.statuses import STATUSES
from mission_control.boards.views_schemas import LONGEST_QUERY

MOST_WORDS = 30
STATES = ("open", "done", "blocked", "flagged", "unassigned")
NEEDS = ("approval", "review", "person")
NOTHING = "none"
# Keys of every board; any other key may be that of a custom field.
KEYS = ("assignee", "tag", "priority", "due", "status", "is", "needs")

_PIECE = re.compile(r'(?:"[^"]*"?|[^\s"])+')
_PAIR = re.compile(r'(-?)([\w][\w.-]*):((?:"[^"]*"?|[^\s"])+)')
_VALUE = re.compile(r'(?:"[^"]*"?|[^,"])+')
_STATUS_WORDS = {"progress": "in_progress", "in-progress": "in_progress", "doing": "in_progress"}


@dataclass(frozen=True, slots=True)
class Word:
    """A part of a query: a key with its values, or a text to search for when there is no key."""

    raw: str
    key: str = ""
    values: tuple[str, ...] = ()
    is_excluded: bool = False

    @property
    def is_known(self) -> bool:
        """Whether every board understands it."""
        return self.key in KEYS


def words_of(text: str, now: datetime) -> tuple[Word, ...]:
    """Read a query. What means nothing remains as text to search for."""
    return tuple(_word(piece, now) for piece in _PIECE.findall(text[:LONGEST_QUERY])[:MOST_WORDS])


def _word(piece: str, now: datetime) -> Word:
    pair = _PAIR.fullmatch(piece)
    if pair is None:
        return Word(piece.replace('"', ""))
    key = pair[2].lower()
    values = tuple(one.replace('"', "").strip() for one in _VALUE.findall(pair[3]))
    values = tuple(_meant(key, one) for one in values if one)
    if not values or not all(_is_value(key, one, now) for one in values):
        return Word(piece.replace('"', ""))
    return Word(piece, key, values, pair[1] == "-")


def _meant(key: str, value: str) -> str:
    if key not in ("status", "is", "needs", "due"):
        return value
    value = value.lower()
    return _STATUS_WORDS.get(value, value.replace("-", "_")) if key == "status" else value


def _is_value(key: str, value: str, now: datetime) -> bool:
    if key == "due":
        return value in (NOTHING, "overdue") or days_of(value, now) is not None
    known = {"status": STATUSES, "is": STATES, "needs": NEEDS}.get(key)
    return known is None or value in known


def quoted(value: str) -> str:
    """Return a value as it stands in a query."""
    value = value.replace('"', "")
    return f'"{value}"' if re.search(r"[\s,]", value) else value
