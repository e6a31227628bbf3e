"""Messages whose turns failed on their gateways, or were lost with them: notices and greetings go out again.

A gateway takes a message and only then begins the turn, which a reload of its configuration, its end or its model may
end. It says so by the end of a run. The run of a message that it had queued has another id: then, and after a
connection, the session's history tells what became of the messages.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.background.loops import Loop
from mission_control.background.sending import record_outcome
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.database.sql import rows
from mission_control.events import leases
from mission_control.events.commands import command
from mission_control.events.leases import Delivery
from mission_control.events.unit_of_work import notify, signal
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning.jobs import OPEN
from mission_control.gateway_agents.provisioning.runner import (
    MOST_RETURNS,
    has_checked_in,
    pause_before,
    wake_again,
    wake_key,
)
from mission_control.gateway_agents.sessions.following import when_failed
from mission_control.gateways.connections import connector
from mission_control.gateways.connections.events import GatewayRef, when_connected
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.gateways.protocol.payload import Payload

_log = logging.getLogger(__name__)

CALL_SECONDS = 12.0
RECENT = 50  # messages of a session that are looked at
RESTARTED = "The gateway was restarted before the agent took this up."


@dataclass(slots=True)
class History:
    """What became of the messages of a session, by their keys."""

    arrived: set[str] = field(default_factory=set)
    interrupted: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    is_at_rest: bool = False  # the gateway says that no turn goes on
    is_busy: bool = False  # it says that one does
    is_whole: bool = True  # it begins with the session, and names the keys of its messages

    def take(self, message: Payload) -> None:
        """Take the next message: a person's, the mark of a turn that failed, or an answer to all before it."""
        own, role = message.inner("__openclaw"), message.get("role")
        key, run_id = own.text("idempotencyKey"), own.text("runId")
        if role == "user":
            self.arrived.add(key.removesuffix(":user"))
            self.unanswered.add(key.removesuffix(":user"))
        elif role == "custom" or message.get("stopReason") == "error" or key.endswith(":terminal-error"):
            failed = {run_id} & self.unanswered or self.unanswered
            self.failures |= dict.fromkeys(failed, f"The turn failed. {_text_of(message)}".strip())
            self.unanswered = self.unanswered - failed
        elif role == "assistant" and message.get("stopReason") != "toolUse":
            self.unanswered, self.failures = set(), {}
        elif role == "system":
            self.is_whole = False  # it was reset

    def is_sure_of(self, key: str) -> bool:
        return key in self.failures or key in self.interrupted

    def is_settled(self, key: str) -> bool:
        return key in self.arrived and key not in self.unanswered and self.failure_of(key) is None

    def failure_of(self, key: str) -> str | None:
        """Return why a message has to go out again, None while its turn goes on or has not failed."""
        if key in self.failures:
            return self.failures[key]
        is_lost = self.is_at_rest and (key in self.unanswered or (self.is_whole and key not in self.arrived))
        return RESTARTED if is_lost or key in self.interrupted else None


def _text_of(message: Payload) -> str:
    text = message.string("content")
    return " ".join(str(part.get("text")) for part in message.objects("content")) if text is None else text


async def history_of(gateway_id: UUID, session_key: str) -> History:
    """Read what a session has got. Raise GatewayError for what passes by itself."""
    try:
        params = {"sessionKey": session_key, "limit": RECENT}
        return read_history(Payload.of(await connector.call(gateway_id, "chat.history", params, seconds=CALL_SECONDS)))
    except GatewayError as error:
        if error.is_retryable:
            raise
        return History(is_at_rest=True)  # there is no such session yet


def read_history(answer: Payload) -> History:
    """Read an answer to `chat.history`.

    A turn takes up all messages before it that have no answer, also those whose own turns failed. One that fails
    leaves a mark with the id of its run, which is the key of its message, unless the message was queued.
    """
    history, messages = History(), answer.objects("messages")
    for message in messages:
        history.take(message)
    names_keys = any(history.arrived) or not messages
    history.is_whole = history.is_whole and not answer.get("hasMore") and names_keys
    pending = answer.inner("pendingInputs").objects("items")
    waiting = {str(item.get("runId")) for item in pending if item.get("state") != "interrupted"}
    history.interrupted = {str(item.get("runId")) for item in pending} - waiting - history.arrived
    history.arrived = (history.arrived | waiting) - {""}
    session = answer.inner("sessionInfo")
    history.is_at_rest = session.get("hasActiveRun") is False or not messages
    history.is_busy = session.get("hasActiveRun") is True
    if session.get("status") == "killed":  # somebody ended it
        history.unanswered = set()
    return history


LOOK_BACK = timedelta(minutes=15)
BEGINS_WITHIN = timedelta(seconds=10)  # a gateway that is busy has a message in its history only then
SOON = timedelta(milliseconds=250)
AT_ONCE, SELDOM_SECONDS = 4, 3_600.0


@dataclass(slots=True)
class _Doubt:
    """A session to look at from a moment on, and why runs failed in it since the last look, by their ids."""

    due_at: datetime
    failures: dict[str, str]


_doubts: dict[tuple[GatewayRef, str], _Doubt] = {}


def _doubt(gateway: GatewayRef, session_key: str, failures: dict[str, str], after: timedelta = SOON) -> None:
    due_at = times.clock_now() + after
    doubt = _doubts.setdefault((gateway, session_key), _Doubt(due_at, {}))
    doubt.due_at = min(due_at, doubt.due_at)
    doubt.failures |= failures
    SETTLING.no_later_than(due_at)


@when_failed
def note_failure(gateway: GatewayRef, session_key: str, run_id: str, failure: str) -> None:
    """Have looked soon which message began a turn that failed; the history says of one that gave way to another."""
    _doubt(gateway, session_key, {run_id: f"The turn failed. {failure}"} if failure else {})


@when_connected
async def note_connection(gateway: GatewayRef) -> None:
    """Have looked for what failed or was lost while a gateway was away."""
    sql = (
        "SELECT DISTINCT a.openclaw_session_id AS session FROM deliveries d JOIN agents a ON a.id = d.agent_id"
        " WHERE a.gateway_id = ? AND a.callback_url IS NULL AND a.openclaw_session_id IS NOT NULL AND d.kind = ?"
        " AND d.state = 'sent' AND d.attempts > 0 AND d.sent_at > ?"
        " UNION SELECT a.openclaw_session_id FROM agents a JOIN provisioning_jobs j ON j.agent_id = a.id"
        " WHERE j.gateway_id = ? AND j.state = 'waiting' AND j.awaits_check_in AND a.openclaw_session_id IS NOT NULL"
    )
    for agent in await rows(sql, gateway.id, NOTICE, times.clock_now() - LOOK_BACK, gateway.id):
        _doubt(gateway, agent["session"], {})


async def settle_doubts() -> float:
    """Put back what failed or was lost in the sessions that are in doubt; return the seconds until the next look."""
    now, few = times.clock_now(), asyncio.Semaphore(AT_ONCE)
    taken = {place: _doubts.pop(place) for place, doubt in list(_doubts.items()) if doubt.due_at <= now}

    async def settle(gateway: GatewayRef, session_key: str, failures: dict[str, str]) -> None:
        async with few:
            try:
                await _settle(gateway, session_key, failures)
            except Exception:
                _log.exception("putting back messages of a session of gateway %s failed", gateway.id)
                _doubt(gateway, session_key, failures, BEGINS_WITHIN)

    await asyncio.gather(*(settle(*place, doubt.failures) for place, doubt in taken.items()))
    return min([SELDOM_SECONDS, *((doubt.due_at - times.clock_now()).total_seconds() for doubt in _doubts.values())])


SETTLING = Loop(name="putting back messages of failed turns", look=settle_doubts, pause=SELDOM_SECONDS)


async def _settle(gateway: GatewayRef, session_key: str, failures: dict[str, str]) -> None:
    agent = await Agent.get_or_none(gateway_id=gateway.id, openclaw_session_id=session_key)
    sent = await _sent_to(agent) if agent is not None else {}
    if not sent:
        return
    history = History()
    if failures.keys() - sent.keys() or not failures:
        with contextlib.suppress(GatewayError):  # it is away again, and this is done anew when it comes back
            history = await history_of(gateway.id, session_key)
    history.failures |= failures
    for key, (moment, row) in sent.items():
        if (failure := history.failure_of(key)) is None:
            continue
        if not history.is_sure_of(key) and moment > times.clock_now() - BEGINS_WITHIN:
            _doubt(gateway, session_key, {}, BEGINS_WITHIN)
        elif not await _send_again(gateway, row, key, failure):
            _doubt(gateway, session_key, {key: failure}, timedelta(seconds=1))


async def _send_again(gateway: GatewayRef, row: Delivery | ProvisioningJob, key: str, failure: str) -> bool:
    """Put back a notice or a wake; return False while that cannot be done yet."""
    actor = system(gateway.organization_id)
    if isinstance(row, ProvisioningJob):
        return await wake_again(actor, row.id, key)
    await put_back(actor, row, failure)
    return True


async def _sent_to(agent: Agent) -> dict[str, tuple[datetime, Delivery | ProvisioningJob]]:
    since = times.clock_now() - LOOK_BACK
    notices = Delivery.filter(agent_id=agent.id, kind=NOTICE, state="sent", attempts__gt=0, sent_at__gt=since)
    sent: dict[str, tuple[datetime, Delivery | ProvisioningJob]] = {
        key_of(notice): (notice.sent_at or since, notice) for notice in await notices
    }
    if agent.last_wake_sent_at is not None and not has_checked_in(agent):
        for job in await ProvisioningJob.filter(agent_id=agent.id, state__in=OPEN):
            if any(step["key"] == "wake" and step["state"] == "done" for step in job.steps):
                sent[wake_key(job, agent.wake_attempts)] = agent.last_wake_sent_at, job
    return sent


def key_of(delivery: Delivery) -> str:
    return key_after(delivery, int(delivery.data.get("returns", 0)))


def key_after(delivery: Delivery, returns: int) -> str:
    return f"{delivery.id}:{returns + 1}" if returns else str(delivery.id)


@command("provisioning.run")
async def change_key(actor: Actor, delivery: Delivery, returns: int) -> str:
    """Give a notice that is being sent its next key, or its last one."""
    delivery.data = delivery.data | {"returns": returns}
    await Delivery.filter(id=delivery.id).update(data=delivery.data)
    return key_of(delivery)


@command("provisioning.run")
async def put_back(actor: Actor, delivery: Delivery, reason: str) -> None:
    """Let a notice be sent once more, three times at most; people are asked then."""
    returns = int(delivery.data.get("returns", 0)) + 1
    is_last = returns > MOST_RETURNS
    changed = await Delivery.filter(id=delivery.id, state="sent").update(
        state="failed" if is_last else "waiting",
        due_at=times.clock_now() + (timedelta() if is_last else pause_before(returns)),
        sent_at=None,
        attempts=returns if is_last else 0,
        last_error=reason[:2000],
        data=delivery.data | {"returns": returns},
    )
    if not changed:
        return
    signal(actor.organization_id, inbox_of=str(delivery.agent_id))
    if is_last:
        record_outcome(delivery, arrived=False)
    notify(leases.CHANNEL)
