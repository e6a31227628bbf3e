"""The substance of what people decide: a mark of each of its parts, by which an answer names what was seen.

Parts are what an answer decides about, and nothing else: reminders, priorities and deadlines are none.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from mission_control.core.errors import Conflict, ErrorCode
from mission_control.core.values import fingerprint

Parts = Mapping[str, Any]  # one word each, such as `description`, with its value
LONGEST_QUOTE = 200
Seen = Annotated[
    str | None,
    Field(
        max_length=1000,
        description="The `substance` that you read. When it is another one by now, nothing is decided: 409"
        " `need_changed`, with the present one and what changed",
    ),
]
Substance = Annotated[
    str | None, Field(description="A mark of what is decided: send it with the answer; null when nothing waits")
]


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that nobody reads, such as an id or something encrypted, with the words for it, if there are any."""

    value: object
    words: str | None = None


def substance_of(parts: Parts) -> str:
    """Return the marks of all parts: `title:3f5a1c90 description:77b0e2d4`."""
    return " ".join(f"{name}:{_mark(value)}" for name, value in parts.items())


def _mark(value: object) -> str:
    marked = value.value if isinstance(value, Opaque) else value
    return fingerprint(json.dumps(marked, sort_keys=True, default=str))[:12]


def refuse_changed(seen: str | None, parts: Parts) -> None:
    """Raise Conflict `need_changed` when something else was seen than what is there now.

    Call it while what is decided is locked. Without `seen` whatever is there is decided.
    """
    present = substance_of(parts)
    if seen is None or seen == present:
        return
    marks = set(seen.split())
    changed = [name for name in parts if f"{name}:{_mark(parts[name])}" not in marks]
    raise Conflict(
        ErrorCode.NEED_CHANGED.detail(
            f"This changed while you looked. {_in_words(changed, parts)}Look again.",
            substance=present,
            changed=[{"part": name, "now": _readable(parts[name])} for name in changed],
        )
    )


def names_changed(seen: str, present: str) -> list[str]:
    marks = set(seen.split())
    return [mark.partition(":")[0] for mark in present.split() if mark not in marks]


def _in_words(changed: list[str], parts: Parts) -> str:
    """Return what changed and what it is now, as sentences that end with a space."""
    return "".join(_sentence(name, parts[name]) for name in changed)


def _sentence(name: str, value: object) -> str:
    if isinstance(value, Opaque) and not value.words:
        return f"The {name} changed. "
    return f"The {name} is now: “{_short(_readable(value))}”. "


def _readable(value: object) -> object:
    return value.words if isinstance(value, Opaque) else value


def _short(value: object) -> str:
    text = " ".join(_text(value).split())
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(_text(item) for item in value.values() if item)
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value if item)
    return "" if value is None else str(value)
