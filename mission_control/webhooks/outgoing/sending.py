"""What outgoing webhooks send: one message, its attempts, and the loop that makes them.

Each webhook has one attempt at a time: messages are tried first in the order of the log, and a receiver that is slow
holds up nobody but itself. One that was not taken is tried again later, beside the newer ones.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from mission_control.agents.inbox import GONE
from mission_control.agents.notices import signature_headers
from mission_control.background.loops import Loop
from mission_control.core import current_app, times
from mission_control.core.actor import system
from mission_control.core.outbound import Outbound, OutboundError, Reply
from mission_control.core.secrets import decrypt, is_readable
from mission_control.core.values import JsonObject, to_json, whole_number
from mission_control.database.sql import rows
from mission_control.events.leases import BUSY_SECONDS, DEBOUNCE_SECONDS
from mission_control.tasks.activity.feed import read_events
from mission_control.webhooks.incoming.calls import clean
from mission_control.webhooks.models import OutgoingDelivery, OutgoingWebhook
from mission_control.webhooks.outgoing.queue import CHANNEL, known, queue_next
from mission_control.webhooks.outgoing.settling import LEASES, Attempt, settle

SECONDS = 15.0
AT_ONCE = 50  # receivers, of this process
IDLE_SECONDS = 60.0  # events and deliveries wake the loop; this is for what nobody could announce
LONGEST_ANSWER = 2_000
KEPT_DAYS, MOST_KEPT = 30, 1000
SHARE = 10  # of them, for the receivers of one organization that work, and as many for those that fail
# One message of each webhook that is on: the one that is being sent, else the one that is due first. What is being sent
# takes a place of its organization's share, so that the receivers of nobody else wait for those of one.
_OF_IT = "SELECT d.id FROM outgoing_deliveries d WHERE d.webhook_id = w.id AND d.state"
_PLACE = (
    "ROW_NUMBER() OVER (PARTITION BY w.organization_id, CASE WHEN w.failing_since IS NULL THEN 0 ELSE 1 END"
    " ORDER BY CASE WHEN d.state = 'sending' THEN 0 ELSE 1 END, d.due_at, d.id)"
)
NEXT = (
    f"id IN (SELECT n.id FROM (SELECT d.id, {_PLACE} AS place FROM outgoing_webhooks w JOIN outgoing_deliveries d ON"
    f" d.id = COALESCE(({_OF_IT} = 'sending' LIMIT 1), ({_OF_IT} = 'waiting' ORDER BY d.due_at, d.id LIMIT 1))"
    " LEFT JOIN boards b ON b.id = w.board_id WHERE w.state = 'on' AND b.deleted_at IS NULL) n"
    f" WHERE n.place <= {SHARE})"
)


def host_of(url: str) -> str | None:
    """Return the host of a stored address, whose rest may be a secret; None when the key of today cannot read it."""
    key = current_app.secret_key()
    return urlsplit(decrypt(url, key)).netloc if is_readable(url, key) else None


async def bodies_of(deliveries: Sequence[OutgoingDelivery]) -> dict[UUID, JsonObject]:
    """Return messages by the ids of their rows: what their events are in the log now, but those that are gone."""
    logged = await read_events({delivery.message_id for delivery in deliveries if delivery.seq is not None})
    return {
        delivery.id: {"type": delivery.kind, "timestamp": times.wire(delivery.happened_at), "data": data}
        for delivery in deliveries
        if (data := delivery.data if delivery.seq is None else logged.get(delivery.message_id)) is not None
    }


async def attempt(webhook: OutgoingWebhook, delivery: OutgoingDelivery) -> Attempt:
    """Send a message once and return how the receiver answered."""
    message = (await bodies_of([delivery])).get(delivery.id)
    if message is None:
        return Attempt(error="What it tells of is no longer in the log.", is_final=True)
    body = to_json(message)
    key = current_app.secret_key()
    now, secret = times.clock_now(), decrypt(webhook.secret, key)
    former = decrypt(sealed, key) if (sealed := _former_secret(webhook, now)) else None
    headers = signature_headers(str(delivery.message_id), now, body.decode(), secret, former)
    outbound = Outbound(
        allow_private=current_app.settings().outbound_allow_private,
        seconds=SECONDS,
        most_bytes=4 * LONGEST_ANSWER,
        cuts_body=True,
    )
    began = time.perf_counter()
    try:
        reply = await outbound.request(
            "POST", decrypt(webhook.url, key), {"Content-Type": "application/json", **headers}, body
        )
    except OutboundError as error:
        return Attempt(error=f"The receiver {error}.", duration_ms=_since(began))
    return _answered(reply, _since(began), (secret, *([former] if former else ())))


def _former_secret(webhook: OutgoingWebhook, now: datetime) -> str | None:
    return webhook.former_secret if webhook.former_until is not None and now < webhook.former_until else None


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def _answered(reply: Reply, duration_ms: int, secrets: tuple[str, ...]) -> Attempt:
    """Read an answer: its status decides, its first words are for people. Secrets that it repeats are cut out."""
    words = clean(reply.text)
    for secret in secrets:
        words = words.replace(secret, "…")
    outcome = Attempt(status=reply.status, answer=words[:LONGEST_ANSWER].strip() or None, duration_ms=duration_ms)
    if 200 <= reply.status < 300:
        return outcome
    outcome.error = f"The receiver answered with status {reply.status}."
    if 300 <= reply.status < 400:
        outcome.error = f"The receiver answered with status {reply.status}; redirects are not followed."
    outcome.is_gone = reply.status == GONE
    outcome.wait_seconds = whole_number(reply.headers.get("Retry-After"), 9)
    return outcome


async def look() -> float:
    """Queue what the log has and begin to send what is due; return the seconds until the next look.

    Costs nothing while there is no outgoing webhook, and two statements while nothing is due.
    """
    if not await known.read():
        return IDLE_SECONDS
    has_more = await queue_next()
    free = AT_ONCE - len(SENDING.tasks)
    if free <= 0:
        return IDLE_SECONDS  # the end of any attempt wakes the loop
    pause = await LEASES.seconds_until_due(NEXT, [], IDLE_SECONDS)
    if pause > 0:
        return 0.0 if has_more else pause
    taken = await LEASES.take(NEXT, [], free, changes=", attempts = attempts + 1")
    for delivery, _ in taken:
        SENDING.begin(_send(delivery), then_look=True)
    return 0.0 if taken or has_more else BUSY_SECONDS


SENDING = Loop(
    name="sending to outgoing webhooks",
    look=look,
    pause=IDLE_SECONDS,
    channel=CHANNEL,
    debounce=DEBOUNCE_SECONDS,
    take_over=LEASES.end_all,
)


async def _send(delivery: OutgoingDelivery) -> None:
    async with LEASES.kept(delivery):
        webhook = await OutgoingWebhook.get_or_none(id=delivery.webhook_id)
        if webhook is None:
            return
        actor = system(webhook.organization_id)
        try:
            outcome = await attempt(webhook, delivery)
        except Exception as error:
            reason = f"It could not be sent: {type(error).__name__}."
            await settle(actor, webhook, delivery, Attempt(error=reason))
            raise
        await settle(actor, webhook, delivery, outcome)


async def forget_old() -> None:
    """Delete messages that ended a month ago, and of each webhook those before the newest thousand, in pieces."""
    if not await known.read():
        return
    before = times.clock_now() - timedelta(days=KEPT_DAYS)
    old = "SELECT id FROM outgoing_deliveries WHERE state IN ('sent', 'failed') AND created_at < ? LIMIT 500"
    while await rows(f"DELETE FROM outgoing_deliveries WHERE id IN ({old}) RETURNING 1 AS one", before):
        pass
    many = "SELECT webhook_id FROM outgoing_deliveries GROUP BY webhook_id HAVING COUNT(*) > ?"
    of_it = "webhook_id = ? AND state IN ('sent', 'failed')"
    beyond = f"SELECT id FROM outgoing_deliveries WHERE {of_it} ORDER BY created_at DESC, id DESC LIMIT 500 OFFSET ?"
    for row in await rows(many, MOST_KEPT):
        of = row["webhook_id"], MOST_KEPT
        while await rows(f"DELETE FROM outgoing_deliveries WHERE id IN ({beyond}) RETURNING 1 AS one", *of):
            pass


FORGETTING = Loop(name="deleting old messages of outgoing webhooks", look=forget_old, pause=3600.0)
