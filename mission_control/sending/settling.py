"""What becomes of a delivery that was tried: sent, given up, put back, or tried again by a person."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

from tortoise.queryset import QuerySet

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import notify, record, signal
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict
from mission_control.core.policy import Rules
from mission_control.delivery import pace
from mission_control.delivery.models import Delivery
from mission_control.sending.outcome import record_outcome, scope_of

rules = Rules()

MOST_ATTEMPTS = 6
NOWHERE = UUID(int=0)
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 600.0


@rules.rule("delivery.settle")
def may_settle(actor: Actor, delivery: Any) -> bool:
    """Only the system itself."""
    return False


@rules.rule("delivery.retry")
def may_retry(actor: Actor, delivery: Delivery) -> bool:
    """Owners and admins of the organization whose delivery it is."""
    return actor.is_user and actor.administers(delivery.organization_id or NOWHERE)


def held(delivery: Delivery) -> QuerySet[Delivery]:
    """Return the row of a delivery while the worker that took it has its lease."""
    return Delivery.filter(id=delivery.id, state="sending", leased_by=delivery.leased_by, attempts=delivery.attempts)


def sender_of(delivery: Delivery) -> Actor:
    """Return the system, in the organization of a delivery."""
    return system(delivery.organization_id or NOWHERE)


@command("delivery.settle")
async def settle(actor: Actor, delivery: Delivery, error: str | None, *, final: bool) -> None:
    """Record how an attempt went; a no-op when another worker has taken the lease."""
    now = clock.now()
    if error is None:
        values: dict[str, Any] = {"state": "sent", "sent_at": now, "last_error": None}
    elif final:
        values = {"state": "failed", "last_error": error[:2000]}
    else:
        values = {
            "state": "waiting",
            "due_at": now + pause_after(delivery.attempts),
            "last_error": error[:2000],
        }
    if not await held(delivery).update(**values, leased_by=None, leased_until=None):
        return
    _signal(delivery)
    if final:
        record_outcome(delivery, arrived=error is None)


def _signal(delivery: Delivery) -> None:
    if delivery.organization_id is None:
        return
    if delivery.agent_id is not None:
        signal(delivery.organization_id, inbox_of=str(delivery.agent_id))
    else:  # to a person, by mail
        signal(delivery.organization_id, delivery_id=str(delivery.id))


@command("delivery.settle")
async def postpone(actor: Actor, delivery: Delivery, reason: str, seconds: float) -> None:
    """Put a delivery back, with the reason why it waits; what was tried does not count as an attempt."""
    is_held = await held(delivery).update(
        state="waiting",
        attempts=delivery.attempts - 1,
        due_at=clock.now() + timedelta(seconds=seconds),
        last_error=reason[:2000],
        leased_by=None,
        leased_until=None,
    )
    if is_held and reason[:2000] != delivery.last_error:
        _signal(delivery)


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait before the next attempt: doubled each time, with up to a tenth of jitter."""
    seconds = min(FIRST_PAUSE_SECONDS * 2 ** (attempts - 1), LONGEST_PAUSE_SECONDS)
    return timedelta(seconds=seconds * random.uniform(1.0, 1.1))


@command("delivery.retry")
async def retry(actor: Actor, delivery: Delivery) -> Delivery:
    """Let a delivery that was given up be tried again at once; Conflict when it was not given up."""
    again = {"state": "waiting", "attempts": 0, "due_at": clock.now()}
    if not await Delivery.filter(id=delivery.id, state="failed").update(**again):
        raise Conflict(ErrorCode.DELIVERY_NOT_FAILED.detail())
    record("delivery.retried", scope_of(delivery), f"Sent again: {delivery.header}.", delivery_id=delivery.id)
    _signal(delivery)
    notify(pace.CHANNEL)
    return await Delivery.get(id=delivery.id)
