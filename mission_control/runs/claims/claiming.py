"""Claim: select a task for a worker, assign it under a lease, and find the workers that new work is for."""

from collections.abc import Collection, Hashable, Sequence
from copy import copy
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from mission_control.agents.work_state import PAUSED_CODES, refuse_when_paused, refuse_when_used_up
from mission_control.boards.attempts import forgive, running
from mission_control.boards.models import Board
from mission_control.boards.parking import IS_PARKED
from mission_control.boards.priorities import rank_sql
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Forbidden, NotFound, existing
from mission_control.core.values import JsonObject, parse_id
from mission_control.database.records import find
from mission_control.database.sql import as_id, as_json, is_postgres, placeholders, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.people.organizations.work_state import lock_work_state_shared
from mission_control.runs.claims.briefing import Brief, WhyKind, brief_of
from mission_control.runs.claims.leases import hold_until, is_over, notify_pages, refuse_resuming
from mission_control.runs.queries import ClaimCreate, LeaseRead
from mission_control.tasks.changes import TaskChange, locked_task, save
from mission_control.tasks.commands import change_task
from mission_control.tasks.models import Task
from mission_control.tasks.parts import OPEN_PART, open_parts_of
from mission_control.tasks.queries import task_read
from mission_control.tasks.query import BLOCKER
from mission_control.tasks.rules import Limits, full, lock_limits

EVENTS = (
    Kind(
        "task.unflagged",
        "A person allowed a flagged task to be assigned again, with all its attempts.",
        "cleared the flag of",
    ),
)

# What may be assigned by claims: no assignee, nothing that blocks it, on a board that accepts claims.
# The board is read once, not joined to every task.
OPEN = (
    "t.board_id = ? AND t.status = 'inbox' AND t.deleted_at IS NULL AND t.archived_at IS NULL"
    " AND t.assigned_user_id IS NULL AND t.flagged_at IS NULL AND (t.retry_at IS NULL OR t.retry_at <= ?)"
    " AND (t.not_before IS NULL OR t.not_before <= ?)"
    f" AND NOT (SELECT b.only_lead_can_change_status FROM boards b WHERE b.id = ?) AND NOT EXISTS ({BLOCKER})"
    f" AND NOT EXISTS ({OPEN_PART})"
    " AND NOT ((SELECT b.block_status_changes_with_pending_approval FROM boards b WHERE b.id = ?) AND EXISTS ("
    "SELECT 1 FROM approval_task_links l WHERE l.task_id = t.id AND l.is_pending))"
)
TAGGED = "SELECT 1 FROM tag_assignments x JOIN tags g ON g.id = x.tag_id WHERE x.task_id = t.id"
# What was sent back to the agent first, then its other work; then by priority, which each full day of waiting lifts by
# one step; then by due date and age.
ORDER = (
    " ORDER BY CASE WHEN t.assigned_agent_id IS NULL THEN 2 WHEN t.rework_at IS NULL THEN 1 ELSE 0 END,"
    f" CASE {rank_sql('t.priority')} WHEN 4 THEN 0"
    " WHEN 3 THEN CASE WHEN t.created_at <= ? THEN 0 ELSE 1 END"
    " WHEN 2 THEN CASE WHEN t.created_at <= ? THEN 0 WHEN t.created_at <= ? THEN 1 ELSE 2 END"
    " ELSE CASE WHEN t.created_at <= ? THEN 0 WHEN t.created_at <= ? THEN 1 WHEN t.created_at <= ? THEN 2 ELSE 3 END"
    " END, CASE WHEN t.due_at IS NULL THEN 1 ELSE 0 END, t.due_at, t.created_at, t.id"
)
# The token with which work is asked for has not ended, and its scopes are those with which the worker was read.
WORKS = (
    "EXISTS (SELECT 1 FROM tokens c WHERE c.id = ? AND c.revoked_at IS NULL"
    " AND (c.expires_at IS NULL OR c.expires_at > ?) AND (c.scopes IS NULL OR CAST(c.scopes AS TEXT) = ?))"
)
# The worker gave the task back a moment ago.
RESTS = "EXISTS (SELECT 1 FROM task_runs r WHERE r.task_id = t.id AND r.agent_id = ? AND r.rests_until > ?)"
# Tasks read per poll; as many workers can claim at the same moment without missing one.
SEEN = 50

Part = tuple[str, list[object]]


class Worker(NamedTuple):
    """A worker, its limits and what it accepts, read before a claim.

    `capabilities` are the tags (slugs) of unassigned tasks that it takes; None: any. `token_id` is the token of the
    request, if it has one, and `scopes` are its scopes as the database writes them.
    """

    id: UUID | None
    board_id: UUID
    limits: Limits
    capabilities: Sequence[str] | None
    token_id: UUID | None = None
    scopes: str | None = None


async def see_best(worker: Worker, tags: Sequence[str] | None = None) -> list[UUID]:
    return await _best(worker, tags, None, f" LIMIT {SEEN}")


async def hold_best(worker: Worker, tags: Sequence[str] | None, seen: Sequence[UUID]) -> UUID | None:
    """Lock and return the best of some tasks, skipping those that other commands hold.

    Return None also when the token of the request has been revoked or got other scopes.
    """
    hold = " FOR NO KEY UPDATE SKIP LOCKED" if is_postgres() else ""
    candidates = await _best(worker, tags, seen, f" LIMIT 1{hold}")
    return candidates[0] if candidates else None


async def _best(worker: Worker, tags: Sequence[str] | None, among: Sequence[UUID] | None, limit: str) -> list[UUID]:
    # Its own tasks, whatever their tags, and unassigned ones with tags that it accepts.
    takes, values = ("TRUE", []) if worker.capabilities is None else _tagged(worker.capabilities)
    own_or_free = f"(t.assigned_agent_id = ? OR (t.assigned_agent_id IS NULL AND NOT {RESTS} AND {takes}))"
    resting = [worker.id, times.clock_now()]
    parts = [open_on(worker.board_id), (own_or_free, [worker.id, *resting, *values])]
    if tags:
        parts.append(_tagged(tags))
    if among is not None:
        parts.append((f"t.id IN ({placeholders(len(among))})", list(among)))
    if among is not None and worker.token_id is not None:
        parts.append((WORKS, [worker.token_id, times.clock_now(), worker.scopes]))
    one, two, three = (times.clock_now() - timedelta(days=days) for days in (1, 2, 3))
    tasks = await rows(
        f"SELECT t.id FROM tasks t WHERE {' AND '.join(where for where, _ in parts)}{ORDER}{limit}",
        *(value for _, values in parts for value in values),
        *(one, two, one, three, two, one),  # of `ORDER`: for high, for medium, and for everything below
    )
    return [UUID(str(row["id"])) for row in tasks]


def open_on(board_id: UUID) -> Part:
    now = times.clock_now()
    return OPEN, [board_id, now, now, board_id, board_id]


def _tagged(names: Sequence[str]) -> Part:
    """Match tasks with any of these tags, given by slug or id."""
    if not names:
        return "FALSE", []
    ids = [tag_id for name in names if (tag_id := parse_id(name)) is not None]
    named = f"g.slug IN ({placeholders(len(names))})"
    also = f" OR g.id IN ({placeholders(len(ids))})" if ids else ""
    return f"EXISTS ({TAGGED} AND ({named}{also}))", [*names, *ids]


async def carries(task_id: UUID, names: Sequence[str] | None) -> bool:
    if names is None:
        return True
    where, values = _tagged(names)
    return bool(await rows(f"SELECT 1 AS one FROM tasks t WHERE t.id = ? AND {where}", task_id, *values))


NO_WORK_CODES = (*PAUSED_CODES.values(), ErrorCode.BUDGET_EXHAUSTED)


class Claim(Brief, total=False):
    """The assigned task, as it is answered, its lease, and its brief; without work none of it, and why."""

    task: JsonObject | None
    lease: LeaseRead | None
    reason: JsonObject | None


class Missed(Exception):
    """Every task found is locked by another command, or changed at the last moment. Try again."""


@command("task.claim")
async def claim_best(actor: Actor, board: Board, worker: Worker, request: ClaimCreate, seen: Sequence[UUID]) -> Claim:
    """Assign the best of some tasks to a worker."""
    await lock_work_state_shared(board.id)
    if worker.limits != Limits():
        await lock_limits(actor.id, board.id)
    chosen = await hold_best(worker, request.tags, seen)
    if chosen is None:
        raise Missed
    task = Task(id=chosen, board_id=board.id, status="inbox")
    task.board = board
    try:
        return await _assign(actor, task, request)
    except (Conflict, Forbidden, NotFound) as error:
        if isinstance(error.detail, dict) and error.detail.get("code") in NO_WORK_CODES:
            raise
        raise Missed from error


@command("task.claim")
async def claim_named(actor: Actor, board: Board, worker: Worker, request: ClaimCreate) -> Claim:
    """Assign one task to a worker, or renew the lease that it has. Raise 409 when a rule forbids it."""
    await lock_limits(actor.id, board.id)
    task = await existing(
        find(Task, "id = ? AND board_id = ? AND deleted_at IS NULL", request.task_id, board.id, lock=True)
    )
    task.board = board
    run = await running(task.id)
    if run is not None and run.agent_id == actor.id and not is_over(run):
        if run.parked_at is not None:
            await refuse_resuming(actor, task)
        notify_pages(actor, task)
        return await leased(task, request, "held" if run.parked_at is None else "resume")
    await refuse_no_work(actor, board)
    if task.assigned_agent_id not in (None, actor.id):
        raise Conflict({"message": "Another agent has this task.", "code": ErrorCode.TASK_ALREADY_CLAIMED})
    if reason := await _why_unclaimable(task, worker, request):
        raise Conflict({"message": reason, "code": ErrorCode.TASK_NOT_CLAIMABLE})
    return await _assign(actor, task, request)


async def _assign(actor: Actor, task: Task, request: ClaimCreate) -> Claim:
    return await leased(await change_task(actor, task, TaskChange(status="in_progress")), request)


async def leased(task: Task, request: ClaimCreate, why: WhyKind | None = None) -> Claim:
    lease = await hold_until(task, request.lease_seconds, resumes=why == "resume")
    brief = await brief_of(task.board, task.id, why)
    return {"task": await task_read(task.id), "lease": lease, "reason": None, **brief}


async def refuse_no_work(actor: Actor, board: Board) -> None:
    """Raise 409 where only the lead changes the status of tasks, and while a pause or a budget holds the agent back."""
    if board.only_lead_can_change_status:
        raise Conflict(ErrorCode.CLAIMS_DISABLED.detail())
    await refuse_when_used_up(actor.agent_id, board)
    await refuse_when_paused(actor.agent_id, board.id)


async def _why_unclaimable(task: Task, worker: Worker, request: ClaimCreate) -> str | None:
    if task.assigned_user_id is not None:
        return "This task belongs to a person."
    if task.status != "inbox":
        return f"This task is in {task.status}; tasks are claimed from the inbox."
    if task.flagged_at is not None:
        return f"This task waits for a person. {task.flag_reason}"
    if task.retry_at is not None and task.retry_at > times.clock_now():
        return f"A lease of this task ran out; it rests until {times.iso(task.retry_at)}."
    if await open_parts_of(task.id):
        return "Parts of this task that block it are not done yet."
    if task.assigned_agent_id is None and not await carries(task.id, worker.capabilities):
        return f"This task has none of the tags that you take: {', '.join(worker.capabilities or ())}."
    if not await carries(task.id, request.tags or None):
        return "This task has none of the tags that you ask for."
    return None


# The agents of a board that have not as much in their own hands as their limit allows.
WITH_CAPACITY = (
    "SELECT a.id, a.claim_tags FROM agents a WHERE a.board_id = ? AND (a.wip_limit IS NULL OR a.wip_limit > ("
    "SELECT COUNT(*) FROM tasks t WHERE t.assigned_agent_id = a.id AND t.status = 'in_progress'"
    f" AND t.deleted_at IS NULL AND NOT {IS_PARKED}))"
)
# Whose open work is, and which tags are on it; as few rows as there are different ones. Before them the agents
# whose runs waited and may go on.
OFFERED = (
    "SELECT r.agent_id, NULL AS tag_id, NULL AS slug, 1 AS resumes FROM task_runs r WHERE r.board_id = ?"
    " AND r.ended_at IS NULL AND r.parked_at IS NOT NULL AND r.ready_at IS NOT NULL UNION ALL"
    " SELECT DISTINCT t.assigned_agent_id AS agent_id, g.id AS tag_id, g.slug, 0 FROM tasks t"
    " LEFT JOIN tag_assignments x ON x.task_id = t.id LEFT JOIN tags g ON g.id = x.tag_id WHERE "
)


class Waiter(NamedTuple):
    """A waiting worker and the tags (slugs or ids) that it asks for; no tags: any task."""

    agent_id: UUID | None
    tags: tuple[str, ...]


async def waiters_with_work(waiters: Collection[Hashable], board: Board) -> set[Waiter]:
    """Return the waiters for which there may be work on a board.

    The result is complete, and may hold a waiter too many when its tags are of two kinds.
    """
    if not waiters:
        return set()
    offers, resuming = await _offers_on(board)
    if offers and await full(Limits.of(None, board.wip_limits), None, board.id) is not None:
        offers = {}
    if not offers and not resuming:
        return set()
    sql, ids = WITH_CAPACITY, list[UUID | None]()
    if None not in offers:  # work that is somebody's already, so that a crowd which waits is not read
        ids = [*(offers.keys() | resuming)]
        sql = f"{sql} AND a.id IN ({placeholders(len(ids))})"
    able = {as_id(row["id"]): as_json(row["claim_tags"]) for row in await rows(sql, board.id, *ids)}
    return {
        waiter
        for waiter in waiters
        if isinstance(waiter, Waiter) and waiter.agent_id in able
        if waiter.agent_id in resuming
        or _is_offered(waiter, offers.get(None), able[waiter.agent_id])
        or _is_offered(waiter, offers.get(waiter.agent_id), None)
    }


def _is_offered(waiter: Waiter, tags: set[str] | None, taken: Sequence[str] | None) -> bool:
    return tags is not None and _has_any(tags, taken) and _has_any(tags, waiter.tags or None)


async def _offers_on(board: Board) -> tuple[dict[UUID | None, set[str]], set[UUID | None]]:
    """Return the tags on open work by whose it is, and the agents whose runs may go on."""
    where, values = open_on(board.id)
    offers: dict[UUID | None, set[str]] = {}
    resuming = set[UUID | None]()
    for row in await rows(f"{OFFERED}{where}", board.id, *values):
        agent_id = as_id(row["agent_id"])
        if row["resumes"]:
            resuming.add(agent_id)
        else:
            tags = {str(as_id(row["tag_id"])), row["slug"]} if row["tag_id"] is not None else set[str]()
            offers.setdefault(agent_id, set()).update(tags)
    return offers, resuming


def _has_any(tags: set[str], names: Sequence[str] | None) -> bool:
    return names is None or any(name in tags or str(parse_id(name)) in tags for name in names)


@command("task.unflag")
async def clear_flag(actor: Actor, task: Task) -> None:
    """Make a task claimable at once and reset its failed attempts. Without a flag or a pause it is a no-op."""
    task = await locked_task(task)
    before = copy(task)
    forgive(task)
    await save(task, before, f"Flag cleared: {task.title}.", "task.unflagged")
