"""Many tasks at once: each by its own rules, all or nothing, and what was recorded."""

import asyncio
from typing import Any
from uuid import uuid4

import orjson
import pytest

from mission_control.events.leases import Delivery
from mission_control.tasks.models import Task
from tests.cast import Caller, Cast, each, events, head, ids, kinds

pytestmark = pytest.mark.dialect


async def bulk(cast: Cast, tasks: list[Any], by: Caller | None = None, **change: Any) -> Any:
    """Change some tasks."""
    task_ids = [task["id"] if isinstance(task, dict) else str(task) for task in tasks]
    return await (by or cast.cleo).post(f"{cast.tasks}/changes", each(task_ids, **change))


async def test_many_tasks_are_moved(cast: Cast) -> None:
    tasks = [await cast.add_task() for _ in range(3)]
    before = await head(cast)
    answer = (await bulk(cast, [*reversed(tasks), tasks[0]], status="in_progress")).ok()
    assert (answer["changed"], answer["failed"]) == (3, 0)
    assert [one["task_id"] for one in answer["results"]] == ids(reversed(tasks))
    first = answer["results"][0]
    assert (first["ok"], first["status"], first["detail"]) == (True, 200, None)
    assert first["task"] == (await cast.ada.get(cast.task(tasks[2]))).ok()
    assert first["task"]["in_progress_at"] is not None
    found = await events(before, organization_id=cast.organization.id)
    assert [(one.kind, one.actor_id) for one in found] == [("task.status_changed", cast.cleo.id)] * 3


async def test_many_tasks_are_assigned(cast: Cast) -> None:
    tasks = [await cast.add_task() for _ in range(2)]
    answer = (await bulk(cast, tasks, assigned_agent_id=str(cast.vega.id))).ok()
    assert {one["task"]["assigned_agent_id"] for one in answer["results"]} == {str(cast.vega.id)}
    assert await Delivery.filter(agent_id=cast.vega.id).count() == 2
    (await bulk(cast, tasks, assigned_user_id=str(cast.cleo.id))).ok()
    (await bulk(cast, tasks, assigned_user_id=None)).ok()
    assert await Task.filter(assigned_user_id=None, assigned_agent_id=None).count() == 2
    assert (await bulk(cast, tasks, assigned_agent_id=str(uuid4()))).refused(409)["failures"][0]["status"] == 404


async def test_many_tasks_are_tagged(cast: Cast) -> None:
    one, two, three = [(await cast.ada.post("/tags", {"name": name})).ok()["id"] for name in ("a", "b", "c")]
    first, second = await cast.add_task(tag_ids=[one, two]), await cast.add_task()
    answer = (await bulk(cast, [first, second], add_tag_ids=[three, one], remove_tag_ids=[two])).ok()
    assert [found["task"]["tag_ids"] for found in answer["results"]] == [[one, three], [three, one]]
    (await bulk(cast, [first, second], by=cast.atlas, remove_tag_ids=[one])).ok()
    before = await head(cast)
    assert (await bulk(cast, [first, second], remove_tag_ids=[one])).ok()["changed"] == 2
    assert await kinds(cast, before) == []
    failures = (await bulk(cast, [first], add_tag_ids=[str(uuid4())])).refused(409)["failures"]
    assert set(failures[0]["detail"]) == {"message", "missing_tag_ids"}


async def test_two_people_tag_the_same_task_at_once(cast: Cast) -> None:
    tags = [(await cast.ada.post("/tags", {"name": name})).ok()["id"] for name in "abcd"]
    task = await cast.add_task()
    answers = await asyncio.gather(*(bulk(cast, [task], add_tag_ids=[one]) for one in tags))
    assert [answer.status for answer in answers] == [200] * 4
    assert set((await cast.ada.get(cast.task(task))).ok()["tag_ids"]) == set(tags)


@pytest.mark.parametrize("age", ["older", "newer"])
async def test_task_and_its_dependency_finish_in_one_request(cast: Cast, age: str) -> None:
    tasks = [await cast.add_task() for _ in range(3)]
    chain = tasks if age == "newer" else tasks[::-1]
    for waiting, waited_for in zip(chain[1:], chain, strict=False):
        (await cast.ada.patch(cast.task(waiting), {"depends_on_task_ids": [waited_for["id"]]})).ok()
    answer = (await bulk(cast, tasks, status="done")).ok()
    assert [one["task"]["status"] for one in answer["results"]] == ["done"] * 3
    assert [one["task_id"] for one in answer["results"]] == ids(tasks)


async def test_many_tasks_are_deleted(cast: Cast) -> None:
    tasks = [await cast.add_task() for _ in range(2)]
    before = await head(cast)
    answer = (await bulk(cast, tasks, deleted=True)).ok()
    assert [one["task"] for one in answer["results"]] == [None, None] and answer["changed"] == 2
    assert [kind for kind, _ in await kinds(cast, before)] == ["task.deleted"] * 2
    assert (await cast.ada.get(cast.tasks)).ok()["items"] == []


async def test_one_refusal_undoes_an_atomic_request(cast: Cast) -> None:
    free, dependency = await cast.add_task(), await cast.add_task()
    blocked = await cast.add_task(depends_on_task_ids=[dependency["id"]])
    stranger = str(uuid4())
    elsewhere = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Elsewhere"})).ok()
    before, told = await head(cast), await Delivery.all().count()
    detail = (await bulk(cast, [free, blocked, stranger, elsewhere], status="review")).refused(409)
    assert set(detail) == {"message", "failures"}
    assert [(one["task_id"], one["status"]) for one in detail["failures"]] == [
        (blocked["id"], 409), (stranger, 404), (elsewhere["id"], 404),
    ]  # fmt: skip
    assert detail["failures"][0]["detail"]["code"] == "task_blocked_cannot_transition"
    assert await kinds(cast, before) == [] and await Delivery.all().count() == told
    assert (await cast.ada.get(cast.task(free))).ok()["status"] == "inbox"


async def test_non_atomic_request_applies_the_valid_changes(cast: Cast) -> None:
    free, dependency = await cast.add_task(), await cast.add_task()
    blocked = await cast.add_task(depends_on_task_ids=[dependency["id"]])
    before, told = await head(cast), await Delivery.all().count()
    answer = (await bulk(cast, [blocked, free], status="review", atomic=False)).ok()
    assert [(one["ok"], one["status"]) for one in answer["results"]] == [(False, 409), (True, 200)]
    assert answer["results"][0]["detail"]["code"] == "task_blocked_cannot_transition"
    assert answer["results"][0]["task"] is None and answer["results"][1]["task"]["status"] == "review"
    [event] = await events(before, organization_id=cast.organization.id)
    assert str(event.task_id) == free["id"] and orjson.loads(event.data)["after"]["status"] == "review"
    assert await Delivery.all().count() == told + 1


async def test_bulk_changes_follow_the_rules_of_each_role(cast: Cast) -> None:
    own = await cast.add_task(assigned_agent_id=cast.vega.id)
    others = await cast.add_task(assigned_agent_id=cast.rigel.id)
    moved = (await bulk(cast, [own, others], by=cast.vega, status="in_progress", atomic=False)).ok()
    assert [one["status"] for one in moved["results"]] == [200, 403]
    assert moved["results"][1]["detail"]["code"] == "task_assignee_mismatch"
    for change in ({"deleted": True}, {"add_tag_ids": [str(uuid4())]}, {"assigned_agent_id": None}):
        [failure] = (await bulk(cast, [own], by=cast.vega, **change)).refused(409)["failures"]
        assert failure["status"] in (403, 404)
    assert (await bulk(cast, [own], by=cast.atlas, deleted=True)).ok()["changed"] == 1
