"""Claim with a wait: poll once, wait for a wake-up without queries, poll again; and which events wake."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, DomainError, ErrorCode, Forbidden, NotFound, Unauthenticated, existing
from mission_control.core.limits import granted, require_scope
from mission_control.core.values import JsonObject
from mission_control.database.sql import as_id, as_json, rows
from mission_control.events import broker, wakeup_channels
from mission_control.events.commands import on_abandonment, uncancelled
from mission_control.events.event_log import NewEvent
from mission_control.events.unit_of_work import notify, reacts_to
from mission_control.http.lookups import channel_of_agent
from mission_control.http.retries import committed, notified_of_answer
from mission_control.runs.claims import claiming, leases, readiness
from mission_control.runs.claims.claiming import (
    NO_WORK_CODES,
    Claim,
    Missed,
    Worker,
    claim_best,
    claim_named,
    refuse_no_work,
)
from mission_control.runs.claims.leases import expire_due, release_lease
from mission_control.runs.claims.resuming import park_again, resume_first
from mission_control.runs.queries import ClaimCreate
from mission_control.tasks.models import Task
from mission_control.tasks.rules import Limits, full

# Seconds until the next poll after one that found only locked tasks.
PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
HELD_SECONDS = 1.0
UNANSWERED = "The client cancelled its call before it had the answer."


async def claim(actor: Actor, board: Board, request: ClaimCreate) -> Claim:
    """Assign the best task, or the named one, to a worker; wait for one as long as the worker asks for."""
    actor, reason = replace(actor, fence=None), None
    if request.task_id is not None:
        answer = await named(actor, board, request, given)
    elif request.wait_seconds:
        answer, reason = await waited(actor, board, request, lambda board: look(actor, board, request, given))
    else:
        answer, _ = await look(actor, board, request, given)
    if answer is None:
        nothing: Claim = {"task": None, "lease": None, "reason": reason}
        return await committed(actor, partial(given, nothing)) or nothing
    if (lease := answer["lease"]) is not None:
        leases.LEASES.no_later_than(lease["expires_at"])
    return answer


async def named[R](actor: Actor, board: Board, request: ClaimCreate, tell: Callable[[Claim], Awaitable[R]]) -> R | None:
    worker, _ = await _worker(actor, board)

    async def claim_and_tell() -> R:
        return await tell(await claim_named(actor, board, worker, request))

    return await committed(actor, claim_and_tell)


async def given[T](answer: T) -> T:
    return answer


type Look[R] = Callable[[Board], Awaitable[tuple[R | None, bool]]]


async def waited[R](
    actor: Actor, board: Board, request: ClaimCreate, looks: Look[R], *names: str
) -> tuple[R | None, JsonObject | None]:
    """Return the answer, or None and why no work may begin; waits through pauses and used-up budgets too.

    `looks` looks for it, as `look` does, at once, when there is new work, and when one of the named channels is
    notified.
    """
    now, channel = asyncio.get_running_loop().time, channel_of(board.id)
    end = wakeup_channels.end_of_wait(request.wait_seconds)
    who, ready = claiming.Waiter(actor.agent_id, tuple(request.tags or ())), readiness.Ready(actor, board, request)
    with wakeup_channels.queued(channel, who) as waiter, ready:
        while True:
            with contextlib.ExitStack() as listening:
                twin = listening.enter_context(notified_of_answer(actor))
                own = (channel_of_agent(actor.agent_id), *names)
                notified = [listening.enter_context(wakeup_channels.listening(name)) for name in own]
                waiter.listen()
                answer, is_held, reason = await _looked(board, looks)
                running = broker.current()
                if answer is not None or now() >= end or running is None or running.closing:
                    ready.asks_again = answer is None
                    return answer, reason
                await ready.announce(reason is None and not board.only_lead_can_change_status)
                if waiter.holds_baton:
                    waiter.pass_baton(await claiming.waiters_with_work(waiter.not_polled(), board))
                left = min(end - now(), HELD_SECONDS) if is_held else end - now()
                await waiter.woken(left, twin, *notified)
            if twin.done():
                await committed(actor, partial(given, None))
            board = await existing(Board.get_or_none(id=board.id, deleted_at=None))


def channel_of(board_id: object) -> str:
    return f"work:{board_id}"


async def _looked[R](board: Board, looks: Look[R]) -> tuple[R | None, bool, JsonObject | None]:
    try:
        return *await looks(board), None
    except Conflict as halt:
        if not isinstance(halt.detail, dict) or halt.detail.get("code") not in NO_WORK_CODES:
            raise  # waiting does not end it
        return None, False, halt.detail


async def look[R](
    actor: Actor, board: Board, request: ClaimCreate, tell: Callable[[Claim], Awaitable[R]]
) -> tuple[R | None, bool]:
    """Return what `tell` makes of the claim in its transaction, or None and whether another command has locked work."""
    for pause in PAUSES:
        worker, resumes = await _worker(actor, board)
        if resumes and (resumed := await uncancelled(_resume(actor, board, request, tell))) is not None:
            return resumed, False
        is_full = await full(worker.limits, actor.agent_id, board.id) is not None
        seen = [] if is_full else await claiming.see_best(worker, request.tags)
        if not seen:
            await refuse_no_work(actor, board)
            return None, False
        try:
            work = partial(claim_best, actor, board, worker, request, seen)
            return await uncancelled(_claim(actor, board, work, tell)), False
        except Missed:
            await asyncio.sleep(pause)
    return None, True


type Undo = Callable[[Actor, Task, int], Awaitable[None]]


async def _claim[R](
    actor: Actor,
    board: Board,
    work: Callable[[], Awaitable[Claim | None]],
    tell: Callable[[Claim], Awaitable[R]],
    undo: Undo | None = None,
) -> R | None:
    claims: list[Claim] = []

    async def claim_and_tell() -> R | None:
        if (claim := await work()) is None:
            return None
        claims.append(claim)
        return await tell(claim)

    answer = await committed(actor, claim_and_tell)
    if answer is not None:
        await on_abandonment(partial(_take_back, actor, board, claims[-1], undo or _release))
    return answer


async def _resume[R](
    actor: Actor, board: Board, request: ClaimCreate, tell: Callable[[Claim], Awaitable[R]]
) -> R | None:
    try:
        return await _claim(actor, board, partial(resume_first, actor, board, request), tell, park_again)
    except Conflict as refusal:
        if isinstance(refusal.detail, dict) and refusal.detail.get("code") == ErrorCode.WIP_LIMIT_REACHED:
            return None
        raise


async def _release(actor: Actor, task: Task, fence: int) -> None:
    await release_lease(actor, task, fence, UNANSWERED, rests=False)


async def _take_back(actor: Actor, board: Board, answer: Claim, undo: Undo) -> None:
    """Undo a claim whose client cancelled the call or disconnected before the answer."""
    assert answer["task"] is not None and answer["lease"] is not None
    task = Task(id=UUID(str(answer["task"]["id"])), board_id=board.id)
    task.board = board
    with contextlib.suppress(DomainError):  # it was reassigned
        await undo(actor, task, answer["lease"]["fence"])


async def _worker(actor: Actor, board: Board) -> tuple[Worker, bool]:
    """Return the calling agent as it is now, after expiring the leases of the board that have ended, and whether a run
    of its own that waited may go on.

    While it waited, its token may have ended or lost scopes, and the agent may have been moved or made the lead.
    """
    now = times.clock_now()
    # Overdue leases are few. With the board as their condition SQLite would look at all runs that it ever had.
    sql = (
        "SELECT a.board_id, a.is_board_lead, a.wip_limit, a.claim_tags, k.id AS token_id,"
        " CAST(k.scopes AS TEXT) AS scopes,"
        " (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?)) AS is_valid,"
        " ? IN (SELECT r.board_id FROM task_runs r WHERE r.ended_at IS NULL AND r.lease_expires_at <= ?)"
        " AS meets_overdue, EXISTS (SELECT 1 FROM task_runs r WHERE r.agent_id = a.id AND r.board_id = a.board_id"
        " AND r.ended_at IS NULL AND r.parked_at IS NOT NULL AND r.ready_at IS NOT NULL) AS resumes"
        " FROM agents a LEFT JOIN tokens k ON k.id = ? WHERE a.id = ?"
    )
    agents = await rows(sql, now, board.id, now, actor.credential[1], actor.id)
    has_ended = not agents or agents[0]["token_id"] is None or not agents[0]["is_valid"]
    if not agents or (actor.credential[0] == "token" and has_ended):
        raise Unauthenticated()
    row = agents[0]
    require_scope(replace(actor, scopes=granted(as_json(row["scopes"]))), "work")
    if str(row["board_id"]) != str(board.id):
        raise NotFound()
    if row["is_board_lead"]:
        raise Forbidden(ErrorCode.WORKER_ONLY.detail())
    if row["meets_overdue"]:
        await expire_due(board.id)
    limits = Limits.of(row["wip_limit"], board.wip_limits)
    capabilities = as_json(row["claim_tags"])
    worker = Worker(actor.agent_id, board.id, limits, capabilities, as_id(row["token_id"]), row["scopes"])
    return worker, bool(row["resumes"])


# Of the fields of a task, those that decide whether it can be claimed, and by whom.
DECISIVE = {"status", "assigned_agent_id", "assigned_user_id", "depends_on_task_ids", "tag_ids", "not_before"}


@reacts_to("task.created", "task.status_changed", "task.updated")
async def wake_polls_for_task(actor: Actor, event: NewEvent) -> None:
    """A task came into the inbox, lost its assignee, left a column, or was unblocked."""
    before: JsonObject = event.data.get("before") or {}
    after: JsonObject = event.data.get("after") or {}
    if event.kind == "task.created":
        opens = event.data["status"] == "inbox"
    elif event.kind == "task.updated":
        opens = bool({"dependency_id", "part_id"} & event.data.keys()) or bool(DECISIVE & set(after))
    else:
        opens = after.get("status") != "in_progress" or before.get("status") == "review"
    if opens:
        await wake_polls_of_board(actor, event)
    if (event.data | after).get("not_before") is not None:
        notify(leases.LEASES.channel)  # which learns of the moment


@reacts_to("task.restored", "task.deleted", "task.lease_expired", "task.unflagged", "approval.decided")
@reacts_to("approval.closed", "board.updated", "board.deleted", "agent.updated")
async def wake_polls_of_board(actor: Actor, event: NewEvent) -> None:
    """Something else changed that decides which tasks of a board can be claimed."""
    if event.scope.board_id is not None:
        notify(channel_of(event.scope.board_id))


@reacts_to("tag.updated")
async def wake_polls_for_tag(actor: Actor, event: NewEvent) -> None:
    if "slug" in event.data["after"]:
        for row in await rows(
            "SELECT DISTINCT t.board_id FROM tag_assignments x JOIN tasks t ON t.id = x.task_id"
            " WHERE x.tag_id = ? AND t.status = 'inbox' AND t.deleted_at IS NULL",
            event.scope.subject_id,
        ):
            notify(channel_of(as_id(row["board_id"])))
