"""What the outermost command has recorded so far, and reactions to it in the same transaction."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from mission_control.core.actor import Actor, Scope, Scoped
from mission_control.core.extensions import marked
from mission_control.events.broker import Signal
from mission_control.events.event_log import KINDS, NewEvent
from mission_control.events.leases import Delivery


@dataclass(slots=True)
class UnitOfWork:
    """What one outermost command has recorded so far.

    `recorded`, when set, is the actor of its events (`acting_as`). `reacted` counts the events whose reactions ran.
    """

    actor: Actor
    recorded: Actor | None = None
    events: list[NewEvent] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    signals: list[tuple[UUID, Signal]] = field(default_factory=list)
    channels: set[str] = field(default_factory=set)
    reacted: int = 0


_current: ContextVar[UnitOfWork | None] = ContextVar("unit_of_work", default=None)


def running() -> UnitOfWork | None:
    return _current.get()


@contextmanager
def beginning(unit: UnitOfWork) -> Iterator[None]:
    token = _current.set(unit)
    try:
        yield
    finally:
        _current.reset(token)


def unit_of_work() -> UnitOfWork:
    unit = _current.get()
    if unit is None:
        raise RuntimeError("Only a command can record events or deliveries.")
    return unit


def record(
    kind: str,
    thing: Scoped | Scope,
    message: str,
    *,
    event_id: UUID | None = None,
    agent_id: UUID | None = None,
    **data: object,
) -> NewEvent:
    """Record that something happened; the event is written when the outermost command commits."""
    if kind not in KINDS:
        raise RuntimeError(f"No module declares events of the kind {kind}.")
    unit = unit_of_work()
    scope = thing if isinstance(thing, Scope) else thing.scope()
    actor = unit.recorded or unit.actor
    event = NewEvent(
        kind=kind,
        scope=scope,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=None if actor.is_user else actor.name,
        surface=actor.surface,
        agent_id=agent_id or scope.agent_id or actor.agent_id,
        message=message,
        data=data,
        id=event_id,
    )
    unit.events.append(event)
    return event


@contextmanager
def acting_as(actor: Actor) -> Iterator[Actor]:
    """Inside a command: record what happens in the name of somebody else, such as the system."""
    unit = unit_of_work()
    before, unit.recorded = unit.recorded, actor
    try:
        yield actor
    finally:
        unit.recorded = before


def deliver(
    kind: str, scope: Scope, *, agent_id: UUID | None = None, header: str, text: str, **data: object
) -> Delivery:
    """Write a message that a sender will carry, to an agent or a person, once this command has committed; return it."""
    delivery = Delivery(
        organization_id=scope.organization_id,
        kind=kind,
        agent_id=agent_id,
        board_id=scope.board_id,
        task_id=scope.task_id,
        header=header,
        text=text,
        data=data,
    )
    unit_of_work().deliveries.append(delivery)
    return delivery


def notify(channel: str) -> None:
    """Notify a wake-up channel (`work:<board id>`, `inbox:<agent id>`) when this command commits."""
    unit_of_work().channels.add(channel)


def notify_at_commit(channel: str) -> None:
    """Notify a wake-up channel when the running command commits; a no-op outside of a command."""
    if (unit := _current.get()) is not None:
        unit.channels.add(channel)


def signal(organization_id: UUID, **fields: object) -> None:
    """Send live readers a signal that no row keeps, such as an agent coming online."""
    unit_of_work().signals.append((organization_id, fields))


Reaction = Callable[[Actor, NewEvent], Awaitable[None]]

# The installed reactions by kind, in the order in which they run: that of the names of their modules.
REACTIONS: dict[str, list[Reaction]] = {}
ALL = ""  # the key of those to every kind


def reacts_to(*kinds: str) -> Callable[[Reaction], Reaction]:
    """Call the function in the same transaction whenever an event of one of these kinds is recorded.

    Those to `ALL` are called for every event, after those to its kind.
    """

    def install(function: Reaction) -> None:
        for kind in kinds:
            REACTIONS.setdefault(kind, []).append(function)

    return lambda function: marked(function, install)


async def react() -> None:
    """Run the reactions to everything recorded so far; a command calls it before it removes what they need."""
    unit = unit_of_work()
    while unit.reacted < len(unit.events):
        event = unit.events[unit.reacted]
        unit.reacted += 1
        for reaction in (*REACTIONS.get(event.kind, ()), *REACTIONS.get(ALL, ())):
            await reaction(unit.actor, event)
