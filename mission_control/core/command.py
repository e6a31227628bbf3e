"""Commands: every change of state is one function, one transaction, and the events it records.

The outermost command opens the transaction and runs in a task of its own that a caller's hang-up cannot
cancel: once begun it either commits and wakes the readers, or leaves nothing behind.
"""

import asyncio
import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Concatenate
from uuid import UUID

import asyncpg
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound
from mission_control.core.policy import RULES, require
from mission_control.core.scope import Scope, Scoped
from mission_control.database.references import names_what_is_gone
from mission_control.delivery import pace
from mission_control.delivery.models import Delivery
from mission_control.delivery.numbers import hold_recipients, number
from mission_control.live import bells
from mission_control.live.heads import hold, keep
from mission_control.live.log import NewEvent, append
from mission_control.live.wake import carry, wake

COMMANDS: dict[str, str] = {}
REACTIONS: dict[str, list[Callable[[Actor, NewEvent], Awaitable[None]]]] = {}
ATTEMPTS = 4
TOO_LARGE = "One of these texts is longer than the database can look up. Use a shorter one."

_log = logging.getLogger(__name__)
_running: set[asyncio.Task[Any]] = set()


@dataclass(slots=True)
class UnitOfWork:
    """What one outermost command has recorded so far. `recorded` stands in for `actor` in its events."""

    actor: Actor
    recorded: Actor | None = None
    events: list[NewEvent] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    notes: list[tuple[UUID, dict[str, Any]]] = field(default_factory=list)
    bells: set[str] = field(default_factory=set)
    reacted: int = 0


_current: ContextVar[UnitOfWork | None] = ContextVar("unit_of_work", default=None)


def command[**P, R](
    verb: str,
) -> Callable[[Callable[Concatenate[Actor, P], Awaitable[R]]], Callable[Concatenate[Actor, P], Coroutine[Any, Any, R]]]:
    """Make a function a command: ask the verb's rule with the first thing, then run it in a transaction."""
    if verb not in RULES:
        raise RuntimeError(f"The verb {verb} has no rule.")

    def decorate(
        function: Callable[Concatenate[Actor, P], Awaitable[R]],
    ) -> Callable[Concatenate[Actor, P], Coroutine[Any, Any, R]]:
        COMMANDS[f"{function.__module__}.{function.__name__}"] = verb
        takes_thing = len(inspect.signature(function).parameters) > 1

        @functools.wraps(function)
        async def run(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            require(actor, verb, args[0] if takes_thing and args else None)
            if _current.get() is not None:
                return await function(actor, *args, **kwargs)
            return await uncancelled(_transact(actor, lambda: function(actor, *args, **kwargs)))

        return run

    return decorate


async def atomically[R](actor: Actor, work: Callable[[], Awaitable[R]]) -> R:
    """Run work, in which commands join, as one transaction that a caller's hang-up cannot cancel."""
    if _current.get() is not None:
        return await work()
    return await uncancelled(_transact(actor, work))


async def uncancelled[R](work: Coroutine[Any, Any, R]) -> R:
    """Await work that goes on to its end even when the caller is cancelled."""
    task = asyncio.ensure_future(work)
    _running.add(task)
    task.add_done_callback(_finished)
    return await asyncio.shield(task)


def _finished(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()


async def all_finished() -> None:
    """Wait for commands whose callers have gone, at shutdown."""
    while _running:
        await asyncio.wait(set(_running))


async def _transact[R](actor: Actor, work: Callable[[], Awaitable[R]]) -> R:
    """Do the work as one transaction, again when others were in its way or deleted what it is about to name.

    When what it names stays gone without the work itself noticing: NotFound.
    """
    for attempt in range(1, ATTEMPTS + 1):
        unit = UnitOfWork(actor)
        token = _current.set(unit)
        try:
            async with in_transaction():
                result = await work()
                heads = await _flush(unit)
        except asyncpg.ProgramLimitExceededError as error:
            raise Invalid(TOO_LARGE) from error
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, OperationalError) as error:
            is_gone = names_what_is_gone(error)
            if attempt == ATTEMPTS and is_gone:
                raise NotFound() from error
            if attempt == ATTEMPTS or not (is_gone or _is_worth_retrying(error)):
                raise
            _log.info("command retried", extra={"attempt": attempt, "reason": type(error).__name__})
            await asyncio.sleep(0.01 * attempt)
        else:
            wake(heads, unit.notes)
            bells.rung(unit.bells)
            return result
        finally:
            _current.reset(token)
    raise AssertionError("unreachable")


def _is_worth_retrying(error: Exception) -> bool:
    text = str(error).lower()
    return not isinstance(error, OperationalError) or "deadlock" in text or "serialize" in text


async def _flush(unit: UnitOfWork) -> dict[UUID, int]:
    await react()
    await hold_recipients(unit.deliveries)
    heads = await _number(unit)
    if unit.deliveries:
        await Delivery.bulk_create(unit.deliveries)
        unit.bells.update(f"inbox:{one.agent_id}" for one in unit.deliveries if one.agent_id)
        unit.bells.add(pace.BELL)
    await carry(heads, unit.notes, unit.bells)
    return heads


async def _number(unit: UnitOfWork) -> dict[UUID, int]:
    """Write the events, and number the deliveries; returns the heads of the organizations that have new events."""
    events: dict[UUID, list[NewEvent]] = {}
    deliveries: dict[UUID, list[Delivery]] = {}
    for event in unit.events:
        events.setdefault(event.scope.organization_id, []).append(event)
    for delivery in unit.deliveries:
        if delivery.organization_id is not None:
            deliveries.setdefault(delivery.organization_id, []).append(delivery)
    heads: dict[UUID, int] = {}
    for organization_id in sorted(events.keys() | deliveries.keys()):
        head = await hold(organization_id)
        if organization_id in events:
            await append(head, events[organization_id])
            heads[organization_id] = head.log_seq
        number(head, deliveries.get(organization_id, ()))
        await keep(head)
    return heads


async def react() -> None:
    """Run the reactions to everything recorded so far; a command calls it before it removes what they need."""
    unit = unit_of_work()
    while unit.reacted < len(unit.events):
        event = unit.events[unit.reacted]
        unit.reacted += 1
        for reaction in REACTIONS.get(event.kind, ()):
            await reaction(unit.actor, event)


def reacts_to(
    *kinds: str,
) -> Callable[[Callable[[Actor, NewEvent], Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """Call a function in the same transaction whenever an event of one of these kinds was recorded."""

    def register(function: Callable[[Actor, NewEvent], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        for kind in kinds:
            REACTIONS.setdefault(kind, []).append(function)
        return function

    return register


def record(
    kind: str,
    thing: Scoped | Scope,
    message: str,
    *,
    event_id: UUID | None = None,
    agent_id: UUID | None = None,
    **data: Any,
) -> NewEvent:
    """Record that something happened; the fact is written when the outermost command commits."""
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
    kind: str,
    scope: Scope,
    *,
    agent_id: UUID,
    header: str,
    text: str,
    **data: Any,
) -> None:
    """Write a message that a sender will carry to an agent once this command has committed."""
    unit_of_work().deliveries.append(
        Delivery(
            organization_id=scope.organization_id,
            kind=kind,
            agent_id=agent_id,
            board_id=scope.board_id,
            task_id=scope.task_id,
            header=header,
            text=text,
            data=data,
        )
    )


def ring(bell: str) -> None:
    """Wake whoever waits for a bell (`work:<board id>`, `inbox:<agent id>`) once this command has committed."""
    unit_of_work().bells.add(bell)


def rings_at_commit(bell: str) -> None:
    """Ring a bell when the running command commits; outside a command nobody is to be told."""
    if (unit := _current.get()) is not None:
        unit.bells.add(bell)


def note_presence(organization_id: UUID, **note: Any) -> None:
    """Tell live readers something that is worth no row, such as an agent coming online."""
    unit_of_work().notes.append((organization_id, note))


def unit_of_work() -> UnitOfWork:
    """The running unit of work; outside a command this is a programming error."""
    unit = _current.get()
    if unit is None:
        raise RuntimeError("Only a command can record events or deliveries.")
    return unit
