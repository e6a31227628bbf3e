"""The background loop that hands deliveries to senders under a lease.

The deliveries of one agent go out in the order of their numbers: the next one waits until the one before has arrived or
was given up. A receiver that is slow holds up nobody but itself.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from mission_control.core import clock
from mission_control.database.sql import as_id, as_moment, is_postgres, rows
from mission_control.delivery import pace
from mission_control.delivery.models import Delivery
from mission_control.live import channels
from mission_control.sending.settling import MOST_ATTEMPTS, held, postpone, sender_of, settle
from mission_control.work.loops import Loop

Send = Callable[[Delivery], Awaitable[None]]

LEASE = timedelta(seconds=15)  # what a dead process was sending is taken over after that
SENDING_SECONDS = 30.0  # longer than a lease, which is renewed while sending
AT_ONCE = 20
NOT_NOW_SECONDS = 5.0
DUE = "CASE WHEN state = 'sending' THEN leased_until ELSE due_at END"
OPEN = "state IN ('waiting', 'sending')"
# The same for rows that are found by their agents: in this form the partial index on what is on its way serves it, and
# however many notices wait to be read by others, or were given up, they are not looked at.
OPEN_OF_AGENTS = "state <> 'sent' AND state <> 'failed'"
IN_ORDER = (
    " AND (agent_id IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries earlier"
    " WHERE earlier.agent_id = deliveries.agent_id AND earlier.kind = deliveries.kind AND earlier.seq < deliveries.seq"
    " AND earlier.state <> 'sent' AND earlier.state <> 'failed'))"
)

_log = logging.getLogger(__name__)
_senders: dict[str, "Sender"] = {}


class GiveUp(Exception):
    """Raised by a sender when trying again is pointless."""


class NotNow(Exception):
    """Raised by a sender when the receiver cannot take anything for the moment: the attempt does not count."""

    def __init__(self, reason: str, seconds: float = NOT_NOW_SECONDS) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends deliveries of a kind; without a sender they wait, visibly.

    `only` is an SQL condition on `deliveries` that a row must meet to be sent at all, best `agent_id IN (...)`. Several
    senders of a kind have names, and conditions of which a row meets one at most. A sender that `is_able` says cannot
    send now is not asked about in any statement.
    """

    kind: str
    send: Send
    only: str | Callable[[], str] = ""
    name: str = ""
    is_able: Callable[[], bool] = lambda: True

    @property
    def key(self) -> str:
        """The name of the sender among all."""
        return f"{self.kind} {self.name}".strip()

    @property
    def condition(self) -> str:
        """The condition as it is added to others."""
        only = self.only if isinstance(self.only, str) else self.only()
        return f" AND {only}" if only else ""


def install_sender(sender: Sender) -> None:
    """Let deliveries of a kind be sent from now on."""
    _senders[sender.key] = sender


def forget_sender(key: str) -> None:
    """Let the deliveries of a sender wait again."""
    _senders.pop(key, None)


async def look() -> float:
    """Begin to send what is due; return the seconds until the next look.

    Costs nothing without a sender, and one statement while nothing is due.
    """
    free = AT_ONCE - len(SENDING.tasks)
    able = [one for one in _senders.values() if one.is_able()]
    if not able or free <= 0:
        return pace.IDLE_SECONDS
    pause = await _seconds_until_due(able)
    if pause > 0:
        return pause
    taken = await lease(channels.PROCESS, able, free)
    for sender, one in taken:
        SENDING.begin(_send(sender, one), then_look=True)  # the agent's next one may be due then
    return 0.0 if taken else pace.BUSY_SECONDS


async def _end_leases() -> None:
    await rows("UPDATE deliveries SET leased_until = ? WHERE state = 'sending'", clock.now())


SENDING = Loop(
    name="sending deliveries",
    look=look,
    pause=pace.IDLE_SECONDS,
    channel=pace.CHANNEL,
    debounce=pace.DEBOUNCE_SECONDS,
    take_over=_end_leases,
)


async def _seconds_until_due(able: list[Sender]) -> float:
    condition, values = _wanted(able)
    found = await rows(f"SELECT MIN({DUE}) AS due FROM deliveries WHERE ({condition}){IN_ORDER}", *values)
    due = as_moment(found[0]["due"])
    return pace.IDLE_SECONDS if due is None else min((due - clock.now()).total_seconds(), pace.IDLE_SECONDS)


def _wanted(able: list[Sender]) -> tuple[str, list[str]]:
    """Return a condition on the deliveries that some senders send, and its values."""
    conditions = [(one, one.condition) for one in able]
    wanted = [f"(kind = ? AND {OPEN_OF_AGENTS + theirs if theirs else OPEN})" for _, theirs in conditions]
    return " OR ".join(wanted), [one.kind for one in able]


async def lease(worker: str, able: list[Sender], most: int = AT_ONCE) -> list[tuple[Sender, Delivery]]:
    """Take due deliveries, and those whose worker has not come back in time; no two workers get the same."""
    now = clock.now()
    condition, values = _wanted(able)
    hold = " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
    which = "".join(f" WHEN kind = ?{one.condition} THEN {number}" for number, one in enumerate(able))
    found = await rows(
        "UPDATE deliveries SET state = 'sending', attempts = attempts + 1, leased_by = ?, leased_until = ?"
        f" WHERE id IN (SELECT id FROM deliveries WHERE ({condition}) AND {DUE} <= ?{IN_ORDER}"
        f" ORDER BY due_at LIMIT {most}{hold}) RETURNING id, CASE{which} END AS sender",
        worker,
        now + LEASE,
        *values,
        now,
        *values,
    )
    senders = {as_id(row["id"]): able[int(row["sender"])] for row in found if row["sender"] is not None}
    taken = await Delivery.filter(id__in=list(senders)).order_by("created_at")
    return [(senders[one.id], one) for one in taken]


async def _send(sender: Sender, delivery: Delivery) -> None:
    renewing = asyncio.create_task(_renew(delivery))
    try:
        async with asyncio.timeout(SENDING_SECONDS):
            await sender.send(delivery)
    except NotNow as error:
        await postpone(sender_of(delivery), delivery, str(error) or "not now", error.seconds)
    except GiveUp as error:
        await settle(sender_of(delivery), delivery, str(error) or "given up", final=True)
    except Exception as error:
        reason = str(error) or type(error).__name__
        await settle(sender_of(delivery), delivery, reason, final=delivery.attempts >= MOST_ATTEMPTS)
    else:
        await settle(sender_of(delivery), delivery, None, final=True)
    finally:
        renewing.cancel()


async def _renew(delivery: Delivery) -> None:
    """Keep the lease while a delivery is being sent; a process that is gone keeps none."""
    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        try:
            await held(delivery).update(leased_until=clock.now() + LEASE)
        except Exception:
            _log.exception("renewing the lease of a delivery failed")
