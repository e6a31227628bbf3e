"""Notices to agents on gateways: sent in order, once; turns that end; work that nobody has taken up."""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from quart import Quart

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.agents.schemas import DEFAULT_HEARTBEAT
from mission_control.agents.usage_queries import exhausted
from mission_control.agents.work_state import directive_of
from mission_control.boards.models import Run
from mission_control.boards.parking import IS_PARKED
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.database.sql import as_json, placeholders, rows
from mission_control.fleet.gateway_agent import end_turns, mapping, mappings_in
from mission_control.fleet.jobs import OPEN
from mission_control.fleet.models import ProvisioningJob
from mission_control.fleet.runner import has_checked_in, wake_again, wake_key
from mission_control.gateways import connector
from mission_control.gateways.errors import GatewayError
from mission_control.gateways.events import GatewayRef, when_connected
from mission_control.log import leases
from mission_control.log.commands import command
from mission_control.log.event_log import Kind
from mission_control.log.leases import FOR_ITS_TURN, STOPPED, Delivery
from mission_control.log.unit_of_work import deliver, notify, record, signal
from mission_control.runs import claiming
from mission_control.runs.waiting import reasons_of
from mission_control.tasks.models import Task
from mission_control.tasks.notices import WORK_WAITS
from mission_control.tasks.rules import Limits, full
from mission_control.work import loop
from mission_control.work.loop import NotNow, Sender
from mission_control.work.loops import Loop

EVENTS = (
    Kind(
        "agent.turn_ended", "What an agent did on its gateway was ended, because it has to stop.", "ended the turn of"
    ),
)


def message_of(delivery: Delivery) -> str:
    if delivery.data.get("raw"):
        return delivery.text
    return f"{delivery.header}\n{delivery.text}".rstrip("\n") if delivery.text else delivery.header


CALL_SECONDS = 12.0
RECENT = 50  # messages of a session that are looked at
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The keys of messages that a session holds, and of those that were interrupted."""

    there: frozenset[str] = frozenset()
    interrupted: frozenset[str] = frozenset()
    is_empty: bool = True  # it holds no message at all; an old gateway names no keys

    def has(self, delivery_id: UUID | str) -> bool:
        """Return whether a session has a delivery's message, or will take it up."""
        return any(key.startswith(str(delivery_id)) for key in self.there)

    def has_interrupted(self, key: UUID | str) -> bool:
        """Return whether a message was interrupted and not sent again since."""
        return not self.has(key) and self.next_key(key) != str(key)

    def next_key(self, delivery_id: UUID | str) -> str:
        """Return the key by which a delivery is sent now: its id, with a number after interrupted ones."""
        used = sum(key.startswith(str(delivery_id)) for key in self.interrupted)
        return f"{delivery_id}:{used + 1}" if used else str(delivery_id)


async def arrivals(gateway_id: UUID, session_key: str) -> Arrivals:
    """Read what a session has got. Raise GatewayError for what passes by itself."""
    try:
        recent = {"sessionKey": session_key, "limit": RECENT}
        history = await connector.call(gateway_id, "chat.history", recent, seconds=CALL_SECONDS)
    except GatewayError as error:
        if error.is_retryable:
            raise
        return Arrivals()  # there is no such session yet
    pending, messages = mappings_in(mapping(history).get("pendingInputs"), "items"), mappings_in(history, "messages")
    there = {str(mapping(message.get("__openclaw")).get("idempotencyKey") or "") for message in messages}
    there |= {str(one.get("runId") or "") for one in pending if one.get("state") != INTERRUPTED}
    interrupted = {str(one.get("runId") or "") for one in pending if one.get("state") == INTERRUPTED}
    is_empty = not messages and not pending
    return Arrivals(frozenset(there - {""}), frozenset(interrupted - there - {""}), is_empty)


STOPS = {"WORK STOPPED": "work was stopped", "BUDGET USED UP": "a budget is used up"}


async def _reason_to_end(delivery: Delivery, agent: Agent) -> str | None:
    """Return why a turn has to end, None where it may go on. A notice may have waited while its gateway was away."""
    if delivery.header in STOPS:
        return STOPS[delivery.header] if (await directive_of(agent)).directive == "stop" else None
    if delivery.header == STOPPED:
        others = Run.filter(agent_id=agent.id, ended_at=None, started_at__gt=delivery.created_at)
        return None if await others.exists() else "a person stopped its run"
    if delivery.header != "TASK TAKEN AWAY":
        return None
    theirs = Task.filter(assigned_agent_id=agent.id, status="in_progress", deleted_at=None)
    return None if await theirs.exists() else "its task was taken away"


@command("provisioning.run")
async def record_ended(actor: Actor, agent: Agent, why: str) -> None:
    """Record that what an agent did was ended."""
    record("agent.turn_ended", agent, f"Ended what {agent.name} was doing: {why}.", name=agent.name, reason=why)


AT_ONCE = 8  # of one gateway; the loop sends 20 at a time in all
BUSY_SECONDS = 2.0
SETTING_UP_SECONDS = 10.0
# Agents of gateways that were woken or have called, without a callback, whose board is not in the trash.
REACHED = (
    "agent_id IN (SELECT a.id FROM agents a JOIN gateways g ON g.id = a.gateway_id LEFT JOIN boards b ON b.id ="
    " a.board_id WHERE a.openclaw_session_id IS NOT NULL AND a.callback_url IS NULL AND b.deleted_at IS NULL"
    " AND (a.last_seen_at IS NOT NULL OR a.last_wake_sent_at IS NOT NULL) AND g.id IN ({gateways})"
    f" AND NOT (header IN {FOR_ITS_TURN} AND a.run_began_at IS NOT NULL))"
)

_sending: Counter[UUID] = Counter()


@loop.senders
def senders(app: Quart) -> list[Sender]:
    def reached() -> str:
        return REACHED.format(gateways=", ".join(f"'{gateway_id}'" for gateway_id in _free()) or "NULL")

    return [Sender(NOTICE, send_notice, only=reached, name="gateway", is_able=lambda: bool(_free()))]


def _free() -> list[UUID]:
    """Return the gateways that this process is connected to and that take more messages now."""
    return sorted(one for one in connector.held_here() if _sending[one] < AT_ONCE)


async def send_notice(delivery: Delivery) -> None:
    """Send a notice to the session of its agent. Raise NotNow while its gateway or its agent is not there."""
    agent = await Agent.get(id=delivery.agent_id)
    gateway_id = agent.gateway_id
    assert gateway_id is not None  # by the sender's condition
    _sending[gateway_id] += 1
    try:
        await _send(delivery, agent, gateway_id)
    except GatewayError as error:
        if error.is_retryable:
            raise NotNow(error.message, error.retry_after or BUSY_SECONDS) from error
        if await ProvisioningJob.filter(agent_id=agent.id, state__in=OPEN).exists():
            raise NotNow(f"The agent is being set up. {error.message}", SETTING_UP_SECONDS) from error
        raise
    finally:
        _sending[gateway_id] -= 1
        if not _sending[gateway_id]:
            del _sending[gateway_id]


async def _send(delivery: Delivery, agent: Agent, gateway_id: UUID) -> None:
    key, session = str(delivery.id), str(agent.openclaw_session_id)
    if (why := await _reason_to_end(delivery, agent)) is not None:
        if await end_turns(gateway_id, str(agent.gateway_agent_id), session, seconds=CALL_SECONDS):
            await record_ended(system(agent.organization_id), agent, why)
    if delivery.attempts > 1 or delivery.last_error:
        known = await arrivals(gateway_id, session)
        if known.has(delivery.id):
            return
        key = known.next_key(delivery.id)
    message: dict[str, object] = {"sessionKey": session, "message": message_of(delivery), "idempotencyKey": key}
    message["deliver"] = bool(delivery.data.get("deliver"))
    answer = mapping(await connector.call(gateway_id, "chat.send", message, seconds=CALL_SECONDS))
    if answer.get("status") == "error":
        raise GatewayError("RUN_FAILED", str(answer.get("summary") or answer.get("error") or "The gateway refused it."))


LOOK_BACK = timedelta(minutes=15)
RESENT_AT_ONCE = 4


@when_connected
async def resend_interrupted(gateway: GatewayRef) -> None:
    """Put notices back that the gateway had taken and did not finish beginning; to be called once it is connected."""
    found = await rows(
        "SELECT d.id, d.agent_id, a.openclaw_session_id AS session FROM deliveries d JOIN agents a ON a.id = d.agent_id"
        " WHERE a.gateway_id = ? AND a.callback_url IS NULL AND a.openclaw_session_id IS NOT NULL AND d.kind = ?"
        " AND d.state = 'sent' AND d.attempts > 0 AND d.sent_at > ?",
        gateway.id,
        NOTICE,
        times.clock_now() - LOOK_BACK,
    )
    sessions: dict[str, list[UUID]] = defaultdict(list)
    for row in found:
        sessions[row["session"]].append(UUID(str(row["id"])))
    few = asyncio.Semaphore(RESENT_AT_ONCE)

    async def interrupted_in(session: str) -> list[UUID]:
        try:
            async with few:
                got = await arrivals(gateway.id, session)
        except GatewayError:  # it is away again, and this is done anew when it comes back
            return []
        return [delivery_id for delivery_id in sessions[session] if got.has_interrupted(delivery_id)]

    if lost := list(chain.from_iterable(await asyncio.gather(*map(interrupted_in, sessions)))):
        await put_back(system(gateway.organization_id), lost)


@when_connected
async def resend_greetings(gateway: GatewayRef) -> None:
    """Wake agents again whose wake the gateway no longer knows; to be called once it is connected."""
    for job in await ProvisioningJob.filter(gateway_id=gateway.id, state="waiting", awaits_check_in=True):
        agent = await Agent.get_or_none(id=job.agent_id)
        if agent is None or has_checked_in(agent):
            continue
        try:
            got = await arrivals(gateway.id, str(agent.openclaw_session_id))
        except GatewayError:  # it is away again, and this is done anew when it comes back
            return
        if got.is_empty or got.has_interrupted(wake_key(job, agent.wake_attempts)):
            await wake_again(system(gateway.organization_id), job.id)


@command("provisioning.run")
async def put_back(actor: Actor, delivery_ids: list[UUID]) -> None:
    """Let notices be sent once more."""
    reason = "The gateway was restarted before the agent took this up."
    again = {"state": "waiting", "due_at": times.clock_now(), "sent_at": None, "attempts": 0, "last_error": reason}
    for one in await Delivery.filter(id__in=delivery_ids, state="sent"):
        if await Delivery.filter(id=one.id, state="sent").update(**again):
            signal(actor.organization_id, inbox_of=str(one.agent_id))
    notify(leases.CHANNEL)


SHOWN = 5
# What only the lead can resolve; the rest waits for time, for people or for others.
NEEDS_LEAD = {"review", "flagged", "no_capable_agent", "rule"}
OWN = (
    "SELECT t.number, t.title, r.id AS run_id, r.ready_at FROM task_runs r JOIN tasks t ON t.id = r.task_id"
    " WHERE r.agent_id = ? AND r.ended_at IS NULL AND COALESCE(r.ready_at, r.started_at) < ?"
    " AND t.status = 'in_progress' AND t.deleted_at IS NULL"
    " AND (r.ready_at IS NOT NULL OR (r.parked_at IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM approval_task_links k WHERE k.task_id = t.id AND k.is_pending)"
    " AND NOT EXISTS (SELECT 1 FROM approvals p WHERE p.agent_id = r.agent_id AND p.status = 'pending')"
    " AND NOT EXISTS (SELECT 1 FROM agent_questions q WHERE q.agent_id = r.agent_id AND q.state = 'open')))"
    " ORDER BY t.number"
)


class Work(NamedTuple):
    """One thing that waits for an agent. `key` is another one when it waits anew."""

    key: str
    text: str
    is_for_anybody: bool = False


async def work_of(agent: Agent, since: datetime) -> list[Work]:
    """Return what waits for an agent that has given no sign since a moment."""
    if await exhausted(agent.id, agent.board_id, agent.organization_id) is not None:
        return []
    # Notices that were given up can be read in the inbox.
    given_up = "SELECT id, header FROM deliveries WHERE agent_id = ? AND state = 'failed' ORDER BY seq LIMIT 20"
    read = "Read the notices that did not reach you here: GET /api/v1/agent/inbox."
    found = [Work(f"notice:{row['id']}", f"{row['header']}. {read}") for row in await rows(given_up, agent.id)]
    if agent.is_board_lead:
        return found + await _for_lead(agent, since)
    begun = await _begun(agent, since)
    return found + (begun or await _to_claim(agent, since))


async def _begun(agent: Agent, since: datetime) -> list[Work]:
    if agent.last_seen_at is not None and agent.last_seen_at > since:
        return []
    go_on = "is yours and in progress. Go on with it, or say why not."
    answered = "waited for an answer and has it: claim it again and go on."
    return [
        Work(f"resume:{task['run_id']}:{task['ready_at']}", f"#{task['number']} {task['title']} {answered}")
        if task["ready_at"]
        else Work(f"run:{task['run_id']}", f"#{task['number']} {task['title']} {go_on}")
        for task in await rows(OWN, agent.id, since)
    ]


async def _to_claim(agent: Agent, since: datetime) -> list[Work]:
    """Return tasks that the agent could claim: its own that have waited since then, and free ones."""
    if agent.board_id is None:
        return []
    theirs = (
        "SELECT 1 AS one FROM tasks t WHERE t.assigned_agent_id = ? AND t.status = 'in_progress'"
        f" AND t.deleted_at IS NULL AND NOT {IS_PARKED} LIMIT 1"
    )
    limits = Limits.of(agent.wip_limit, agent.board.wip_limits)
    if await rows(theirs, agent.id) or await full(limits, agent.id, agent.board_id) is not None:
        return []
    worker = claiming.Worker(agent.id, agent.board_id, limits, agent.claim_tags)
    if not (best := (await claiming.see_best(worker))[:SHOWN]):
        return []
    found = await rows(
        "SELECT number, title, id, attempt, assigned_agent_id FROM tasks"
        f" WHERE id IN ({placeholders(len(best))}) AND (assigned_agent_id IS NULL OR updated_at < ?)",
        *best,
        since,
    )
    return [
        Work(
            f"task:{task['id']}:{task['attempt']}",
            f"#{task['number']} {task['title']} waits to be claimed.",
            is_for_anybody=task["assigned_agent_id"] is None,
        )
        for task in found
    ]


async def _for_lead(agent: Agent, since: datetime) -> list[Work]:
    """Return tasks that have waited for the board's lead since then."""
    found = await rows(
        "SELECT id, number, title, status, attempt FROM tasks WHERE board_id = ? AND status IN ('inbox', 'review')"
        " AND deleted_at IS NULL AND archived_at IS NULL AND updated_at < ? ORDER BY updated_at LIMIT 50",
        agent.board_id,
        since,
    )
    waiting = await reasons_of([task["id"] for task in found])
    work = []
    for task in found:
        reasons = waiting.get(str(task["id"]), [])
        kinds = {str(reason["kind"]) for reason in reasons}
        if kinds & NEEDS_LEAD and "approval" not in kinds:
            text = " ".join(str(reason["text"]) for reason in reasons)
            key = f"task:{task['id']}:{task['status']}:{task['attempt']}"
            work.append(Work(key, f"#{task['number']} {task['title']} ({task['status']}): {text}"))
    return work


SHORTEST = timedelta(seconds=30)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
EVERY = re.compile(r"([0-9]{1,5})([smhd])")
REMEMBERED = 500
FREE = (
    "SELECT a.id, a.heartbeat_config FROM agents a JOIN boards b ON b.id = a.board_id"
    " JOIN organizations o ON o.id = a.organization_id"
    " WHERE a.gateway_id IN ({gateways}) AND a.last_seen_at IS NOT NULL AND a.run_began_at IS NULL"
    " AND a.gateway_away_at IS NULL AND a.callback_url IS NULL AND b.deleted_at IS NULL AND a.status <> 'error'"
    " AND a.work_state = 'running' AND b.work_state = 'running' AND o.work_state = 'running'"
    " AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.agent_id = a.id AND d.state <> 'sent' AND d.state <> 'failed')"
    " ORDER BY a.last_seen_at"
)

_next: dict[UUID, tuple[timedelta, datetime]] = {}


async def look(gateway_ids: Collection[UUID] | None = None) -> None:
    """Notify agents whose time it is of what they have not taken up; one statement while it is nobody's.

    Those of the gateways that this process holds, unless others are named.
    """
    gateway_ids = connector.held_here() if gateway_ids is None else gateway_ids
    if not gateway_ids:
        return
    found = await rows(FREE.format(gateways=placeholders(len(gateway_ids))), *gateway_ids)
    due = [key for row in found if _is_due(key := UUID(str(row["id"])), as_json(row["heartbeat_config"]))]
    offered: set[str] = set()
    for agent_id in due:
        agent = await Agent.get_or_none(id=agent_id).select_related("board")
        if agent is None:
            continue
        work = await work_of(agent, times.clock_now() - _next[agent_id][0])
        known = offered | await _notified_of(agent) if work else offered
        new = [one for one in work if one.key not in known]
        if new:
            offered |= {one.key for one in new if one.is_for_anybody}
            await notify_of(system(agent.organization_id), agent, new)


OPEN_WORK = Loop(name="looking for open work of agents", look=look, pause=10.0)


def interval_of(config: dict[str, object] | None) -> timedelta | None:
    """Return how often the server looks after an agent, None for never."""
    matched = EVERY.fullmatch(str({**DEFAULT_HEARTBEAT, **(config or {})}["every"]))
    if matched is None or int(matched[1]) == 0:
        return None
    return max(SHORTEST, timedelta(**{UNITS[matched[2]]: int(matched[1])}))


def _is_due(agent_id: UUID, config: dict[str, object] | None) -> bool:
    """Return whether it is time to look after an agent, and plan the next look. The first one is an interval away."""
    every, now = interval_of(config), times.clock_now()
    if every is None:
        _next.pop(agent_id, None)
        return False
    known = _next.get(agent_id)
    if known is not None and known[0] == every and now < known[1]:
        return False
    _next[agent_id] = (every, now + every)
    return known is not None and known[0] == every


async def _notified_of(agent: Agent) -> set[str]:
    last = await Delivery.filter(agent_id=agent.id, header=WORK_WAITS).order_by("-created_at").first()
    return set(last.data.get("work", ())) if last is not None else set()


@command("provisioning.run")
async def notify_of(actor: Actor, agent: Agent, work: list[Work]) -> None:
    """Send an agent one message about all that waits for it."""
    keys = [one.key for one in work]
    earlier = [one for one in await _notified_of(agent) if one not in keys]
    deliver(
        NOTICE,
        agent.scope(),
        agent_id=agent.id,
        header=WORK_WAITS,
        text="\n".join([f"Board: {agent.board.name}", "", *(one.text for one in work)]),
        work=[*keys, *earlier][:REMEMBERED],
    )
