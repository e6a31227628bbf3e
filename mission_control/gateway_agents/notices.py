"""Notices to agents on gateways: sent in order, once; turns that end; work that nobody has taken up."""

import re
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from quart import Quart

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.agents.schemas import DEFAULT_HEARTBEAT
from mission_control.agents.usage.queries import exhausted
from mission_control.agents.work_state import directive_of
from mission_control.background import sending
from mission_control.background.loops import Loop
from mission_control.background.sending import NotNow, Sender
from mission_control.boards.models import Run
from mission_control.boards.parking import IS_PARKED
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.values import JsonObject
from mission_control.database.sql import as_json, placeholders, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.leases import FOR_ITS_TURN, STOPPED, Delivery
from mission_control.events.unit_of_work import deliver, record
from mission_control.gateway_agents.failed_turns import CALL_SECONDS, change_key, history_of, key_after, key_of
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning.gateway_agent import end_turns, message_pause, send_message
from mission_control.gateway_agents.provisioning.jobs import OPEN
from mission_control.gateways.connections import connector
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.runs.claims import claiming
from mission_control.runs.claims.waiting_reasons import reasons_of
from mission_control.tasks.models import Task
from mission_control.tasks.notices import WORK_WAITS
from mission_control.tasks.rules import Limits, full

EVENTS = (
    Kind(
        "agent.turn_ended", "What an agent did on its gateway was ended, because it has to stop.", "ended the turn of"
    ),
)


def message_of(delivery: Delivery) -> str:
    if delivery.data.get("raw"):
        return delivery.text
    return f"{delivery.header}\n{delivery.text}".rstrip("\n") if delivery.text else delivery.header


STOPS = {"WORK STOPPED": "work was stopped", "BUDGET USED UP": "a budget is used up"}


async def _reason_to_end(delivery: Delivery, agent: Agent) -> str | None:
    """None where the turn may go on: a notice may have waited while its gateway was away."""
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


@sending.senders
def senders(app: Quart) -> list[Sender]:
    def reached() -> str:
        return REACHED.format(gateways=", ".join(f"'{gateway_id}'" for gateway_id in _free()) or "NULL")

    return [Sender(NOTICE, send_notice, only=reached, name="gateway", is_able=lambda: bool(_free()))]


def _free() -> list[UUID]:
    held = connector.held_here()
    return sorted(gateway for gateway in held if _sending[gateway] < AT_ONCE and not message_pause(gateway))


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
    session = str(agent.openclaw_session_id)
    if (why := await _reason_to_end(delivery, agent)) is not None:
        if await end_turns(gateway_id, str(agent.gateway_agent_id), session, seconds=CALL_SECONDS):
            await record_ended(system(agent.organization_id), agent, why)
    key: str | None = key_of(delivery)
    if delivery.attempts > 1 or delivery.last_error:
        key = await _key_to_send_again(delivery, agent, gateway_id)
    if key is None:
        return
    message = {"sessionKey": session, "message": message_of(delivery), "idempotencyKey": key}
    options = {"deliver": bool(delivery.data.get("deliver"))}
    answer = await send_message(gateway_id, message | options, seconds=CALL_SECONDS)
    if answer.get("status") == "error":
        raise GatewayError("RUN_FAILED", answer.text("summary", "error") or "The gateway refused it.")


async def _key_to_send_again(delivery: Delivery, agent: Agent, gateway_id: UUID) -> str | None:
    """Return the key for the next attempt; None where the agent has the notice. Raise NotNow while it may get it."""
    actor, key, returns = system(agent.organization_id), key_of(delivery), int(delivery.data.get("returns", 0))
    history = await history_of(gateway_id, str(agent.openclaw_session_id))
    if key in history.arrived:
        return None
    if returns and history.is_busy:
        raise NotNow("The agent is in a turn, which may answer this too.", SETTING_UP_SECONDS)
    if returns and history.is_settled(key_after(delivery, returns - 1)):  # by the turn of a message after it
        await change_key(actor, delivery, returns - 1)
        return None
    # The gateway takes no second message of the same key.
    return await change_key(actor, delivery, returns + 1) if key in history.interrupted else key


MOST_TASKS = 5
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
    if await exhausted(agent.id, agent.board_id, agent.organization_id) is not None:
        return []
    # Notices that were given up can be read in the inbox.
    given_up = "SELECT id, header FROM deliveries WHERE agent_id = ? AND state = 'failed' ORDER BY seq LIMIT 20"
    read = "Read the notices that did not reach you here: GET /api/v1/agent/inbox."
    unread = [Work(f"notice:{row['id']}", f"{row['header']}. {read}") for row in await rows(given_up, agent.id)]
    if agent.is_board_lead:
        return unread + await _for_lead(agent, since)
    return unread + (await _begun(agent, since) or await _to_claim(agent, since))


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
    """List tasks that the agent could claim: its own that have waited since then, and free ones."""
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
    if not (best := (await claiming.see_best(worker))[:MOST_TASKS]):
        return []
    sql = (
        "SELECT number, title, id, attempt, assigned_agent_id FROM tasks"
        f" WHERE id IN ({placeholders(len(best))}) AND (assigned_agent_id IS NULL OR updated_at < ?)"
    )
    return [
        Work(
            f"task:{task['id']}:{task['attempt']}", f"#{task['number']} {task['title']} waits to be claimed.",
            is_for_anybody=task["assigned_agent_id"] is None,
        )
        for task in await rows(sql, *best, since)
    ]  # fmt: skip


async def _for_lead(agent: Agent, since: datetime) -> list[Work]:
    tasks = await rows(
        "SELECT id, number, title, status, attempt FROM tasks WHERE board_id = ? AND status IN ('inbox', 'review')"
        " AND deleted_at IS NULL AND archived_at IS NULL AND updated_at < ? ORDER BY updated_at LIMIT 50",
        agent.board_id,
        since,
    )
    waiting = await reasons_of([task["id"] for task in tasks])
    work = []
    for task in tasks:
        reasons = waiting.get(str(task["id"]), [])
        kinds = {str(reason["kind"]) for reason in reasons}
        if kinds & NEEDS_LEAD and not kinds & {"approval", "not_before"}:
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
    " AND (a.hold IS NULL OR a.hold ->> 'answer' = 'continue')"
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
    free = await rows(FREE.format(gateways=placeholders(len(gateway_ids))), *gateway_ids)
    offered: set[str] = set()
    for agent_id in [key for row in free if _is_due(key := UUID(str(row["id"])), as_json(row["heartbeat_config"]))]:
        agent = await Agent.get_or_none(id=agent_id).select_related("board")
        if agent is not None and (new := await _new_work(agent, offered)):
            offered |= {item.key for item in new if item.is_for_anybody}
            await notify_of(system(agent.organization_id), agent, new)


async def _new_work(agent: Agent, offered: set[str]) -> list[Work]:
    work = await work_of(agent, times.clock_now() - _next[agent.id][0])
    old = offered | await _notified_of(agent) if work else offered
    return [item for item in work if item.key not in old]


OPEN_WORK = Loop(name="looking for open work of agents", look=look, pause=10.0)


def interval_of(config: JsonObject | None) -> timedelta | None:
    matched = EVERY.fullmatch(str({**DEFAULT_HEARTBEAT, **(config or {})}["every"]))
    if matched is None or int(matched[1]) == 0:
        return None
    return max(SHORTEST, timedelta(**{UNITS[matched[2]]: int(matched[1])}))


def _is_due(agent_id: UUID, config: JsonObject | None) -> bool:
    """Whether it is time to look after an agent; plans the next look. The first one is an interval away."""
    every, now = interval_of(config), times.clock_now()
    if every is None:
        _next.pop(agent_id, None)
        return False
    interval, due_at = _next.get(agent_id, (None, now))
    if interval == every and now < due_at:
        return False
    _next[agent_id] = (every, now + every)
    return interval == every


async def _notified_of(agent: Agent) -> set[str]:
    last = await Delivery.filter(agent_id=agent.id, header=WORK_WAITS).order_by("-created_at").first()
    return set(last.data.get("work", ())) if last is not None else set()


@command("provisioning.run")
async def notify_of(actor: Actor, agent: Agent, work: list[Work]) -> None:
    """Send an agent one message about all that waits for it."""
    keys = [item.key for item in work]
    earlier = [key for key in await _notified_of(agent) if key not in keys]
    text = "\n".join([f"Board: {agent.board.name}", "", *(item.text for item in work)])
    remembered = [*keys, *earlier][:REMEMBERED]
    deliver(NOTICE, agent.scope(), agent_id=agent.id, header=WORK_WAITS, text=text, work=remembered)
