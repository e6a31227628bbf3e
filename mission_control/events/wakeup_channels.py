"""Wake-up channels, on which long polls wait without asking the database, and waiters in a queue."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Container, Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from mission_control.core.extensions import add, marked
from mission_control.core.values import JsonObject, new_id

_queues: dict[str, "_Queue"] = {}


@dataclass(slots=True)
class _Queue:
    waiters: dict["Waiter", None] = field(default_factory=dict)
    notifications: int = 0

    def not_polled(self) -> Iterator["Waiter"]:
        """Yield the waiters that have not polled since the last notification and were not woken, longest first."""
        return (waiter for waiter in self.waiters if waiter.since < self.notifications and not waiter.notified.done())

    def wake_next(self, among: Container[Hashable] | None = None) -> None:
        """Wake the first of them whose `who` is in `among`; None admits all."""
        for waiter in self.not_polled():
            if among is None or waiter.who in among:
                waiter.notified.set_result(None)
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
        return {waiter.who for waiter in queue.not_polled()} if queue is not None else set()

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
        for waiter in queue.waiters:
            if not waiter.notified.done():
                waiter.notified.set_result(None)


def waiting(channel: str) -> int:
    queue = _queues.get(channel)
    return sum(not waiter.notified.done() for waiter in queue.waiters) if queue is not None else 0


PROCESS = new_id().hex
AT_ONCE = 100
JITTER = 0.2  # of a wait

_waiting: dict[str, dict[asyncio.Future[None], None]] = {}
_callbacks: dict[str, list[Callable[[], None]]] = {}
_families: dict[str, Callable[[str], None]] = {}


def on_notify[F: Callable[[], None]](channel: str) -> Callable[[F], F]:
    """Call the function on every notification of a channel, from any process, and when one may have been lost."""
    return lambda function: marked(function, lambda callback: _callbacks.setdefault(channel, []).append(callback))


def on_notify_family[F: Callable[[str], None]](family: str) -> Callable[[F], F]:
    """Call the function with the name of each notified channel of a family (`<family>:...`), from any process.

    Unlike a waiter, it is not called when a notification may have been lost.
    """
    return lambda function: marked(function, lambda callback: hear_family(family, callback))


def hear_family(family: str, callback: Callable[[str], None]) -> None:
    """Do for a callback what `on_notify_family` does for a function that it marks."""
    add(_families, family, callback)


@contextlib.contextmanager
def listening(channel: str) -> Iterator["asyncio.Future[None]"]:
    """Return a future that the next notification completes; poll for existing work only after that."""
    notified: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    _waiting.setdefault(channel, {})[notified] = None
    try:
        yield notified
    finally:
        _forget(channel, notified)


def end_of_wait(seconds: float) -> float:
    """Return when a wait ends, in the loop's time: up to a fifth earlier, so that waits do not end in one wave."""
    return asyncio.get_running_loop().time() + seconds * random.uniform(1 - JITTER, 1)


async def notified_within(notified: "asyncio.Future[None]", seconds: float, *also: "asyncio.Future[None]") -> bool:
    """Return whether a future from `listening` completes within `seconds`; one of `also` ends the wait too."""
    await asyncio.wait([notified, *also], timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
    return notified.done()


def channels_notify(channels: Iterable[str]) -> None:
    names = list(channels)
    run_callbacks(names)
    for channel in names:
        if (callback := _families.get(channel.partition(":")[0])) is not None:
            callback(channel)
        notify(channel)
        for notified in list(_waiting.get(channel, ())):
            _wake(channel, notified)


def run_callbacks(channels: Iterable[str]) -> None:
    """Run the callbacks of these channels, and wake no waiter."""
    for channel in channels:
        for callback in _callbacks.get(channel, ()):
            callback()


def run_all_callbacks() -> None:
    """Run every callback, and wake no waiter: another process changed something and could not notify this one."""
    run_callbacks(_callbacks)


def channels_notify_all() -> None:
    """Wake every waiter: after the listening connection was lost, and at shutdown."""
    run_all_callbacks()
    notify_all()
    channels_notify(list(_waiting))


def channels_waiting(channel: str) -> int:
    return len(_waiting.get(channel, ()))


def is_awaited(family: str) -> bool:
    """Return whether anybody listens to a channel of a family (`<family>:...`) in this process."""
    return any(channel.startswith(f"{family}:") for channel in _waiting)


def messages(channels: Iterable[str]) -> Iterator[JsonObject]:
    """Return the messages that notify other processes; each is under the 8,000 bytes that PostgreSQL allows."""
    names = sorted(channels)
    for start in range(0, len(names), AT_ONCE):
        yield {"channels": names[start : start + AT_ONCE], "from": PROCESS}


def _wake(channel: str, notified: "asyncio.Future[None]") -> None:
    _forget(channel, notified)
    if not notified.done():
        notified.set_result(None)


def _forget(channel: str, notified: "asyncio.Future[None]") -> None:
    waiters = _waiting.get(channel)
    if waiters is not None:
        waiters.pop(notified, None)
        if not waiters:
            del _waiting[channel]
