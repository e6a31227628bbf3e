"""Requests that nobody needs any more: they close with the work that they are about, and open no gate."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from mission_control.approvals.models import Approval
from mission_control.claims.leases import expire_due
from mission_control.core import times
from mission_control.tasks.models import Task
from tests.cast import Answer, Cast, Program
from tests.gateway_agents import add_gateway, hire_on
from tests.mcp.clients import connected
from tests.pages.visitor import visitor

type Deed = Callable[[Cast, dict[str, Any]], Awaitable[None]]


@pytest.fixture
async def strict(cast: Cast) -> Cast:
    """A board with a lead that needs an approval before a task is done."""
    await cast.rule(require_approval_for_done=True)
    return cast


async def claimed(cast: Cast, by: Program, task_id: Any = None, **more: Any) -> dict[str, Any]:
    """The answer to a claim of a new task, or of one that is there."""
    task_id = task_id or (await cast.add_task())["id"]
    found: dict[str, Any] = (await by.post(f"/agent{cast.home}/claims", {"task_id": task_id, **more})).ok()
    return found


async def hand_in(cast: Cast, claim: dict[str, Any], by: Program, **more: Any) -> dict[str, Any]:
    sent = {"fence": claim["lease"]["fence"], "summary": "Clean.", **more}
    found: dict[str, Any] = (await by.post(f"/agent{cast.task(claim['task'])}/completions", sent)).ok()
    return found


async def approval_of(cast: Cast, approval: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await cast.ada.get(f"{cast.approvals}/{approval['id']}")).ok()
    return found


async def approve(cast: Cast, approval: dict[str, Any]) -> Answer:
    return await cast.cleo.post(f"{cast.approvals}/{approval['id']}/decisions", {"decision": "approved"})


async def refused_work(cast: Cast, task: dict[str, Any], first: dict[str, Any], second: dict[str, Any]) -> None:
    """The first request is closed, and the second hand-in waits for a person with a request of its own."""
    old = await approval_of(cast, first)
    assert (old["status"], old["decision"], old["resolved_by"]) == ("rejected", "closed", None) and old["note"]
    assert second["id"] != first["id"] and (await approval_of(cast, second))["status"] == "pending"
    assert (await Task.get(id=task["id"])).status == "review"


async def rework(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.atlas.post(f"/agent{cast.task(task)}/comments", {"message": "Softer, please."})).ok()
    (await cast.atlas.patch(cast.task(task), {"status": "inbox"})).ok()


async def drag(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.cleo.post(f"{cast.task(task)}/moves", {"status": "inbox"})).ok()


async def drag_on_page(cast: Cast, task: dict[str, Any]) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    assert (await cleo.with_htmx.post(f"{cast.task(task)}/moves", {"status": "inbox"})).status < 400


async def send_back(cast: Cast, task: dict[str, Any]) -> None:
    """As a person who saw the board only: the bulk bar."""
    (await cast.cleo.post(f"{cast.tasks}/bulk", {"task_ids": [task["id"]], "move": {"status": "inbox"}})).ok()


# W1: an approval of the first hand-in says nothing about the second


@pytest.mark.parametrize("back", [rework, drag, drag_on_page, send_back])
async def test_old_approval_says_nothing_about_the_next_hand_in(strict: Cast, back: Deed) -> None:
    claim = await claimed(strict, strict.vega)
    task = claim["task"]
    first = (await hand_in(strict, claim, strict.vega))["approval"]
    await back(strict, task)
    (await approve(strict, first)).refused_as(409, "approval_closed")
    who = strict.vega if back is rework else strict.rigel
    again = await claimed(strict, who, task["id"])
    (await approve(strict, first)).refused_as(409, "approval_closed")
    second = (await hand_in(strict, again, who, status="done"))["approval"]
    await refused_work(strict, task, first, second)
    (await strict.atlas.patch(strict.task(task), {"status": "done"})).refused_as(409, "task_approval_required")
    (await strict.ada.patch(strict.task(task), {"status": "done"})).refused_as(409, "task_approval_required")
    (await approve(strict, second)).ok()
    assert (await Task.get(id=task["id"])).status == "done"


async def test_old_approval_says_nothing_over_mcp(strict: Cast) -> None:
    task = await strict.add_task()
    async with connected(strict.vega) as vega, connected(strict.atlas) as atlas, connected(strict.cleo) as cleo:
        fence = (await vega.ok("claim_task", task_id=task["id"]))["lease"]["fence"]
        first = (await vega.ok("finish_task", task_id=task["id"], fence=fence, summary="Clean."))["approval"]
        await atlas.ok("review_task", task_id=task["id"], verdict="rework", comment="Softer.")
        refused = await cleo.refused("decide_approval", approval_id=first["id"], decision="approved")
        assert refused["code"] == "approval_closed"
        assert "closed" in await vega.says("wait_for_decision", approval_id=first["id"], wait_seconds=0)
        fence = (await vega.ok("claim_task", task_id=task["id"]))["lease"]["fence"]
        second = (await vega.ok("finish_task", task_id=task["id"], fence=fence, summary="Cleaner."))["approval"]
        refused = await atlas.refused("review_task", task_id=task["id"], verdict="done", comment="Fine.")
        assert refused["code"] == "task_approval_required"
        assert [one["id"] for one in (await cleo.ok("list_requests"))["requests"]] == [second["id"]]
    await refused_work(strict, task, first, second)


async def test_old_approval_says_nothing_on_pages(strict: Cast) -> None:
    claim = await claimed(strict, strict.vega)
    task = claim["task"]
    first = (await hand_in(strict, claim, strict.vega))["approval"]
    await rework(strict, task)
    cleo = await visitor(strict.app, strict.cleo)
    (await cleo.get("/")).lacks(f"approval:{first['id']}")
    page = f"/boards/{strict.board.id}/approvals"
    said = await cleo.with_htmx.post(f"{page}/{first['id']}/decisions", {"decision": "approved", "from": "row"})
    said.has("The work was sent back.")
    (await cleo.get(f"{page}/{first['id']}")).has("It closed", "The work was sent back.").lacks("Re-open")
    second = (await hand_in(strict, await claimed(strict, strict.vega, task["id"]), strict.vega))["approval"]
    done = {"status": "done"}
    (await cleo.with_htmx.post(f"{strict.task(task)}/moves", done)).has("Approve and finish")
    await refused_work(strict, task, first, second)
    await cleo.with_htmx.post(f"{strict.task(task)}/moves", {**done, "approve": "true"})
    assert (await approval_of(strict, second))["resolved_by"]["name"] == "Cleo"
    assert (await Task.get(id=task["id"])).status == "done"


async def test_old_approval_says_nothing_for_an_agent_of_a_gateway(strict: Cast) -> None:
    gateway = await add_gateway(strict.organization.id, strict.board)
    kit = await hire_on(strict.app, gateway, strict.board, "Kit")
    claim = await claimed(strict, kit)
    first = (await hand_in(strict, claim, kit))["approval"]
    await rework(strict, claim["task"])
    (await approve(strict, first)).refused_as(409, "approval_closed")
    again = await claimed(strict, kit, claim["task"]["id"])
    second = (await hand_in(strict, again, kit, status="done"))["approval"]
    (await kit.patch(strict.task(claim["task"]), {"status": "done"})).refused(403)
    await refused_work(strict, claim["task"], first, second)


# W2: a small yes


async def test_small_yes_finishes_nothing_over_mcp(strict: Cast) -> None:
    task = await strict.add_task()
    async with connected(strict.vega) as vega:
        fence = (await vega.ok("claim_task", task_id=task["id"]))["lease"]["fence"]
        asked = {"action_type": "read.docs", "reason": "To know.", "confidence": 90, "task_ids": [task["id"]]}
        small = await vega.ok("request_approval", **asked)
        (await approve(strict, small)).ok()
        done = await vega.ok("finish_task", task_id=task["id"], fence=fence, summary="Clean.", status="done")
    assert (done["task"]["status"], done["approval"]["status"]) == ("review", "pending")
    assert done["approval"]["action_type"] == "task.finish"


async def test_small_yes_finishes_nothing_for_an_agent_of_a_gateway(strict: Cast) -> None:
    kit = await hire_on(strict.app, await add_gateway(strict.organization.id, strict.board), strict.board, "Kit")
    claim = await claimed(strict, kit)
    (await approve(strict, await strict.ask(kit, claim["task"], action_type="read.docs"))).ok()
    (await kit.patch(strict.task(claim["task"]), {"status": "done"})).refused_as(409, "task_approval_required")
    found = await hand_in(strict, claim, kit, status="done")
    assert (found["task"]["status"], found["approval"]["action_type"]) == ("review", "task.finish")


@pytest.mark.parametrize("word", ["mark_task_done", "task.finish"])
async def test_clients_of_the_predecessor_finish_as_before(strict: Cast, word: str) -> None:
    claim = await claimed(strict, strict.vega)
    (await strict.vega.patch(strict.task(claim["task"]), {"status": "review"})).ok()
    asked = await strict.ask(strict.atlas, claim["task"], action_type=word)
    (await strict.cleo.patch(f"{strict.approvals}/{asked['id']}", {"status": "approved"})).ok()
    assert (await strict.atlas.patch(strict.task(claim["task"]), {"status": "done"})).ok()["status"] == "done"


# W3: what is moot closes itself


async def reassign(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.cleo.patch(cast.task(task), {"assigned_agent_id": str(cast.rigel.id)})).ok()


async def take_over(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.cleo.patch(cast.task(task), {"assigned_user_id": str(cast.cleo.id)})).ok()


async def finish(cast: Cast, task: dict[str, Any]) -> None:
    await cast.rule(require_approval_for_done=False)
    (await cast.cleo.patch(cast.task(task), {"status": "done"})).ok()


async def trash(cast: Cast, task: dict[str, Any]) -> None:
    (await cast.cleo.delete(cast.task(task))).ok()


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
        history = (await strict.ada.get(f"{strict.approvals}/{asked['id']}/history")).ok()
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


# W4: whoever asked keeps the task


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
        assert (row.status, row.assigned_agent_id, row.failed_attempts) == ("inbox", strict.vega.id, 0)
        assert (await strict.rigel.post(f"/agent{strict.home}/claims", {})).ok()["task"] is None
        if kind != "approval without task":
            reasons = (await strict.ada.get(f"{strict.task(task)}/waiting")).ok()["reasons"]
            assert reasons[0]["kind"] == ("question" if kind == "question" else "approval")
        again = await claimed(strict, strict.vega, task["id"])
        assert again["lease"]["fence"] == 2
        if kind == "finish":  # it was about the run that is over
            (await strict.cleo.post(path, sent)).refused_as(409, "approval_closed")
            return
        inbox = (await strict.vega.get("/agent/inbox")).ok()
        (await strict.cleo.post(path, sent)).ok()
        [told] = (await strict.vega.get(f"/agent/inbox?after={inbox['next']}")).ok()["items"]
        assert "Go on" in told["text"]


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


# W7: one notice for a hand-in, and reasons that are true


@pytest.mark.parametrize("needs_approval", [True, False])
async def test_lead_reads_of_a_hand_in_once_and_what_to_do(cast: Cast, needs_approval: bool) -> None:
    await cast.rule(require_approval_for_done=needs_approval)
    claim = await claimed(cast, cast.vega)
    inbox = (await cast.atlas.get("/agent/inbox")).ok()
    await hand_in(cast, claim, cast.vega)
    [told] = (await cast.atlas.get(f"/agent/inbox?after={inbox['next']}")).ok()["items"]
    assert told["header"] == "TASK READY FOR LEAD REVIEW"
    assert ("People are asked whether it is done" in told["text"]) is needs_approval
    assert ("move it to done" in told["text"]) is not needs_approval
    texts = [one["text"] for one in (await cast.ada.get(f"{cast.task(claim['task'])}/waiting")).ok()["reasons"]]
    assert not any("has to review it" in one for one in texts)


async def test_lead_reads_that_it_can_ask_for_the_approval(strict: Cast) -> None:
    claim = await claimed(strict, strict.vega)
    inbox = (await strict.atlas.get("/agent/inbox")).ok()
    (await strict.vega.patch(strict.task(claim["task"]), {"status": "review", "comment": "Clean."})).ok()
    [told] = (await strict.atlas.get(f"/agent/inbox?after={inbox['next']}")).ok()["items"]
    assert "ask for an approval task.finish" in told["text"]


# W11: a task that is deleted under its agent


@pytest.mark.parametrize("way", ["HTTP", "MCP"])
async def test_agent_reads_that_its_task_was_deleted(cast: Cast, way: str) -> None:
    claim = await claimed(cast, cast.vega)
    await trash(cast, claim["task"])
    sent = {"fence": 1, "summary": "Clean."}
    if way == "HTTP":
        path = f"/agent{cast.task(claim['task'])}"
        assert (await cast.vega.post(f"{path}/completions", sent)).refused(404)["code"] == "task_deleted"
        assert (await cast.vega.post(f"{path}/lease", {"fence": 1})).refused(404)["code"] == "task_deleted"
        return
    async with connected(cast.vega) as vega:
        refused = await vega.refused("finish_task", task_id=claim["task"]["id"], **sent)
        assert (refused["status"], refused["code"]) == (404, "task_deleted")


# W8: a rejected hand-in, on pages and by needs


@pytest.mark.parametrize("way", ["page", "need"])
@pytest.mark.parametrize(
    ("then", "where"), [("inbox", ("inbox", False)), ("mine", ("in_progress", False)), ("trash", ("review", True))]
)
async def test_rejected_work_goes_where_the_person_says(
    strict: Cast, way: str, then: str, where: tuple[str, bool]
) -> None:
    claim = await claimed(strict, strict.vega)
    approval = (await hand_in(strict, claim, strict.vega))["approval"]
    cleo = await visitor(strict.app, strict.cleo)
    if way == "page":
        (await cleo.get("/approvals")).has("Reject, back to the inbox", "Reject, I take it over")
        page = f"/boards/{strict.board.id}/approvals/{approval['id']}/decisions"
        assert (await cleo.with_htmx.post(page, {"then": then})).status < 400
    else:
        answer = "reject" if then == "inbox" else f"reject_{then}"
        (await strict.cleo.post(f"/needs/approval:{approval['id']}/answers", {"answer": answer})).ok()
    task = await Task.get(id=claim["task"]["id"])
    assert (task.status, task.deleted_at is not None) == where
    assert task.assigned_user_id == (strict.cleo.id if then == "mine" else None)
    if way == "need":
        (await strict.cleo.post("/needs/undos", {"ids": [f"approval:{approval['id']}"]})).ok()
        assert (await Task.get(id=task.id)).status == "review" and (await approval_of(strict, approval))[
            "status"
        ] == "pending"
