"""What one reader of an organization's news has not taken yet."""

import asyncio
from collections import deque

from mission_control.live.models import Event
from mission_control.live.recent import Signal

QUEUE_SIZE = 256


class Subscription:
    """One reader's bounded queue of events and signals.

    `overflowed` says that it fell behind, `missed_signals` that signals may have been sent which never came here.
    """

    def __init__(self) -> None:
        self.queue: deque[Event | Signal] = deque()
        self.overflowed = False
        self.missed_signals = False
        self.closed = False
        self._waits: asyncio.Future[None] | None = None

    def put(self, item: Event | Signal) -> None:
        """Add an item, or mark the reader as fallen behind."""
        if len(self.queue) >= QUEUE_SIZE:
            self.overflowed = True
        else:
            self.queue.append(item)
        self._wake()

    def miss_signals(self) -> None:
        """Say that signals may have been missed."""
        self.missed_signals = True
        self._wake()

    def close(self) -> None:
        """End the reader's stream."""
        self.closed = True
        self._wake()

    async def take(self, timeout: float, coalesce: float) -> list[Event | Signal]:
        """Return everything that has arrived; waits up to `timeout` seconds for the first item."""
        if not (self.queue or self.closed or self.overflowed or self.missed_signals):
            loop = asyncio.get_running_loop()
            self._waits = loop.create_future()
            timer = loop.call_later(timeout, self._wake)
            try:
                await self._waits
            finally:
                timer.cancel()
        if coalesce and self.queue and not self.closed:
            await asyncio.sleep(coalesce)
        taken = list(self.queue)
        self.queue.clear()
        return taken

    def _wake(self) -> None:
        if self._waits is not None and not self._waits.done():
            self._waits.set_result(None)
