"""Detect changes of the machine's clock, so that timers compute their sleep again."""

import asyncio
import logging
import time
from collections.abc import Callable

STEP_SECONDS = 1.0
SMALLEST_JUMP_SECONDS = 2.0

logger = logging.getLogger(__name__)


async def watch_clock(
    look_again: Callable[[], None], *, step: float = STEP_SECONDS, wall: Callable[[], float] = time.time
) -> None:
    """Call `look_again` whenever somebody sets the clock; never returns."""
    before = wall() - time.monotonic()
    while True:
        await asyncio.sleep(step)
        now = wall() - time.monotonic()
        if abs(now - before) >= SMALLEST_JUMP_SECONDS:
            logger.warning("clock.was_set", extra={"seconds": round(now - before)})
            look_again()
        before = now
