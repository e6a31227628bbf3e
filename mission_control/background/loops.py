"""Work that recurs beside requests. A loop is one declaration in its room.

Every process runs every loop. Where only one of them may do something, leases (`events/leases.py`) decide.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mission_control.core import times
from mission_control.core.extensions import Part
from mission_control.database.fit import follow_clock
from mission_control.database.sql import is_postgres
from mission_control.events import wakeup_channels

CLOCK_SECONDS, SMALLEST_JUMP_SECONDS = 1.0, 2.0

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class Loop(Part):
    """Something that is looked at again and again; `name` says what it does, for the log.

    `look` does what is due. It may return the seconds until the next look, which is at most `pause` seconds away; one
    that fails is logged, and repeated after `retry` seconds. Notifications of `channel` and a clock that was set wake
    the loop. With `spans`, a look gets the moments since when and until when it has to look. Nothing is looked at
    unless `when` is true. `take_over` is run first by the only server of a SQLite file: it owns what another one had
    begun. While no task of the loop runs, it looks at most once in `debounce` seconds. `stop` is run at its end.
    """

    name: str
    look: Callable[..., Awaitable[float | None]]
    pause: float
    retry: float | None = None
    channel: str = ""
    spans: bool = False
    when: Callable[[], bool] = lambda: True
    take_over: Callable[[], Awaitable[object]] | None = None
    debounce: float = 0.0
    stop: Callable[[], Awaitable[None]] | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _since: datetime = field(default_factory=times.clock_now, init=False)
    _next: datetime | None = field(default=None, init=False)
    _is_asleep: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.channel = self.channel or f"loop:{self.name}"

    def install(self) -> None:
        LOOPS.append(self)

    def begin(self, work: Coroutine[object, object, None], name: str = "", *, then_look: bool = False) -> None:
        """Do work beside the loop, which ends with it; `then_look` at once when the work has ended."""

        def ended(task: asyncio.Task[None]) -> None:
            self.tasks.discard(task)
            if not task.cancelled():
                if (error := task.exception()) is not None:
                    _log.error("%s failed", self.name, exc_info=error)
                if then_look:
                    self.wake()

        task = asyncio.create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(ended)

    def wake(self) -> None:
        """Look at once, in this process."""
        wakeup_channels.channels_notify([self.channel])

    def no_later_than(self, moment: datetime) -> None:
        """Look now, where the next look would be later than a moment: it learns when the one after it has to be."""
        if self._next is None or moment < self._next:
            self._next = moment
            if self._is_asleep:
                self.wake()

    async def run(self) -> None:
        """Look again and again; never returns."""
        self._since, self._is_asleep = times.clock_now(), False
        now = asyncio.get_running_loop().time
        try:
            if self.take_over is not None and not is_postgres():
                await self._guarded(self.take_over)
            while True:
                began, self._next = now(), None
                with wakeup_channels.listening(self.channel) as notified:
                    planned = times.clock_now() + timedelta(seconds=await self._turn())
                    is_busy = bool(self.tasks)
                    # A moment that `no_later_than` named during the look counts, without a look for each of them.
                    self._next, self._is_asleep = min(self._next or planned, planned), True
                    await wakeup_channels.notified_within(notified, (self._next - times.clock_now()).total_seconds())
                    self._is_asleep = False
                if not is_busy:
                    await asyncio.sleep(began + self.debounce - now())
        finally:
            if self.stop is not None:
                await self._guarded(self.stop)
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _turn(self) -> float:
        until = times.clock_now()
        if not self.when():
            self._since = until
            return self.pause
        try:
            found = await (self.look(self._since, until) if self.spans else self.look())
        except Exception:
            _log.exception("%s failed", self.name)
            return self.pause if self.retry is None else self.retry
        self._since = until
        return self.pause if found is None else min(found, self.pause)

    async def _guarded(self, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except Exception:  # a full disk, a lost connection: the loop goes on
            _log.exception("%s failed", self.name)


# The installed loops.
LOOPS: list[Loop] = []

CLOCK = Loop(name="comparing the clock with the database's", look=follow_clock, pause=60.0, when=is_postgres)


def start(loops: Sequence[Loop]) -> list[asyncio.Task[None]]:
    """Run loops, each in a task of its own, and wake them all when somebody sets the clock."""

    def wake_all() -> None:
        for loop in loops:
            loop.wake()

    return [asyncio.create_task(one) for one in (watch_clock(wake_all), *(loop.run() for loop in loops))]


async def watch_clock(
    look_again: Callable[[], None], *, step: float = CLOCK_SECONDS, wall: Callable[[], float] = time.time
) -> None:
    """Call `look_again` whenever somebody sets the clock; never returns."""
    before = wall() - time.monotonic()
    while True:
        await asyncio.sleep(step)
        now = wall() - time.monotonic()
        if abs(now - before) >= SMALLEST_JUMP_SECONDS:
            _log.warning("clock.was_set", extra={"seconds": round(now - before)})
            look_again()
        before = now
