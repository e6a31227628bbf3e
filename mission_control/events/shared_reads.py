"""Reading and rendering that many callers need at the same moment, done once."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable

CAPACITY = 512


class _Result[T]:
    """One result in the making. A caller that gives up waiting does not end it for the others."""

    def __init__(self, until: float, make: Callable[[], Awaitable[T]]) -> None:
        self.until = until
        self.future = asyncio.ensure_future(make())
        self.future.add_done_callback(self._made)
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def is_over(self) -> bool:
        return self.future.done() and self.until < time.monotonic()

    async def wait(self) -> T:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter
        return self.future.result()

    def _made(self, _: "asyncio.Future[T]") -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()


class Shared[T]:
    """A single flight: results by key, each made once for everybody who asks, and kept for some seconds.

    The key holds everything that the result depends on, above all the state of the log (`broker.known_head`), so that
    the next event makes another key.
    """

    def __init__(self, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._results: OrderedDict[Hashable, _Result[T]] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        result = self._results.get(key)
        if result is None or result.is_over:
            result = self._results[key] = _Result(time.monotonic() + self._seconds, make)
            self._results.move_to_end(key)
            result.future.add_done_callback(lambda done: self._settled(key, done))
            self._trim()
        return result.future.result() if result.future.done() else await result.wait()

    def clear(self) -> None:
        self._results.clear()

    def _settled(self, key: Hashable, done: "asyncio.Future[T]") -> None:
        if done.cancelled() or done.exception() is not None:
            result = self._results.get(key)
            if result is not None and result.future is done:
                del self._results[key]

    def _trim(self) -> None:
        """Forget what is over, and the oldest beyond the capacity, even while it is being made."""
        while self._results:
            key, oldest = next(iter(self._results.items()))
            if not oldest.is_over and len(self._results) <= CAPACITY:
                return
            self._results.pop(key)
