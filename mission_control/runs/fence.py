"""Refuse writes under a fence that is no longer the current one."""

from collections.abc import Sequence
from uuid import UUID

from mission_control.commands.unit_of_work import unit_of_work
from mission_control.core import clock
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict
from mission_control.database.sql import as_moment, is_postgres, placeholders, rows

LIVE = ("running", "completed")


async def refuse_lost_lease(task_ids: Sequence[UUID]) -> None:
    """Raise 409 `lease_lost` when the caller sends a stale fence. Call it in a command that holds the tasks.

    A caller that sends no fence is not checked. The fence of a finished run stays valid until the next assignment, so
    that its agent can still add to the task.
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
            raise await lease_lost(row["id"], fence, int(row["fence"]))


async def hold_lease(task_id: UUID) -> None:
    """Lock a task against a new assignment until the running command ends, and refuse a stale fence."""
    if unit_of_work().actor.fence is None:
        return
    if is_postgres():
        await rows("SELECT 1 AS one FROM tasks WHERE id = ? FOR NO KEY UPDATE", task_id)
    await refuse_lost_lease([task_id])


async def lease_lost(task_id: UUID, fence: int, current: int) -> Conflict:
    """Return the refusal of a stale fence. It advises against a new claim while the work is paused or stopped."""
    then = "and claim nothing until your heartbeat says continue" if await _is_halted(task_id) else "and claim again"
    message = f"Your lease of this task is over. Stop working on it, {then}."
    return Conflict({"message": message, "code": ErrorCode.LEASE_LOST, "fence": fence, "current_fence": current})


async def _is_halted(task_id: UUID) -> bool:
    found = await rows(
        "SELECT 1 AS one FROM tasks t JOIN boards b ON b.id = t.board_id"
        " JOIN organizations o ON o.id = b.organization_id LEFT JOIN agents a ON a.id = ? WHERE t.id = ?"
        " AND (a.work_state <> 'running' OR b.work_state <> 'running' OR o.work_state <> 'running')",
        unit_of_work().actor.id,
        task_id,
    )
    return bool(found)
