"""What tasks wait for: edges, refusals, and what dependents hear."""

import asyncio
from typing import Any
from uuid import uuid4

import orjson
import pytest

from mission_control.tasks.models import Task
from tests.cast import Cast, events, head

pytestmark = pytest.mark.dialect


async def chain(cast: Cast, count: int) -> list[dict[str, Any]]:
    """Tasks of which each waits for the one before."""
    made: list[dict[str, Any]] = []
    for number in range(count):
        waits_for = [made[-1]["id"]] if made else []
        made.append(await cast.add_task(title=f"Step {number}", depends_on_task_ids=waits_for))
    return made


async def depend(cast: Cast, task: dict[str, Any], *others: dict[str, Any]) -> Any:
    """Let a task wait for others."""
    return await cast.ada.patch(cast.task(task), {"depends_on_task_ids": [one["id"] for one in others]})


async def test_task_lists_its_dependencies(cast: Cast) -> None:
    first, second = await cast.add_task(), await cast.add_task()
    task = await cast.add_task(depends_on_task_ids=[second["id"], first["id"], second["id"]])
    assert task["depends_on_task_ids"] == task["blocked_by_task_ids"] == [second["id"], first["id"]]
    assert task["is_blocked"] is True
    (await cast.ada.patch(cast.task(first), {"status": "done"})).ok()
    task = (await cast.ada.get(cast.task(task))).ok()
    assert (task["blocked_by_task_ids"], task["depends_on_task_ids"]) == ([second["id"]], [second["id"], first["id"]])
    [listed] = [one for one in (await cast.ada.get(cast.tasks)).ok()["items"] if one["id"] == task["id"]]
    assert listed == task
    await cast.put(task, status="done")
    done = (await cast.ada.get(cast.task(task))).ok()
    assert (done["is_blocked"], done["blocked_by_task_ids"]) == (False, [])


@pytest.mark.parametrize("role", ["person", "lead"])
async def test_invalid_dependencies_are_refused(cast: Cast, role: str) -> None:
    caller = cast.ada if role == "person" else cast.atlas
    first, second, third = await chain(cast, 3)
    stranger = str(uuid4())
    other = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Elsewhere"})).ok()

    async def sent(task: dict[str, Any], *others: str) -> Any:
        return await caller.patch(cast.task(task), {"depends_on_task_ids": list(others)})

    assert isinstance((await sent(first, first["id"])).refused(422), str)
    detail = (await sent(first, stranger, second["id"], other["id"])).refused(404)
    assert set(detail) == {"message", "missing_task_ids"}
    assert detail["missing_task_ids"] == [stranger, other["id"]]
    assert isinstance((await sent(first, third["id"])).refused(409), str)
    await cast.put(third, status="done")
    assert isinstance((await sent(third, first["id"])).refused(409), str)
    assert (await sent(second)).ok()["depends_on_task_ids"] == []


async def test_invalid_dependencies_are_refused_on_create(cast: Cast) -> None:
    waited_for = await cast.add_task()
    body: dict[str, Any] = {"title": "Late", "depends_on_task_ids": [waited_for["id"]]}
    for extra in ({"status": "in_progress"}, {"assigned_agent_id": cast.vega.id}, {"assigned_user_id": cast.cleo.id}):
        detail = (await cast.ada.post(cast.tasks, body | extra)).refused(409)
        assert set(detail) == {"message", "code", "blocked_by_task_ids"}
        assert detail["code"] == "task_blocked_cannot_transition"
        assert detail["blocked_by_task_ids"] == [waited_for["id"]]
    detail = (await cast.atlas.post(f"/agent{cast.tasks}", body | {"assigned_agent_id": cast.vega.id})).refused(409)
    assert set(detail) == {"message", "blocked_by_task_ids"}
    missing = {"title": "Lost", "depends_on_task_ids": [str(uuid4())]}
    assert set((await cast.ada.post(cast.tasks, missing)).refused(404)) == {"message", "missing_task_ids"}
    await cast.put(waited_for, status="done")
    assert (await cast.ada.post(cast.tasks, body | {"status": "in_progress"})).ok()["is_blocked"] is False


async def test_changed_dependencies_record_one_event(cast: Cast) -> None:
    first, second = await cast.add_task(), await cast.add_task()
    before = await head(cast)
    (await depend(cast, second, first)).ok()
    (await depend(cast, second, first)).ok()
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, str(event.task_id)) == ("task.updated", second["id"])
    data = orjson.loads(event.data)
    assert data["before"] == {"depends_on_task_ids": []}
    assert data["after"] == {"depends_on_task_ids": [first["id"]]}


async def test_lead_cannot_move_a_task_it_blocks(cast: Cast) -> None:
    first, second = await cast.add_task(), await cast.add_task()
    body = {"depends_on_task_ids": [first["id"]], "assigned_agent_id": str(cast.vega.id)}
    detail = (await cast.atlas.patch(cast.task(second), body)).refused(409)
    assert detail["code"] == "task_blocked_cannot_transition"
    assert (await cast.ada.get(cast.task(second))).ok()["depends_on_task_ids"] == []
    (await cast.atlas.patch(cast.task(second), {"depends_on_task_ids": [first["id"]]})).ok()


async def test_dependents_are_updated_when_a_dependency_is_done(cast: Cast) -> None:
    first, second, third = await chain(cast, 3)
    finished = await cast.add_task(depends_on_task_ids=[first["id"]])
    await cast.put(finished, status="done")
    before = await head(cast)
    (await cast.vega.patch(cast.task(first), {"status": "done"})).ok()
    found = [(one.kind, str(one.task_id), one.agent_id) for one in await events(before)]
    assert found == [("task.status_changed", first["id"], cast.vega.id), ("task.updated", second["id"], cast.vega.id)]
    assert (await cast.ada.get(cast.task(third))).ok()["is_blocked"] is True


async def test_reopened_dependency_returns_started_dependents(cast: Cast) -> None:
    first = await cast.add_task(status="done")
    started, idle, assigned = [await cast.add_task(depends_on_task_ids=[first["id"]]) for _ in range(3)]
    finished = await cast.add_task(depends_on_task_ids=[first["id"]])
    (await cast.vega.patch(cast.task(started), {"status": "in_progress"})).ok()
    (await cast.ada.patch(cast.task(assigned), {"assigned_user_id": cast.cleo.id})).ok()
    (await cast.ada.patch(cast.task(finished), {"status": "done"})).ok()
    before = await head(cast)
    (await cast.ada.patch(cast.task(first), {"status": "inbox"})).ok()
    by_task = {str(one.task_id): one.kind for one in (await events(before))[1:]}
    assert by_task == {
        started["id"]: "task.status_changed", idle["id"]: "task.updated", assigned["id"]: "task.updated",
    }  # fmt: skip
    for task in (started, assigned):
        row = await Task.get(id=task["id"])
        assert (row.status, row.assigned_agent_id, row.assigned_user_id, row.in_progress_at) == (
            "inbox", None, None, None,
        )  # fmt: skip
    assert (await Task.get(id=finished["id"])).status == "done"


async def test_deleted_tasks_block_nobody(cast: Cast) -> None:
    first, second = await chain(cast, 2)
    before = await head(cast)
    (await cast.ada.delete(cast.task(first))).ok()
    task = (await cast.ada.get(cast.task(second))).ok()
    assert (task["is_blocked"], task["depends_on_task_ids"]) == (False, [])
    recorded = await events(before)
    assert [one.kind for one in recorded] == ["task.deleted", "task.updated"]
    assert recorded[1].message == "A dependency was deleted: Step 1."
    (await cast.ada.post(f"{cast.task(first)}/restorations")).ok()
    assert (await cast.ada.get(cast.task(second))).ok()["blocked_by_task_ids"] == [first["id"]]
    (await depend(cast, first, second)).refused(409)


async def test_concurrent_edits_cannot_form_a_cycle(cast: Cast) -> None:
    first, second = await cast.add_task(), await cast.add_task()
    answers = await asyncio.gather(depend(cast, first, second), depend(cast, second, first))
    assert sorted(one.status for one in answers) == [200, 409]


async def test_one_dependency_is_added_and_removed(cast: Cast) -> None:
    first, second, task = [await cast.add_task() for _ in range(3)]
    url = f"{cast.task(task)}/dependencies"
    for other in (first, second, first):
        answer = (await cast.cleo.post(url, {"task_id": other["id"]})).ok()
    assert answer["depends_on_task_ids"] == [first["id"], second["id"]]
    before = await head(cast)
    (await cast.cleo.post(url, {"task_id": first["id"]})).ok()
    assert await head(cast) == before
    assert (await cast.atlas.delete(f"{url}/{first['id']}")).ok()["depends_on_task_ids"] == [second["id"]]
    assert (await cast.cleo.delete(f"{url}/{first['id']}")).ok()["depends_on_task_ids"] == [second["id"]]


async def test_one_dependency_is_refused_where_a_list_is(cast: Cast) -> None:
    first, second, third = await chain(cast, 3)
    url = f"{cast.task(first)}/dependencies"
    (await cast.ada.post(url, {"task_id": first["id"]})).refused(422)
    (await cast.ada.post(url, {"task_id": third["id"]})).refused(409)
    (await cast.ada.post(url, {"task_id": str(uuid4())})).refused(404)
    await cast.put(third, status="done")
    (await cast.ada.delete(f"{cast.task(third)}/dependencies/{second['id']}")).refused(409)


async def test_dependencies_added_at_the_same_moment_are_all_there(cast: Cast) -> None:
    task, others = await cast.add_task(), [(await cast.add_task())["id"] for _ in range(6)]
    url = f"{cast.task(task)}/dependencies"
    added = await asyncio.gather(*(cast.ada.post(url, {"task_id": other}) for other in others))
    assert {answer.status for answer in added} == {200}
    assert set((await cast.ada.get(cast.task(task))).ok()["depends_on_task_ids"]) == set(others)
