"""Queues: one waiter at a time, in the order of arrival, and no wake-up is lost."""

import asyncio

from mission_control.live import channels, waiters

CHANNEL = "work:somewhere"
NOBODY: set[str | None] = set()
ANYBODY: set[str | None] = {None}


def woken(*places: waiters.Waiter) -> list[bool]:
    return [place.notified.done() for place in places]


def standing(count: int) -> list[waiters.Waiter]:
    places = [waiters.Waiter(CHANNEL) for _ in range(count)]
    for place in places:
        place.listen()
    return places


def gone(*places: waiters.Waiter) -> None:
    for place in places:
        place.leave()
    assert waiters.waiting(CHANNEL) == 0 and not waiters._queues


async def test_notification_wakes_longest_waiter() -> None:
    first, second, third = standing(3)
    channels.notify([CHANNEL, "work:elsewhere"])
    assert woken(first, second, third) == [True, False, False] and waiters.waiting(CHANNEL) == 2
    channels.notify([CHANNEL])
    assert woken(first, second, third) == [True, True, False]
    gone(first, second, third)


async def test_waiter_that_took_work_passes_baton_by_leaving() -> None:
    first, second, third = standing(3)
    waiters.notify(CHANNEL)
    first.leave()
    assert woken(second, third) == [True, False]
    second.leave()
    third.leave()
    gone()


async def test_unnotified_waiter_leaves_without_passing_the_baton() -> None:
    first, second = standing(2)
    first.leave()
    assert woken(second) == [False]
    gone(second)


async def test_waiter_without_work_passes_the_baton_or_ends_the_chain() -> None:
    first, second = standing(2)
    waiters.notify(CHANNEL)
    first.listen()
    first.pass_baton(NOBODY)
    assert woken(second) == [False]
    waiters.notify(CHANNEL)
    first.listen()
    first.pass_baton(ANYBODY)
    assert woken(second) == [True]
    second.listen()
    second.pass_baton(ANYBODY)
    assert woken(first, second) == [False, False], "everybody has looked since the last notification"
    gone(first, second)


async def test_wakeup_during_poll_is_not_lost() -> None:
    first, second = standing(2)
    waiters.notify(CHANNEL)
    first.listen()
    waiters.notify(CHANNEL)  # it keeps its place
    assert woken(first, second) == [True, False]
    first.pass_baton(NOBODY)
    assert await first.woken(0)
    first.leave()
    assert woken(second) == [True]
    gone(second)


async def test_waiter_without_work_keeps_its_position() -> None:
    first, second, third = standing(3)
    waiters.notify(CHANNEL)
    first.listen()
    first.pass_baton(ANYBODY)
    second.listen()
    second.pass_baton(NOBODY)
    waiters.notify(CHANNEL)
    assert woken(first, second, third) == [True, False, False]
    waiters.notify(CHANNEL)
    waiters.notify(CHANNEL)
    assert woken(first, second, third) == [True, True, True]
    gone(first, second, third)


async def test_passing_the_baton_keeps_new_notifications() -> None:
    [first] = standing(1)
    waiters.notify(CHANNEL)
    first.listen()
    waiters.notify(CHANNEL)
    first.pass_baton(NOBODY)
    second = waiters.Waiter(CHANNEL)
    second.listen()
    waiters._queues[CHANNEL].notifications += 1  # as if second had come before the ringing
    first.leave()
    assert woken(second) == [True]
    gone(second)


async def test_cancelled_waiter_passes_baton() -> None:
    took: list[str] = []

    async def wait(name: str) -> None:
        with waiters.queued(CHANNEL) as place:
            place.listen()
            await place.woken(30)
            took.append(name)

    first, second = asyncio.create_task(wait("first")), asyncio.create_task(wait("second"))
    await asyncio.sleep(0)
    waiters.notify(CHANNEL)
    first.cancel()
    await asyncio.wait_for(second, 60)
    assert took == ["second"] and first.cancelled()
    gone()


async def test_all_waiters_are_woken_at_the_end() -> None:
    places = standing(4)
    channels.notify_all()
    assert woken(*places) == [True] * 4
    gone(*places)


async def test_timed_out_waiter_wakes_nobody() -> None:
    first, second = standing(2)
    assert not await first.woken(0.01)
    first.leave()
    assert woken(second) == [False]
    gone(second)
