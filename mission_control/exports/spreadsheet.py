"""A board's tasks as a table for spreadsheets."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any

from mission_control.core.clock import wire
from mission_control.core.json import to_json
from mission_control.exports.reading import PIECE_BYTES, Contents, tasks_of
from mission_control.tasks.fields import EXPORTED

FIRST_COLUMNS = (
    "number", "title", "status", "priority", "assigned_agent", "assigned_person", "created_by", "due_at", "tags",
    "depends_on", "description", "comments", "created_at", "updated_at", "in_progress_at", "archived_at",
)  # fmt: skip
LEFT_OUT = ("position", "previous_in_progress_at")
COLUMNS = (*FIRST_COLUMNS, *(name for name in EXPORTED if name not in (*FIRST_COLUMNS, *LEFT_OUT)))
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


async def tasks_csv(contents: Contents) -> AsyncIterator[bytes]:
    """Yield the board's tasks as CSV, by number, with a column for each custom field. No cell can be a formula."""
    keys = sorted(one["field_key"] for one in contents.fields)
    piece = bytearray(_line([*COLUMNS, *(cell(f"field:{key}") for key in keys)]))
    async for page in tasks_of(contents, comments=False):
        for task in page:
            piece += _line(cell(one) for one in [*map(task.get, COLUMNS), *map(task["custom_fields"].get, keys)])
            if len(piece) > PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
            await asyncio.sleep(0)
    yield bytes(piece)


def _line(cells: Iterable[str]) -> bytes:
    """Return one line. Python's own writer takes fifty times as long for a long text, in one step."""
    return ",".join(_quoted(one) for one in cells).encode() + b"\r\n"


def _quoted(text: str) -> str:
    return f'"{text.replace('"', '""')}"' if any(sign in text for sign in ',"\r\n') else text


def cell(value: Any) -> str:
    """Return a value as text that no spreadsheet reads as a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return wire(value)
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        value = ", ".join(map(str, value))
    if isinstance(value, int | float):
        return str(value)
    text = (
        value if isinstance(value, str) else to_json(value).decode() if isinstance(value, dict | list) else str(value)
    )
    return f"'{text}" if text.lstrip(" ").startswith(DANGEROUS) else text
