"""The background loop that hands deliveries to senders under a lease.

The deliveries of one agent go out in the order of their numbers: the next one waits until the one before has arrived or
was given up. A receiver that is slow holds up nobody but itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from quart import Quart

from mission_control.background.loops import Loop
from mission_control.core import times
from mission_control.core.actor import Actor, OnlySystem, Scope, rule, system
from mission_control.core.errors import Conflict, ErrorCode
from mission_control.core.extensions import Hook
from mission_control.events import leases
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.leases import Delivery, Leases, pause_after
from mission_control.events.unit_of_work import notify, record, signal

EVENTS = (
    Kind(
        "delivery.retried", "A person had a notice sent again after its delivery was given up.", "sent a notice again"
    ),
)

Send = Callable[[Delivery], Awaitable[None]]

MOST_ATTEMPTS = 6
NOWHERE = UUID(int=0)
FIRST_PAUSE_SECONDS = 10.0
LEASES = Leases(Delivery, "sending", timedelta(seconds=15))
SENDING_SECONDS = 30.0  # longer than a lease, which is renewed while sending
AT_ONCE = 20
NOT_NOW_SECONDS = 5.0
LONGEST_ERROR = 2000
OPEN = "state IN ('waiting', 'sending')"
# The same for rows that are found by their agents: in this form the partial index on what is on its way serves it, and
# however many notices wait to be read by others, or were given up, they are not looked at.
OPEN_OF_AGENTS = "state <> 'sent' AND state <> 'failed'"
# A stop waits for nothing before it, and nothing waits for a note or a change, which may ride on an answer instead.
IN_ORDER = (
    f" AND (agent_id IS NULL OR header = '{leases.STOPPED}' OR NOT EXISTS (SELECT 1 FROM deliveries earlier"
    " WHERE earlier.agent_id = deliveries.agent_id AND earlier.kind = deliveries.kind AND earlier.seq < deliveries.seq"
    f" AND earlier.state <> 'sent' AND earlier.state <> 'failed' AND earlier.header NOT IN {leases.FOR_ITS_TURN}))"
)

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
        return f"{self.kind} {self.name}".strip()

    @property
    def condition(self) -> str:
        only = self.only if isinstance(self.only, str) else self.only()
        return f" AND {only}" if only else ""


senders = Hook[Callable[[Quart], Sequence[Sender]]]()


def install_sender(sender: Sender) -> None:
    """Let deliveries of a kind be sent from now on."""
    _senders[sender.key] = sender


async def look() -> float:
    """Begin to send what is due; return the seconds until the next look.

    Costs nothing without a sender, and one statement while nothing is due.
    """
    free = AT_ONCE - len(SENDING.tasks)
    able = [one for one in _senders.values() if one.is_able()]
    if not able or free <= 0:
        return leases.IDLE_SECONDS
    condition, values = _wanted(able)
    pause = await LEASES.seconds_until_due(f"({condition}){IN_ORDER}", values, leases.IDLE_SECONDS)
    if pause > 0:
        return pause
    taken = await lease(able, free)
    for sender, one in taken:
        SENDING.begin(_send(sender, one), then_look=True)  # the agent's next one may be due then
    return 0.0 if taken else leases.BUSY_SECONDS


SENDING = Loop(
    name="sending deliveries",
    look=look,
    pause=leases.IDLE_SECONDS,
    channel=leases.CHANNEL,
    debounce=leases.DEBOUNCE_SECONDS,
    take_over=LEASES.end_all,
)


def _wanted(able: list[Sender]) -> tuple[str, list[str]]:
    conditions = [(sender, sender.condition) for sender in able]
    wanted = [f"(kind = ? AND {OPEN_OF_AGENTS + theirs if theirs else OPEN})" for _, theirs in conditions]
    return " OR ".join(wanted), [sender.kind for sender in able]


async def lease(able: list[Sender], most: int = AT_ONCE) -> list[tuple[Sender, Delivery]]:
    """Take due deliveries, and those whose process has not come back in time; no two calls get the same."""
    condition, values = _wanted(able)
    which = "".join(f" WHEN kind = ?{one.condition} THEN {number}" for number, one in enumerate(able))
    taken = await LEASES.take(
        f"({condition}){IN_ORDER}",
        values,
        most,
        changes=", attempts = attempts + 1",
        returning=f"id, CASE{which} END AS sender",
    )
    return [(able[int(row["sender"])], one) for one, row in taken]


async def _send(sender: Sender, delivery: Delivery) -> None:
    async with LEASES.kept(delivery):
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


ONLY_SYSTEM = OnlySystem("delivery.settle")


@rule("delivery.resend")
def may_retry(actor: Actor, delivery: Delivery) -> bool:
    """Owners and admins of the organization whose delivery it is."""
    return actor.is_user and actor.administers(delivery.organization_id or NOWHERE)


def sender_of(delivery: Delivery) -> Actor:
    return system(delivery.organization_id or NOWHERE)


@command("delivery.settle")
async def settle(actor: Actor, delivery: Delivery, error: str | None, *, final: bool) -> None:
    """Record how an attempt went; a no-op when another worker has taken the lease."""
    if error is None:
        is_held = await LEASES.settle(delivery, "sent", sent_at=times.clock_now(), last_error=None)
    else:
        pause = None if final else pause_after(delivery.attempts, FIRST_PAUSE_SECONDS)
        is_held = await LEASES.settle(
            delivery, "failed" if final else "waiting", pause=pause, last_error=error[:LONGEST_ERROR]
        )
    if not is_held:
        return
    _signal(delivery)
    if final:
        record_outcome(delivery, arrived=error is None)


def signal_steered(delivery: Delivery) -> None:
    """Inside a command: let those who sent a note or stopped a run see how far it came."""
    if delivery.organization_id is not None and delivery.header in (leases.NOTE, leases.STOPPED):
        names = ("agent_id", "board_id", "task_id")
        ids = {name: str(value) for name in names if (value := getattr(delivery, name)) is not None}
        signal(delivery.organization_id, **ids)


def _signal(delivery: Delivery) -> None:
    if delivery.organization_id is None:
        return
    signal_steered(delivery)
    if delivery.agent_id is not None:
        signal(delivery.organization_id, inbox_of=str(delivery.agent_id))
    else:  # to a person, by mail
        signal(delivery.organization_id, delivery_id=str(delivery.id))


@command("delivery.settle")
async def postpone(actor: Actor, delivery: Delivery, reason: str, seconds: float) -> None:
    """Put a delivery back, with the reason why it waits; what was tried does not count as an attempt."""
    reason, attempts = reason[:LONGEST_ERROR], delivery.attempts - 1
    is_held = await LEASES.settle(delivery, "waiting", pause=seconds, attempts=attempts, last_error=reason)
    if is_held and reason != delivery.last_error:
        _signal(delivery)


@command("delivery.resend")
async def retry(actor: Actor, delivery: Delivery) -> Delivery:
    """Let a delivery that was given up be tried again at once; Conflict when it was not given up."""
    again = {"state": "waiting", "attempts": 0, "due_at": times.clock_now()}
    if not await Delivery.filter(id=delivery.id, state="failed").update(**again):
        raise Conflict(ErrorCode.DELIVERY_NOT_FAILED.detail())
    record("delivery.retried", scope_of(delivery), f"Sent again: {delivery.header}.", delivery_id=delivery.id)
    _signal(delivery)
    notify(leases.CHANNEL)
    return await Delivery.get(id=delivery.id)


def scope_of(delivery: Delivery) -> Scope:
    assert delivery.organization_id is not None  # only mails of accounts are of none
    return Scope(
        delivery.organization_id,
        board_id=delivery.board_id,
        task_id=delivery.task_id,
        agent_id=delivery.agent_id,
        subject_id=delivery.id,
    )


def record_outcome(delivery: Delivery, *, arrived: bool) -> bool:
    """Record the event that the delivery names for this outcome; False when it names none.

    `event` in its data is what the event says beside that: `agent_id` whose act it was, `about` for the sentence.
    """
    kind = delivery.data.get("succeeded" if arrived else "failed")
    if not kind:
        return False
    facts = dict(delivery.data.get("event") or {})
    agent_id, about = facts.pop("agent_id", None), facts.pop("about", delivery.header)
    outcome = "Notice delivered" if arrived else "Notice could not be delivered"
    record(
        kind,
        scope_of(delivery),
        f"{outcome}: {about}.",
        agent_id=UUID(agent_id) if agent_id else None,
        delivery_id=delivery.id,
        **facts,
    )
    return True
