"""The fence: a write in the name of a hand-out that is over is refused."""

from collections.abc import Sequence
from uuid import UUID

from mission_control.core import clock
from mission_control.core.command import unit_of_work
from mission_control.core.errors import Conflict
from mission_control.database.sql import as_moment, is_postgres, placeholders, rows

LIVE = ("running", "completed")


async def refuse_lost_lease(task_ids: Sequence[UUID]) -> None:
    """Inside a command that holds the tasks: 409 `lease_lost` when the caller names a fence that is over.

    A caller who names none is not checked. A finished run's fence holds until the task is handed out again, so that
    its agent may still add to it.
    """
    fence = unit_of_work().actor.fence
    if fence is None or not task_ids:
        return
    found = await rows(
        "SELECT t.id, t.fence, r.state, r.lease_expires_at, r.agent_id FROM tasks t"
        " LEFT JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence"
        f" WHERE t.id IN ({placeholders(len(task_ids))})",
        *task_ids,
    )
    for row in found:
        expires_at = as_moment(row["lease_expires_at"])
        is_over = row["state"] == "running" and expires_at is not None and expires_at <= clock.now()
        is_mine = str(row["agent_id"]) == str(unit_of_work().actor.id)
        if row["fence"] != fence or row["state"] not in LIVE or is_over or not is_mine:
            raise lease_lost(fence, int(row["fence"]))


async def hold_lease(task_id: UUID) -> None:
    """Inside a command: keep a task from being handed out until it ends, and refuse a fence that is over."""
    if unit_of_work().actor.fence is None:
        return
    if is_postgres():
        await rows("SELECT 1 AS one FROM tasks WHERE id = ? FOR NO KEY UPDATE", task_id)
    await refuse_lost_lease([task_id])


def lease_lost(fence: int, current: int) -> Conflict:
    """The refusal of a stale fence."""
    message = "Your lease of this task is over. Stop working on it, and claim again."
    return Conflict({"message": message, "code": "lease_lost", "fence": fence, "current_fence": current})
