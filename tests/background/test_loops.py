"""A loop: when it looks, what wakes it, and what becomes of a look that fails and of the tasks that it began."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from mission_control.background import loops
from mission_control.background.loops import Loop
from mission_control.core import times
from mission_control.events import wakeup_channels

FOR_LONG = 3600.0


class Looks:
    """The looks of a loop: their arguments, and what the next ones return or raise."""

    def __init__(self, *results: float | Exception | None) -> None:
        self.results = list(results)
        self.seen: list[tuple[Any, ...]] = []

    async def look(self, *arguments: Any) -> float | None:
        self.seen.append(arguments)
        result = self.results.pop(0) if self.results else None
        if isinstance(result, Exception):
            raise result
        return result

    async def happen(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.seen) < count:
                await asyncio.sleep(0.001)

    async def stay(self, count: int) -> None:
        await self.happen(count)
        await asyncio.sleep(0.02)
        assert len(self.seen) == count


@asynccontextmanager
async def running(looks: Looks, **declared: Any) -> AsyncIterator[Loop]:
    loop = Loop(**{"name": "looking", "look": looks.look, "pause": FOR_LONG, **declared})
    task = asyncio.create_task(loop.run())
    try:
        yield loop
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_look_says_when_the_next_one_is() -> None:
    async with running(looks := Looks(0.0, 0.01)):
        await looks.stay(3)


async def test_no_look_is_later_than_the_pause() -> None:
    async with running(looks := Looks(FOR_LONG), pause=0.01):
        await looks.happen(3)


@pytest.mark.parametrize("declared", [{"retry": 0.0}, {"pause": 0.01}])
async def test_failed_look_is_repeated(declared: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    async with running(looks := Looks(OSError("full disk"), FOR_LONG), **declared):
        await looks.happen(2)
    assert "looking failed" in caplog.text


@pytest.mark.parametrize("wake", [
    lambda loop: loop.wake(),
    lambda loop: wakeup_channels.channels_notify([loop.channel]),
    lambda _: wakeup_channels.channels_notify_all(),
])  # fmt: skip
@pytest.mark.parametrize("channel", ["", "test-letters"])
async def test_loop_is_woken(wake: Callable[[Loop], None], channel: str) -> None:
    async with running(looks := Looks(), channel=channel) as loop:
        await looks.stay(1)
        wake(loop)
        await looks.stay(2)


async def test_notification_during_a_look_is_not_lost() -> None:
    async def look() -> None:
        await looks.look()
        if len(looks.seen) < 5:
            loop.wake()

    async with running(looks := Looks(), look=look) as loop:
        await looks.stay(5)


async def test_earlier_moment_ends_the_pause_and_a_later_one_does_not() -> None:
    async with running(looks := Looks()) as loop:
        await looks.happen(1)
        await asyncio.sleep(0)
        loop.no_later_than(times.clock_now() + timedelta(hours=2))
        await looks.stay(1)
        loop.no_later_than(times.clock_now() + timedelta(seconds=0.05))
        await looks.stay(2)


async def test_moments_named_during_a_look_cost_no_look_each() -> None:
    async def look() -> None:
        for _ in range(100):
            loop.no_later_than(times.clock_now() + timedelta(seconds=0.05))
        await looks.look()

    async with running(looks := Looks(), look=look) as loop:
        await looks.happen(2)
        await asyncio.sleep(0.01)
        assert len(looks.seen) <= 3


async def test_spans_follow_each_other_and_a_failed_one_is_covered_again() -> None:
    async with running(looks := Looks(0.0, OSError(), 0.0), spans=True, retry=0.0):
        await looks.stay(4)
    spans: list[tuple[datetime, datetime]] = [(since, until) for since, until in looks.seen]
    ends = [until for _, until in spans]
    assert [since for since, _ in spans[1:]] == [ends[0], ends[0], ends[2]]


async def test_nothing_is_looked_at_while_nobody_reads() -> None:
    is_read = False
    async with running(looks := Looks(), spans=True, when=lambda: is_read, pause=0.005):
        await asyncio.sleep(0.03)
        assert looks.seen == []
        is_read = True
        begun = times.clock_now()
        await looks.happen(1)
    assert looks.seen[0][0] > begun - timedelta(seconds=1)


@pytest.mark.parametrize("is_postgres", [True, False])
async def test_only_server_of_a_file_takes_over_first(monkeypatch: pytest.MonkeyPatch, is_postgres: bool) -> None:
    monkeypatch.setattr(loops, "is_postgres", lambda: is_postgres)
    taken = Looks(OSError("full disk"))
    async with running(looks := Looks(), take_over=taken.look):
        await looks.stay(1)
    assert len(taken.seen) == (not is_postgres)


async def test_tasks_end_with_their_loop_after_its_stop() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(FOR_LONG)
        finally:
            ended.append("work")

    async def stop() -> None:
        ended.append("stop")

    async with running(looks := Looks(), stop=stop) as loop:
        loop.begin(work(), "here")
        await looks.happen(1)
        assert [one.get_name() for one in loop.tasks] == ["here"]
    assert ended == ["stop", "work"] and not loop.tasks


async def test_task_that_ends_or_fails_lets_its_loop_look(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise OSError

    async with running(looks := Looks()) as loop:
        await looks.stay(1)
        loop.begin(fail())
        await looks.stay(1)
        loop.begin(fail(), then_look=True)
        await looks.stay(2)
        loop.begin(asyncio.sleep(0), then_look=True)
        await looks.stay(3)
    assert caplog.text.count("looking failed") == 2
