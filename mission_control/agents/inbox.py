"""How notices reach an agent: read and acknowledged in its inbox, or sent to its callback."""

import asyncio
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

from quart import Quart

from mission_control.agents import notices
from mission_control.agents.commands import locked_agent
from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.background import sending
from mission_control.background.sending import GiveUp, Sender, record_outcome, signal_steered
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import ErrorCode, Invalid, Unauthenticated, invalid_field
from mission_control.core.outbound import Outbound, OutboundError, is_out_of_reach
from mission_control.core.secrets import decrypt, encrypt
from mission_control.core.values import to_json
from mission_control.database.sql import Row, Values, as_moment, is_postgres, rows
from mission_control.events import broker, leases, wakeup_channels
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.leases import CHANGED, NEWS, NOTE, STOPPED, Delivery
from mission_control.events.unit_of_work import notify, record, signal
from mission_control.http.authentication import question
from mission_control.http.lookups import changes, channel_of_agent, fresh, is_quiet, keep_quiet

EVENTS = (
    Kind("agent.callback_set", "An agent's notices are sent to an address of its own.", "set the callback of"),
    Kind(
        "agent.callback_removed",
        "An agent's notices are no longer sent: a person removed the callback, or its address was gone.",
        "removed the callback of",
    ),
)


OUTCOME = "id, seq, header, data, board_id, task_id, sent_at"
SENT_TO_CALLBACK = (
    "(state <> 'failed' AND EXISTS (SELECT 1 FROM agents a WHERE a.id = deliveries.agent_id"
    " AND a.callback_url IS NOT NULL))"
)


@command("inbox.acknowledge")
async def acknowledge(actor: Actor, upto: int) -> int:
    """The calling agent has dealt with its notices up to a number; returns how many were new to that."""
    now, hold = times.clock_now(), " FOR UPDATE" if is_postgres() else ""
    where, values = notices.readable(actor, "seq <= ?", upto)
    read = await rows(
        "UPDATE deliveries SET state = 'sent', sent_at = COALESCE(sent_at, ?), taken_at = NULL, leased_by = NULL,"
        f" leased_until = NULL WHERE id IN (SELECT id FROM deliveries WHERE {where} ORDER BY seq{hold})"
        f" RETURNING {OUTCOME}",
        now,
        *values,
    )
    new = [row for row in read if as_moment(row["sent_at"]) == now]  # what had been taken is recorded already
    _record_arrived(actor, new)
    return len(new)


# An agent may work on several tasks at once, each in a process of its own: what a person says about one of them is for
# the calls that name that task or none. The values are twice the task that a call names.
FOR_ANOTHER = (
    f"header IN ('{NOTE}', '{CHANGED}', '{STOPPED}') AND task_id IS NOT NULL AND task_id <> ? AND EXISTS (SELECT 1"
    " FROM task_runs r WHERE r.agent_id = deliveries.agent_id AND r.task_id = ? AND r.ended_at IS NULL)"
)


def news_for(actor: Actor, task_id: UUID | None) -> tuple[str, Values]:
    """Return the condition for what has not reached an agent and is for its call that names a task, or none."""
    if task_id is None:
        return f"agent_id = ? AND {NEWS}", [actor.id]
    return f"agent_id = ? AND {NEWS} AND NOT ({FOR_ANOTHER})", [actor.id, task_id, task_id]


@command("inbox.acknowledge")
async def take(actor: Actor, until: datetime, which: tuple[str, Values]) -> None:
    """What rode on answers until a moment has arrived: the agent calls again. A callback is sent it all the same.

    `which` is a condition for what the call is about, with its values, such as `news_for`.
    """
    where, values = which
    now, hold = times.clock_now(), " FOR UPDATE" if is_postgres() else ""
    arrived = await rows(
        f"UPDATE deliveries SET taken_at = ?, state = CASE WHEN {SENT_TO_CALLBACK} THEN state ELSE 'sent' END,"
        f" sent_at = CASE WHEN {SENT_TO_CALLBACK} THEN sent_at ELSE ? END,"
        f" leased_by = CASE WHEN {SENT_TO_CALLBACK} THEN leased_by END,"
        f" leased_until = CASE WHEN {SENT_TO_CALLBACK} THEN leased_until END WHERE id IN"
        f" (SELECT id FROM deliveries WHERE {where} AND offered_at <= ? ORDER BY seq{hold}) RETURNING {OUTCOME}",
        now,
        now,
        *values,
        until,
    )
    _record_arrived(actor, [row for row in arrived if row["sent_at"] is not None])


def _record_arrived(actor: Actor, arrived: list[Row]) -> None:
    columns = OUTCOME.split(", ")[:-1]
    whose = {"organization_id": actor.organization_id, "agent_id": actor.id}
    in_order = sorted(arrived, key=lambda row: row["seq"])
    deliveries = [Delivery(**{name: row[name] for name in columns}, **whose) for row in in_order]
    recorded = [record_outcome(delivery, arrived=True) for delivery in deliveries]
    if arrived and not any(recorded):
        signal(actor.organization_id, inbox_of=str(actor.id))
    for delivery in deliveries:
        signal_steered(delivery)


@command("agent.set_callback")
async def set_callback(actor: Actor, agent: Agent, url: str, secret: str | None, key: str) -> str:
    """Send an agent's notices to an address, signed with a secret, which is returned.

    Waiting notices are sent at once. The log keeps the host only: an address may carry a password of its own.
    """
    agent = await locked_agent(agent)
    former = decrypt(agent.callback_secret, key) if agent.callback_secret else None
    if secret is not None and (url, secret) == (agent.callback_url, former):
        return secret
    secret, before = secret or notices.new_secret(), _host(agent.callback_url)
    await _save(agent, url, encrypt(secret, key))
    record("agent.callback_set", agent, f"Callback set: {agent.name}.", before=before, host=_host(url))
    notify(leases.CHANNEL)
    return secret


@command("agent.set_callback")
async def remove_callback(actor: Actor, agent: Agent, *, only: str | None = None) -> None:
    """Send an agent's notices nowhere; they stay in its inbox. With `only`, when that is still the address."""
    agent = await locked_agent(agent)
    if agent.callback_url is None or only not in (None, agent.callback_url):
        return
    host = _host(agent.callback_url)
    await _save(agent, None, None)
    record("agent.callback_removed", agent, f"Callback removed: {agent.name}.", host=host, is_gone=only is not None)


async def _save(agent: Agent, url: str | None, secret: str | None) -> None:
    agent.callback_url, agent.callback_secret, agent.updated_at = url, secret, times.clock_now()
    await agent.save(update_fields=["callback_url", "callback_secret", "updated_at"])


def _host(url: str | None) -> str | None:
    return None if url is None else urlsplit(url).netloc


async def read_inbox(actor: Actor, query: notices.InboxQuery) -> notices.Inbox:
    """Return the calling agent's notices after a number, and acknowledge those up to it.

    Wait for the first notice. Raise Unauthenticated when the token ends during the wait, and Invalid for a number that
    does not exist yet. A token that may only read acknowledges nothing.
    """
    after, key = query.after, question()
    if after and not is_quiet(actor, key) and (actor.scopes is None or "work" in actor.scopes):
        where, values = notices.readable(actor, "seq <= ?", after)
        [bounds] = await rows(
            f"SELECT delivery_seq, EXISTS (SELECT 1 FROM deliveries WHERE {where}) AS some"
            " FROM organizations WHERE id = ?",
            *values,
            actor.organization_id,
        )
        if after > bounds["delivery_seq"]:
            raise Invalid(ErrorCode.AFTER_UNKNOWN.detail(newest=int(bounds["delivery_seq"])))
        if bounds["some"]:
            await acknowledge(actor, after)
    items = [notices.InboxItem.of(delivery) for delivery in await _waited(actor, query, key)]
    return notices.Inbox.model_construct(items=items, next=items[-1].seq if items else after)


async def _waited(actor: Actor, query: notices.InboxQuery, key: bytes) -> list[Delivery]:
    """Return the first notices, read once at the beginning, unless nothing can have changed, and at each wake-up."""
    now, own = asyncio.get_running_loop().time, channel_of_agent(actor.id)
    end = wakeup_channels.end_of_wait(query.wait_seconds)
    while True:
        began = changes()
        with wakeup_channels.listening(f"inbox:{actor.id}") as notified, wakeup_channels.listening(own) as changed:
            unread = [] if is_quiet(actor, key) else await notices.unread(actor, query.after, query.limit)
            left, running = end - now(), broker.current()
            if unread or left <= 0 or running is None or running.closing:
                return unread
            await wakeup_channels.notified_within(notified, left, changed)
            if not notified.done() and not changed.done():
                # A gateway's state decides too, and notifies nobody here; nor does the command line, but as a change.
                if actor.gateway_id is None and began == changes():
                    keep_quiet(actor, key)
                return []
        if changed.done() and await fresh(actor) is None:
            raise Unauthenticated()


SECONDS = 10.0
GONE = 410
# Agents that have a callback and whose board is not in the trash.
REACHED = (
    "agent_id IN (SELECT a.id FROM agents a LEFT JOIN boards b ON b.id = a.board_id"
    " WHERE a.callback_url IS NOT NULL AND b.deleted_at IS NULL)"
)


class NotDelivered(Exception):
    """The callback did not take a notice; the text says how it answered."""


@sending.senders
def senders(app: Quart) -> list[Sender]:
    return [Sender(NOTICE, partial(_send, app), only=REACHED)]


async def _send(app: Quart, delivery: Delivery) -> None:
    agent = await Agent.get_or_none(id=delivery.agent_id).select_related("board")
    if agent is None or agent.callback_url is None:
        raise NotDelivered("The callback was removed.")
    url, body = agent.callback_url, to_json(notices.InboxItem.of(delivery))
    secret = decrypt(agent.callback_secret or "", app.config["SECRET_KEY"])
    headers = notices.signature_headers(str(delivery.id), times.clock_now(), body.decode(), secret)
    allow_private = app.config["SETTINGS"].outbound_allow_private
    outbound = Outbound(allow_private=allow_private, seconds=SECONDS, reads_body=False)
    try:
        reply = await outbound.request("POST", url, {"Content-Type": "application/json", **headers}, body)
    except OutboundError as error:
        raise NotDelivered(f"The callback {error}.") from error
    if reply.status == GONE:
        await remove_callback(system(agent.organization_id), agent, only=url)
        raise GiveUp("The callback is gone (status 410) and was removed.")
    if not 200 <= reply.status < 300:
        raise NotDelivered(f"The callback answered with status {reply.status}.")


def check_url(url: str, *, allow_private: bool) -> None:
    """Refuse an address that is not http or https, that holds a user name, or that may not be reached.

    Host names are resolved and checked at each delivery.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise invalid_field("url", "an http or https address is needed", url) from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or not url.isprintable():
        raise invalid_field("url", "an http or https address without a user is needed", url)
    if is_out_of_reach(url, allow_private=allow_private):
        raise invalid_field("url", "this address may not be reached from here", url)
