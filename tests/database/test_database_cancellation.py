"""A request that is cut at any moment leaves no lock, no connection and no half of a change behind."""

import asyncio
import os
import random
from pathlib import Path

import pytest
from tortoise.transactions import in_transaction

from mission_control.database.outages import finish
from tests.database.small_database import small_database
from tests.database.small_models import Note

pytestmark = [pytest.mark.dialect, pytest.mark.database]

ROUNDS = 3000 if os.environ.get("LONG") else 400
GIVING_UP = 60


async def write_two(number: int) -> None:
    async with in_transaction():
        await Note.create(text=f"a{number}")
        await Note.filter(text=f"a{number}").count()
        async with in_transaction():
            await Note.create(text=f"b{number}")


async def write_many() -> None:
    """Twenty rows in one statement, or none."""
    await Note.bulk_create([Note(text="many") for _ in range(20)])


async def cut(number: int, chance: random.Random) -> None:
    task = asyncio.create_task(write_two(number))
    for _ in range(chance.randrange(30)):
        await asyncio.sleep(0)
    await asyncio.sleep(chance.choice((0, 0.0002, 0.001, 0.003)))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_random_cancellation_leaves_no_trace(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with small_database(tmp_path, pool_size=3):
        for start in range(0, ROUNDS, 8):
            await asyncio.gather(*(cut(start + number, chance) for number in range(8)))
        async with asyncio.timeout(GIVING_UP):
            await asyncio.gather(*(write_two(ROUNDS + number) for number in range(10)))
            texts: list[str] = await Note.all().values_list("text", flat=True)  # type: ignore[assignment]
        firsts = {text[1:] for text in texts if text.startswith("a")}
        seconds = {text[1:] for text in texts if text.startswith("b")}
        assert firsts == seconds
        assert len(firsts) >= 10


async def test_cancelled_bulk_writes_are_atomic(tmp_path: Path) -> None:
    chance = random.Random(8)
    async with small_database(tmp_path, pool_size=3):
        for _ in range(ROUNDS // 10):
            task = asyncio.create_task(write_many())
            await asyncio.sleep(chance.choice((0, 0.0002, 0.001, 0.003)))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(GIVING_UP):
            assert await Note.all().count() % 20 == 0
            await write_two(1)


async def test_error_rolls_back_the_transaction(tmp_path: Path) -> None:
    async with small_database(tmp_path):
        try:
            async with in_transaction():
                await Note.create(text="lost")
                raise LookupError
        except LookupError:
            pass
        assert await Note.all().count() == 0
        await write_two(1)


async def test_finish_completes_the_step_before_cancelling() -> None:
    ended = asyncio.Event()

    async def step() -> None:
        await asyncio.sleep(0.01)
        ended.set()

    task = asyncio.create_task(finish(step()))
    await asyncio.sleep(0)
    task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError)
    assert ended.is_set()
