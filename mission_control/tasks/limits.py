"""Limits of agents and columns, and other reasons that a task cannot be assigned to an agent.

People can exceed every limit.
"""

from typing import Any, NamedTuple
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.declared import UNSET, sent
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, NotFound
from mission_control.database.sql import as_json, is_postgres, rows
from mission_control.organizations.work_state import lock_work_state_shared
from mission_control.tasks.changes import TaskChange, TaskSnapshot
from mission_control.tasks.models import Task

FULL = {
    "own": "The agent has as much in progress as its limit allows: {n} of {limit}.",
    "in_progress": "The column In progress is full: {n} of {limit}.",
    "review": "The column Review is full: {n} of {limit}. Nothing is started until some of it is reviewed.",
}


class Limits(NamedTuple):
    """How many tasks an agent may have in progress, and how many a board's columns take; None is any number."""

    own: int | None = None
    in_progress: int | None = None
    review: int | None = None

    @classmethod
    def of(cls, wip_limit: int | None, wip_limits: dict[str, Any] | None) -> "Limits":
        """Return the limits of the rows of an agent and a board."""
        return cls(wip_limit, *((wip_limits or {}).get(name) for name in ("in_progress", "review")))


async def lock_limits_for(actor: Actor, task: Task, change: TaskChange) -> Limits:
    """Lock and return the limits that an agent's change may reach. Call it before the task is locked."""
    agent_id = change.assigned_agent_id
    starts = change.status == "in_progress" or (task.status == "in_progress" and agent_id is not UNSET)
    if not (actor.is_agent and starts):
        return Limits()
    worker = sent(agent_id, None) or (task.assigned_agent_id if actor.is_lead else actor.id)
    return await lock_limits(worker, task.board_id)


async def lock_limits(agent_id: UUID | None, board_id: UUID) -> Limits:
    """Lock and return the limits of an assignment, so that no other assignment under them runs until the command ends.

    Rows are locked in this order everywhere: agent, board, task. Raise NotFound when the board was deleted.
    """
    await lock_work_state_shared(board_id)
    found = await rows(
        "SELECT a.wip_limit, b.wip_limits FROM boards b LEFT JOIN agents a ON a.id = ? WHERE b.id = ?",
        agent_id,
        board_id,
    )
    if not found:
        raise NotFound()
    limits = Limits.of(found[0]["wip_limit"], as_json(found[0]["wip_limits"]))
    if is_postgres() and limits.own is not None:
        await rows("SELECT 1 AS one FROM agents WHERE id = ? FOR NO KEY UPDATE", agent_id)
    if is_postgres() and (limits.in_progress is not None or limits.review is not None):
        await rows("SELECT 1 AS one FROM boards WHERE id = ? FOR NO KEY UPDATE", board_id)
    return limits


async def refuse_assignment(limits: Limits, task: Task, before: TaskSnapshot | None = None) -> None:
    """Raise 409 when a task cannot be assigned to its agent. The calling command holds the limits and the task."""
    if before is not None and before.flagged_at is not None:
        message = (
            f"This task waits for a person: {before.flag_reason} A person moves it, assigns it or clears the flag."
        )
        raise Conflict({"message": message, "code": ErrorCode.TASK_NOT_CLAIMABLE})
    if (reason := await full(limits, task.assigned_agent_id, task.board_id, excluding=task.id)) is not None:
        raise Conflict({"message": reason, "code": ErrorCode.WIP_LIMIT_REACHED})


async def full(limits: Limits, agent_id: UUID | None, board_id: UUID, *, excluding: UUID | None = None) -> str | None:
    """Return the first limit that is reached, as a sentence. The task `excluding` does not count."""
    if limits == Limits():
        return None
    [row] = await rows(
        "SELECT (SELECT COUNT(*) FROM tasks t WHERE t.assigned_agent_id = ? AND t.status = 'in_progress'"
        "  AND t.deleted_at IS NULL AND t.id <> ?) AS own,"
        " COALESCE(SUM(CASE WHEN c.status = 'in_progress' THEN 1 ELSE 0 END), 0) AS in_progress,"
        " COALESCE(SUM(CASE WHEN c.status = 'review' THEN 1 ELSE 0 END), 0) AS review"
        " FROM tasks c WHERE c.board_id = ? AND c.status IN ('in_progress', 'review') AND c.deleted_at IS NULL"
        " AND c.id <> ?",
        agent_id,
        excluding or UUID(int=0),
        board_id,
        excluding or UUID(int=0),
    )
    for name, limit in limits._asdict().items():
        if limit is not None and int(row[name]) >= limit:
            return FULL[name].format(n=int(row[name]), limit=limit)
    return None
