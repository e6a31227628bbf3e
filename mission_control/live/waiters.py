"""Waiters in a queue: a notification wakes one at a time, in the order of arrival.

A woken waiter polls for work and passes the baton to the next waiter for whom work is left, so a notification costs as
many polls as there is work, not as many as there are waiters. A waiter that leaves while it holds the baton passes it
on, so a client that hangs up loses no wake-up for the others.
"""

import asyncio
import contextlib
from collections.abc import Container, Hashable, Iterator
from dataclasses import dataclass, field

_queues: dict[str, "_Queue"] = {}


@dataclass(slots=True)
class _Queue:
    """Its waiters, the longest waiting first, and how often it was notified."""

    waiters: dict["Waiter", None] = field(default_factory=dict)
    notifications: int = 0

    def not_polled(self) -> Iterator["Waiter"]:
        """Yield the waiters that have not polled since the last notification and were not woken, longest first."""
        return (one for one in self.waiters if one.since < self.notifications and not one.notified.done())

    def wake_next(self, among: Container[Hashable] | None = None) -> None:
        """Wake the first of them whose `who` is in `among`; None admits all."""
        for one in self.not_polled():
            if among is None or one.who in among:
                one.notified.set_result(None)
                return


class Waiter:
    """One waiter. It holds the baton from its wake-up until it has polled and passed the wake-up on."""

    def __init__(self, channel: str, who: Hashable = None) -> None:
        self.holds_baton = False
        self.who = who
        self.since = 0
        self.notified: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._channel = channel

    def listen(self) -> None:
        """Enter the queue at its place; poll for existing work only after that."""
        self.holds_baton = self.holds_baton or self.notified.done()
        self.notified = asyncio.get_running_loop().create_future()
        queue = _queues.setdefault(self._channel, _Queue())
        queue.waiters[self] = None
        self.since = queue.notifications

    async def woken(self, seconds: float, *also: "asyncio.Future[None]") -> bool:
        """Return whether this waiter is woken within `seconds`; one of `also` ends the wait too."""
        waited, seconds = [self.notified, *also], max(0.0, seconds)
        await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return self.notified.done()

    def not_polled(self) -> set[Hashable]:
        """Return who else waits and would be woken."""
        queue = _queues.get(self._channel)
        return {one.who for one in queue.not_polled()} if queue is not None else set()

    def pass_baton(self, others: Container[Hashable]) -> None:
        """Wake the first of `others`, for whom there may be work: this waiter polled and took none."""
        self.holds_baton = False
        if (queue := _queues.get(self._channel)) is not None:
            queue.wake_next(others)

    def leave(self) -> None:
        """Leave the queue; pass the baton on if this waiter still holds it."""
        queue = _queues.get(self._channel)
        if queue is None:
            return
        queue.waiters.pop(self, None)
        if self.holds_baton or self.notified.done():
            queue.wake_next()
        if not queue.waiters:
            del _queues[self._channel]


@contextlib.contextmanager
def queued(channel: str, who: Hashable = None) -> Iterator[Waiter]:
    """Yield a waiter in the queue of a channel; it leaves however the block ends."""
    waiter = Waiter(channel, who)
    try:
        yield waiter
    finally:
        waiter.leave()


def notify(channel: str) -> None:
    """Wake the waiter that has waited longest."""
    if (queue := _queues.get(channel)) is not None:
        queue.notifications += 1
        queue.wake_next()


def notify_all() -> None:
    for queue in _queues.values():
        queue.notifications += 1
        for one in queue.waiters:
            if not one.notified.done():
                one.notified.set_result(None)


def waiting(channel: str) -> int:
    """Return how many wait in the queue of a channel in this process and were not woken yet."""
    queue = _queues.get(channel)
    return sum(not one.notified.done() for one in queue.waiters) if queue is not None else 0
