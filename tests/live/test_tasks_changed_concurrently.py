"""A command that reaches tasks nobody named finds them changed by the time it holds them: on PostgreSQL only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from mission_control.approvals.models import Approval
from mission_control.boards.models import Run
from mission_control.core.settings import Settings
from mission_control.database.sql import rows
from mission_control.tasks.models import Task
from tests.cast import Answer, Cast
from tests.claiming import taken

pytestmark = [pytest.mark.dialect, pytest.mark.postgres]
PATIENCE = 60
DELETED = "UPDATE tasks SET deleted_at = created_at WHERE id = $1"
ENDED = "UPDATE task_runs SET state = 'completed', ended_at = started_at WHERE task_id = $1"


@contextlib.asynccontextmanager
async def uncommitted(settings: Settings, thing: Any, *changes: str) -> AsyncIterator[None]:
    """Another process has changed something, given by its answer or its id, and commits when the block ends."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with connection.transaction():
            for change in changes:
                await connection.execute(change, thing["id"] if isinstance(thing, dict) else thing)
            yield
    finally:
        await connection.close()


async def answer_during(settings: Settings, thing: Any, call: Any, *changes: str) -> Answer:
    """Return the answer of a call that waits for the changes of another process."""
    async with asyncio.TaskGroup() as group, asyncio.timeout(PATIENCE), uncommitted(settings, thing, *changes):
        calling: asyncio.Task[Answer] = group.create_task(call)
        await somebody_waits()
        assert not calling.done()
    return calling.result()


async def somebody_waits(count: int = 1) -> None:
    """Return once so many locks of this database are waited for: other tests run beside this one, on theirs."""
    waits = "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while (await rows(waits))[0]["n"] < count:
        await asyncio.sleep(0.01)


def stop(cast: Cast) -> Any:
    return cast.ada.call("PUT", f"{cast.home}/work-state", {"state": "stopped"})


async def test_stop_survives_a_concurrent_task_deletion(cast: Cast, settings: Settings) -> None:
    await cast.add_task(title="first", priority="high")
    await cast.add_task(title="second")
    first, second = await taken(cast), await taken(cast, cast.rigel)
    (await answer_during(settings, first, stop(cast), ENDED, DELETED)).ok()
    assert (await Task.get(id=second["id"])).status == "inbox"
    assert not await Run.filter(ended_at=None).exists()


async def test_stop_keeps_handed_in_work(cast: Cast, settings: Settings) -> None:
    await cast.add_task()
    task = await taken(cast)
    to_lead = f"UPDATE tasks SET status = 'review', assigned_agent_id = '{cast.atlas.id}' WHERE id = $1"
    (await answer_during(settings, task, stop(cast), ENDED, to_lead)).ok()
    found = await Task.get(id=task["id"])
    assert (found.status, found.assigned_agent_id) == ("review", cast.atlas.id)


async def test_deleting_an_agent_keeps_reassigned_tasks(cast: Cast, settings: Settings) -> None:
    await cast.add_task()
    task = await taken(cast)
    to_rigel = f"UPDATE tasks SET assigned_agent_id = '{cast.rigel.id}' WHERE id = $1"
    (await answer_during(settings, task, cast.ada.delete(f"/agents/{cast.vega.id}"), to_rigel)).ok()
    found = await Task.get(id=task["id"])
    assert (found.status, found.assigned_agent_id) == ("in_progress", cast.rigel.id)


async def test_task_finishes_while_a_dependent_is_deleted(cast: Cast, settings: Settings) -> None:
    task = await cast.add_task()
    waiting = await cast.add_task(depends_on_task_ids=[task["id"]])
    finish = cast.ada.patch(cast.task(task), {"status": "done"})
    (await answer_during(settings, waiting, finish, DELETED)).ok()


async def test_finished_task_is_not_returned_with_its_dependency(cast: Cast, settings: Settings) -> None:
    task = await cast.add_task()
    waiting = await cast.add_task(depends_on_task_ids=[task["id"]])
    for one in (task, waiting):
        await cast.put(one, status="review" if one is waiting else "done")
    reopen = cast.ada.patch(cast.task(task), {"status": "inbox"})
    (await answer_during(settings, waiting, reopen, "UPDATE tasks SET status = 'done' WHERE id = $1")).ok()
    assert (await Task.get(id=waiting["id"])).status == "done"


async def test_decision_survives_concurrent_task_deletion(cast: Cast, settings: Settings) -> None:
    task = await cast.add_task()
    approval = await cast.ask(cast.vega, task)
    approved = (
        "UPDATE approvals SET status = 'approved', decision = 'approved', resolved_by_kind = 'policy',"
        " resolved_at = created_at WHERE id = $1"
    )
    links = "UPDATE approval_task_links SET is_pending = FALSE WHERE approval_id = $1"
    (await answer_during(settings, approval, cast.ada.delete(cast.task(task)), approved, links)).ok()
    assert (await Approval.get(id=approval["id"])).status == "approved"


async def test_deleted_agent_is_not_notified(cast: Cast, settings: Settings) -> None:
    create = cast.ada.post(cast.tasks, {"title": "Somebody has to do it"})
    answer = await answer_during(settings, cast.atlas.id, create, "DELETE FROM agents WHERE id = $1")
    assert answer.ok()["title"] == "Somebody has to do it"


ERASED = "DELETE FROM boards WHERE id = $1"
FIRED = "DELETE FROM agents WHERE id = $1"


@pytest.mark.parametrize("body", [{}, {"status": "in_progress"}])
async def test_deleted_agent_is_not_assigned(cast: Cast, settings: Settings, body: Any) -> None:
    task = await cast.add_task()
    given = body | {"assigned_agent_id": str(cast.rigel.id)}
    (await answer_during(settings, cast.rigel.id, cast.ada.patch(cast.task(task), given), FIRED)).refused(404)
    assert (await Task.get(id=task["id"])).assigned_agent_id is None


async def test_task_is_not_created_for_a_deleted_agent(cast: Cast, settings: Settings) -> None:
    wanted = {"title": "For Rigel", "assigned_agent_id": str(cast.rigel.id), "status": "in_progress"}
    (await answer_during(settings, cast.rigel.id, cast.ada.post(cast.tasks, wanted), FIRED)).refused(404)
    assert not await Task.filter(title="For Rigel").exists()


async def test_nothing_is_created_on_an_erased_board(cast: Cast, settings: Settings) -> None:
    task = await cast.add_task()
    writes = [
        (f"{cast.task(task)}/comments", {"message": "Odd."}),
        (cast.approvals, {"action_type": "publish", "confidence": 80, "lead_reasoning": "It is ready."}),
        (f"{cast.home}/webhooks", {"description": "Odd."}),
        (f"{cast.home}/memory", {"content": "Odd."}),
    ]
    async with asyncio.TaskGroup() as group, asyncio.timeout(PATIENCE), uncommitted(settings, cast.board.id, ERASED):
        calling = [group.create_task(cast.ada.post(path, body)) for path, body in writes]
        await somebody_waits(len(writes))
        assert not any(call.done() for call in calling)
    assert [call.result().status for call in calling] == [404] * len(writes)


async def test_removed_member_is_not_assigned(cast: Cast, settings: Settings) -> None:
    task = await cast.add_task()
    given = cast.ada.patch(cast.task(task), {"assigned_user_id": str(cast.cleo.id)})
    removed = "DELETE FROM organization_members WHERE user_id = $1"
    (await answer_during(settings, cast.cleo.id, given, removed)).refused(404)
    assert (await Task.get(id=task["id"])).assigned_user_id is None
