"""Tasks that are parts of another: which parent a task may have, what its parts hold up, and what it hears of them."""

from typing import Literal
from uuid import UUID

from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.database.sql import rows
from mission_control.events.unit_of_work import record
from mission_control.tasks.models import Task
from mission_control.tasks.notices import notify_unblocked

Happened = Literal[
    "was added", "was taken away", "was changed", "was finished", "was opened again", "was deleted", "was restored"
]  # fmt: skip
# SQL for the parts that hold up the task `t`.
OPEN_PART = (
    "SELECT 1 FROM tasks c WHERE c.parent_id = t.id AND c.blocks_parent AND c.status <> 'done' AND c.deleted_at IS NULL"
)
_ABOVE = (
    "WITH RECURSIVE above (id, parent_id) AS ("
    "SELECT id, parent_id FROM tasks WHERE id = ? AND board_id = ? AND deleted_at IS NULL"
    " UNION SELECT t.id, t.parent_id FROM tasks t JOIN above a ON t.id = a.parent_id) SELECT id FROM above"
)


async def check_parent(board: Board, task_id: UUID, parent_id: UUID | None) -> None:
    """Refuse a parent that is the task itself (422), no task of its board (404), or a part of the task (409).

    Lock the board, so that two edits cannot form a cycle together.
    """
    if parent_id is None:
        return
    if parent_id == task_id:
        raise Invalid("A task cannot be a part of itself.")
    await locked_board(board)
    above = {str(row["id"]) for row in await rows(_ABOVE, parent_id, board.id)}
    if not above:
        raise NotFound("The parent is not a task of this board.")
    if str(task_id) in above:
        raise Conflict("A task cannot be a part of one of its own parts.")


async def open_parts_of(task_id: UUID) -> list[str]:
    parts = await rows(
        "SELECT id FROM tasks WHERE parent_id = ? AND blocks_parent AND status <> 'done' AND deleted_at IS NULL"
        " ORDER BY number",
        task_id,
    )
    return [str(row["id"]) for row in parts]


async def tell_parent(part: Task, parent_id: UUID | None, what: Happened) -> None:
    """Record on the parent of a task what happened to its part; notify its agent when nothing holds it up now."""
    parent = await Task.get_or_none(id=parent_id, deleted_at=None) if parent_id is not None else None
    if parent is None:
        return
    parent.board = part.board
    record("task.updated", parent, f"A part {what}: {part.title}.", part_id=part.id)
    frees = part.blocks_parent and what in ("was finished", "was deleted", "was taken away", "was changed")
    if frees and parent.status != "done" and not await open_parts_of(parent.id):
        await notify_unblocked(parent)
