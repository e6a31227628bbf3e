"""Queues: bells that wake one at a time, in the order of arrival.

Whoever is woken looks for work and passes the ringing on to somebody for whom some is left, so that a ringing costs as
many looks as there is work and not as many as there are waiters. A place that is left before that was settled passes
the ringing on by itself: nobody's hang-up loses it for the others.
"""

import asyncio
import contextlib
from collections.abc import Container, Hashable, Iterator
from dataclasses import dataclass, field

_queues: dict[str, "_Queue"] = {}


@dataclass(slots=True)
class _Queue:
    """Who is in it, the longest first, and how often it was rung so far."""

    places: dict["Place", None] = field(default_factory=dict)
    rings: int = 0

    def not_looked(self) -> Iterator["Place"]:
        """Who has not begun to look since the last ringing and was not woken, the longest in it first."""
        return (one for one in self.places if one.since < self.rings and not one.heard.done())

    def wake_next(self, among: Container[Hashable] | None = None) -> None:
        """Wake the first of them; None is of all."""
        for one in self.not_looked():
            if among is None or one.who in among:
                one.heard.set_result(None)
                return


class Place:
    """One waiter's place; `owes` says that it was woken and has not yet settled whether work is left for others."""

    def __init__(self, bell: str, who: Hashable = None) -> None:
        self.owes = False
        self.who = who
        self.since = 0
        self.heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._bell = bell

    def listen(self) -> None:
        """Be woken from now on, in the order of arrival; look for what there is already only after that."""
        self.owes = self.owes or self.heard.done()
        self.heard = asyncio.get_running_loop().create_future()
        queue = _queues.setdefault(self._bell, _Queue())
        queue.places[self] = None
        self.since = queue.rings

    async def woken(self, seconds: float, *also: "asyncio.Future[None]") -> bool:
        """Whether it was this one's turn within so many seconds; another future that is done ends the wait too."""
        waited, seconds = [self.heard, *also], max(0.0, seconds)
        await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return self.heard.done()

    def who_has_not_looked(self) -> set[Hashable]:
        """Who else waits and would be woken."""
        queue = _queues.get(self._bell)
        return {one.who for one in queue.not_looked()} if queue is not None else set()

    def settle(self, others: Container[Hashable]) -> None:
        """It looked and took nothing; the first of these, for whom there may be something, is woken."""
        self.owes = False
        if (queue := _queues.get(self._bell)) is not None:
            queue.wake_next(others)

    def leave(self) -> None:
        """Go; a ringing that was heard and not settled is passed on."""
        queue = _queues.get(self._bell)
        if queue is None:
            return
        queue.places.pop(self, None)
        if self.owes or self.heard.done():
            queue.wake_next()
        if not queue.places:
            del _queues[self._bell]


@contextlib.contextmanager
def place(bell: str, who: Hashable = None) -> Iterator[Place]:
    """A place in the queue of a bell, left however the block ends."""
    taken = Place(bell, who)
    try:
        yield taken
    finally:
        taken.leave()


def rung(bell: str) -> None:
    """Wake the one who has waited longest."""
    if (queue := _queues.get(bell)) is not None:
        queue.rings += 1
        queue.wake_next()


def rung_all() -> None:
    """Wake everybody."""
    for queue in _queues.values():
        queue.rings += 1
        for one in queue.places:
            if not one.heard.done():
                one.heard.set_result(None)


def waiting(bell: str) -> int:
    """How many wait in the queue of a bell in this process and were not woken yet."""
    queue = _queues.get(bell)
    return sum(not one.heard.done() for one in queue.places) if queue is not None else 0
