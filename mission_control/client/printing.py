"""What others wrote, as a terminal may show it: servers, people and agents move no cursor and add no line of their own.

`guard` is the one place through which all goes that is printed. Where a line begins is for who makes it to say: names
and titles are one line, and further lines of a text are set in.
"""

from __future__ import annotations

import json
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

# Characters that would move the cursor, colour, turn or hide what is written; lines and tabs stay.
CONTROLS = (
    *(code for code in (*range(32), *range(127, 160)) if code not in (9, 10)),
    *(0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
)
REPLACED = dict.fromkeys(CONTROLS, "\N{REPLACEMENT CHARACTER}")
ESCAPED = {code: f"\\u{code:04x}" for code in CONTROLS}


def plain(text: object) -> str:
    return str(text).translate(REPLACED)


def line(text: object) -> str:
    return " ".join(plain(text).split())


def entry(text: object) -> str:
    return re.sub(r"\n(?=[^\n])", "\n  ", plain(text))


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).translate(ESCAPED)


class _Guarded:
    """A stream for texts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(plain(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guard() -> None:
    """Have all that is printed from here on do nothing to the terminal."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
            setattr(sys, name, _Guarded(stream))
