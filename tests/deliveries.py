"""Sending what is due, one look at a time, while the application's own loop looks away."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mission_control.background import sending as loop
from mission_control.background.loops import Loop
from mission_control.background.sending import Sender, lease, look
from mission_control.events.leases import Delivery


async def look_away(monkeypatch: pytest.MonkeyPatch, sending: Loop = loop.SENDING) -> None:
    """While a test sends by hand the application's own loop finds nothing; a look that it had begun is over."""
    is_away = asyncio.Event()

    async def see_nothing() -> None:
        is_away.set()

    monkeypatch.setattr(sending, "look", see_nothing)
    sending.wake()
    async with asyncio.timeout(60):
        await is_away.wait()


async def send_due(sending: Loop = loop.SENDING, look: Callable[[], Awaitable[float]] = look) -> int:
    """Look once, as the loop does, and wait until what that began is sent; returns how many deliveries those were."""
    before = set(sending.tasks)
    await look()
    begun = sending.tasks - before
    await asyncio.gather(*begun)
    return len(begun)


async def leased(kind: str) -> list[Delivery]:
    """What a worker takes of a kind, for its installed sender or for one that sends nothing."""
    sender = loop._senders.get(kind) or Sender(kind, _keep)
    return [one for _, one in await lease([sender])]


async def _keep(delivery: Delivery) -> None:
    raise AssertionError("nothing should be sent")
