"""Work that many streams need at the same moment, done once."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable

CAPACITY = 512


class Shared[T]:
    """Results by key, each made once and kept for a few seconds; who asks meanwhile waits for the same result."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._results: OrderedDict[Hashable, tuple[float, asyncio.Future[T]]] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """The result for a key; a failure is told to everybody who waits and is not kept."""
        known = self._results.get(key)
        if known is None or known[0] < time.monotonic():
            known = (time.monotonic() + self._seconds, asyncio.ensure_future(make()))
            self._results[key] = known
            known[1].add_done_callback(lambda done: self._settled(key, done))
            self._trim()
        return known[1].result() if known[1].done() else await asyncio.shield(known[1])

    def clear(self) -> None:
        """Forget everything."""
        self._results.clear()

    def _settled(self, key: Hashable, done: "asyncio.Future[T]") -> None:
        if done.cancelled() or done.exception() is not None:
            known = self._results.get(key)
            if known is not None and known[1] is done:
                del self._results[key]

    def _trim(self) -> None:
        now = time.monotonic()
        while self._results:
            key, (until, _) = next(iter(self._results.items()))
            if until > now and len(self._results) <= CAPACITY:
                return
            self._results.pop(key)
