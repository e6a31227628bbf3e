"""A copy of a task: what is to be done, and nothing of what was done about it."""

import asyncio
import json
from typing import Any

import pytest

from mission_control.events.models import Event
from mission_control.tasks.models import Tag
from tests.cast import Cast

pytestmark = pytest.mark.dialect

FUTURE, PAST = "2999-12-24T12:00:00Z", "2001-01-01T12:00:00Z"


async def copied(cast: Cast, task: Any, by: Any = None, **options: Any) -> Any:
    """The copy that somebody made of a task."""
    return (await (by or cast.cleo).post(f"{cast.task(task)}/duplicates", **options)).ok()


async def column(cast: Cast, status: str) -> list[int]:
    """The numbers of a column, from the top."""
    return [one["number"] for one in (await cast.ada.get(f"{cast.tasks}?status={status}&sort=position")).ok()["items"]]


async def test_copy_says_what_is_to_be_done_and_not_what_was_done(cast: Cast) -> None:
    field = {"field_key": "points", "label": "Points", "field_type": "integer", "board_ids": [str(cast.board.id)]}
    (await cast.ada.post("/organizations/me/custom-fields", field)).ok()
    tag = (await cast.ada.post("/tags", {"name": "Optics", "color": "#ff0000"})).ok()["id"]
    before = await cast.add_task(title="Grind")
    task = await cast.add_task(
        title="Polish", description="Until it shines", priority="high", due_at=FUTURE, tag_ids=[tag],
        custom_field_values={"points": 3}, depends_on_task_ids=[before["id"]],
    )  # fmt: skip
    for step in ("First", "Second"):
        item = (
            await cast.ada.post(f"{cast.task(task)}/checklist", {"text": step, "is_criterion": step == "Second"})
        ).ok()
    (await cast.ada.patch(f"{cast.task(task)}/checklist/{item['id']}", {"is_done": True})).ok()
    (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "Half of it"})).ok()
    await cast.ask(None, task)
    copy = await copied(cast, task)
    same = ("title", "description", "priority", "due_at", "tag_ids", "custom_field_values", "depends_on_task_ids")
    assert {name: copy[name] for name in same} == {name: task[name] for name in same}
    assert copy["status"] == "inbox" and copy["is_blocked"] and copy["created_by_user_id"] == str(cast.cleo.id)
    steps = (await cast.ada.get(f"{cast.task(copy)}/checklist")).ok()["items"]
    assert [(one["text"], one["is_done"], one["is_criterion"]) for one in steps] == [
        ("First", False, False),
        ("Second", False, True),
    ]
    assert (await cast.ada.get(f"{cast.task(copy)}/comments")).ok()["total"] == 0
    found = (await cast.ada.get(f"{cast.home}/approvals")).ok()["items"]
    assert all(copy["id"] not in map(str, one["task_ids"]) for one in found)


async def test_copy_stands_below_the_original_while_nobody_has_begun_it(cast: Cast) -> None:
    low, high = await cast.add_task(title="Low"), await cast.add_task(title="High")
    copy = await copied(cast, high)
    assert await column(cast, "inbox") == [high["number"], copy["number"], low["number"]]
    for status in ("in_progress", "review", "done"):
        begun = await cast.add_task(title=status, status=status, assigned_user_id=str(cast.cleo.id), due_at=PAST)
        copy = await copied(cast, begun)
        assert (copy["status"], copy["assigned_user_id"], copy["due_at"]) == ("inbox", None, None)
        assert (await column(cast, "inbox"))[0] == copy["number"]


async def test_copy_keeps_to_what_the_board_requires_now(cast: Cast) -> None:
    task = await cast.add_task(title="Polish")
    field = {"field_key": "points", "label": "Points", "field_type": "integer", "required": True}
    (await cast.ada.post("/organizations/me/custom-fields", field | {"board_ids": [str(cast.board.id)]})).ok()
    refused = (await cast.cleo.post(f"{cast.task(task)}/duplicates")).refused(422)
    assert refused["missing_field_keys"] == ["points"]
    assert await column(cast, "inbox") == [task["number"]], "a refused copy leaves nothing behind"
    (await cast.cleo.patch(cast.task(task), {"custom_field_values": {"points": 2}})).ok()
    assert (await copied(cast, task))["custom_field_values"] == {"points": 2}


async def test_deleted_tag_and_deleted_dependency_are_not_copied(cast: Cast) -> None:
    tag = (await cast.ada.post("/tags", {"name": "Optics", "color": "#ff0000"})).ok()["id"]
    before = await cast.add_task(title="Grind")
    task = await cast.add_task(title="Polish", tag_ids=[tag], depends_on_task_ids=[before["id"]])
    await Tag.filter(id=tag).delete()
    (await cast.ada.delete(cast.task(before))).ok()
    copy = await copied(cast, task)
    assert (copy["tag_ids"], copy["depends_on_task_ids"]) == ([], [])
    (await cast.ada.delete(cast.task(task))).ok()
    (await cast.cleo.post(f"{cast.task(task)}/duplicates")).refused(404)


async def test_lead_copies_a_task_and_a_worker_does_not(cast: Cast) -> None:
    task = await cast.add_task(title="Polish", priority="Sometime")
    copy = await copied(cast, task, cast.atlas)
    assert (copy["created_by_user_id"], copy["priority"]) == (None, "Sometime")


async def test_request_that_is_repeated_copies_once(cast: Cast) -> None:
    task = await cast.add_task(title="Polish")
    key = {"Idempotency-Key": "copy-1"}
    first, second = await copied(cast, task, headers=key), await copied(cast, task, headers=key)
    assert first["id"] == second["id"]
    assert len(await column(cast, "inbox")) == 2


async def test_two_people_copy_at_once(cast: Cast) -> None:
    task = await cast.add_task(title="Polish")
    copies = await asyncio.gather(*(copied(cast, task, by) for by in (cast.ada, cast.ben, cast.cleo)))
    assert len({one["number"] for one in copies}) == 3
    assert (await column(cast, "inbox"))[0] == task["number"]


async def test_log_says_what_was_copied(cast: Cast) -> None:
    task = await cast.add_task(title="Polish")
    copy = await copied(cast, task)
    event = await Event.get(kind="task.created", task_id=copy["id"])
    assert json.loads(event.data)["copy_of_task_id"] == task["id"]
