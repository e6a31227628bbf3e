"""Say whether a run still holds its task: what it asked people ends with it."""

from uuid import UUID

from mission_control.database.sql import as_id, placeholders, rows

HOLDS, WAITS, RESUMED, OVER = "holds", "waits", "resumed", "over"

# SQL on `t`, a task, and `r`, its newest run: the run has the task, or handed it in.
IS_CURRENT = (
    "r.fence = t.fence AND ((t.status = 'in_progress' AND r.ended_at IS NULL)"
    " OR (t.status = 'review' AND r.state = 'completed'))"
)
# SQL on `t` and `r`, one of its runs. A run whose lease ran out while it had asked people something waits with its
# task in the inbox, assigned to its agent, and is resumed by the run in which that agent takes the task up again.
STANDING = (
    f"CASE WHEN t.deleted_at IS NOT NULL OR t.status = 'done' THEN '{OVER}' WHEN {IS_CURRENT} THEN '{HOLDS}'"
    f" WHEN r.state <> 'expired' OR r.agent_id IS NULL OR r.agent_id <> t.assigned_agent_id THEN '{OVER}'"
    f" WHEN r.fence = t.fence AND t.status = 'inbox' THEN '{WAITS}'"
    f" WHEN r.fence = t.fence - 1 AND t.status = 'in_progress' THEN '{RESUMED}' ELSE '{OVER}' END"
)


async def current_runs(task_ids: list[UUID]) -> dict[UUID, UUID]:
    """Return the runs that hold some tasks, or handed them in, by task."""
    if not task_ids:
        return {}
    found = await rows(
        "SELECT t.id, r.id AS run_id FROM tasks t JOIN task_runs r ON r.task_id = t.id"
        f" WHERE {IS_CURRENT} AND t.id IN ({placeholders(len(task_ids))})",
        *task_ids,
    )
    return {UUID(str(row["id"])): UUID(str(row["run_id"])) for row in found}


async def only_run_of(agent_id: UUID | None, fence: int | None = None) -> UUID | None:
    """Return the run in which an agent works, None when it works on no task or on several.

    With the fence of one of several, return that one.
    """
    if agent_id is None:
        return None
    found = await rows("SELECT id, fence FROM task_runs WHERE agent_id = ? AND ended_at IS NULL LIMIT 10", agent_id)
    if len(found) > 1:
        found = [row for row in found if row["fence"] == fence]
    return as_id(found[0]["id"]) if len(found) == 1 else None
