"""The background loop that hands deliveries to senders under a lease."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.core.command import command, record
from mission_control.core.ids import new_id
from mission_control.core.policy import rule
from mission_control.core.scope import Scope
from mission_control.database.sql import is_postgres, rows
from mission_control.delivery import pace
from mission_control.delivery.models import Delivery

Sender = Callable[[Delivery], Awaitable[None]]

LEASE = timedelta(seconds=60)
BATCH = 20
MOST_ATTEMPTS = 6
NOWHERE = UUID(int=0)
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 600.0

_log = logging.getLogger(__name__)
_senders: dict[str, Sender] = {}
_conditions: dict[str, str] = {}


class GiveUp(Exception):
    """A sender's word that trying again is of no use."""


def sender(kind: str, *, only: str = "") -> Callable[[Sender], Sender]:
    """Register who sends deliveries of a kind; without a sender they wait, visibly.

    `only` is an SQL condition on `deliveries` that a row must meet to be sent at all.
    """

    def register(function: Sender) -> Sender:
        _senders[kind] = function
        _conditions[kind] = f" AND {only}" if only else ""
        return function

    return register


def forget_sender(kind: str) -> None:
    """Let deliveries of a kind wait again."""
    _senders.pop(kind, None)
    _conditions.pop(kind, None)


@rule("delivery.settle")
def may_settle(actor: Actor, delivery: Any) -> bool:
    """Only the system itself."""
    return False


async def run_for_ever() -> None:
    """Send what is due, and look again."""
    name = new_id().hex
    try:
        while True:
            sent = 0
            try:
                sent = await send_due(name)
            except Exception:
                _log.exception("sending deliveries failed")
            if sent < BATCH:
                await pace.rest()
    finally:
        pace.forget()


async def send_due(worker: str) -> int:
    """Lease and send one batch; returns how many were taken. Costs nothing while there is no sender."""
    if not _senders:
        return 0
    taken = await lease(worker, list(_senders))
    await asyncio.gather(*(_send(one) for one in taken))
    return len(taken)


async def lease(worker: str, kinds: list[str]) -> list[Delivery]:
    """Take due deliveries, and those whose worker has not come back in time; no two workers get the same."""
    now = clock.now()
    hold = " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
    wanted = " OR ".join(f"(kind = ?{_conditions.get(kind, '')})" for kind in kinds)
    found = await rows(
        "UPDATE deliveries SET state = 'sending', attempts = attempts + 1, leased_by = ?, leased_until = ?"
        f" WHERE id IN (SELECT id FROM deliveries WHERE ({wanted})"
        " AND ((state = 'waiting' AND due_at <= ?) OR (state = 'sending' AND leased_until < ?))"
        f" ORDER BY due_at LIMIT {BATCH}{hold}) RETURNING id",
        worker,
        now + LEASE,
        *kinds,
        now,
        now,
    )
    return await Delivery.filter(id__in=[row["id"] for row in found]).order_by("created_at")


async def _send(delivery: Delivery) -> None:
    try:
        async with asyncio.timeout(LEASE.total_seconds() / 2):
            await _senders[delivery.kind](delivery)
    except GiveUp as error:
        await settle(_system(delivery), delivery, str(error) or "given up", final=True)
    except Exception as error:
        reason = str(error) or type(error).__name__
        await settle(_system(delivery), delivery, reason, final=delivery.attempts >= MOST_ATTEMPTS)
    else:
        await settle(_system(delivery), delivery, None, final=True)


def _system(delivery: Delivery) -> Actor:
    return system(delivery.organization_id or NOWHERE)


@command("delivery.settle")
async def settle(actor: Actor, delivery: Delivery, error: str | None, *, final: bool) -> None:
    """Write down how an attempt went; ignored when the lease has gone to another worker meanwhile."""
    now = clock.now()
    mine = Delivery.filter(id=delivery.id, state="sending", leased_by=delivery.leased_by, attempts=delivery.attempts)
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
    if not await mine.update(**values, leased_by=None, leased_until=None) or not final:
        return
    if kind := delivery.data.get("succeeded" if error is None else "failed"):
        outcome = "Notice delivered" if error is None else "Notice could not be delivered"
        scope = Scope(delivery.organization_id, delivery.board_id, delivery.task_id, delivery.agent_id, delivery.id)
        record(kind, scope, f"{outcome}: {delivery.header}.", delivery_id=delivery.id)


def pause_after(attempts: int) -> timedelta:
    """How long to wait before the next attempt: doubled each time, with up to a tenth of jitter."""
    seconds = min(FIRST_PAUSE_SECONDS * 2 ** (attempts - 1), LONGEST_PAUSE_SECONDS)
    return timedelta(seconds=seconds * random.uniform(1.0, 1.1))


async def retry(delivery_id: UUID) -> None:
    """Let a failed delivery be tried again at once."""
    await Delivery.filter(id=delivery_id, state="failed").update(state="waiting", attempts=0, due_at=clock.now())
