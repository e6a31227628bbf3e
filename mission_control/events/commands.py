"""Commands: one function and one transaction for each change of state, and taking one back."""

import asyncio
import contextlib
import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextvars import ContextVar
from types import FunctionType
from typing import Any, Concatenate
from uuid import UUID

import asyncpg
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from mission_control.core.actor import Actor, require
from mission_control.core.errors import Invalid, NotFound
from mission_control.database.records import insert
from mission_control.database.sql import is_missing_reference
from mission_control.events import wakeup_channels
from mission_control.events.event_log import NewEvent, append, lock, save
from mission_control.events.leases import CHANNEL as DELIVERIES
from mission_control.events.leases import Delivery, lock_recipients, number
from mission_control.events.reader_wakeups import announce, messages, wake
from mission_control.events.unit_of_work import UnitOfWork, beginning, react, running

ATTEMPTS = 4

_log = logging.getLogger(__name__)
_running: set[asyncio.Task[Any]] = set()


async def atomically[R](actor: Actor, work: Callable[[], Awaitable[R]]) -> R:
    """Run `work` in one transaction and return its result; commands that it calls join the transaction.

    Inside a command it joins the transaction of that command.
    """
    if running() is not None:
        return await work()
    return await uncancelled(transact(actor, work))


async def uncancelled[R](work: Coroutine[Any, Any, R]) -> R:
    """Return the result of `work`, which runs to its end even when the caller is cancelled."""
    task = asyncio.ensure_future(work)
    _running.add(task)
    task.add_done_callback(_finished)
    return await asyncio.shield(task)


def _finished(task: asyncio.Task[object]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()  # read, so that asyncio reports no unread exception when the caller has gone


async def all_finished() -> None:
    """Wait, at shutdown, for commands whose callers have disconnected."""
    while _running:
        await asyncio.wait(set(_running))


async def transact[R](actor: Actor, work: Callable[[], Awaitable[R]]) -> R:
    """Run `work` in a transaction and return its result.

    The work is run again, up to `ATTEMPTS` times, after a deadlock and when a row that it refers to was deleted
    during it, so that its own checks can say what is missing. When they do not, the answer is NotFound.
    """
    for attempt in range(1, ATTEMPTS + 1):
        unit = UnitOfWork(actor)
        try:
            with beginning(unit):
                async with in_transaction():
                    result = await work()
                    heads = await _flush(unit)
        except asyncpg.ProgramLimitExceededError as error:
            raise Invalid("A value is too long to be indexed. Shorten it.") from error
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, OperationalError) as error:
            is_gone = is_missing_reference(error)
            if attempt == ATTEMPTS and is_gone:
                raise NotFound() from error
            if attempt == ATTEMPTS or not (is_gone or _is_collision(error)):
                raise
            _log.info("command retried", extra={"attempt": attempt, "reason": type(error).__name__})
            await asyncio.sleep(0.01 * attempt)
        else:  # committed: only now may readers look
            wake(heads, unit.signals)
            wakeup_channels.channels_notify(unit.channels)
            return result
    raise AssertionError("unreachable")


def _is_collision(error: Exception) -> bool:
    text = str(error).lower()
    return not isinstance(error, OperationalError) or "deadlock" in text or "serialize" in text


async def _flush(unit: UnitOfWork) -> dict[UUID, int]:
    """Write what the unit has recorded, as the last step before the commit; return the new heads by organization."""
    await react()
    # Rows are locked in the order agent, board, task, approval, log. The agents of new deliveries come before the log:
    # a command that holds an agent and waits for the log would deadlock with one that holds the log.
    await lock_recipients(unit.deliveries)
    if unit.deliveries:
        unit.channels.update(f"inbox:{delivery.agent_id}" for delivery in unit.deliveries if delivery.agent_id)
        unit.channels.add(DELIVERIES)
    # PostgreSQL sends these messages with the commit, so no process is notified of events that it cannot read yet.
    news = messages(unit.signals, unit.channels)
    heads = await _number(unit, news)
    if unit.deliveries:
        await insert(*unit.deliveries)
    if not heads:
        await announce(news)
    return heads


async def _number(unit: UnitOfWork, news: list[str]) -> dict[UUID, int]:
    """Write the events and number the deliveries; return the heads of the organizations with new events.

    The news goes with the last of these heads: a signal stays behind the events that came before it.
    """
    events: dict[UUID, list[NewEvent]] = {}
    deliveries: dict[UUID, list[Delivery]] = {}
    for event in unit.events:
        events.setdefault(event.scope.organization_id, []).append(event)
    for delivery in unit.deliveries:
        if delivery.organization_id is not None:
            deliveries.setdefault(delivery.organization_id, []).append(delivery)
    heads: dict[UUID, int] = {}
    # Sorted: two commands that write to the same logs lock them in the same order. Each head stays locked until the
    # commit, so that numbers become visible in order.
    for organization_id in sorted(events.keys() | deliveries.keys()):
        head = await lock(organization_id)
        written = append(head, events.get(organization_id, ()))
        number(head, deliveries.get(organization_id, ()))
        if written:
            heads[organization_id] = head.log_seq
        is_last = len(heads) == len(events)
        await save(head, written, [f"{organization_id}:{head.log_seq}", *(news if is_last else ())])
    return heads


type Action = Callable[[], Awaitable[None]]


# Compensating actions: they take a change back when its caller left without the answer. A server of a call that its
# client can cancel opens a `Compensations` for it. A command that must not outlive such a client (a claim: the task
# would be held by nobody) registers how to take itself back.
class Compensations:
    """The actions of one call. An action that is registered after the client left runs at once."""

    def __init__(self) -> None:
        self._actions: list[Action] = []
        self._is_abandoned = False

    async def register(self, action: Action) -> None:
        """Run an action when the client leaves without the answer."""
        self._actions.append(action)
        if self._is_abandoned:
            await self.run()

    async def run(self) -> None:
        """Take back what was changed for a client that left; each action runs once."""
        self._is_abandoned = True
        while self._actions:
            await uncancelled(_awaited(self._actions.pop()))


async def _awaited(action: Action) -> None:
    await action()


_current: ContextVar[Compensations | None] = ContextVar("compensations", default=None)


@contextlib.contextmanager
def compensated(actions: Compensations) -> Iterator[None]:
    """Let what runs in this context register its actions here."""
    token = _current.set(actions)
    try:
        yield
    finally:
        _current.reset(token)


async def on_abandonment(action: Action) -> None:
    if (actions := _current.get()) is not None:
        await actions.register(action)


def command[**P, R](
    verb: str,
) -> Callable[[Callable[Concatenate[Actor, P], Awaitable[R]]], Callable[Concatenate[Actor, P], Coroutine[Any, Any, R]]]:
    """Make a function a command of `verb`. Its first argument after the actor is the thing that the rule judges."""

    def decorate(
        function: Callable[Concatenate[Actor, P], Awaitable[R]],
    ) -> Callable[Concatenate[Actor, P], Coroutine[object, object, R]]:
        takes_thing = len(inspect.signature(function).parameters) > 1

        @functools.wraps(function)
        async def run(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            require(actor, verb, args[0] if takes_thing and args else None)
            return await atomically(actor, lambda: function(actor, *args, **kwargs))

        vars(run)["verb"] = verb  # read by `verb_of`: installing refuses a command whose verb has no rule
        return run

    return decorate


def verb_of(thing: object) -> str | None:
    # By its exact type: a context-bound proxy of Quart cannot be asked anything outside of a request.
    return vars(thing).get("verb") if type(thing) is FunctionType else None
