"""Requests that nobody needs any more close with the work they are about; others wait while their agent may return."""

from datetime import timedelta
from typing import Any

import pytest

from mission_control.approvals.models import Approval
from mission_control.core import times
from mission_control.runs.claims.leases import expire_due
from mission_control.tasks.models import Task
from tests.cast import Cast
from tests.hand_ins import Deed, approval_of, approve, claimed, drag, drag_on_page, hand_in, rework, send_back, trash
from tests.visitor import visitor

pytestmark = pytest.mark.dialect


@pytest.fixture
async def strict(cast: Cast) -> Cast:
    """A board with a lead that needs an approval before a task is done."""
    await cast.rule(require_approval_for_done=True)
    return cast


async def reassign(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.cleo.patch(cast.task(task), {"assigned_agent_id": str(cast.rigel.id)})).ok()


async def take_over(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.cleo.patch(cast.task(task), {"assigned_user_id": str(cast.cleo.id)})).ok()


async def finish(cast: Cast, task: dict[str, Any]) -> None:
    await cast.rule(require_approval_for_done=False)
    (await cast.cleo.patch(cast.task(task), {"status": "done"})).ok()


async def release(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.vega.delete(f"/agent{cast.task(task)}/lease?fence=1")).ok()


async def stop(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.ada.call("PUT", f"/agents/{cast.vega.id}/work-state", {"state": "stopped"})).ok()


async def fire(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()


ENDS: dict[Deed, str] = {
    drag: "The task went back to the inbox.",
    drag_on_page: "The task went back to the inbox.",
    send_back: "The task went back to the inbox.",
    reassign: "The task was given to somebody else.",
    take_over: "The task was given to somebody else.",
    finish: "The task is done.",
    trash: "The task was deleted.",
    release: "The task went back to the inbox.",
    stop: "The task went back to the inbox.",
    fire: "The task went back to the inbox.",
}


@pytest.mark.parametrize("end", ENDS)
async def test_what_a_run_asked_closes_with_it(strict: Cast, end: Deed) -> None:
    claim = await claimed(strict, strict.vega)
    task = claim["task"]
    linked = await strict.ask(strict.vega, task, action_type="send.email")
    loose = await strict.ask(strict.vega, action_type="deploy")
    said = {"content": "Which cloth?", "options": [{"label": "Soft"}]}
    question = (await strict.vega.post(f"/agent{strict.home}/questions", said)).ok()
    assert (linked["run_id"], loose["run_id"], question["task_id"]) == (
        question["run_id"],
        question["run_id"],
        task["id"],
    )
    inbox = (await strict.vega.get("/agent/inbox")).ok()
    await end(strict, task)
    for asked in (linked, loose):
        closed = await approval_of(strict, asked)
        assert (closed["status"], closed["decision"], closed["note"]) == ("rejected", "closed", ENDS[end])
        (await approve(strict, asked)).refused_as(409, "approval_closed")
        history = (await strict.ada.get(f"{strict.approvals}/{asked['id']}/history")).ok()["items"]
        assert (history[-1]["event_type"], history[-1]["note"]) == ("approval.closed", ENDS[end])
    over = (await strict.ada.get(f"{strict.home}/questions/{question['id']}")).ok()
    assert (over["state"], over["closed_reason"]) == ("closed", ENDS[end]) and over["closed_at"]
    answer = await strict.cleo.post(f"{strict.home}/questions/{question['id']}/answers", {"option_id": "1"})
    answer.refused_as(409, "question_closed")
    waiting = (await strict.cleo.get("/needs")).ok()["items"]
    assert not {one["id"] for one in waiting} & {f"approval:{linked['id']}", f"question:{question['id']}"}
    if end in (release, fire):
        return
    told = (await strict.vega.get(f"/agent/inbox?after={inbox['next']}")).ok()["items"]
    closing = [one for one in told if one["kind"] == "request_closed"]
    assert len(closing) == 3 and all(ENDS[end] in one["text"] for one in closing)


@pytest.mark.parametrize("way", ["need", "page"])
async def test_closed_request_says_why_to_whom_answers_it(strict: Cast, way: str) -> None:
    claim = await claimed(strict, strict.vega)
    asked = await strict.ask(strict.vega, claim["task"], action_type="send.email")
    await drag(strict, claim["task"])
    if way == "need":
        answer = await strict.cleo.post(f"/needs/approval:{asked['id']}/answers", {"answer": "approve"})
        assert "Cleo closed this" in str(answer.refused(409)) and "went back to the inbox" in str(answer.body)
        return
    cleo = await visitor(strict.app, strict.cleo)
    (await cleo.get("/approvals")).lacks(f'id="approval-{asked["id"]}"')
    (await cleo.get(f"/boards/{strict.board.id}/approvals/{asked['id']}")).has("The task went back to the inbox.")


async def test_handing_in_leaves_what_was_asked_open(strict: Cast) -> None:
    claim = await claimed(strict, strict.vega)
    asked = await strict.ask(strict.vega, claim["task"], action_type="send.email")
    loose = await strict.ask(strict.vega, action_type="deploy")
    await hand_in(strict, claim, strict.vega)
    for one in (asked, loose):
        assert (await approval_of(strict, one))["status"] == "pending"
    await rework(strict, claim["task"])
    for one in (asked, loose):
        assert (await approval_of(strict, one))["note"] == "The work was sent back."


async def test_approval_of_several_tasks_waits_for_those_that_are_left(strict: Cast) -> None:
    first, second = await claimed(strict, strict.vega), await claimed(strict, strict.rigel)
    asked = await strict.ask(strict.atlas, first["task"], second["task"], action_type="task.finish")
    await drag(strict, first["task"])
    left = await approval_of(strict, asked)
    assert left["status"] == "pending"
    assert [(one["outcome"], one["reason"]) for one in left["outcomes"]] == [
        ("closed", "The task went back to the inbox.")
    ]
    await drag(strict, second["task"])
    assert (await approval_of(strict, asked))["decision"] == "closed"


async def test_partly_closed_approval_finishes_only_the_rest(strict: Cast) -> None:
    first, second = await claimed(strict, strict.vega), await claimed(strict, strict.rigel)
    for claim, who in ((first, strict.vega), (second, strict.rigel)):
        (await who.patch(strict.task(claim["task"]), {"status": "review"})).ok()
    asked = await strict.ask(strict.atlas, first["task"], second["task"], action_type="task.finish")
    await drag(strict, first["task"])
    again = await claimed(strict, strict.vega, first["task"]["id"])
    (await strict.vega.patch(strict.task(again["task"]), {"status": "review"})).ok()
    (await approve(strict, asked)).ok()
    states = {str(one.id): one.status for one in await Task.all()}
    assert (states[first["task"]["id"]], states[second["task"]["id"]]) == ("review", "done")


async def test_work_put_back_into_review_asks_again(strict: Cast) -> None:
    claim = await claimed(strict, strict.vega)
    first = (await hand_in(strict, claim, strict.vega, confidence=71))["approval"]
    await drag(strict, claim["task"])
    (await strict.cleo.post(f"{strict.task(claim['task'])}/moves", {"status": "review"})).ok()
    [second] = await Approval.filter(status="pending")
    assert str(second.id) != first["id"] and second.agent_id == strict.vega.id
    await trash(strict, claim["task"])
    (await strict.cleo.post(f"{strict.task(claim['task'])}/restorations")).ok()
    [third] = await Approval.filter(status="pending")
    assert third.id != second.id
    (await approve(strict, {"id": third.id})).ok()
    assert (await Task.get(id=claim["task"]["id"])).status == "done"


@pytest.mark.parametrize("kind", ["approval", "finish", "approval without task", "question"])
async def test_lapsed_task_waits_with_its_agent_while_an_ask_is_open(strict: Cast, kind: str) -> None:
    claim = await claimed(strict, strict.vega, lease_seconds=30)
    task = claim["task"]
    if kind == "question":
        asked = (await strict.vega.post(f"/agent{strict.home}/questions", {"content": "Which cloth?"})).ok()
        path, sent = f"{strict.home}/questions/{asked['id']}/answers", {"answer": "Soft."}
    else:
        about = () if kind == "approval without task" else (task,)
        asked = await strict.ask(strict.vega, *about, action_type="task.finish" if kind == "finish" else "deploy")
        path, sent = f"{strict.approvals}/{asked['id']}/decisions", {"decision": "approved"}
    with times.travelled(timedelta(hours=2)):
        assert await expire_due() == 1
        row = await Task.get(id=task["id"])
        assert (row.status, row.assigned_agent_id, row.failed_attempts) == ("in_progress", strict.vega.id, 0)
        assert (await strict.rigel.post(f"/agent{strict.home}/claims", {})).ok()["task"] is None
        reasons = (await strict.ada.get(f"{strict.task(task)}/waiting")).ok()["reasons"]
        assert reasons[0]["kind"] == "parked"
        if kind != "approval without task":
            assert reasons[1]["kind"] == ("question" if kind == "question" else "approval")
        again = await claimed(strict, strict.vega, task["id"])
        assert again["lease"]["fence"] == 1
        inbox = (await strict.vega.get("/agent/inbox")).ok()
        (await strict.cleo.post(path, sent)).ok()
        [told] = (await strict.vega.get(f"/agent/inbox?after={inbox['next']}")).ok()["items"]
        assert ("hand it in" if kind == "finish" else "Go on") in told["text"]


async def test_person_may_give_a_waiting_task_to_somebody_else(strict: Cast) -> None:
    claim = await claimed(strict, strict.vega, lease_seconds=30)
    asked = await strict.ask(strict.vega, claim["task"], action_type="deploy")
    with times.travelled(timedelta(hours=2)):
        await expire_due()
        await reassign(strict, claim["task"])
        assert (await approval_of(strict, asked))["note"] == "The task was given to somebody else."
        assert (await claimed(strict, strict.rigel, claim["task"]["id"]))["lease"]["fence"] == 2


async def test_resumed_run_closes_what_was_asked_before_its_lease_ran_out(strict: Cast) -> None:
    claim = await claimed(strict, strict.vega, lease_seconds=30)
    asked = await strict.ask(strict.vega, claim["task"], action_type="deploy")
    with times.travelled(timedelta(hours=2)):
        await expire_due()
        await claimed(strict, strict.vega, claim["task"]["id"])
        assert (await approval_of(strict, asked))["status"] == "pending"
        await drag(strict, claim["task"])
        assert (await approval_of(strict, asked))["decision"] == "closed"


async def test_decision_goes_to_the_holder_of_the_task(strict: Cast) -> None:
    task = await strict.add_task()
    asked = await strict.ask(strict.rigel, task, action_type="deploy")
    await claimed(strict, strict.vega, task["id"])
    inbox = (await strict.vega.get("/agent/inbox")).ok()
    (await approve(strict, asked)).ok()
    [told] = (await strict.vega.get(f"/agent/inbox?after={inbox['next']}")).ok()["items"]
    assert told["kind"] == "decision"
