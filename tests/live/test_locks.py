"""What commands hold while they run, and whom that keeps waiting: on PostgreSQL only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from mission_control.boards.commands import locked_board
from mission_control.core.settings import Settings
from mission_control.events.commands import atomically
from mission_control.people.models import Organization
from mission_control.people.organizations.work_state import lock_work_state_shared
from mission_control.tasks.changes import locked_task
from mission_control.tasks.models import Task
from tests.cast import Cast
from tests.live.test_tasks_changed_concurrently import answer_during, somebody_waits

pytestmark = [pytest.mark.dialect, pytest.mark.postgres]
PATIENCE = 60


@contextlib.asynccontextmanager
async def held(cast: Cast, hold: Callable[[], Awaitable[Any]]) -> AsyncIterator[None]:
    """A command of Ada's holds something until the block ends."""
    holds, goes_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await hold()
        holds.set()
        await goes_on.wait()

    command = asyncio.create_task(atomically(await cast.ada.actor(), work))
    try:
        async with asyncio.timeout(PATIENCE):
            await holds.wait()
        yield
    finally:
        goes_on.set()
        await command


def pause(cast: Cast, by: str) -> Any:
    return getattr(cast, by).call("PUT", "/organizations/me/work-state", {"state": "paused"})


async def test_task_starts_while_its_board_is_locked(cast: Cast) -> None:
    """As by somebody who edits dependencies, holds the board, and wants this very task next."""
    task = await cast.add_task()
    async with held(cast, lambda: locked_board(cast.board)), asyncio.timeout(PATIENCE):
        (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()


async def test_references_are_written_while_the_task_is_locked(cast: Cast) -> None:
    task = await Task.get(id=(await cast.add_task())["id"])
    task.board = cast.board
    async with held(cast, lambda: locked_task(task)), asyncio.timeout(PATIENCE):
        (await cast.vega.post(f"{cast.task(task)}/comments", {"message": "Odd."})).ok()


async def test_work_does_not_start_on_a_dependency_reopened_concurrently(cast: Cast, settings: Settings) -> None:
    done = await cast.add_task(status="done")
    started = {"title": "Next", "status": "in_progress", "depends_on_task_ids": [done["id"]]}
    reopened = "UPDATE tasks SET status = 'inbox' WHERE id = $1"
    answer = await answer_during(settings, done, cast.ada.post(cast.tasks, started), reopened)
    assert answer.refused(409)["blocked_by_task_ids"] == [done["id"]]


async def test_pause_waits_only_for_assignments_of_its_organization(cast: Cast) -> None:
    async with held(cast, lambda: lock_work_state_shared(cast.board.id)), asyncio.timeout(PATIENCE):
        (await pause(cast, "eve")).ok()
        waits = asyncio.create_task(pause(cast, "ada"))
        await somebody_waits()
        assert not waits.done()
    (await waits).ok()


async def test_organization_deletion_waits_for_running_writes(cast: Cast, settings: Settings) -> None:
    """Writers lock their board first and the log of the organization last."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with connection.transaction(), asyncio.timeout(PATIENCE):
            await connection.execute("UPDATE boards SET task_count = task_count + 1 WHERE id = $1", cast.board.id)
            deletes = asyncio.create_task(cast.ada.delete("/organizations/me"))
            await somebody_waits()
            log = "UPDATE organizations SET log_seq = log_seq WHERE id = $1"
            await connection.execute(log, cast.organization.id)
        (await deletes).ok()
    finally:
        await connection.close()
    assert not await Organization.filter(id=cast.organization.id).exists()


async def test_tasks_are_locked_before_their_approval(cast: Cast, settings: Settings) -> None:
    """As who deletes the task holds it, and wants the approval next, to close it."""
    task = await cast.add_task()
    approval = await cast.ask(cast.vega, task)
    path = f"{cast.approvals}/{approval['id']}"
    (await cast.ada.patch(path, {"status": "approved"})).ok()
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with connection.transaction(), asyncio.timeout(PATIENCE):
            await connection.execute("SELECT 1 FROM tasks WHERE id = $1 FOR NO KEY UPDATE", task["id"])
            reopens = asyncio.create_task(cast.ada.patch(path, {"status": "pending"}))
            await somebody_waits()
            await connection.execute("SELECT 1 FROM approvals WHERE id = $1 FOR UPDATE NOWAIT", approval["id"])
    finally:
        await connection.close()
    assert (await reopens).ok()["status"] == "pending"
