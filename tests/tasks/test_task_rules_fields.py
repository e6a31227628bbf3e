"""Which fields each role may send, in which order refusals come, and what a claim is."""

from typing import Any
from uuid import uuid4

import pytest

from mission_control.agents.models import Agent
from mission_control.core.errors import Conflict
from mission_control.database.sql import as_json
from mission_control.events.models import Event
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.commands import change_task
from mission_control.tasks.models import Task
from tests.cast import Cast, head, kinds


@pytest.mark.parametrize("body", [
    {"title": "Mine"}, {"description": None}, {"priority": "high"}, {"due_at": None}, {"assigned_agent_id": None},
    {"assigned_user_id": None}, {"tag_ids": [str(uuid4())]}, {"depends_on_task_ids": [str(uuid4())]},
    {"depends_on_task_ids": []}, {"status": "done", "title": "Mine"},
])  # fmt: skip
async def test_worker_may_not_send_these_fields(cast: Cast, body: dict[str, Any]) -> None:
    task = await cast.add_task()
    detail = (await cast.vega.patch(cast.task(task), body)).refused(403)
    assert set(detail) == {"message", "code"}
    assert detail["code"] == "task_update_field_forbidden"


async def test_worker_is_told_first_that_the_task_is_not_assigned_to_it(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=cast.rigel.id)
    both = {"status": "done", "title": "Mine"}
    assert (await cast.vega.patch(cast.task(task), both)).refused(403)["code"] == "task_assignee_mismatch"
    assert (await cast.vega.patch(cast.task(task), {"title": "x"})).refused(403)[
        "code"
    ] == "task_update_field_forbidden"


async def test_worker_comments_on_any_task_by_patch(cast: Cast) -> None:
    task, before = await cast.add_task(assigned_agent_id=cast.rigel.id), await head(cast)
    (await cast.vega.patch(cast.task(task), {"comment": "I can help."})).ok()
    assert await kinds(cast, before) == [("task.comment", cast.vega.id)]


@pytest.mark.parametrize("name", ["title", "description", "priority", "due_at", "assigned_user_id", "comment"])
async def test_lead_may_not_send_these_fields(cast: Cast, name: str) -> None:
    task = await cast.add_task()
    value = {"title": "x", "priority": "high", "comment": "Well done."}.get(name)
    body = {name: value, "depends_on_task_ids": [str(uuid4())], "assigned_agent_id": str(cast.vega.id)}
    detail = (await cast.atlas.patch(cast.task(task), body)).refused(403)
    assert isinstance(detail, str)
    assert name == "comment" or name in detail
    assert (await Task.get(id=task["id"])).assigned_agent_id is None


async def test_blank_comment_of_a_lead_counts_as_unset(cast: Cast) -> None:
    body = {"comment": " ", "assigned_agent_id": cast.vega.id}
    changed = (await cast.atlas.patch(cast.task(await cast.add_task()), body)).ok()
    assert changed["assigned_agent_id"] == str(cast.vega.id)


async def test_lead_may_assign_only_these_agents(cast: Cast) -> None:
    path = cast.task(await cast.add_task(assigned_user_id=cast.cleo.id))
    assert isinstance((await cast.atlas.patch(path, {"assigned_agent_id": cast.atlas.id})).refused(403), str)
    assert (await cast.atlas.patch(path, {"assigned_agent_id": uuid4()})).refused(404) == "Not Found"
    assert (await cast.atlas.patch(path, {"assigned_agent_id": cast.nova.id})).refused(404) == "Not Found"
    assert (await cast.atlas.patch(path, {"assigned_agent_id": cast.mira.id})).refused(409) == "Conflict"
    named = (await cast.atlas.patch(path, {"assigned_agent_id": cast.vega.id})).ok()
    assert (named["assigned_agent_id"], named["assigned_user_id"]) == (str(cast.vega.id), None)
    assert (await cast.atlas.patch(path, {"assigned_agent_id": None})).ok()["assigned_agent_id"] is None


async def test_person_may_assign_only_these(cast: Cast) -> None:
    path = cast.task(await cast.add_task())
    assert (await cast.ada.patch(path, {"assigned_agent_id": uuid4()})).refused(404) == "Not Found"
    assert (await cast.ada.patch(path, {"assigned_agent_id": cast.mira.id})).refused(409) == "Conflict"
    (await cast.ada.patch(path, {"assigned_user_id": cast.eve.id})).refused(404)
    (await cast.ada.patch(path, {"assigned_user_id": cast.dan.id, "assigned_agent_id": cast.vega.id})).refused(422)
    assert (await cast.ada.patch(path, {"assigned_agent_id": cast.atlas.id})).ok()["assigned_agent_id"]
    changed = (await cast.ada.patch(path, {"assigned_user_id": cast.dan.id})).ok()
    assert (changed["assigned_user_id"], changed["assigned_agent_id"]) == (str(cast.dan.id), None)
    changed = (await cast.ada.patch(path, {"assigned_agent_id": cast.vega.id})).ok()
    assert (changed["assigned_user_id"], changed["assigned_agent_id"]) == (None, str(cast.vega.id))


async def test_explicit_assignee_wins_over_unassignment_by_a_move(cast: Cast) -> None:
    task = await cast.add_task(status="in_progress", assigned_agent_id=cast.vega.id)
    body = {"status": "inbox", "assigned_agent_id": cast.rigel.id}
    moved = (await cast.ada.patch(cast.task(task), body)).ok()
    assert (moved["status"], moved["assigned_agent_id"], moved["in_progress_at"]) == ("inbox", str(cast.rigel.id), None)


async def test_task_in_review_is_assigned_to_the_lead(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=cast.vega.id)
    body = {"status": "review", "assigned_agent_id": cast.rigel.id}
    assert (await cast.ada.patch(cast.task(task), body)).ok()["assigned_agent_id"] == str(cast.atlas.id)
    another = await cast.add_task(assigned_agent_id=cast.vega.id)
    body = {"status": "review", "assigned_user_id": cast.cleo.id}
    reviewed = (await cast.ada.patch(cast.task(another), body)).ok()
    assert (reviewed["assigned_agent_id"], reviewed["assigned_user_id"]) == (str(cast.atlas.id), None)


async def test_rejected_work_is_not_returned_to_the_current_lead(cast: Cast) -> None:
    task = await cast.add_task(status="in_progress", assigned_agent_id=cast.vega.id)
    (await cast.vega.patch(cast.task(task), {"status": "review"})).ok()
    await Agent.filter(id=cast.atlas.id).update(is_board_lead=False)
    await Agent.filter(id=cast.vega.id).update(is_board_lead=True)
    assert (await cast.vega.patch(cast.task(task), {"status": "inbox"})).ok()["assigned_agent_id"] is None


async def test_rejected_work_is_not_returned_to_a_moved_agent(cast: Cast) -> None:
    task = await cast.add_task(status="in_progress", assigned_agent_id=cast.vega.id)
    (await cast.vega.patch(cast.task(task), {"status": "review"})).ok()
    await Agent.filter(id=cast.vega.id).update(board_id=cast.other_board.id)
    assert (await cast.atlas.patch(cast.task(task), {"status": "inbox"})).ok()["assigned_agent_id"] is None


async def test_worker_cannot_change_a_task_after_handing_in(cast: Cast) -> None:
    path = cast.task(await cast.add_task())
    for status in ("in_progress", "review"):
        (await cast.vega.patch(path, {"status": status})).ok()
    assert (await cast.vega.patch(path, {"status": "done"})).refused(403)["code"] == "task_assignee_mismatch"
    back = (await cast.atlas.patch(path, {"status": "inbox"})).ok()
    assert back["assigned_agent_id"] == str(cast.vega.id)


async def test_comment_rule_accepts_a_comment_since_the_start(cast: Cast) -> None:
    await cast.rule(comment_required_for_review=True)
    path = cast.task(await cast.add_task())
    (await cast.vega.post(f"{path}/comments", {"message": "Before it began."})).ok()
    (await cast.vega.patch(path, {"status": "in_progress"})).ok()
    assert "comment" in (await cast.vega.patch(path, {"status": "review"})).refused(422).lower()
    (await cast.rigel.post(f"{path}/comments", {"message": "Somebody else's."})).ok()
    (await cast.vega.patch(path, {"status": "review"})).refused(422)
    (await cast.vega.post(f"{path}/comments", {"message": "Here it is."})).ok()
    assert (await cast.vega.patch(path, {"status": "review"})).ok()["status"] == "review"


async def test_comment_rule_accepts_a_comment_of_the_previous_attempt(cast: Cast) -> None:
    await cast.rule(comment_required_for_review=True)
    path = cast.task(await cast.add_task())
    (await cast.vega.patch(path, {"status": "in_progress"})).ok()
    (await cast.vega.post(f"{path}/comments", {"message": "Half of it."})).ok()
    (await cast.vega.patch(path, {"status": "inbox"})).ok()
    (await cast.vega.patch(path, {"status": "in_progress"})).ok()
    assert (await cast.vega.patch(path, {"status": "review"})).ok()["status"] == "review"


async def test_comment_rule_accepts_a_comment_of_the_mover(cast: Cast) -> None:
    await cast.rule(comment_required_for_review=True)
    path = cast.task(await cast.add_task(status="in_progress", assigned_agent_id=cast.vega.id))
    (await cast.ada.post(f"{path}/comments", {"message": "Looked at with Vega."})).ok()
    (await cast.cleo.patch(path, {"status": "review"})).refused(422)
    assert (await cast.ada.patch(path, {"status": "review"})).ok()["status"] == "review"


async def test_change_event_leaves_out_the_position(cast: Cast) -> None:
    path, before = cast.task(await cast.add_task()), await head(cast)
    (await cast.ada.patch(path, {"status": "review"})).ok()
    [event] = await Event.filter(seq__gt=before, kind="task.status_changed")
    told = as_json(event.data)
    assert "status" in told["after"] and "position" not in told["after"] | told["before"]


async def test_board_rules_are_checked_in_order(cast: Cast) -> None:
    await cast.rule(
        block_status_changes_with_pending_approval=True, require_review_before_done=True, require_approval_for_done=True
    )
    task = await cast.add_task()
    asked = await cast.ask(None, task)
    path = cast.task(task)
    assert (await cast.ada.patch(path, {"status": "done"})).refused(409)["code"] == "task_has_pending_approval"
    (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "rejected"})).ok()
    assert (await cast.ada.patch(path, {"status": "done"})).refused(409)["code"] == "task_review_required"
    (await cast.ada.patch(path, {"status": "review"})).ok()
    assert (await cast.ada.patch(path, {"status": "done"})).refused(409)["code"] == "task_approval_required"


async def test_refused_change_leaves_nothing(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    task, before = await cast.add_task(), await head(cast)
    body = {"status": "done", "title": "Changed", "comment": "Done!"}
    (await cast.ada.patch(cast.task(task), body)).refused(409)
    assert (await cast.ada.get(cast.task(task))).ok() == task
    assert await kinds(cast, before) == []


async def test_change_of_a_blocked_task_keeps_its_other_fields(cast: Cast) -> None:
    waited_for = await cast.add_task()
    task = await cast.add_task(depends_on_task_ids=[waited_for["id"]])
    await cast.put(task, status="in_progress", assigned_agent_id=cast.vega.id)
    changed = (await cast.ada.patch(cast.task(task), {"title": "New"})).ok()
    assert (changed["status"], changed["assigned_agent_id"], changed["is_blocked"]) == (
        "in_progress", str(cast.vega.id), True,
    )  # fmt: skip
    detail = (await cast.ada.patch(cast.task(task), {"assigned_agent_id": cast.rigel.id})).refused(409)
    assert detail["blocked_by_task_ids"] == [waited_for["id"]]
    assert (await cast.ada.patch(cast.task(task), {"assigned_agent_id": None})).ok()["assigned_agent_id"] is None


async def test_claim_a_moment_too_late_is_refused(cast: Cast) -> None:
    task = await Task.get(id=(await cast.add_task())["id"])
    task.board = cast.board
    (await cast.rigel.patch(cast.task(task), {"status": "in_progress"})).ok()
    with pytest.raises(Conflict) as refusal:
        await change_task(await cast.vega.actor(), task, TaskChange(status="in_progress"))
    assert isinstance(refusal.value.detail, dict) and refusal.value.detail["code"] == "task_already_claimed"
    assert (await Task.get(id=task.id)).assigned_agent_id == cast.rigel.id


@pytest.mark.parametrize("path", ["", "/agent"])
async def test_forbidden_field_is_refused_before_its_value_is_checked(cast: Cast, path: str) -> None:
    task = await cast.add_task()
    detail = (await cast.vega.patch(f"{path}{cast.task(task)}", {"title": 5})).refused_as(
        403, "task_update_field_forbidden"
    )
    assert detail["message"]
    (await cast.atlas.patch(f"{path}{cast.task(task)}", {"title": 5})).refused(403)
    (await cast.vega.patch(f"{path}{cast.task(task)}", {"status": 5})).refused(422)
    (await cast.vega.patch(f"{path}{cast.task(task)}", {"unknown": 5, "comment": " "})).ok()
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"status": 5})).refused(403)
    (await cast.ada.patch(cast.task(task), {"title": 5})).refused(422)


async def test_comment_event_precedes_its_status_event(cast: Cast) -> None:
    task, before = await cast.add_task(), await head(cast)
    (await cast.vega.patch(cast.task(task), {"status": "in_progress", "comment": "Begun."})).ok()
    told = [kind for kind, _ in await kinds(cast, before)]
    assert told.index("task.comment") < told.index("task.status_changed")
