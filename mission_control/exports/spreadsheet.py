"""A board's tasks as a table for spreadsheets."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any

from mission_control.core.clock import wire
from mission_control.core.json import to_json
from mission_control.exports.reading import Contents, tasks_of
from mission_control.tasks.fields import EXPORTED

FIRST_COLUMNS = (
    "number", "title", "status", "priority", "assigned_agent", "assigned_person", "created_by", "due_at", "tags",
    "depends_on", "description", "comments", "created_at", "updated_at", "in_progress_at", "archived_at",
)  # fmt: skip
AT_ONCE = 10  # tasks between which others have their turn
LEFT_OUT = ("position", "previous_in_progress_at")
COLUMNS = (*FIRST_COLUMNS, *(name for name in EXPORTED if name not in (*FIRST_COLUMNS, *LEFT_OUT)))
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


async def tasks_csv(contents: Contents) -> AsyncIterator[bytes]:
    """Yield the board's tasks as CSV, by number, with a column for each custom field. No cell can be a formula."""
    keys = sorted(one["field_key"] for one in contents.fields)
    yield _lines([[*COLUMNS, *(cell(f"field:{key}") for key in keys)]])
    async for page in tasks_of(contents, comments=False):
        for start in range(0, len(page), AT_ONCE):
            yield _lines(
                [cell(one) for one in [*map(task.get, COLUMNS), *map(task["custom_fields"].get, keys)]]
                for task in page[start : start + AT_ONCE]
            )
            await asyncio.sleep(0)


def _lines(cells: Iterable[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(cells)
    return out.getvalue().encode()


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
