"""Queues: one waiter at a time, in the order of arrival, and no wake-up is lost."""

import asyncio

from mission_control.events import wakeup_channels

CHANNEL = "work:somewhere"
NOBODY: set[str | None] = set()
ANYBODY: set[str | None] = {None}


def woken(*places: wakeup_channels.Waiter) -> list[bool]:
    return [place.notified.done() for place in places]


def standing(count: int) -> list[wakeup_channels.Waiter]:
    places = [wakeup_channels.Waiter(CHANNEL) for _ in range(count)]
    for place in places:
        place.listen()
    return places


def gone(*places: wakeup_channels.Waiter) -> None:
    for place in places:
        place.leave()
    assert wakeup_channels.waiting(CHANNEL) == 0 and not wakeup_channels._queues


async def test_notification_wakes_longest_waiter() -> None:
    first, second, third = standing(3)
    wakeup_channels.channels_notify([CHANNEL, "work:elsewhere"])
    assert woken(first, second, third) == [True, False, False] and wakeup_channels.waiting(CHANNEL) == 2
    wakeup_channels.channels_notify([CHANNEL])
    assert woken(first, second, third) == [True, True, False]
    gone(first, second, third)


async def test_waiter_that_took_work_passes_baton_by_leaving() -> None:
    first, second, third = standing(3)
    wakeup_channels.notify(CHANNEL)
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
    wakeup_channels.notify(CHANNEL)
    first.listen()
    first.pass_baton(NOBODY)
    assert woken(second) == [False]
    wakeup_channels.notify(CHANNEL)
    first.listen()
    first.pass_baton(ANYBODY)
    assert woken(second) == [True]
    second.listen()
    second.pass_baton(ANYBODY)
    assert woken(first, second) == [False, False], "everybody has looked since the last notification"
    gone(first, second)


async def test_wakeup_during_poll_is_not_lost() -> None:
    first, second = standing(2)
    wakeup_channels.notify(CHANNEL)
    first.listen()
    wakeup_channels.notify(CHANNEL)  # it keeps its place
    assert woken(first, second) == [True, False]
    first.pass_baton(NOBODY)
    assert await first.woken(0)
    first.leave()
    assert woken(second) == [True]
    gone(second)


async def test_waiter_without_work_keeps_its_position() -> None:
    first, second, third = standing(3)
    wakeup_channels.notify(CHANNEL)
    first.listen()
    first.pass_baton(ANYBODY)
    second.listen()
    second.pass_baton(NOBODY)
    wakeup_channels.notify(CHANNEL)
    assert woken(first, second, third) == [True, False, False]
    wakeup_channels.notify(CHANNEL)
    wakeup_channels.notify(CHANNEL)
    assert woken(first, second, third) == [True, True, True]
    gone(first, second, third)


async def test_passing_the_baton_keeps_new_notifications() -> None:
    [first] = standing(1)
    wakeup_channels.notify(CHANNEL)
    first.listen()
    wakeup_channels.notify(CHANNEL)
    first.pass_baton(NOBODY)
    second = wakeup_channels.Waiter(CHANNEL)
    second.listen()
    wakeup_channels._queues[CHANNEL].notifications += 1  # as if second had come before the ringing
    first.leave()
    assert woken(second) == [True]
    gone(second)


async def test_cancelled_waiter_passes_baton() -> None:
    took: list[str] = []

    async def wait(name: str) -> None:
        with wakeup_channels.queued(CHANNEL) as place:
            place.listen()
            await place.woken(30)
            took.append(name)

    first, second = asyncio.create_task(wait("first")), asyncio.create_task(wait("second"))
    await asyncio.sleep(0)
    wakeup_channels.notify(CHANNEL)
    first.cancel()
    await asyncio.wait_for(second, 60)
    assert took == ["second"] and first.cancelled()
    gone()


async def test_all_waiters_are_woken_at_the_end() -> None:
    places = standing(4)
    wakeup_channels.channels_notify_all()
    assert woken(*places) == [True] * 4
    gone(*places)


async def test_timed_out_waiter_wakes_nobody() -> None:
    first, second = standing(2)
    assert not await first.woken(0.01)
    first.leave()
    assert woken(second) == [False]
    gone(second)
