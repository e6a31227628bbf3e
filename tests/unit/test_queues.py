"""Queues: one waiter at a time, in the order of arrival, and no ringing is lost."""

import asyncio

from mission_control.live import bells, queues

BELL = "work:somewhere"
NOBODY: set[str | None] = set()
ANYBODY: set[str | None] = {None}


def woken(*places: queues.Place) -> list[bool]:
    return [place.heard.done() for place in places]


def standing(count: int) -> list[queues.Place]:
    places = [queues.Place(BELL) for _ in range(count)]
    for place in places:
        place.listen()
    return places


def gone(*places: queues.Place) -> None:
    for place in places:
        place.leave()
    assert queues.waiting(BELL) == 0 and not queues._queues


async def test_a_ringing_wakes_the_one_who_has_waited_longest() -> None:
    first, second, third = standing(3)
    bells.rung([BELL, "work:elsewhere"])
    assert woken(first, second, third) == [True, False, False] and queues.waiting(BELL) == 2
    bells.rung([BELL])
    assert woken(first, second, third) == [True, True, False]
    gone(first, second, third)


async def test_who_took_something_passes_the_ringing_on_by_leaving() -> None:
    first, second, third = standing(3)
    queues.rung(BELL)
    first.leave()
    assert woken(second, third) == [True, False]
    second.leave()
    third.leave()
    gone()


async def test_who_was_not_woken_leaves_quietly() -> None:
    first, second = standing(2)
    first.leave()
    assert woken(second) == [False]
    gone(second)


async def test_who_found_nothing_ends_the_chain_or_not() -> None:
    first, second = standing(2)
    queues.rung(BELL)
    first.listen()
    first.settle(NOBODY)
    assert woken(second) == [False]
    queues.rung(BELL)
    first.listen()
    first.settle(ANYBODY)
    assert woken(second) == [True]
    second.listen()
    second.settle(ANYBODY)
    assert woken(first, second) == [False, False], "everybody has looked since the last ringing"
    gone(first, second)


async def test_a_ringing_during_a_look_is_heard_afterwards() -> None:
    first, second = standing(2)
    queues.rung(BELL)
    first.listen()
    queues.rung(BELL)  # it keeps its place
    assert woken(first, second) == [True, False]
    first.settle(NOBODY)
    assert await first.woken(0)
    first.leave()
    assert woken(second) == [True]
    gone(second)


async def test_who_found_nothing_keeps_its_place() -> None:
    first, second, third = standing(3)
    queues.rung(BELL)
    first.listen()
    first.settle(ANYBODY)
    second.listen()
    second.settle(NOBODY)
    queues.rung(BELL)
    assert woken(first, second, third) == [True, False, False]
    queues.rung(BELL)
    queues.rung(BELL)
    assert woken(first, second, third) == [True, True, True]
    gone(first, second, third)


async def test_what_was_rung_while_the_first_looked_is_not_settled_with_it() -> None:
    [first] = standing(1)
    queues.rung(BELL)
    first.listen()
    queues.rung(BELL)
    first.settle(NOBODY)
    second = queues.Place(BELL)
    second.listen()
    queues._queues[BELL].rings += 1  # as if second had come before the ringing
    first.leave()
    assert woken(second) == [True]
    gone(second)


async def test_a_cancelled_waiter_passes_the_ringing_on() -> None:
    took: list[str] = []

    async def wait(name: str) -> None:
        with queues.place(BELL) as place:
            place.listen()
            await place.woken(30)
            took.append(name)

    first, second = asyncio.create_task(wait("first")), asyncio.create_task(wait("second"))
    await asyncio.sleep(0)
    queues.rung(BELL)
    first.cancel()
    await asyncio.wait_for(second, 60)
    assert took == ["second"] and first.cancelled()
    gone()


async def test_everybody_is_woken_at_the_end() -> None:
    places = standing(4)
    bells.rung_all()
    assert woken(*places) == [True] * 4
    gone(*places)


async def test_a_time_that_is_over_wakes_nobody_else() -> None:
    first, second = standing(2)
    assert not await first.woken(0.01)
    first.leave()
    assert woken(second) == [False]
    gone(second)
