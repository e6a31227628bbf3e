"""What must happen to a claim, worked out in Python from the rows: no line is shared with the statement it checks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.core import times
from mission_control.database.sql import as_json, as_moment, rows
from tests.cast import Program

NEVER = datetime(9999, 1, 1)


@dataclass
class Row:
    """The facts of one task on which claims depend."""

    id: UUID
    status: str
    priority: str
    agent: UUID | None
    user: UUID | None
    fence: int
    created_at: datetime
    due_at: datetime | None
    is_there: bool
    retry_at: datetime | None
    is_flagged: bool
    is_blocked: bool
    is_held: bool
    is_rework: bool


async def tasks_of(board_id: UUID) -> list[Row]:
    """All tasks of a board as they are, by number."""
    found = await rows(
        "SELECT id, status, priority, assigned_agent_id, assigned_user_id, fence, created_at, due_at, deleted_at,"
        " archived_at, retry_at, flagged_at, rework_at FROM tasks WHERE board_id = ? ORDER BY number",
        board_id,
    )
    done = {str(one["id"]) for one in found if one["status"] == "done" or one["deleted_at"] is not None}
    edges = await rows("SELECT task_id, depends_on_task_id FROM task_dependencies")
    blocked = {str(one["task_id"]) for one in edges if str(one["depends_on_task_id"]) not in done}
    links = await rows("SELECT task_id FROM approval_task_links WHERE is_pending")
    pending = {str(one["task_id"]) for one in links}
    return [
        Row(
            id=UUID(str(one["id"])),
            status=one["status"],
            priority=one["priority"],
            agent=None if one["assigned_agent_id"] is None else UUID(str(one["assigned_agent_id"])),
            user=None if one["assigned_user_id"] is None else UUID(str(one["assigned_user_id"])),
            fence=one["fence"],
            created_at=as_moment(one["created_at"]) or times.clock_now(),
            due_at=as_moment(one["due_at"]),
            is_there=one["deleted_at"] is None and one["archived_at"] is None,
            retry_at=as_moment(one["retry_at"]),
            is_flagged=one["flagged_at"] is not None,
            is_blocked=str(one["id"]) in blocked,
            is_held=str(one["id"]) in pending,
            is_rework=one["rework_at"] is not None,
        )
        for one in found
    ]


async def refusal(board_id: UUID, agent: Program) -> str | None:
    """Why nothing at all may be handed to an agent now."""
    [state] = await rows(
        "SELECT b.work_state AS board, o.work_state AS organization, a.work_state AS agent, b.wip_limits,"
        " a.wip_limit, b.only_lead_can_change_status AS closed FROM boards b"
        " JOIN organizations o ON o.id = b.organization_id JOIN agents a ON a.id = ? WHERE b.id = ?",
        agent.id,
        board_id,
    )
    if state["closed"]:
        return "claims_disabled"
    for who in ("agent", "board", "organization"):
        if state[who] != "running":
            return "paused"
    table = [row for row in await tasks_of(board_id) if row.is_there]
    limits = as_json(state["wip_limits"]) or {}
    for column, limit in limits.items():
        if sum(row.status == column for row in table) >= limit:
            return "wip"
    mine = sum(row.status == "in_progress" and row.agent == agent.id for row in table)
    return "wip" if state["wip_limit"] is not None and mine >= state["wip_limit"] else None


async def may_have(board_id: UUID, agent: Program, row: Row) -> bool:
    """Whether a task may be handed to an agent that may be handed something at all."""
    [board] = await rows("SELECT block_status_changes_with_pending_approval AS p FROM boards WHERE id = ?", board_id)
    return (
        row.is_there
        and row.status == "inbox"
        and row.user is None
        and row.agent in (None, agent.id)
        and not row.is_flagged
        and not row.is_blocked
        and not (row.is_held and board["p"])
        and (row.retry_at is None or row.retry_at <= times.clock_now())
    )


def rank(agent: Program, row: Row, at: datetime) -> tuple[Any, ...]:
    """The place of a task among those that an agent may be handed: the smallest comes first."""
    return (
        row.agent != agent.id,
        not (row.agent == agent.id and row.is_rework),
        _level(row, at),
        row.due_at or NEVER,
        row.created_at,
    )


def _level(row: Row, at: datetime) -> int:
    level = {"urgent": 0, "critical": 0, "high": 1, "medium": 2}.get(row.priority.lower(), 3)
    return max(0, level - (at - row.created_at).days)


async def standing(task_id: UUID, fence: int, agent_id: UUID) -> str:
    """What a fence is worth: running, completed, lost, or its task gone."""
    found = await rows(
        "SELECT t.fence, t.deleted_at, r.state, r.agent_id, r.lease_expires_at FROM tasks t"
        " LEFT JOIN task_runs r ON r.task_id = t.id AND r.fence = ? WHERE t.id = ?",
        fence,
        task_id,
    )
    if not found or found[0]["deleted_at"] is not None:
        return "gone"
    expires_at = as_moment(found[0]["lease_expires_at"])
    is_over = expires_at is not None and expires_at <= times.clock_now() and found[0]["state"] == "running"
    stands = found[0]["fence"] == fence and found[0]["state"] in ("running", "completed")
    return str(found[0]["state"]) if stands and not is_over and str(found[0]["agent_id"]) == str(agent_id) else "lost"
