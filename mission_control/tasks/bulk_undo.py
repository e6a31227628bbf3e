"""What tasks were before a bulk change, as the changes that take it back."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.database.sql import as_id, as_moment, placeholders, rows
from mission_control.tasks.fields import PLAIN, Surface, shown_at

# What the bar of selected tasks sets to a value, by its word.
SETTABLE = {one.word: one for one in shown_at(Surface.BULK) if one.is_plain}
SET = ", ".join(f"t.{name}" for name in PLAIN)
Before = dict[UUID, dict[str, Any]]


async def before_bulk(board: Board, task_ids: Collection[UUID]) -> Before:
    """Return what a bulk change can change of some tasks, in two statements; those lowest in their columns first."""
    if not task_ids:
        return {}
    listed = placeholders(len(task_ids))
    found = await rows(
        f"SELECT p.* FROM (SELECT t.id, t.status, t.assigned_agent_id, t.assigned_user_id, t.number, {SET},"
        " LEAD(t.id) OVER places AS below, LAG(t.id) OVER places AS above FROM tasks t"
        " WHERE t.board_id = ? AND t.deleted_at IS NULL AND t.archived_at IS NULL"
        " WINDOW places AS (PARTITION BY t.status ORDER BY t.position, t.created_at DESC)) p"
        f" JOIN tasks o ON o.id = p.id WHERE p.id IN ({listed}) ORDER BY o.position DESC, o.created_at",
        board.id,
        *task_ids,
    )
    tags: dict[str, list[UUID | None]] = {}
    for row in await rows(
        f"SELECT a.task_id, a.tag_id FROM tag_assignments a WHERE a.task_id IN ({listed}) ORDER BY a.created_at, a.id",
        *task_ids,
    ):
        tags.setdefault(str(row["task_id"]), []).append(as_id(row["tag_id"]))
    return {UUID(str(row["id"])): {**row, "tag_ids": tags.get(str(row["id"]), [])} for row in found}


def undo_of(kind: str, before: Before, changed: Collection[UUID]) -> list[dict[str, Any]]:
    """Return the changes that take back one kind of change for the tasks that it changed."""
    return [{"task_id": one, **_undo(kind, state)} for one, state in before.items() if one in changed]


def _undo(kind: str, state: dict[str, Any]) -> dict[str, Any]:
    match kind:
        case "move":
            below, above = state["below"], state["above"]
            place = {"before_task_id": below} if below else {"after_task_id": above} if above else {}
            given = {name: state[name] for name in ("assigned_agent_id", "assigned_user_id") if state[name]}
            return {"status": state["status"], **place, **given}
        case "assign":
            if state["assigned_user_id"]:
                return {"assigned_user_id": state["assigned_user_id"]}
            if state["assigned_agent_id"]:
                return {"assigned_agent_id": state["assigned_agent_id"]}
            return {"assigned_agent_id": None, "assigned_user_id": None}
        case "tag" | "untag":
            return {"tag_ids": state["tag_ids"]}
        case "archive":
            return {"archived": False}
    if (field := SETTABLE.get(kind)) is not None:
        before = state[field.name]
        return {field.name: as_moment(before) if field.name.endswith("_at") else before}
    return {"deleted": False}
