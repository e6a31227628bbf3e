"""When the delivery loop looks again: at once after a command wrote deliveries, else after a pause."""

import asyncio
import contextlib

IDLE_SECONDS = 5.0

_new: asyncio.Event | None = None


def hurry() -> None:
    """There are new deliveries: the loop of this process looks at once."""
    if _new is not None:
        _new.set()


async def rest(seconds: float = IDLE_SECONDS) -> None:
    """Wait until there are new deliveries, at most so long."""
    global _new
    if _new is None:
        _new = asyncio.Event()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(_new.wait(), seconds)
    _new.clear()


def forget() -> None:
    """The loop ended; the next one may run in another event loop."""
    global _new
    _new = None
