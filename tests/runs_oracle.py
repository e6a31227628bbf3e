"""What must happen to claims and runs, worked out in Python from the rows: no line is shared with what it checks."""

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
    failed_attempts: int
    created_at: datetime
    due_at: datetime | None
    is_there: bool
    is_deleted: bool
    retry_at: datetime | None
    not_before: datetime | None
    is_flagged: bool
    is_blocked: bool
    is_held: bool
    is_rework: bool
    is_parked: bool
    is_answered: bool
    is_ready: bool
    has_lease: bool
    asks: list[tuple[str, str]]
    gave_back: set[UUID]  # agents, a moment ago

    @property
    def state(self) -> str:
        if self.status == "in_progress":
            if self.agent is None:
                return "a person's" if self.user else "nobody's"
            waits = "ready" if self.is_ready else "waiting"
            return waits if self.is_parked else "working" if self.has_lease else "held"
        if self.status != "inbox":
            return self.status
        if self.is_flagged or self.is_blocked:
            return "flagged" if self.is_flagged else "blocked"
        if self.user:
            return "a person's"
        if self.retry_at is not None and self.retry_at > times.clock_now():
            return "resting"
        if self.not_before is not None and self.not_before > times.clock_now():
            return "early"
        return "free" if self.agent is None else "rework" if self.is_rework else "assigned"


# Who can do what next, in each state.
NEXT = {
    "done": ("nobody", "needs to do anything"),
    "review": ("a person or the lead", "finishes it or sends it back"),
    "flagged": ("a person", "clears the flag, moves it or assigns it"),
    "blocked": ("who has what it waits for", "finishes that"),
    "resting": ("the clock", "ends its rest"),
    "early": ("the clock", "reaches its moment; a person starts it"),
    "free": ("any worker", "claims it"),
    "assigned": ("its agent", "claims it"),
    "rework": ("its agent", "claims it; after the board's time anybody"),
    "a person's": ("its person", "goes on, or moves it back"),
    "nobody's": ("a person", "assigns it or moves it back"),
    "working": ("its agent", "hands it in; the clock ends its lease"),
    "held": ("its agent", "hands it in; a person may move it"),
    "waiting": ("a person", "answers what was asked, or its worker goes on; its agent may go on without"),
    "ready": ("its agent", "claims it; after the board's time anybody"),
}

LIVE = (
    "SELECT task_id, agent_id, fence, lease_expires_at, parked_at, ready_at, resumes_on_any FROM task_runs"
    " WHERE ended_at IS NULL"
)


async def tasks_of(board_id: UUID | None) -> list[Row]:
    """All tasks of a board as they are, by number."""
    found = await rows(
        "SELECT id, status, priority, assigned_agent_id, assigned_user_id, fence, created_at, due_at, deleted_at,"
        " archived_at, retry_at, not_before, flagged_at, rework_at, failed_attempts FROM tasks WHERE board_id = ?"
        " ORDER BY number",
        board_id,
    )
    done = {str(one["id"]) for one in found if one["status"] == "done" or one["deleted_at"] is not None}
    edges = await rows("SELECT task_id, depends_on_task_id FROM task_dependencies")
    blocked = {str(one["task_id"]) for one in edges if str(one["depends_on_task_id"]) not in done}
    pending = await rows("SELECT task_id, approval_id AS id FROM approval_task_links WHERE is_pending")
    held = {str(one["task_id"]) for one in pending}
    asks: dict[str, list[tuple[str, str]]] = {}
    approvals = await rows(
        "SELECT r.task_id, a.id FROM approvals a JOIN task_runs r ON r.id = a.run_id WHERE a.status = 'pending'"
        " AND r.ended_at IS NULL"
    )
    for one in [*pending, *approvals]:
        asks.setdefault(str(one["task_id"]), []).append(("approval", str(one["id"])))
    for one in await rows(
        "SELECT r.task_id, q.id FROM agent_questions q JOIN task_runs r ON r.id = q.run_id WHERE q.state = 'open'"
        " AND r.ended_at IS NULL"
    ):
        asks.setdefault(str(one["task_id"]), []).append(("question", str(one["id"])))
    for one in await rows(
        "SELECT r.task_id, h.id FROM worker_holds h JOIN task_runs r ON r.hold_id = h.id WHERE h.ended_at IS NULL"
        " AND r.ended_at IS NULL"
    ):
        asks.setdefault(str(one["task_id"]), []).append(("hold", str(one["id"])))
    runs = {str(one["task_id"]): one for one in await rows(LIVE)}
    gave_back: dict[str, set[UUID]] = {}
    resting = "SELECT task_id, agent_id FROM task_runs WHERE rests_until > ? AND agent_id IS NOT NULL"
    for one in await rows(resting, times.clock_now()):
        gave_back.setdefault(str(one["task_id"]), set()).add(UUID(str(one["agent_id"])))
    return [
        Row(
            id=UUID(str(one["id"])),
            status=one["status"],
            priority=one["priority"],
            agent=None if one["assigned_agent_id"] is None else UUID(str(one["assigned_agent_id"])),
            user=None if one["assigned_user_id"] is None else UUID(str(one["assigned_user_id"])),
            fence=one["fence"],
            failed_attempts=one["failed_attempts"],
            created_at=as_moment(one["created_at"]) or times.clock_now(),
            due_at=as_moment(one["due_at"]),
            is_there=one["deleted_at"] is None and one["archived_at"] is None,
            is_deleted=one["deleted_at"] is not None,
            retry_at=as_moment(one["retry_at"]),
            not_before=as_moment(one["not_before"]),
            is_flagged=one["flagged_at"] is not None,
            is_blocked=str(one["id"]) in blocked,
            is_held=str(one["id"]) in held,
            is_rework=one["rework_at"] is not None,
            is_parked=(run := runs.get(str(one["id"]))) is not None and run["parked_at"] is not None,
            is_answered=run is not None and run["ready_at"] is not None,
            is_ready=run is not None
            and run["parked_at"] is not None
            and (not asks.get(str(one["id"])) or (bool(run["resumes_on_any"]) and run["ready_at"] is not None)),
            has_lease=run is not None and run["lease_expires_at"] is not None,
            asks=asks.get(str(one["id"]), []),
            gave_back=gave_back.get(str(one["id"]), set()),
        )
        for one in found
    ]


async def refusal(board_id: UUID, agent: Program, *, resuming: bool = False) -> str | None:
    """Why nothing at all may be handed to an agent now, or no run that waited may go on."""
    [state] = await rows(
        "SELECT b.work_state AS board, o.work_state AS organization, a.work_state AS agent, b.wip_limits,"
        " a.wip_limit, b.only_lead_can_change_status AS closed FROM boards b"
        " JOIN organizations o ON o.id = b.organization_id JOIN agents a ON a.id = ? WHERE b.id = ?",
        agent.id,
        board_id,
    )
    is_halted = any(state[who] != "running" for who in ("agent", "board", "organization"))
    if resuming:
        return "paused" if is_halted else "wip" if await _has_its_limit(board_id, agent, state["wip_limit"]) else None
    if state["closed"]:
        return "claims_disabled"
    if is_halted:
        return "paused"
    table = [row for row in await tasks_of(board_id) if row.is_there]
    limits = as_json(state["wip_limits"]) or {}
    for column, limit in limits.items():
        if sum(row.status == column for row in table) >= limit:
            return "wip"
    return "wip" if await _has_its_limit(board_id, agent, state["wip_limit"]) else None


async def _has_its_limit(board_id: UUID, agent: Program, limit: int | None) -> bool:
    table = [row for row in await tasks_of(board_id) if row.is_there]
    mine = sum(row.status == "in_progress" and row.agent == agent.id and not row.is_parked for row in table)
    return limit is not None and mine >= limit


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
        and all(moment is None or moment <= times.clock_now() for moment in (row.retry_at, row.not_before))
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
