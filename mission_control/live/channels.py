"""Wake-up channels: what a long poll waits on without asking the database.

A waiter holds one future and nothing else. A command notifies a channel after its commit; on PostgreSQL the
notification reaches the other processes with the commit. A waiter polls once more when its time is over, so a lost
notification delays it and loses nothing. A notification wakes every listener of the channel in this process, and one
waiter of its queue (`live/waiters.py`). Callbacks of `on_notify` run before later events are delivered.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable, Iterator

from mission_control.core.ids import new_id
from mission_control.live import waiters

PROCESS = new_id().hex
AT_ONCE = 100
JITTER = 0.2  # of a wait

_waiting: dict[str, dict[asyncio.Future[None], None]] = {}
_callbacks: dict[str, list[Callable[[], None]]] = {}
_families: dict[str, Callable[[str], None]] = {}


def on_notify(channel: str, callback: Callable[[], None]) -> None:
    """Call `callback` on every notification of a channel, from any process, and when one may have been lost."""
    _callbacks.setdefault(channel, []).append(callback)


def on_notify_family(family: str, callback: Callable[[str], None]) -> None:
    """Call `callback` with the name of each notified channel of a family (`<family>:...`), from any process.

    Unlike a waiter, it is not called when a notification may have been lost.
    """
    _families[family] = callback


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


def notify(channels: Iterable[str]) -> None:
    """Wake the waiters of these channels in this process."""
    names = list(channels)
    run_callbacks(names)
    for channel in names:
        if (callback := _families.get(channel.partition(":")[0])) is not None:
            callback(channel)
        waiters.notify(channel)
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


def notify_all() -> None:
    """Wake every waiter: after the listening connection was lost, and at shutdown."""
    run_all_callbacks()
    waiters.notify_all()
    notify(list(_waiting))


def waiting(channel: str) -> int:
    """Return how many listen to a channel in this process."""
    return len(_waiting.get(channel, ()))


def is_awaited(family: str) -> bool:
    """Return whether anybody listens to a channel of a family (`<family>:...`) in this process."""
    return any(channel.startswith(f"{family}:") for channel in _waiting)


def messages(channels: Iterable[str]) -> Iterator[dict[str, object]]:
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
