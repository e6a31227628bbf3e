"""Tasks that come back from the trash, to a board that has changed since."""

from typing import Any

import pytest

from mission_control.boards.models import Run
from mission_control.tasks.models import Task
from tests.cast import Cast, events, head, hire

pytestmark = pytest.mark.dialect


async def deleted(cast: Cast, task: dict[str, Any]) -> dict[str, Any]:
    """The task, in the trash."""
    (await cast.ada.delete(cast.task(task))).ok()
    return task


async def restored(cast: Cast, task: dict[str, Any]) -> dict[str, Any]:
    """The task, back on its board."""
    body: dict[str, Any] = (await cast.ada.post(f"{cast.task(task)}/restorations")).ok()
    return body


async def state(task: dict[str, Any]) -> tuple[Any, ...]:
    """Where a task is, whose it is, and since when it is worked on."""
    row = await Task.get(id=task["id"])
    return row.status, row.assigned_agent_id, row.assigned_user_id, row.in_progress_at


IDLE = ("inbox", None, None, None)


async def test_dependents_of_a_restored_task_wait_again(cast: Cast) -> None:
    first = await cast.add_task()
    started, assigned, idle, finished = [await cast.add_task(depends_on_task_ids=[first["id"]]) for _ in range(4)]
    await deleted(cast, first)
    (await cast.vega.patch(cast.task(started), {"status": "in_progress"})).ok()
    (await cast.ada.patch(cast.task(assigned), {"assigned_user_id": cast.cleo.id})).ok()
    (await cast.ada.patch(cast.task(finished), {"status": "done"})).ok()
    before = await head(cast)
    await restored(cast, first)
    recorded = await events(before, organization_id=cast.organization.id)
    assert recorded[0].kind == "task.restored" and str(recorded[0].task_id) == first["id"]
    assert {str(one.task_id): one.kind for one in recorded[1:]} == {
        started["id"]: "task.status_changed", assigned["id"]: "task.updated", idle["id"]: "task.updated",
    }  # fmt: skip
    messages = {str(one.task_id): one.message for one in recorded}
    assert messages[idle["id"]] == "A dependency was restored: Write the report."
    assert messages[started["id"]].endswith("A dependency was restored.")
    assert [await state(one) for one in (started, assigned)] == [IDLE, IDLE]
    assert (await Task.get(id=finished["id"])).status == "done"
    assert not await Run.filter(ended_at=None).exists()


async def test_restored_done_task_blocks_nobody(cast: Cast) -> None:
    first = await cast.add_task(status="done")
    waiting = await cast.add_task(depends_on_task_ids=[first["id"]])
    (await cast.vega.patch(cast.task(waiting), {"status": "in_progress"})).ok()
    await deleted(cast, first)
    before = await head(cast)
    await restored(cast, first)
    assert [one.kind for one in await events(before, organization_id=cast.organization.id)] == ["task.restored"]
    assert (await Task.get(id=waiting["id"])).assigned_agent_id == cast.vega.id


async def test_restored_started_task_gets_a_new_fence(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    begun = await state(task)
    back = await restored(cast, await deleted(cast, task))
    assert await state(task) == begun and back["fence"] == 2
    [run] = await Run.filter(ended_at=None)
    assert (run.fence, run.agent_id) == (2, cast.vega.id)


async def test_restored_leased_task_is_assigned_again(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.post(f"/agent{cast.home}/claims", {"task_id": task["id"]})).ok()
    await restored(cast, await deleted(cast, task))
    assert await state(task) == IDLE and not await Run.filter(ended_at=None).exists()
    claimed = (await cast.rigel.post(f"/agent{cast.home}/claims", {})).ok()
    assert (claimed["task"]["id"], claimed["lease"]["fence"]) == (task["id"], 2)


async def test_restored_started_task_with_open_dependencies_goes_to_inbox(cast: Cast) -> None:
    first = await cast.add_task(status="done")
    task = await cast.add_task(depends_on_task_ids=[first["id"]])
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    await deleted(cast, task)
    (await cast.ada.patch(cast.task(first), {"status": "inbox"})).ok()
    before = await head(cast)
    back = await restored(cast, task)
    assert back["blocked_by_task_ids"] == [first["id"]] and await state(task) == IDLE
    recorded = await events(before, organization_id=cast.organization.id)
    assert [one.kind for one in recorded] == ["task.restored", "task.status_changed"]
    assert not await Run.filter(ended_at=None).exists()


@pytest.mark.parametrize("away", ["moved", "deleted", "stopped"])
async def test_restored_task_of_an_absent_agent_goes_to_inbox(cast: Cast, away: str) -> None:
    lyra = await hire(cast.app, cast.ada, cast.board, "Lyra")
    working = await cast.add_task(status="in_progress", assigned_agent_id=lyra.id)
    waiting = await cast.add_task(assigned_agent_id=lyra.id)
    for task in (working, waiting):
        await deleted(cast, task)
    if away == "moved":
        (await cast.ada.patch(f"/agents/{lyra.id}", {"board_id": str(cast.other_board.id)})).ok()
    elif away == "deleted":
        (await cast.ada.delete(f"/agents/{lyra.id}")).ok()
    else:
        (await cast.ada.call("PUT", f"/agents/{lyra.id}/work-state", {"state": "stopped"})).ok()
    for task in (working, waiting):
        await restored(cast, task)
    assert await state(working) == IDLE
    assert await state(waiting) == (("inbox", lyra.id, None, None) if away == "stopped" else IDLE)
    assert not await Run.filter(ended_at=None).exists()


async def test_restored_task_of_a_former_member_is_unassigned(cast: Cast) -> None:
    task = await deleted(cast, await cast.add_task(status="review", assigned_user_id=cast.cleo.id))
    member = (await cast.cleo.get("/organizations/me/member")).ok()["id"]
    (await cast.ada.delete(f"/organizations/me/members/{member}")).ok()
    await restored(cast, task)
    assert await state(task) == ("review", None, None, None)


async def test_restored_unassigned_task_keeps_its_column(cast: Cast) -> None:
    task = await deleted(cast, await cast.add_task(status="in_progress"))
    assert (await restored(cast, task))["status"] == "in_progress"


async def test_restoring_a_task_that_closes_a_cycle_is_refused(cast: Cast) -> None:
    first = await cast.add_task()
    second = await cast.add_task(depends_on_task_ids=[first["id"]])
    third = await cast.add_task(depends_on_task_ids=[second["id"]])
    await deleted(cast, second)
    (await cast.ada.patch(cast.task(first), {"depends_on_task_ids": [third["id"]]})).ok()
    before = await head(cast)
    assert "cycle" in (await cast.ada.post(f"{cast.task(second)}/restorations")).refused(409)
    assert await head(cast) == before and (await Task.get(id=second["id"])).deleted_at is not None
    (await cast.ada.patch(cast.task(first), {"depends_on_task_ids": []})).ok()
    assert (await restored(cast, second))["depends_on_task_ids"] == [first["id"]]


async def test_done_task_can_be_assigned_with_open_dependencies(cast: Cast) -> None:
    first = await cast.add_task(status="done")
    task = await cast.add_task(depends_on_task_ids=[first["id"]], status="done")
    (await cast.ada.patch(cast.task(first), {"status": "inbox"})).ok()
    assert (await cast.ada.get(cast.task(task))).ok()["is_blocked"] is False
    given = (await cast.ada.patch(cast.task(task), {"assigned_user_id": cast.cleo.id})).ok()
    assert given["assigned_user_id"] == str(cast.cleo.id)
    given = (await cast.atlas.patch(cast.task(task), {"assigned_agent_id": cast.vega.id})).ok()
    assert given["assigned_agent_id"] == str(cast.vega.id)
    (await cast.ada.patch(cast.task(task), {"status": "review"})).refused(409)
