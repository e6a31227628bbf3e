"""The cache of responses: its limit, one making for everybody, and parts that are stored only while nothing changed."""

import asyncio
import tracemalloc

import orjson
import pytest

from mission_control.http.response_cache import OVERHEAD, Answer, Parts, ResponseCache


def answer(size: int) -> Answer:
    return Answer((b"x" * size,), '"tag"')


async def _kept(cache: ResponseCache, key: str, state: object, size: int = 100) -> tuple[Answer, bool]:
    made: list[Answer] = []

    async def make() -> Answer:
        made.append(answer(size))
        return made[0]

    return await cache.answer(key, state, make), bool(made)


async def test_equal_state_gives_the_kept_answer() -> None:
    cache = ResponseCache()
    first, _ = await _kept(cache, "list", 1)
    assert await _kept(cache, "list", 1) == (first, False)
    second, is_made = await _kept(cache, "list", 2)
    assert is_made and second is not first
    assert cache.size == second.size  # the new one stands in the place of the old one


async def test_what_was_used_least_recently_goes_first() -> None:
    cache = ResponseCache(limit=3 * (OVERHEAD + 100))
    for key in ("a", "b", "c"):
        await _kept(cache, key, 1)
    await _kept(cache, "a", 1)
    await _kept(cache, "d", 1)
    assert [(await _kept(cache, key, 1))[1] for key in ("a", "c", "d")] == [False, False, False]
    assert (await _kept(cache, "b", 1))[1]


async def test_size_counts_what_is_packed_later() -> None:
    cache = ResponseCache(limit=OVERHEAD + 150)
    kept, _ = await _kept(cache, "list", 1)
    kept.packed = b"x" * 40
    cache.recount(kept)
    assert cache.size == OVERHEAD + 140
    kept.packed = b"x" * 60
    cache.recount(kept)
    assert cache.size == 0 and not kept.charged
    cache.recount(kept)  # it is not held, and not counted
    assert cache.size == 0


async def test_nothing_is_kept_without_room() -> None:
    cache = ResponseCache(limit=0)
    assert [(await _kept(cache, "list", 1))[1] for _ in range(2)] == [True, True]
    assert cache.size == 0


async def test_parts_are_counted() -> None:
    cache = ResponseCache()
    parts = cache.parts("board", (1, 0, 0))
    empty = parts.size
    parts.store("task", {"1": b"x" * 1000, "2": b"x" * 10})
    parts.store("task", {"1": b"x" * 2000})
    cache.recount(parts)
    assert cache.size == parts.size == empty + 2 * OVERHEAD + 2010
    parts.drop(("task", "1"))
    parts.drop(("task", "1"))
    assert (parts.get("task", "1"), parts.size) == (None, empty + OVERHEAD + 10)
    parts.clear()
    cache.recount(parts)
    assert cache.size == parts.size == empty
    assert cache.parts("board", (2, 0, 0)) is parts
    cache.clear()
    assert cache.size == 0 and cache.parts("board", (2, 0, 0)) is not parts
    assert isinstance(cache.parts("board", (2, 0, 0)), Parts)


async def test_an_answer_is_made_once_for_everybody_in_the_same_state() -> None:
    cache, begun = ResponseCache(), asyncio.Event()
    made: list[int] = []

    async def make() -> Answer:
        made.append(1)
        begun.set()
        await asyncio.sleep(0.01)
        return answer(10)

    callers = [asyncio.create_task(cache.answer("list", 1, make)) for _ in range(5)]
    await begun.wait()
    callers[0].cancel()  # the one who began it leaves
    others = await asyncio.gather(*callers[1:])
    assert len(made) == 1 and len({id(one) for one in others}) == 1
    await asyncio.gather(cache.answer("list", 1, make), cache.answer("list", 2, make))
    assert len(made) <= 3


async def test_a_failure_reaches_everybody_and_is_not_kept() -> None:
    cache = ResponseCache()

    async def fail() -> Answer:
        await asyncio.sleep(0)
        raise ValueError("no")

    for failed in await asyncio.gather(*(cache.answer("list", 1, fail) for _ in range(3)), return_exceptions=True):
        assert isinstance(failed, ValueError)
    with pytest.raises(ValueError, match="no"):
        await cache.answer("list", 1, fail)
    assert (await _kept(cache, "list", 1))[1]


async def test_kept_bytes_take_no_more_memory_than_they_are_long() -> None:
    cache = ResponseCache()

    async def make() -> Answer:
        return Answer((orjson.dumps({"title": "x" * 1500}),), '"tag"')

    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(100):
            await cache.answer(number, 1, make)
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert used <= cache.size
