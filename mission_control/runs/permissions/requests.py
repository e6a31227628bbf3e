"""Requests of programs for a permission: approvals, which the person at the program answers too; the first counts.

The request of the program waits in this process, without a connection of the database. Whatever ends the
wait without a decision (its time, a restart, a client that left) leaves the question to the keyboard.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.exceptions import IntegrityError

from mission_control.approvals.commands import save_request
from mission_control.approvals.decisions import CLOSED, hold_tasks_of, locked_approval, resolve, save_decision
from mission_control.approvals.models import Approval
from mission_control.approvals.streams import POLLS
from mission_control.background.loops import Loop
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, OnlySystem, system
from mission_control.core.values import JsonObject
from mission_control.database.records import find
from mission_control.database.sql import Row, as_id, as_json, rows, select
from mission_control.events import broker, wakeup_channels
from mission_control.events.commands import command, uncancelled
from mission_control.events.event_log import Kind, NewEvent
from mission_control.events.unit_of_work import reacts_to, record
from mission_control.http.lookups import channel_of_caller, fresh
from mission_control.people.accounts.names import person_name
from mission_control.runs.hooks import queue as hook_queue
from mission_control.runs.hooks.answers import Place, place_of
from mission_control.runs.hooks.reading import DENIED, Hook, Verdict, When, named
from mission_control.runs.models import AgentSession
from mission_control.runs.notes.stop import refuse_calls
from mission_control.runs.permissions.reading import Asked, asked_of, external_id_of, reduced

EVENTS = (
    Kind(
        "approval.ended_at_program",
        "What a program asked was answered at its keyboard, or is answered there: nobody decided on the board.",
        "left to the keyboard",
    ),
)
ONLY_SYSTEM = OnlySystem("permission.settle")
MOST_OPEN = 50  # of one session
GRACE = timedelta(seconds=15)  # after which a wait that a crash ended is ended here
HELD = timedelta(seconds=540)  # its program waits a little longer, and then refuses by itself
NO_YES = "This needs a yes on the board, and nobody gave one. Go on without it, or tell your person."
NOT_IN_TIME = "Nobody decided in time."
RESTARTED = "The server was restarted."
GONE = "The program no longer waits for the board."
OVER = "The turn that asked this is over."
ALLOWED = "once", "always"  # what opencode says of an answer
SILENT = timedelta(minutes=20)  # after which a program that asks again no longer does

_waiting: Counter[UUID] = Counter()


async def answer_to_held(actor: Actor, hook: Hook) -> JsonObject:
    """Return what people decide about a call that its program holds for that; without a yes it is refused."""
    return await answer_of_people(actor, hook, is_held=True) or hook.program.refusal(hook, NO_YES)


async def answer_of_people(actor: Actor, hook: Hook, *, is_held: bool = False) -> JsonObject:
    """Return what people decide about a call, in the program's own shape; `{}` when they do not, or not in time."""
    await hook_queue.write()
    program, place = hook.program, await place_of(actor, hook.program.client, hook.session.external_id)
    if place is None or place.session_id is None:
        return {}
    patience = HELD if is_held else place.waits if program.waits is None else program.waits
    [session] = await rows("SELECT host_label FROM agent_sessions WHERE id = ?", place.session_id)
    request = asked_of(hook, session["host_label"], is_held=is_held)
    board = await Board.get_or_none(id=actor.board_id, deleted_at=None)
    if request is None or board is None or patience <= timedelta():
        return {}
    until = times.clock_now() + patience
    approval_id = await _opened(actor, board, place.session_id, request, None if program.asks_again else until)
    if approval_id is None:
        return {}
    SETTLING.no_later_than(until + GRACE)
    decided = await _waited(actor, place, approval_id, until, is_left=not program.asks_again)
    if decided is None:
        return {}
    return await _settled(actor, hook, place, board, decided, is_held=is_held)


async def _settled(
    actor: Actor, hook: Hook, place: Place, board: Board, decided: Verdict, *, is_held: bool
) -> JsonObject:
    """Return a verdict in the program's own shape, show it in its session, and end the turn if somebody wants that."""
    program, is_allowed = hook.program, decided.answer.startswith("allow")
    _goes_on(actor, hook, f"Allowed by {decided.who}, running" if is_allowed else f"Denied by {decided.who}")
    if decided.answer == "stop" and not program.ends_turns and place.session_id is not None:
        await uncancelled(stop_turn(system(place.organization_id), board, place.session_id, decided.words))
    if is_held and program.passing is not None:
        return (program.passing if is_allowed else program.refusal)(hook, decided.words)
    return program.verdict(hook, decided)


async def _opened(
    actor: Actor, board: Board, session_id: UUID, request: Asked, expires_at: datetime | None
) -> UUID | None:
    """Ask, even if the client leaves; what it asked is then left to the keyboard, unless it asks again."""

    async def opened() -> UUID | None:
        try:
            return await ask(actor, board, session_id, request, expires_at)
        except IntegrityError:  # the same call came twice at one moment
            return await ask(actor, board, session_id, request, expires_at)

    async def left() -> None:
        approval_id = await opening
        if approval_id is not None and approval_id not in _waiting:
            await leave(system(board.organization_id), approval_id, GONE)

    opening = asyncio.ensure_future(opened())
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        if expires_at is not None:
            await uncancelled(left())
        raise


def _goes_on(actor: Actor, hook: Hook, title: str) -> None:
    """Let the session show at once what was decided, and that it no longer waits."""
    news = replace(hook, items=[], steps=[], usage=[], plan=None, state="working", when=When.of())
    key = named("decided", external_id_of(hook), hook.ref or "", news.when.at.isoformat())
    news.add("ACTIVITY", key, title=title)
    hook_queue.put(actor, news)


@command("permission.settle")
async def stop_turn(actor: Actor, board: Board, session_id: UUID, why: str) -> None:
    """Have the calls of a session refused until its turn is over, as somebody wants who denied one."""
    if (session := await find(AgentSession, "id = ?", session_id, lock=True)) is not None:
        session.board = board
        await refuse_calls(session, why)


@command("approval.request")
async def ask(actor: Actor, board: Board, session_id: UUID, request: Asked, expires_at: datetime | None) -> UUID | None:
    """Ask people about a call of a session; one that waits already is the same. None when too many wait.

    Without an end it waits until its program asks again, also for what was answered since.
    """
    if expires_at is None:
        same = {"session_id": session_id, "external_id": request.external_id}
        if (answered := await Approval.filter(**same, answer_state="waiting").first()) is not None:
            return answered.id
    pending = await Approval.filter(session_id=session_id, status="pending").limit(MOST_OPEN)
    for approval in pending:
        if approval.external_id == request.external_id:
            await Approval.filter(id=approval.id).update(expires_at=expires_at)
            return approval.id
    if len(pending) >= MOST_OPEN:
        return None
    running = await rows(
        "SELECT r.id FROM agent_sessions s JOIN task_runs r ON r.id = s.run_id WHERE s.id = ? AND r.ended_at IS NULL",
        session_id,
    )
    approval = Approval(
        board_id=board.id, agent_id=actor.agent_id, action_type=request.action_type, payload=request.payload,
        confidence=0, status="pending", session_id=session_id, external_id=request.external_id, expires_at=expires_at,
        run_id=as_id(running[0]["id"]) if running else None,
    )  # fmt: skip
    approval.board = board
    await save_request(approval, [], {})
    return approval.id


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a request, and who decided."""

    status: str
    decision: str | None
    answer: str | None
    note: str | None
    name: str | None


_DECIDED = (
    f"SELECT a.status, a.decision, a.answer, a.note, {person_name('u')} AS name FROM approvals a"
    " LEFT JOIN users u ON u.id = a.resolved_by_user_id WHERE a.id = ?"
)


async def _waited(actor: Actor, place: Place, approval_id: UUID, until: datetime, *, is_left: bool) -> Verdict | None:
    """Return what people decided, None when nobody did. `is_left`: the last that waits leaves it to the keyboard."""
    _waiting[approval_id] += 1
    why: str | None = GONE
    try:
        while True:
            with contextlib.ExitStack() as listening:
                names = (channel_of_caller(actor), POLLS.channel_of(approval_id))
                changed, notified = [listening.enter_context(wakeup_channels.listening(name)) for name in names]
                decided = next(iter(await select(Decided, _DECIDED, approval_id)), None)
                if decided is None or decided.status != "pending":
                    why = None
                    return await _passed_on(place, approval_id, decided) if decided is not None else None
                left = (until - times.clock_now()).total_seconds()
                if (why := _why_over(left)) != GONE:
                    return None
                await wakeup_channels.notified_within(changed, left, notified)
            if changed.done() and await fresh(actor) is None:
                return None
    finally:
        if _waits_last(approval_id) and is_left and why is not None:
            await uncancelled(leave(system(place.organization_id), approval_id, why))


def _why_over(left: float) -> str:
    running = broker.current()
    if running is None or running.closing:
        return RESTARTED
    return NOT_IN_TIME if left <= 0 else GONE


def _waits_last(approval_id: UUID) -> bool:
    """Count one wait less; return whether it was the last."""
    _waiting[approval_id] -= 1
    if _waiting[approval_id] > 0:
        return False
    del _waiting[approval_id]
    return True


async def _passed_on(place: Place, approval_id: UUID, decided: Decided) -> Verdict | None:
    """Note that the program gets a decision, and return it; what was closed is answered at the keyboard."""
    if decided.answer is None or decided.decision == CLOSED:
        return None
    await uncancelled(deliver(system(place.organization_id), approval_id))
    who = decided.name or "Somebody"
    did = "allowed this on the board" if decided.answer.startswith("allow") else DENIED
    words = f"{who} {did} “{place.board_name}”" + (f": {decided.note}" if decided.note else ".")
    return Verdict(decided.answer, words, who)


@command("permission.settle")
async def deliver(actor: Actor, approval_id: UUID) -> None:
    """Note that a program has the answer."""
    if not await Approval.filter(id=approval_id, answer_state="waiting").update(answer_state="sent"):
        return
    approval = await Approval.get(id=approval_id).select_related("board")
    record("approval.answered", approval.scope(), f"Program told: {approval.action_type}.", **approval_facts(approval))


def approval_facts(approval: Approval) -> JsonObject:
    named = {"agent_id": approval.agent_id, "approval_id": approval.id, "action_type": approval.action_type}
    return {**named, "task_ids": []}


async def settle_with(place: Place, hook: Hook) -> None:
    """End what an event of a program shows to be answered at its keyboard."""
    if hook.event.kind == "RUN_STARTED" and all(item.kind != "RUN_STARTED" for item in hook.items):
        return  # the program itself speaks
    actor = system(place.organization_id)
    call = external_id_of(hook) if hook.event.settles == "call" else ""
    prefix = "" if hook.event.settles == "session" else f"{hook.of('agent_id')}:"
    pending = Approval.filter(session_id=place.session_id, status="pending")
    for approval in await pending.only("id", "external_id", "payload"):
        name = str(approval.external_id)
        if name == call if call else name.startswith(prefix):
            await _settle(actor, approval, hook, is_call=bool(call))


async def _settle(actor: Actor, approval: Approval, hook: Hook, *, is_call: bool) -> None:
    program = hook.program
    if _request_of(approval).get("is_held"):
        if not is_call:  # no keyboard asks it, so that nothing that its program tells can answer it
            await leave(actor, approval.id, OVER)
    elif program.asks_again and not program.asks_there_too:
        await leave(actor, approval.id, OVER, is_asked_there=False)
    else:
        is_allowed = is_call and (hook.name == "PostToolUse" or hook.of("reply") in ALLOWED)
        await answered_there(actor, approval.id, is_allowed=is_allowed)


def _request_of(approval: Approval) -> JsonObject:
    request = (approval.payload or {}).get("session_request")
    return request if isinstance(request, dict) else {}


@command("permission.settle")
async def answered_there(actor: Actor, approval_id: UUID, *, is_allowed: bool) -> None:
    """Note that who sits at the program answered first, if nobody on the board did."""
    how = "allowed" if is_allowed else "decided"
    decision = "approved" if is_allowed else CLOSED
    await _close(actor, approval_id, decision, f"Answered at the keyboard{{host}}: {how}.", is_answered=True)


@command("permission.settle")
async def leave(actor: Actor, approval_id: UUID, why: str, *, is_asked_there: bool = True) -> None:
    """Leave to the keyboard what nobody decided, if there is one."""
    await _close(actor, approval_id, CLOSED, f"{why} {{left}}" if is_asked_there else why)


async def _close(actor: Actor, approval_id: UUID, decision: str, note: str, *, is_answered: bool = False) -> None:
    approval = await Approval.get_or_none(id=approval_id).select_related("board")
    if approval is None:
        return
    await hold_tasks_of(approval)
    approval = await locked_approval(approval)
    if approval.status != "pending":
        return
    request = _request_of(approval)
    where = f" of {request['host']}" if request.get("host") else ""
    left = "It was refused." if request.get("is_held") else f"It is asked at the keyboard{where}."
    resolve(approval, actor, decision, note.format(host=where, left=left))
    approval.resolved_by_kind = "program"
    approval.resolved_by_name = f"Somebody at the keyboard{where}" if is_answered else None
    await save_decision(approval)
    facts = {**approval_facts(approval), "decision": decision, "note": approval.note}
    record("approval.ended_at_program", approval.scope(), f"Answered at its program: {approval.action_type}.", **facts)


@reacts_to("approval.decided", "approval.closed", "approval.ended_at_program")
async def keep_less(actor: Actor, event: NewEvent) -> None:
    """Keep of what is no longer asked what the board keeps of sessions."""
    asked_by_program = "SELECT id, payload FROM approvals WHERE id = ? AND session_id IS NOT NULL"
    for row in await rows(asked_by_program, event.data["approval_id"]):
        if (left := reduced(as_json(row["payload"]) or {})) is not None:
            await Approval.filter(id=row["id"]).update(payload=left)


_OPEN = (
    "SELECT a.id, a.status, a.expires_at < ? AS is_over, a.expires_at IS NULL AND a.status = 'pending' AND EXISTS"
    " (SELECT 1 FROM agent_sessions s WHERE s.id = a.session_id AND s.last_seen_at < ?) AS is_left, b.organization_id"
    " FROM approvals a JOIN boards b ON b.id = a.board_id WHERE a.session_id IS NOT NULL"
    " AND (a.status = 'pending' OR a.answer_state = 'waiting')"
)


async def look() -> float:
    """End what no process waits for; return the seconds until the next look."""
    now = times.clock_now()
    approvals = await rows(_OPEN, now - GRACE, now - SILENT)
    await _end_all([row for row in approvals if row["is_over"]], NOT_IN_TIME)
    await _end_all([row for row in approvals if row["is_left"]], GONE)
    return 30.0 if approvals else SETTLING.pause


async def take_over() -> None:
    """End what the server before this one had begun: no program waits for it."""
    await _end_all(await rows(f"{_OPEN} AND a.expires_at IS NOT NULL", *(times.clock_now(),) * 2), RESTARTED)


async def _end_all(approvals: Sequence[Row], why: str) -> None:
    for row in approvals:
        approval_id, actor = UUID(str(row["id"])), system(UUID(str(row["organization_id"])))
        await (leave(actor, approval_id, why) if row["status"] == "pending" else note_late(actor, approval_id))


@command("permission.settle")
async def note_late(actor: Actor, approval_id: UUID) -> None:
    """Note that a decision did not reach its program, which asked at its keyboard."""
    await Approval.filter(id=approval_id, answer_state="waiting").update(
        answer_state="late", note=f"The answer came too late. {GONE}"
    )


SETTLING = Loop(name="ending requests of programs", look=look, pause=300.0, take_over=take_over)
