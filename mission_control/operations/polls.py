"""Reads that wait on wake-up channels until what they read is settled."""

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from mission_control.authn.lookups import channel_of_caller, fresh
from mission_control.core.actor import Actor
from mission_control.core.errors import Unauthenticated
from mission_control.live import broker, channels


async def settled[T, R](
    actor: Actor,
    found: T,
    *names: str,
    find: Callable[[Actor], Awaitable[T]],
    read: Callable[[T], Awaitable[R]],
    is_settled: Callable[[R], bool],
    seconds: float,
) -> R:
    """Return what is read as soon as it is settled, or as it is when the time is over or the server stops.

    It is read again when one of the named channels is notified. When what the caller may do has changed, and at the
    end, `find` looks `found` up anew and refuses who lost it; raise Unauthenticated when the caller's token ended.
    """
    now, end = get_running_loop().time, channels.end_of_wait(seconds)
    while True:
        with ExitStack() as listening:
            changed, *notified = [
                listening.enter_context(channels.listening(name)) for name in (channel_of_caller(actor), *names)
            ]
            answer = await read(found)
            left, running = end - now(), broker.current()
            if is_settled(answer) or left <= 0 or running is None or running.closing:
                return answer
            await channels.notified_within(changed, left, *notified)
        if changed.done() or now() >= end:
            present = await fresh(actor)
            if present is None:
                raise Unauthenticated
            found = await find(present)


async def themselves(actor: Actor) -> Actor:
    """Return the caller, for what depends on nothing else."""
    return actor
