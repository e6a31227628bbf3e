"""Sending what is due, one look at a time, while the application's own loop looks away."""

import asyncio

from mission_control.delivery import pace
from mission_control.delivery.loop import look


async def look_away(worker: str, running: set["asyncio.Task[None]"]) -> float:
    """What stands in for the loop's `look` while a test sends by hand: nothing is due."""
    return pace.IDLE_SECONDS


async def send_due(worker: str = "tests") -> int:
    """Look once, as the loop does, and wait until what that began is sent; returns how many deliveries those were."""
    running: set[asyncio.Task[None]] = set()
    await look(worker, running)
    begun = list(running)
    await asyncio.gather(*begun)
    return len(begun)
