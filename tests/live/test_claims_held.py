"""Claims of a task whose row another transaction holds for a moment: PostgreSQL passes over it, but not for long."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from mission_control.core.settings import Settings
from mission_control.runs.claims import polling
from tests.cast import Cast
from tests.claiming import claim
from tests.live.waiters import PATIENCE

pytestmark = [pytest.mark.dialect, pytest.mark.postgres]


@contextlib.asynccontextmanager
async def held(settings: Settings, task: dict[str, Any], how: str) -> AsyncIterator[None]:
    """Another process holds the task's row."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with connection.transaction():
            await connection.execute(f"SELECT 1 FROM tasks WHERE id = $1 FOR {how}", task["id"])
            yield
    finally:
        await connection.close()


class Pauses:
    """The pauses after looks that found only what another holds, `most` of them in a row."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.missed = asyncio.Event()

    def __iter__(self) -> Iterator[float]:
        for _ in range(self.most):
            yield 0.01
            self.missed.set()  # it goes on with the next, so it has missed


@pytest.mark.parametrize("wait_seconds", [0, 50])
async def test_task_is_assigned_while_a_comment_is_written(cast: Cast, settings: Settings, wait_seconds: int) -> None:
    task = await cast.add_task()
    async with held(settings, task, "KEY SHARE"):
        body = (await asyncio.wait_for(claim(cast, wait_seconds=wait_seconds), PATIENCE)).ok()
    assert body["task"]["id"] == task["id"]


@pytest.mark.parametrize(("wait_seconds", "most"), [(0, 10**6), (50, 1)])
async def test_briefly_locked_task_is_assigned(
    cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch, wait_seconds: int, most: int
) -> None:
    assert sum(polling.PAUSES) > 1.5, "shorter than commands may take"
    pauses = Pauses(most)
    monkeypatch.setattr(polling, "PAUSES", pauses)
    task = await cast.add_task()
    async with asyncio.TaskGroup() as group, held(settings, task, "UPDATE"):
        claiming = group.create_task(claim(cast, wait_seconds=wait_seconds))
        await asyncio.wait_for(pauses.missed.wait(), PATIENCE)
        assert not claiming.done()
    body = claiming.result().ok()
    assert body["task"] is not None and body["task"]["id"] == task["id"]


async def test_unlocked_tasks_are_not_waited_for(cast: Cast, settings: Settings) -> None:
    first, second = await cast.add_task(priority="high"), await cast.add_task(priority="low")
    async with held(settings, first, "UPDATE"):
        body = (await asyncio.wait_for(claim(cast), PATIENCE)).ok()
    assert body["task"]["id"] == second["id"]
