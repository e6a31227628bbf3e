"""What becomes of a message of an outgoing webhook, and of the webhook, after an attempt."""

import random
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.times import DAY, HOUR, MINUTE
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.leases import Leases
from mission_control.events.unit_of_work import notify, record, signal
from mission_control.webhooks.models import OutgoingDelivery, OutgoingWebhook
from mission_control.webhooks.outgoing.kinds import TEST
from mission_control.webhooks.outgoing.queue import CHANGED

EVENTS = (
    Kind.named(
        "outgoing_webhook.failed",
        "An outgoing webhook was paused by Mission Control: its receiver took nothing for long.",
        "paused the outgoing webhook",
    ),
    Kind.named(
        "outgoing_webhook.gone",
        "The receiver of an outgoing webhook answered 410: nothing more is sent to it.",
        "ended the outgoing webhook",
    ),
)

# How long to wait after the first attempt, the second, and so on: seven attempts in 17 and a half hours.
PAUSES = (5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR)
LONGEST_WAIT = DAY  # that a receiver may ask for
MOST_GIVEN_UP = 5  # messages in a row, before the webhook is paused
FAILING_FOR = timedelta(days=1)
LEASES = Leases(OutgoingDelivery, "sending", timedelta(seconds=15))


@dataclass(slots=True)
class Attempt:
    """How an attempt went: without `error` the message arrived. `wait_seconds` is the receiver's own Retry-After."""

    status: int | None = None
    answer: str | None = None
    error: str | None = None
    duration_ms: int | None = None
    wait_seconds: float | None = None
    is_gone: bool = False
    is_final: bool = False


@command("outgoing_webhook.settle")
async def settle(actor: Actor, webhook: OutgoingWebhook, delivery: OutgoingDelivery, outcome: Attempt) -> None:
    """Store how an attempt went, unless another process took the message over."""
    found = await OutgoingWebhook.select_for_update(no_key=True).get_or_none(id=webhook.id)
    if found is None or not await _settle_delivery(delivery, outcome):
        return
    signal(found.organization_id, outgoing_webhook_id=str(found.id))
    if outcome.error is None:
        await _arrived(found)
    elif outcome.is_gone:
        await _end(found, "gone", f"Outgoing webhook ended by its receiver: {found.description}", outcome.error)
    elif not outcome.is_final and delivery.kind != TEST:
        await _failed(found, delivery, outcome)


async def _settle_delivery(delivery: OutgoingDelivery, outcome: Attempt) -> bool:
    now, attempts = times.clock_now(), delivery.attempts
    settle = partial(
        LEASES.settle, delivery, tried_at=now, status=outcome.status, answer=outcome.answer,
        duration_ms=outcome.duration_ms, last_error=outcome.error,
    )  # fmt: skip
    is_over = outcome.is_final or outcome.is_gone
    if outcome.error is None:
        return await settle("sent", ended_at=now)
    if not is_over and outcome.wait_seconds is not None:  # the receiver is there, so that this was no attempt
        pause = min(outcome.wait_seconds, LONGEST_WAIT)
        return await settle("waiting", pause=pause, attempts=attempts - 1)
    if is_over or attempts > len(PAUSES):
        return await settle("failed", ended_at=now)
    pause = PAUSES[attempts - 1] * random.uniform(1.0, 1.1)
    return await settle("waiting", pause=pause)


async def _arrived(webhook: OutgoingWebhook) -> None:
    if webhook.failing_since is None and not webhook.given_up and webhook.not_before is None:
        return
    webhook.failing_since, webhook.given_up, webhook.not_before = None, 0, None
    await webhook.save(update_fields=["failing_since", "given_up", "not_before"])


async def _failed(webhook: OutgoingWebhook, delivery: OutgoingDelivery, outcome: Attempt) -> None:
    now = times.clock_now()
    webhook.failing_since = webhook.failing_since or now
    webhook.given_up += outcome.wait_seconds is None and delivery.attempts > len(PAUSES)
    names = ["failing_since", "given_up"]
    if outcome.wait_seconds is not None:
        await _hold_back(webhook, outcome.wait_seconds)
        names.append("not_before")
    await webhook.save(update_fields=names)
    if webhook.given_up >= MOST_GIVEN_UP or now - webhook.failing_since >= FAILING_FOR:
        message = f"Outgoing webhook paused, its receiver takes nothing: {webhook.description}"
        await _end(webhook, "failed", message, outcome.error or "")


async def _hold_back(webhook: OutgoingWebhook, seconds: float) -> None:
    """Try nothing of a webhook before its receiver wants more."""
    webhook.not_before = times.clock_now() + timedelta(seconds=min(seconds, LONGEST_WAIT))
    waiting = OutgoingDelivery.filter(webhook_id=webhook.id, state="waiting", due_at__lt=webhook.not_before)
    await waiting.update(due_at=webhook.not_before)


async def _end(webhook: OutgoingWebhook, state: str, message: str, reason: str) -> None:
    if webhook.state != "on" and (state == "failed" or webhook.state == "gone"):
        return  # a person was faster
    webhook.state, webhook.state_at, webhook.reason = state, times.clock_now(), reason
    await webhook.save(update_fields=["state", "state_at", "reason"])
    record("outgoing_webhook.gone" if state == "gone" else "outgoing_webhook.failed", webhook, message, reason=reason)
    notify(CHANGED)
