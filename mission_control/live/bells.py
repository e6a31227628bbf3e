"""Bells: what a long poll waits for without asking the database.

Whoever waits holds a future and nothing else. A command rings after its commit; on PostgreSQL the ringing travels to
the other processes with the commit. A waiter looks once more when its time is over, so that a ringing that was lost on
the way delays it and loses nothing. A ringing wakes everybody who listens to the bell here, and one of those who stand
in its queue (`live/queues.py`). What is done `whenever` a bell rings is done before anything that happened later is
heard of.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mission_control.core.ids import new_id
from mission_control.live import queues

PROCESS = new_id().hex
AT_ONCE = 100

_waiting: dict[str, dict[asyncio.Future[None], None]] = {}
_done_whenever: dict[str, list[Callable[[], None]]] = {}
_families: dict[str, Callable[[str], None]] = {}


def whenever(bell: str, deed: Callable[[], None]) -> None:
    """Do something at every ringing of a bell, of this process and of the others; also when one may have been lost."""
    _done_whenever.setdefault(bell, []).append(deed)


def whenever_in(family: str, callback: Callable[[str], None]) -> None:
    """Call `callback` with the name of every bell of a family (`<family>:...`) that is rung, here or elsewhere.

    Unlike a waiter it is not woken when a ringing may have been lost.
    """
    _families[family] = callback


@contextlib.contextmanager
def listening(bell: str) -> Iterator["asyncio.Future[None]"]:
    """Be rung from now on; look for what there is already only after that."""
    heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    _waiting.setdefault(bell, {})[heard] = None
    try:
        yield heard
    finally:
        _forget(bell, heard)


async def within(heard: "asyncio.Future[None]", seconds: float, *also: "asyncio.Future[None]") -> bool:
    """Whether a future from `listening` is rung within so many seconds; another one that is rung ends the wait too."""
    await asyncio.wait([heard, *also], timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
    return heard.done()


def rung(bells: Iterable[str]) -> None:
    """Wake those who wait for these bells in this process."""
    bells = list(bells)
    do_whenever(bells)
    for bell in bells:
        if (callback := _families.get(bell.partition(":")[0])) is not None:
            callback(bell)
        queues.rung(bell)
        for heard in list(_waiting.get(bell, ())):
            _ring(bell, heard)


def do_whenever(bells: Iterable[str]) -> None:
    """Do what is to be done at the ringing of these bells, and wake nobody."""
    for bell in bells:
        for deed in _done_whenever.get(bell, ()):
            deed()


def rung_all() -> None:
    """Wake everybody, after the connection on which ringing is heard was lost, and at shutdown."""
    do_whenever(_done_whenever)
    queues.rung_all()
    rung(list(_waiting))


def waiting(bell: str) -> int:
    """How many listen to a bell in this process."""
    return len(_waiting.get(bell, ()))


def messages(bells: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What other processes are told so that they ring too; a message of PostgreSQL has less than 8,000 bytes."""
    names = sorted(bells)
    for start in range(0, len(names), AT_ONCE):
        yield {"bells": names[start : start + AT_ONCE], "from": PROCESS}


def _ring(bell: str, heard: "asyncio.Future[None]") -> None:
    _forget(bell, heard)
    if not heard.done():
        heard.set_result(None)


def _forget(bell: str, heard: "asyncio.Future[None]") -> None:
    waiters = _waiting.get(bell)
    if waiters is not None:
        waiters.pop(heard, None)
        if not waiters:
            del _waiting[bell]
