"""A board's tasks as a table for spreadsheets."""

import csv
import io
from datetime import datetime
from typing import Any

from mission_control.boards.models import Board
from mission_control.core.clock import wire
from mission_control.core.json import to_json
from mission_control.exports.reading import refuse_large_board, tasks_of
from mission_control.tasks.fields import EXPORTED

FIRST_COLUMNS = (
    "number", "title", "status", "priority", "assigned_agent", "assigned_person", "created_by", "due_at", "tags",
    "depends_on", "description", "comments", "created_at", "updated_at", "in_progress_at", "archived_at",
)  # fmt: skip
LEFT_OUT = ("position", "previous_in_progress_at")
COLUMNS = (*FIRST_COLUMNS, *(name for name in EXPORTED if name not in (*FIRST_COLUMNS, *LEFT_OUT)))
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


async def tasks_csv(board: Board) -> str:
    """Return the board's tasks as CSV, by number, with a column for each custom field. No cell can be a formula."""
    await refuse_large_board(board.id)
    tasks = await tasks_of(board.id)
    keys = sorted({key for task in tasks for key in task["custom_fields"]})
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, *(cell(f"field:{key}") for key in keys)])
    for task in tasks:
        plain = {**task, "comments": len(task["comments"])}
        writer.writerow(cell(one) for one in [*map(plain.get, COLUMNS), *map(task["custom_fields"].get, keys)])
    return out.getvalue()


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
