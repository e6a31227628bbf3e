"""Outgoing webhooks as people change them, and trying them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from mission_control.agents.inbox import check_url
from mission_control.agents.notices import new_secret
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, existing
from mission_control.core.secrets import decrypt, encrypt
from mission_control.core.values import JsonObject, new_id
from mission_control.database.records import find
from mission_control.events.broker import head_of
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.stream import number_before
from mission_control.events.unit_of_work import notify, record
from mission_control.webhooks.models import OutgoingDelivery, OutgoingWebhook
from mission_control.webhooks.outgoing.kinds import TEST
from mission_control.webhooks.outgoing.queries import OutgoingWebhookCreate, OutgoingWebhookUpdate
from mission_control.webhooks.outgoing.queue import CHANGED, CHANNEL, catch_up
from mission_control.webhooks.outgoing.sending import attempt

EVENTS = (
    Kind.named(
        "outgoing_webhook.created",
        "An outgoing webhook was created: events are sent to an address.",
        "made the outgoing webhook",
    ),
    Kind.named("outgoing_webhook.updated", "An outgoing webhook's fields changed.", "changed the outgoing webhook"),
    Kind.named(
        "outgoing_webhook.secret_rotated",
        "An outgoing webhook got a new secret; the one before signs for a day, too.",
        "changed the secret of the outgoing webhook",
    ),
    Kind.named("outgoing_webhook.paused", "A person paused an outgoing webhook.", "paused the outgoing webhook"),
    Kind.named("outgoing_webhook.resumed", "A person resumed an outgoing webhook.", "resumed the outgoing webhook"),
    Kind.named(
        "outgoing_webhook.replayed",
        "A person had an outgoing webhook send something again.",
        "had the messages sent again of the outgoing webhook",
    ),
    Kind.named("outgoing_webhook.tested", "A person sent a test message.", "tested the outgoing webhook"),
    Kind.named("outgoing_webhook.deleted", "An outgoing webhook was deleted.", "deleted the outgoing webhook"),
)

MOST = 50  # of a board, or of an organization itself
FORMER_FOR = timedelta(hours=24)
SKIPPED = "Skipped when the webhook was resumed."
AGAIN = {"state": "waiting", "attempts": 0, "ended_at": None}


@command("outgoing_webhook.create")
async def create_outgoing_webhook(
    actor: Actor, board: Board | None, new: OutgoingWebhookCreate, key: str, *, allow_private: bool
) -> tuple[OutgoingWebhook, str]:
    """Create an outgoing webhook, which sends what happens from now on, and return it with its secret."""
    check_url(new.url, allow_private=allow_private)
    organization_id = actor.organization_id if board is None else board.organization_id
    board_id = None if board is None else board.id
    if await OutgoingWebhook.filter(organization_id=organization_id, board_id=board_id).count() >= MOST:
        raise Conflict(f"There are {MOST} outgoing webhooks here already. Delete one first.")
    secret = new_secret()
    webhook = OutgoingWebhook(
        organization_id=organization_id,
        board_id=board_id,
        description=new.description,
        kinds=new.kinds,
        url=encrypt(new.url, key),
        secret=encrypt(secret, key),
        position=await head_of(organization_id),
    )
    await webhook.save(force_create=True)
    record(
        "outgoing_webhook.created",
        webhook,
        f"Outgoing webhook created: {webhook.description}",
        **_facts(webhook, new.url),
    )
    notify(CHANGED)
    return webhook, secret


def _facts(webhook: OutgoingWebhook, url: str) -> JsonObject:
    """Return what the log keeps: of the address its host only, because the rest may be a secret."""
    return {"description": webhook.description, "kinds": webhook.kinds, "host": urlsplit(url).netloc}


@command("outgoing_webhook.update")
async def update_outgoing_webhook(
    actor: Actor, webhook: OutgoingWebhook, change: OutgoingWebhookUpdate, key: str, *, allow_private: bool
) -> OutgoingWebhook:
    """Change the fields that were sent. Setting a field to its current value is a no-op.

    What happened before is sent by the kinds of before, but to the new address.
    """
    webhook = await _locked(webhook)
    url = decrypt(webhook.url, key)
    present = {"description": webhook.description, "kinds": webhook.kinds, "url": url}
    sent = change.model_dump(exclude_unset=True)
    changes = {name: value for name, value in sent.items() if present[name] != value}
    if not changes:
        return webhook
    before = _facts(webhook, url)
    if "url" in changes:
        check_url(changes["url"], allow_private=allow_private)
        url, changes["url"] = changes["url"], encrypt(changes["url"], key)
    if "kinds" in changes and webhook.state == "on":
        await catch_up(webhook)
        changes["position"] = webhook.position
    await _save(webhook, **changes)
    _record_update(webhook, before, _facts(webhook, url), has_new_address="url" in changes)
    return webhook


def _record_update(
    webhook: OutgoingWebhook, before: dict[str, Any], after: dict[str, Any], *, has_new_address: bool
) -> None:
    changed = [name for name in after if after[name] != before[name]]
    record(
        "outgoing_webhook.updated",
        webhook,
        f"Outgoing webhook changed: {webhook.description}",
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        has_new_address=has_new_address,
    )


@command("outgoing_webhook.rotate_secret")
async def rotate_outgoing_secret(actor: Actor, webhook: OutgoingWebhook, key: str) -> tuple[OutgoingWebhook, str]:
    """Give an outgoing webhook a new secret and return it. Messages are signed by the one before, too, for a day."""
    webhook, secret = await _locked(webhook), new_secret()
    until = times.clock_now() + FORMER_FOR
    await _save(webhook, secret=encrypt(secret, key), former_secret=webhook.secret, former_until=until)
    record("outgoing_webhook.secret_rotated", webhook, f"Secret of an outgoing webhook changed: {webhook.description}")
    return webhook, secret


@command("outgoing_webhook.pause")
async def pause_outgoing_webhook(actor: Actor, webhook: OutgoingWebhook) -> OutgoingWebhook:
    """Send nothing until somebody resumes it; a no-op for one that is not on."""
    webhook = await _locked(webhook)
    if webhook.state == "on":
        await _save(webhook, state="paused", state_at=times.clock_now(), reason=None)
        record("outgoing_webhook.paused", webhook, f"Outgoing webhook paused: {webhook.description}")
    return webhook


@command("outgoing_webhook.resume")
async def resume_outgoing_webhook(actor: Actor, webhook: OutgoingWebhook, *, skip_missed: bool) -> OutgoingWebhook:
    """Go on: with what was missed, also what was given up since the receiver took nothing, or from now on.

    One that is on and fails tries all of that at once; a no-op for one that works.
    """
    webhook = await _locked(webhook)
    if webhook.state == "on" and webhook.failing_since is None:
        return webhook
    now = times.clock_now()
    unsent = OutgoingDelivery.filter(webhook_id=webhook.id, state="waiting")
    changes = {"state": "on", "state_at": now, "reason": None, "not_before": None}
    if skip_missed:
        await unsent.update(state="failed", ended_at=now, last_error=SKIPPED)
        changes["position"] = await head_of(webhook.organization_id)
    else:
        if webhook.failing_since is not None:
            given_up = OutgoingDelivery.filter(
                webhook_id=webhook.id, state="failed", ended_at__gte=webhook.failing_since
            )
            await given_up.exclude(kind=TEST).update(**AGAIN, due_at=now)
        await unsent.update(due_at=now, attempts=0)
    await _save(webhook, **changes, failing_since=None, given_up=0)
    record(
        "outgoing_webhook.resumed", webhook, f"Outgoing webhook resumed: {webhook.description}", skip_missed=skip_missed
    )
    return webhook


@command("outgoing_webhook.resend")
async def resend_since(actor: Actor, webhook: OutgoingWebhook, since: Any) -> OutgoingWebhook:
    """Send the events since a moment again, with the ids that they had; what is about to be sent is not doubled."""
    webhook = await _locked(webhook)
    position = await number_before(webhook.organization_id, since, webhook.position)
    if position < webhook.position:
        await _save(webhook, position=position)
        record(
            "outgoing_webhook.replayed",
            webhook,
            f"Messages of an outgoing webhook sent again: {webhook.description}",
            since=times.wire(since),
        )
    return webhook


@command("outgoing_webhook.resend")
async def resend_outgoing_delivery(actor: Actor, delivery: OutgoingDelivery) -> OutgoingDelivery:
    """Send a message again, with the id that it had. Raise Conflict while it is about to be sent, and for a test."""
    webhook = await _locked(delivery.webhook)
    if delivery.kind == TEST:
        raise Conflict("Send another test message instead.")
    sent = OutgoingDelivery.filter(webhook_id=webhook.id, message_id=delivery.message_id)
    if await sent.filter(state__in=("waiting", "sending")).exists():
        raise Conflict("This message is about to be sent.")
    names = ("message_id", "seq", "kind", "data", "happened_at", "webhook_id")
    again = OutgoingDelivery(**{name: getattr(delivery, name) for name in names}, is_replay=True)
    await again.save(force_create=True)
    record(
        "outgoing_webhook.replayed",
        webhook,
        f"Messages of an outgoing webhook sent again: {webhook.description}",
        message_id=delivery.message_id,
    )
    notify(CHANNEL)
    return again


@command("outgoing_webhook.delete")
async def delete_outgoing_webhook(actor: Actor, webhook: OutgoingWebhook) -> None:
    """Delete an outgoing webhook with what it sent. What waited to be sent is dropped."""
    webhook = await _locked(webhook)
    await webhook.delete()
    record("outgoing_webhook.deleted", webhook, f"Outgoing webhook deleted: {webhook.description}")
    notify(CHANGED)


async def tried(webhook: OutgoingWebhook) -> OutgoingDelivery:
    """Send a test message now, whatever state the webhook is in, and return how that went; nothing is stored yet."""
    data: Mapping[str, object] = {
        "message": "This is a test. Nothing happened.",
        "outgoing_webhook": {"id": str(webhook.id), "description": webhook.description},
    }
    test = OutgoingDelivery(webhook_id=webhook.id, message_id=new_id(), kind=TEST, data=data, attempts=1)
    outcome = await attempt(webhook, test)
    test.state, test.last_error = "sent" if outcome.error is None else "failed", outcome.error
    test.status, test.answer, test.duration_ms = outcome.status, outcome.answer, outcome.duration_ms
    test.tried_at = test.ended_at = times.clock_now()
    return test


@command("outgoing_webhook.test")
async def store_test(actor: Actor, webhook: OutgoingWebhook, test: OutgoingDelivery) -> OutgoingDelivery:
    """Keep how a test message went among what was sent."""
    webhook = await _locked(webhook)
    await test.save(force_create=True)
    result = "arrived" if test.state == "sent" else "did not arrive"
    record(
        "outgoing_webhook.tested",
        webhook,
        f"Outgoing webhook tested, the message {result}: {webhook.description}",
        status=test.status,
    )
    return test


async def _locked(webhook: OutgoingWebhook) -> OutgoingWebhook:
    """Return the webhook as it is now, locked until the command ends. Raise NotFound when it has been deleted."""
    return await existing(find(OutgoingWebhook, "id = ?", webhook.id, lock=True))


async def _save(webhook: OutgoingWebhook, **changes: object) -> None:
    """Write some columns; every process learns of it, and looks for what is to be sent."""
    changes["updated_at"] = times.clock_now()
    webhook.update_from_dict(changes)
    await webhook.save(update_fields=[*changes])
    notify(CHANGED)
    notify(CHANNEL)
