"""What one has seen of a task before one says that it is finished: its substance, with the code that was handed in."""

from collections.abc import Sequence
from uuid import UUID

from mission_control.approvals.queries import parts_of_approvals, with_code
from mission_control.approvals.views import pending_of
from mission_control.boards.forge_states import HandedIn, code_of_tasks
from mission_control.boards.hand_in_counts import CRITERIA, criteria_met
from mission_control.core.substance import Parts, refuse_changed, substance_of
from mission_control.database.sql import as_json, placeholders, rows

_SELECT = (
    "SELECT t.id, t.board_id, t.number, t.title, t.description, t.flag_reason, t.fence, r.agent_name, r.summary,"
    f" r.checked, r.evidence, r.code, r.ended_at, {CRITERIA} FROM tasks t"
    " LEFT JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence WHERE t.id IN ({})"
)


async def parts_of_tasks(task_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    if not task_ids:
        return {}
    tasks = await rows(_SELECT.format(placeholders(len(task_ids))), *task_ids)
    return {
        UUID(str(row["id"])): {
            "title": f"#{row['number']} {row['title']}",
            "description": row["description"],
            "result": [row["summary"], row["checked"], as_json(row["evidence"])],
            "run": row["agent_name"] and f"attempt {row['fence']} by {row['agent_name']}",
            "failure": row["flag_reason"],
        }
        | ({"code": row["code"]} if row["code"] else {})
        | ({"criteria": met} if (met := criteria_met(row)) else {})
        for row in await with_code(tasks)
    }


async def refuse_unseen(task_id: UUID, seen: str | None) -> None:
    """Raise Conflict `need_changed` when something else was seen than what a task is now, which is locked.

    It may have been seen as its review, or as the request to finish it.
    """
    if seen is None:
        return
    if seen.startswith("request:") and (approval := await pending_of(task_id)) is not None:
        approval_id = UUID(str(approval["id"]))
        refuse_changed(seen, (await parts_of_approvals([approval_id]))[approval_id])
    else:
        refuse_changed(seen, (await parts_of_tasks([task_id]))[task_id])


async def code_seen(task_ids: Sequence[UUID]) -> dict[UUID, tuple[HandedIn, str]]:
    codes = await code_of_tasks(task_ids)
    parts = await parts_of_tasks(list(codes))
    return {task_id: (code, substance_of(parts[task_id])) for task_id, code in codes.items()}
