"""Tasks: made, listed, read, changed, deleted and restored; by whom; and what was recorded."""

from uuid import uuid4

import orjson
import pytest

from mission_control.tasks.models import Task
from tests.cast import Cast, apart_from_news, events, head, ids, kinds, stamp
from tests.moments import loose_moments

pytestmark = pytest.mark.dialect

KEYS = [
    "title", "description", "status", "priority", "due_at", "not_before", "assigned_agent_id", "depends_on_task_ids",
    "tag_ids",
    "id", "board_id", "created_by_user_id", "in_progress_at", "created_at", "updated_at", "blocked_by_task_ids",
    "is_blocked", "tags", "custom_field_values", "number", "assigned_user_id", "archived_at", "deleted_at",
    "fence", "flagged_at", "parent_id", "blocks_parent", "parts_count", "parts_done_count",
]  # fmt: skip
NEW = {"title": "Measure"}


async def test_writer_creates_a_task(cast: Cast) -> None:
    before = await head(cast)
    due = {"due_at": "2026-12-01T10:00:00+02:00", "description": "All of it.", "priority": "high"}
    task = (await cast.cleo.post(cast.tasks, NEW | due)).ok()
    assert list(task) == KEYS
    assert (task["status"], task["due_at"], task["number"]) == ("inbox", "2026-12-01T08:00:00Z", 1)
    assert task["created_by_user_id"] == str(cast.cleo.id)
    assert task["custom_field_values"] == {} and task["tags"] == task["tag_ids"] == []
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id, event.agent_id, event.surface) == ("task.created", cast.cleo.id, None, "api")
    assert (str(event.task_id), event.board_id) == (task["id"], cast.board.id)
    assert orjson.loads(event.data) == {"title": "Measure", "status": "inbox"}


async def test_lead_creates_a_task_on_its_own_path(cast: Cast) -> None:
    before = await head(cast)
    task = (await cast.atlas.post(f"/agent{cast.tasks}", NEW | {"assigned_agent_id": cast.vega.id})).ok()
    assert task["created_by_user_id"] is None
    row = await Task.get(id=task["id"])
    assert (row.auto_created, row.auto_reason) == (True, f"lead_agent:{cast.atlas.id}")
    assert await kinds(cast, before) == [("task.created", cast.atlas.id)]


async def test_title_may_be_empty_and_unknown_keys_are_ignored(cast: Cast) -> None:
    assert (await cast.ada.post(cast.tasks, {"title": "", "colour": "red"})).ok()["title"] == ""


async def test_board_rules_apply_on_create(cast: Cast) -> None:
    await cast.rule(require_review_before_done=True)
    detail = (await cast.ada.post(cast.tasks, NEW | {"status": "done"})).refused(409)
    assert (detail["code"], detail["blocked_by_task_ids"]) == ("task_review_required", [])
    await cast.rule(require_review_before_done=False, require_approval_for_done=True)
    for caller, path in ((cast.ada, cast.tasks), (cast.atlas, f"/agent{cast.tasks}")):
        detail = (await caller.post(path, NEW | {"status": "done"})).refused(409)
        assert set(detail) == {"message", "code", "blocked_by_task_ids"}
        assert detail["code"] == "task_approval_required"


async def test_task_created_in_progress_is_started(cast: Cast) -> None:
    begun = await cast.add_task(status="in_progress", assigned_agent_id=cast.vega.id)
    assert begun["in_progress_at"] is not None
    assert (await cast.add_task())["in_progress_at"] is None


async def test_new_task_can_be_assigned(cast: Cast) -> None:
    stranger, both = str(uuid4()), {"assigned_agent_id": cast.vega.id, "assigned_user_id": cast.cleo.id}
    made = await cast.add_task(assigned_user_id=cast.cleo.id)
    assert (made["assigned_user_id"], made["assigned_agent_id"]) == (str(cast.cleo.id), None)
    assert isinstance((await cast.ada.post(cast.tasks, NEW | both)).refused(422), str)
    for field in ("assigned_agent_id", "assigned_user_id"):
        (await cast.ada.post(cast.tasks, NEW | {field: stranger})).refused(404)
    (await cast.ada.post(cast.tasks, NEW | {"assigned_user_id": cast.eve.id})).refused(404)
    assert (await cast.ada.post(cast.tasks, NEW | {"assigned_agent_id": cast.nova.id})).refused(404) == "Not Found"
    assert (await cast.ada.post(cast.tasks, NEW | {"assigned_agent_id": cast.mira.id})).refused(409) == "Conflict"
    document = (await cast.nobody.get("/openapi.json")).ok()
    declared = document["components"]["schemas"]["BlockedTaskError"]["properties"]["detail"]
    assert {"type": "string"} in declared["anyOf"]
    lead = f"/agent{cast.tasks}"
    assert isinstance((await cast.atlas.post(lead, NEW | {"assigned_agent_id": cast.atlas.id})).refused(403), str)
    (await cast.atlas.post(lead, NEW | {"assigned_agent_id": cast.mira.id})).refused(409)
    (await cast.atlas.post(lead, NEW | {"assigned_agent_id": stranger})).refused(404)


async def test_tasks_are_listed_and_filtered(cast: Cast) -> None:
    first, second = await cast.add_task(title="1"), await cast.add_task(title="2", assigned_agent_id=cast.vega.id)
    third = await cast.add_task(title="3", status="done", assigned_user_id=cast.cleo.id)
    for path in (cast.tasks, f"/agent{cast.tasks}"):

        async def found(query: str, path: str = path) -> list[str]:
            caller = cast.vega if path.startswith("/agent") else cast.dan
            return [one["title"] for one in (await caller.get(f"{path}?{query}")).ok()["items"]]

        assert await found("") == ["3", "2", "1"]
        assert await found("status=done,%20inbox,,") == ["3", "2", "1"]
        assert await found("status=done") == ["3"]
        assert await found(f"assigned_agent_id={cast.vega.id}") == ["2"]
        assert await found("unassigned=true") == ["1"]
        assert await found("unassigned=false") == ["3", "2", "1"]
        assert await found(f"unassigned=1&assigned_agent_id={cast.vega.id}") == []
        assert await found("limit=1&offset=1") == ["2"]
    page = (await cast.dan.get(f"{cast.tasks}?limit=2")).ok()
    assert (ids(page["items"]), page["total"]) == ([third["id"], second["id"]], 3)
    assert list(page["items"][0]) == KEYS
    assert "doing" in (await cast.dan.get(f"{cast.tasks}?status=doing")).refused(422)
    [item] = (await cast.dan.get(f"{cast.tasks}?assigned_agent_id=x")).refused(422)
    assert item["loc"] == ["query", "assigned_agent_id"]
    assert (await cast.vega.get(cast.task(first))).ok() == first


async def test_task_is_read_by_id(cast: Cast) -> None:
    task = await cast.add_task()
    for caller in (cast.dan, cast.vega, cast.atlas):
        assert apart_from_news((await caller.get(cast.task(task))).ok()) == task


async def test_change_event_holds_old_and_new_values(cast: Cast) -> None:
    task, before = await cast.add_task(), await head(cast)
    changed = (await cast.cleo.patch(cast.task(task), {"title": "Draw", "priority": "low", "due_at": None})).ok()
    assert (changed["title"], changed["priority"]) == ("Draw", "low")
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id, event.agent_id) == ("task.updated", cast.cleo.id, None)
    assert orjson.loads(event.data) == {
        "before": {"title": "Write the report", "priority": "medium"},
        "after": {"title": "Draw", "priority": "low"},
    }


async def test_move_by_an_agent_names_the_agent(cast: Cast) -> None:
    task, before = await cast.add_task(), await head(cast)
    (await cast.vega.patch(f"/agent{cast.task(task)}", {"status": "in_progress"})).ok()
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_kind, event.agent_id, event.actor_name) == (
        "task.status_changed", "agent", cast.vega.id, "Vega",
    )  # fmt: skip
    data = orjson.loads(event.data)
    assert (data["before"]["status"], data["after"]["status"]) == ("inbox", "in_progress")
    assert data["after"]["assigned_agent_id"] == str(cast.vega.id)


async def test_unchanged_task_records_no_event(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=cast.vega.id)
    before, row = await head(cast), await Task.get(id=task["id"])
    for body in ({}, {"title": task["title"]}, {"status": "inbox"}, {"assigned_agent_id": cast.vega.id}):
        assert (await cast.ada.patch(cast.task(task), body)).ok() == task
    same = {"depends_on_task_ids": None, "tag_ids": None, "custom_field_values": None, "comment": "  "}
    assert (await cast.ada.patch(cast.task(task), same)).ok() == task
    assert await kinds(cast, before) == []
    assert (await Task.get(id=task["id"])).updated_at == row.updated_at


@pytest.mark.parametrize("name", ["title", "status", "priority"])
async def test_null_is_refused_for_required_fields(cast: Cast, name: str) -> None:
    [item] = (await cast.ada.patch(cast.task(await cast.add_task()), {name: None})).refused(422)
    assert item["loc"] == ["body", name]


async def test_task_is_deleted_and_restored(cast: Cast) -> None:
    task, other = await cast.add_task(), await cast.add_task()
    path, before = cast.task(task), await head(cast)
    (await cast.ada.post(f"{path}/comments", {"message": "Keep this."})).ok()
    assert (await cast.cleo.delete(path)).ok() == {"ok": True}
    for answer in (await cast.ada.get(path), await cast.ada.delete(path), await cast.ada.get(f"{path}/comments")):
        assert answer.refused(404) == "Not Found"
    assert ids((await cast.ada.get(cast.tasks)).ok()["items"]) == [other["id"]]
    restored = (await cast.cleo.post(f"{path}/restorations")).ok()
    assert (restored["id"], restored["number"]) == (task["id"], 1)
    assert (await cast.cleo.post(f"{path}/restorations")).ok() == restored
    assert (await cast.ada.get(f"{path}/comments")).ok()["total"] == 1
    assert await kinds(cast, before) == [("task.comment", None), ("task.deleted", None), ("task.restored", None)]


async def test_lead_deletes_a_task_on_its_own_path(cast: Cast) -> None:
    task, before = await cast.add_task(), await head(cast)
    assert (await cast.atlas.delete(f"/agent{cast.task(task)}")).plain == {"ok": True}
    assert await kinds(cast, before) == [("task.deleted", cast.atlas.id)]


async def test_task_numbers_are_unique(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.ada.delete(cast.task(task))).ok()
    assert (await cast.add_task())["number"] == 2


async def test_times_are_returned_in_utc_with_z(cast: Cast) -> None:
    task = await cast.add_task(due_at=stamp(5).replace(microsecond=120).isoformat() + "Z")
    for name in ("created_at", "updated_at", "due_at"):
        assert "T" in task[name] and task[name].endswith("Z") and loose_moments(task[name]) == []
    assert task["due_at"].endswith(".000120Z")
