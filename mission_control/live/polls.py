"""Reads that wait on a channel until what they read is settled."""

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable

from mission_control.live import broker, channels


async def settled[R](
    channel: str, read: Callable[[], Awaitable[R]], is_settled: Callable[[R], bool], seconds: float
) -> R:
    """Return what is read as soon as it is settled, or as it is when the time is over or the server stops."""
    now, end = get_running_loop().time, channels.end_of_wait(seconds)
    while True:
        with channels.listening(channel) as notified:
            found = await read()
            left, running = end - now(), broker.current()
            if is_settled(found) or left <= 0 or running is None or running.closing:
                return found
            await channels.notified_within(notified, left)
