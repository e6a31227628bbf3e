"""Agents that wait for work, and every look that they take in vain."""

import asyncio
from typing import Any

from mission_control.boards.models import Run
from mission_control.events import wakeup_channels
from mission_control.tasks.models import Task
from tests.cast import Answer, Caller, Cast
from tests.claiming import claim

NOTHING = {"task": None, "lease": None, "reason": None}
PATIENCE = 40  # less than a poll waits that nobody wakes
LOOKS: list[None] = []


def channel(cast: Cast) -> str:
    return f"work:{cast.board.id}"


async def poll(cast: Cast, by: Caller | None = None, **wanted: Any) -> "asyncio.Task[Answer]":
    """Somebody who has looked and stands in the queue now."""
    before, looks = wakeup_channels.waiting(channel(cast)), len(LOOKS)
    task = asyncio.create_task(claim(cast, by, **{"wait_seconds": 50, **wanted}))
    async with asyncio.timeout(PATIENCE):
        while wakeup_channels.waiting(channel(cast)) == before or len(LOOKS) == looks:
            await asyncio.sleep(0.002)
    return task


async def looked(count: int) -> None:
    """Wait until there were so many looks in vain, and a moment more: there must be no more of them."""
    async with asyncio.timeout(PATIENCE):
        while len(LOOKS) < count:
            await asyncio.sleep(0.002)
    await asyncio.sleep(0.03)
    assert len(LOOKS) == count


async def stand_in_queue(cast: Cast, count: int) -> None:
    """Wait until so many stand in the queue; who was woken looks first and then comes back to it."""
    async with asyncio.timeout(PATIENCE):
        while wakeup_channels.waiting(channel(cast)) != count:
            await asyncio.sleep(0.002)


async def started(count: int) -> None:
    """Wait until so many tasks are in progress and none is left in the inbox."""
    async with asyncio.timeout(PATIENCE):
        while await Run.filter(ended_at=None).count() < count or await Task.filter(status="inbox").exists():
            await asyncio.sleep(0.01)


async def answer_of(waiting: "asyncio.Task[Answer]") -> Any:
    """What it got, which must come soon."""
    return (await asyncio.wait_for(waiting, PATIENCE)).ok()


async def hang_up(*polls: "asyncio.Task[Answer]") -> None:
    for one in polls:
        one.cancel()
    await asyncio.gather(*polls, return_exceptions=True)
