"""Send notices to agents on gateways, in order, end turns, and send again what a restart interrupted."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from quart import Quart

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.agents.work_state import directive_of
from mission_control.core import times
from mission_control.core.actor import Actor, Rules, system
from mission_control.database.sql import rows
from mission_control.fleet.gateway_agent import end_turns
from mission_control.fleet.models import ProvisioningJob
from mission_control.fleet.runner import has_checked_in, wake_again, wake_key
from mission_control.gateways import connector
from mission_control.gateways.errors import GatewayError
from mission_control.gateways.events import GatewayRef, when_connected
from mission_control.log import leases
from mission_control.log.commands import command
from mission_control.log.event_log import Kind
from mission_control.log.leases import Delivery
from mission_control.log.unit_of_work import notify, record, signal
from mission_control.tasks.models import Task
from mission_control.work import loop
from mission_control.work.loop import NotNow, Sender

EVENTS = (
    Kind(
        "agent.turn_ended", "What an agent did on its gateway was ended, because it has to stop.", "ended the turn of"
    ),
)


def message_of(delivery: Delivery) -> str:
    if delivery.data.get("raw"):
        return delivery.text
    return f"{delivery.header}\n{delivery.text}".rstrip("\n") if delivery.text else delivery.header


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


async def arrivals(gateway_id: UUID, session_key: str, seconds: float) -> Arrivals:
    """Read what a session has got. Raise GatewayError for what passes by itself."""
    try:
        wanted = {"sessionKey": session_key, "limit": RECENT}
        found: Any = await connector.call(gateway_id, "chat.history", wanted, seconds=seconds)
    except GatewayError as error:
        if error.is_retryable:
            raise
        return Arrivals()  # there is no such session yet
    return read(found)


def read(history: object) -> Arrivals:
    """Return the keys in an answer to `chat.history`; what is not understood is passed over."""
    pending = _list(_dict(_dict(history).get("pendingInputs")).get("items"))
    messages = _list(_dict(history).get("messages"))
    marks = [_dict(one.get("__openclaw")) for one in messages]
    there = {str(one.get("idempotencyKey") or "") for one in marks}
    there |= {str(one.get("runId") or "") for one in pending if one.get("state") != INTERRUPTED}
    interrupted = {str(one.get("runId") or "") for one in pending if one.get("state") == INTERRUPTED}
    is_empty = not messages and not pending
    return Arrivals(frozenset(there - {""}), frozenset(interrupted - there - {""}), is_empty)


def _dict(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


STOPS = {"WORK STOPPED": "work was stopped", "BUDGET USED UP": "a budget is used up"}
TAKEN_AWAY = "TASK TAKEN AWAY"


async def end_turns_for(delivery: Delivery, agent: Agent, gateway_id: UUID, *, seconds: float) -> None:
    """End what an agent does, if a notice tells it to stop and that still holds. Raises GatewayError."""
    why = await _reason(delivery, agent)
    if why is None:
        return
    ended = await end_turns(gateway_id, str(agent.gateway_agent_id), str(agent.openclaw_session_id), seconds=seconds)
    if ended:
        await record_ended(system(agent.organization_id), agent, why)


async def _reason(delivery: Delivery, agent: Agent) -> str | None:
    """Return why a turn has to end, None where it may go on. A notice may have waited while its gateway was away."""
    if delivery.header in STOPS:
        return STOPS[delivery.header] if (await directive_of(agent)).directive == "stop" else None
    if delivery.header != TAKEN_AWAY:
        return None
    theirs = Task.filter(assigned_agent_id=agent.id, status="in_progress", deleted_at=None)
    return None if await theirs.exists() else "its task was taken away"


@command("provisioning.run")
async def record_ended(actor: Actor, agent: Agent, why: str) -> None:
    """Record that what an agent did was ended."""
    record("agent.turn_ended", agent, f"Ended what {agent.name} was doing: {why}.", name=agent.name, reason=why)


CALL_SECONDS = 12.0
AT_ONCE = 8  # of one gateway; the loop sends 20 at a time in all
BUSY_SECONDS = 2.0
SETTING_UP_SECONDS = 10.0
OPEN = ("waiting", "running")
# Agents of gateways that were woken or have called, without a callback, whose board is not in the trash.
REACHED = (
    "agent_id IN (SELECT a.id FROM agents a JOIN gateways g ON g.id = a.gateway_id LEFT JOIN boards b ON b.id ="
    " a.board_id WHERE a.openclaw_session_id IS NOT NULL AND a.callback_url IS NULL AND b.deleted_at IS NULL"
    " AND (a.last_seen_at IS NOT NULL OR a.last_wake_sent_at IS NOT NULL) AND g.id IN ({gateways}))"
)

_sending: Counter[UUID] = Counter()


@loop.senders
def senders(app: Quart) -> list[Sender]:
    return [Sender(NOTICE, send_notice, only=_reached, name="gateway", is_able=lambda: bool(_free()))]


def _free() -> list[UUID]:
    """Return the gateways that this process is connected to and that take more messages now."""
    return sorted(one for one in connector.held_here() if _sending[one] < AT_ONCE)


def _reached() -> str:
    return REACHED.format(gateways=", ".join(f"'{one}'" for one in _free()) or "NULL")


async def send_notice(delivery: Delivery) -> None:
    """Send a notice to the session of its agent. Raise NotNow while its gateway or its agent is not there."""
    agent = await Agent.get(id=delivery.agent_id)
    gateway_id = agent.gateway_id
    assert gateway_id is not None  # by the sender's condition
    _sending[gateway_id] += 1
    try:
        await _send(delivery, agent, gateway_id)
    except GatewayError as error:
        await _wait_if_it_helps(agent, error)
        raise
    finally:
        _sending[gateway_id] -= 1
        if not _sending[gateway_id]:
            del _sending[gateway_id]


async def _send(delivery: Delivery, agent: Agent, gateway_id: UUID) -> None:
    key, session = str(delivery.id), str(agent.openclaw_session_id)
    await end_turns_for(delivery, agent, gateway_id, seconds=CALL_SECONDS)
    if delivery.attempts > 1 or delivery.last_error:
        known = await arrivals(gateway_id, session, CALL_SECONDS)
        if known.has(delivery.id):
            return
        key = known.next_key(delivery.id)
    answer = await connector.call(
        gateway_id,
        "chat.send",
        {
            "sessionKey": session,
            "message": message_of(delivery),
            "deliver": bool(delivery.data.get("deliver")),
            "idempotencyKey": key,
        },
        seconds=CALL_SECONDS,
    )
    if isinstance(answer, dict) and answer.get("status") == "error":
        raise GatewayError("RUN_FAILED", str(answer.get("summary") or answer.get("error") or "The gateway refused it."))


async def _wait_if_it_helps(agent: Agent, error: GatewayError) -> None:
    """Raise NotNow for what passes by itself: a gateway that is away or busy, an agent that is being set up."""
    if error.is_retryable:
        raise NotNow(error.message, error.retry_after or BUSY_SECONDS) from error
    if await ProvisioningJob.filter(agent_id=agent.id, state__in=OPEN).exists():
        raise NotNow(f"The agent is being set up. {error.message}", SETTING_UP_SECONDS) from error


rules = Rules()

LOOK_BACK = timedelta(minutes=15)
READ_SECONDS = 12.0
RESENT_AT_ONCE = 4
REASON = "The gateway was restarted before the agent took this up."


@rules.rule("gateway.resend_notices")
def may_resend(actor: Actor, gateway_id: UUID) -> bool:
    """Only the system itself."""
    return False


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
    sessions: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        sessions[row["session"]].append(row)
    few = asyncio.Semaphore(RESENT_AT_ONCE)

    async def looked(session: str) -> list[UUID]:
        try:
            async with few:
                got = await arrivals(gateway.id, session, READ_SECONDS)
        except GatewayError:  # it is away again, and this is done anew when it comes back
            return []
        return [one for row in sessions[session] if got.has_interrupted(one := UUID(str(row["id"])))]

    lost = [one for ids in await asyncio.gather(*map(looked, sessions)) for one in ids]
    if lost:
        await put_back(system(gateway.organization_id), gateway.id, lost)


@when_connected
async def resend_greetings(gateway: GatewayRef) -> None:
    """Wake agents again whose wake the gateway no longer knows; to be called once it is connected."""
    for job in await ProvisioningJob.filter(gateway_id=gateway.id, state="waiting", awaits_check_in=True):
        agent = await Agent.get_or_none(id=job.agent_id)
        if agent is None or has_checked_in(agent):
            continue
        try:
            got = await arrivals(gateway.id, str(agent.openclaw_session_id), READ_SECONDS)
        except GatewayError:  # it is away again, and this is done anew when it comes back
            return
        if got.is_empty or got.has_interrupted(wake_key(job, agent.wake_attempts)):
            await wake_again(system(gateway.organization_id), job.id)


@command("gateway.resend_notices")
async def put_back(actor: Actor, gateway_id: UUID, delivery_ids: list[UUID]) -> None:
    """Let notices be sent once more."""
    again = {"state": "waiting", "due_at": times.clock_now(), "sent_at": None, "attempts": 0, "last_error": REASON}
    for one in await Delivery.filter(id__in=delivery_ids, state="sent"):
        if await Delivery.filter(id=one.id, state="sent").update(**again):
            signal(actor.organization_id, inbox_of=str(one.agent_id))
    notify(leases.CHANNEL)
