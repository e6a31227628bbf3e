"""Small steps of tasks: added, ticked, ordered, removed; by whom; and what was recorded."""

from typing import Any
from uuid import uuid4

import orjson
import pytest

from mission_control.tasks import checklist
from tests.cast import Cast, events, head, ids, kinds

pytestmark = pytest.mark.dialect


async def add(cast: Cast, task: Any, text: str = "Sand it", by: Any = None, **fields: Any) -> dict[str, Any]:
    """A step that Cleo, or somebody else, adds."""
    item: dict[str, Any] = (await (by or cast.cleo).post(f"{cast.task(task)}/checklist", {"text": text, **fields})).ok()
    return item


async def texts(cast: Cast, task: Any) -> list[str]:
    """The steps of a task in order."""
    return [one["text"] for one in (await cast.dan.get(f"{cast.task(task)}/checklist")).ok()["items"]]


async def test_steps_are_added_at_the_end(cast: Cast) -> None:
    task = await cast.add_task()
    before = await head(cast)
    first = await add(cast, task, "  Sand it ")
    assert list(first) == ["id", "task_id", "text", "is_done", "is_criterion", "created_at", "updated_at"]
    assert (first["text"], first["is_done"], first["task_id"]) == ("Sand it", False, task["id"])
    second = await add(cast, task, "Paint it", cast.vega, is_done=True, is_criterion=True)
    assert (first["is_criterion"], second["is_criterion"]) == (False, True)
    listed = (await cast.dan.get(f"{cast.task(task)}/checklist")).ok()
    assert (listed["items"], listed["total"]) == ([first, second], 2)
    assert await kinds(cast, before) == [
        ("task.checklist_item_added", None),
        ("task.checklist_item_added", cast.vega.id),
    ]


async def test_steps_are_ticked_and_reworded(cast: Cast) -> None:
    task = await cast.add_task()
    item = await add(cast, task)
    path, before = f"{cast.task(task)}/checklist/{item['id']}", await head(cast)
    ticked = (await cast.vega.patch(path, {"is_done": True})).ok()
    assert (ticked["is_done"], ticked["text"]) == (True, "Sand it") and ticked["updated_at"] > item["updated_at"]
    assert (await cast.vega.patch(path, {"is_done": True})).ok() == ticked
    assert (await cast.cleo.patch(path, {})).ok() == ticked
    assert (await cast.cleo.patch(path, {"text": "Polish it"})).ok()["text"] == "Polish it"
    assert (await cast.cleo.patch(path, {"is_criterion": True})).ok()["is_criterion"] is True
    found = await events(before, organization_id=cast.organization.id)
    assert [(one.kind, one.message) for one in found] == [
        ("task.checklist_item_changed", "Step done: Sand it."),
        ("task.checklist_item_changed", "Step changed: Polish it."),
        ("task.checklist_item_changed", "Step changed: Polish it."),
    ]
    assert orjson.loads(found[0].data)["after"] == {"is_done": True}
    assert str(found[0].task_id) == task["id"]


async def test_steps_are_ordered(cast: Cast) -> None:
    task = await cast.add_task()
    items = [await add(cast, task, text) for text in "abc"]
    path, before = f"{cast.task(task)}/checklist", await head(cast)
    wanted = ids([items[2], items[0], items[1]])
    assert ids((await cast.cleo.call("PUT", path, {"item_ids": wanted})).ok()["items"]) == wanted
    assert await texts(cast, task) == ["c", "a", "b"]
    (await cast.cleo.call("PUT", path, {"item_ids": wanted})).ok()
    assert await kinds(cast, before) == [("task.checklist_reordered", None)]
    for wrong in (wanted[:2], [*wanted, str(uuid4())], []):
        assert isinstance((await cast.cleo.call("PUT", path, {"item_ids": wrong})).refused(409), str)
    await add(cast, task, "d")
    assert await texts(cast, task) == ["c", "a", "b", "d"]


async def test_steps_are_removed(cast: Cast) -> None:
    task = await cast.add_task()
    item = await add(cast, task)
    path, before = f"{cast.task(task)}/checklist/{item['id']}", await head(cast)
    assert (await cast.vega.delete(path)).ok() == {"ok": True}
    assert await texts(cast, task) == []
    assert await kinds(cast, before) == [("task.checklist_item_removed", cast.vega.id)]
    (await cast.vega.delete(path)).refused(404)
    (await cast.vega.patch(path, {"is_done": True})).refused(404)


async def test_invalid_changes_are_refused(cast: Cast) -> None:
    task = await cast.add_task()
    path = f"{cast.task(task)}/checklist/{(await add(cast, task))['id']}"
    for body in ({"text": None}, {"is_done": None}, {"text": " "}):
        assert isinstance((await cast.cleo.patch(path, body)).refused(422), list)


async def test_number_of_steps_is_limited(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checklist, "MOST", 2)
    task = await cast.add_task()
    for text in "ab":
        await add(cast, task, text)
    assert isinstance((await cast.cleo.post(f"{cast.task(task)}/checklist", {"text": "c"})).refused(409), str)
