"""Many tasks, each changed in its own way, and the further changes for all of several tasks."""

from typing import Any
from uuid import uuid4

import pytest

from tests.cast import Cast, each, ids

pytestmark = pytest.mark.dialect


async def change(cast: Cast, *changes: dict[str, Any], atomic: bool = True, by: Any = None) -> Any:
    """Change some tasks."""
    return await (by or cast.cleo).post(f"{cast.tasks}/changes", {"changes": list(changes), "atomic": atomic})


async def listed(cast: Cast, sort: str = "position") -> list[str]:
    """The titles of a board in order."""
    return [one["title"] for one in (await cast.ada.get(f"{cast.tasks}?sort={sort}")).ok()["items"]]


async def test_facts_are_set_for_many(cast: Cast) -> None:
    tasks = [await cast.add_task(due_at="2026-12-01T10:00:00") for _ in range(2)]
    body = each(ids(tasks), priority="urgent", due_at=None)
    answer = (await cast.cleo.post(f"{cast.tasks}/changes", body)).ok()
    assert {(one["task"]["priority"], one["task"]["due_at"]) for one in answer["results"]} == {("critical", None)}


async def test_done_tasks_are_archived_and_others_say_why_not(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=False)
    done, open_ = await cast.add_task(status="done"), await cast.add_task()
    body = each(ids([done, open_]), archived=True, atomic=False)
    answer = (await cast.cleo.post(f"{cast.tasks}/changes", body)).ok()
    assert [one["ok"] for one in answer["results"]] == [True, False]
    assert "done tasks" in answer["results"][1]["detail"]
    assert (await change(cast, {"task_id": done["id"], "archived": False})).ok()["changed"] == 1
    assert len(await listed(cast)) == 2


async def test_each_task_changes_in_its_own_way(cast: Cast) -> None:
    first, second, third = [await cast.add_task(title=title) for title in "abc"]
    answer = await change(
        cast,
        {"task_id": first["id"], "status": "review", "priority": "low"},
        {"task_id": second["id"], "assigned_user_id": str(cast.cleo.id), "title": "B"},
        {"task_id": third["id"], "deleted": True},
    )
    results = answer.ok()["results"]
    assert results[0]["task"]["status"] == "review" and results[0]["task"]["priority"] == "low"
    assert results[1]["task"]["assigned_user_id"] == str(cast.cleo.id)
    assert await listed(cast, "title") == ["a", "B"]
    (await change(cast, {"task_id": third["id"], "deleted": False, "before_task_id": second["id"]})).ok()
    assert [one for one in await listed(cast) if one != "a"] == ["c", "B"]


async def test_one_refusal_leaves_all_as_it_was(cast: Cast) -> None:
    task = await cast.add_task(title="a")
    refused = (await change(cast, {"task_id": task["id"], "title": "b"}, {"task_id": str(uuid4())})).refused(409)
    assert refused["message"].startswith("1 of 2")
    assert await listed(cast) == ["a"]
    answer = (await change(cast, {"task_id": task["id"], "title": "b"}, {"task_id": str(uuid4())}, atomic=False)).ok()
    assert (answer["changed"], answer["failed"]) == (1, 1)


@pytest.mark.parametrize("by", ["vega", "atlas"])
async def test_agents_keep_their_own_rules(cast: Cast, by: str) -> None:
    task = await cast.add_task()
    answer = (await change(cast, {"task_id": task["id"], "deleted": True}, atomic=False, by=getattr(cast, by))).ok()
    assert answer["changed"] == (1 if by == "atlas" else 0)


async def test_invalid_changes_are_refused(cast: Cast) -> None:
    task = (await cast.add_task())["id"]
    (await change(cast, {"task_id": task}, {"task_id": task})).refused(422)
    (await change(cast, {"task_id": task, "before_task_id": task, "after_task_id": task})).refused(422)


async def test_many_become_parts_and_are_taken_out_again(cast: Cast) -> None:
    parent, *parts = [await cast.add_task() for _ in range(3)]
    ids = [one["id"] for one in parts]
    (await cast.ada.post(f"{cast.tasks}/changes", each(ids, parent_id=parent["id"]))).ok()
    assert (await cast.ada.get(cast.task(parent))).ok()["parts_count"] == 2
    changes = [{"task_id": ids[0], "parent_id": None}, {"task_id": parent["id"], "parent_id": ids[1]}]
    refused = (await cast.ada.post(f"{cast.tasks}/changes", {"changes": changes})).refused(409)
    assert refused["failures"][0]["task_id"] == parent["id"]  # it would be a part of its own part
    (await cast.ada.post(f"{cast.tasks}/changes", {"changes": changes[:1]})).ok()
    assert (await cast.ada.get(cast.task(parent))).ok()["parts_count"] == 1
