"""Claims of a task whose row another transaction holds for a moment: PostgreSQL passes over it, but not for long."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from mission_control.config import Settings
from tests.cast import Cast
from tests.claiming import claim
from tests.live.waiters import PATIENCE, answer_of

pytestmark = pytest.mark.postgres


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


@pytest.mark.parametrize("how", ["KEY SHARE", "UPDATE"], ids=["a comment is being written", "it is being edited"])
@pytest.mark.parametrize("wait_seconds", [0, 50])
async def test_a_task_that_is_held_for_a_moment_is_handed_out(
    cast: Cast, settings: Settings, how: str, wait_seconds: int
) -> None:
    task = await cast.add_task()
    async with held(settings, task, how):
        claiming = asyncio.create_task(claim(cast, wait_seconds=wait_seconds))
        await asyncio.wait([claiming], timeout=0.5)
    body = await answer_of(claiming)
    assert body["task"] is not None and body["task"]["id"] == task["id"]


async def test_what_nobody_holds_is_not_waited_for(cast: Cast, settings: Settings) -> None:
    first, second = await cast.add_task(priority="high"), await cast.add_task(priority="low")
    async with held(settings, first, "UPDATE"):
        body = (await asyncio.wait_for(claim(cast), PATIENCE)).ok()
    assert body["task"]["id"] == second["id"]
