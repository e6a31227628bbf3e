"""Handed-in work on a board that needs an approval: it asks by itself, and one decision ends it."""

import asyncio
from typing import Any

import pytest

from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.boards.models import Run
from mission_control.tasks.models import Comment, Task
from tests.cast import Answer, Caller, Cast, each, events, head, kinds

pytestmark = pytest.mark.dialect

SUMMARY = "The mirror is **clean**."
EVIDENCE = [{"title": "Photo", "url": "https://example.org/p/1"}]


@pytest.fixture
async def strict(cast: Cast) -> Cast:
    """A board without a lead that needs an approval before a task is done."""
    (await cast.ada.patch(f"/agents/{cast.atlas.id}", {"is_board_lead": False})).ok()
    await cast.rule(require_approval_for_done=True)
    return cast


async def claimed(cast: Cast, by: Caller | None = None, task: dict[str, Any] | None = None) -> dict[str, Any]:
    """A task under a lease of Vega's, or somebody else's: the answer of the claim."""
    task = task or await cast.add_task()
    claim: dict[str, Any] = (await (by or cast.vega).post(f"/agent{cast.home}/claims", {"task_id": task["id"]})).ok()
    return claim


async def hand_in(cast: Cast, claim: dict[str, Any], by: Caller | None = None, **more: Any) -> Answer:
    path = f"/agent{cast.task(claim['task'])}/completions"
    return await (by or cast.vega).post(path, {"fence": claim["lease"]["fence"], "summary": SUMMARY, **more})


async def decide(cast: Cast, approval: dict[str, Any], **decision: Any) -> dict[str, Any]:
    decided: dict[str, Any] = (await cast.cleo.patch(f"{cast.approvals}/{approval['id']}", decision)).ok()
    return decided


async def status(cast: Cast, claim: dict[str, Any]) -> str:
    return str((await Task.get(id=claim["task"]["id"])).status)


@pytest.mark.parametrize("sent", [{}, {"status": "review"}, {"status": "done"}])
async def test_hand_in_asks_for_the_approval_by_itself(strict: Cast, sent: dict[str, Any]) -> None:
    claim = await claimed(strict)
    found = (await hand_in(strict, claim, evidence=EVIDENCE, confidence=83, **sent)).ok()
    approval = found["approval"]
    assert (found["task"]["status"], approval["status"], approval["action_type"]) == (
        "review",
        "pending",
        "task.finish",
    )
    assert (approval["task_ids"], approval["agent_id"]) == ([claim["task"]["id"]], str(strict.vega.id))
    assert (approval["confidence"], approval["run_id"]) == (83, found["run"]["id"])
    assert approval["payload"]["reason"] == SUMMARY and approval["payload"]["evidence"] == EVIDENCE
    assert (await hand_in(strict, claim, **sent)).ok() == found
    assert await Approval.all().count() == 1


async def test_approving_a_hand_in_finishes_the_task(strict: Cast) -> None:
    claim = await claimed(strict)
    approval = (await hand_in(strict, claim)).ok()["approval"]
    before = await head(strict)
    decided = await decide(strict, approval, status="approved")
    assert decided["outcomes"] == [{"task_id": claim["task"]["id"], "outcome": "finished", "reason": None}]
    assert decided["resolved_by"]["name"] == "Cleo" and await status(strict, claim) == "done"
    assert [kind for kind, _ in await kinds(strict, before)] == ["approval.decided", "task.status_changed"]
    assert {event.actor_id for event in await events(before, organization_id=strict.organization.id)} == {
        strict.cleo.id
    }
    again = await decide(strict, approval, status="approved")
    assert again == decided


@pytest.mark.parametrize("word", ["task.finish", "mark_task_done", "task.complete", "complete_task"])
@pytest.mark.parametrize("first", ["approval", "hand-in"])
async def test_existing_finish_request_is_reused(strict: Cast, word: str, first: str) -> None:
    claim = await claimed(strict)
    if first == "approval":
        await strict.ask(strict.vega, claim["task"], action_type=word)
        approval = (await hand_in(strict, claim)).ok()["approval"]
        assert approval["action_type"] == word
    else:
        approval = (await hand_in(strict, claim)).ok()["approval"]
        asked = {"action_type": word, "confidence": 80, "lead_reasoning": "So.", "task_id": claim["task"]["id"]}
        conflict = (await strict.vega.post(strict.approvals, asked)).refused(409)["conflicts"][0]
        assert conflict["approval_id"] == approval["id"]
    await decide(strict, approval, decision="approved")
    assert await status(strict, claim) == "done" and await Approval.all().count() == 1


@pytest.mark.parametrize("word", [" task.finish", "TASK.FINISH\u00a0", "Complete_Task\n"])
async def test_odd_spelling_of_a_finish_request_finishes_too(strict: Cast, word: str) -> None:
    claim = await claimed(strict)
    await strict.ask(strict.vega, claim["task"], action_type=word)
    approval = (await hand_in(strict, claim)).ok()["approval"]
    assert approval["action_type"] == word.strip().lower()
    await decide(strict, approval, decision="approved")
    assert await status(strict, claim) == "done"


@pytest.mark.parametrize("asker", ["rigel", "atlas"])
async def test_agent_gets_no_yes_for_work_that_another_one_has_not_handed_in(strict: Cast, asker: str) -> None:
    claim = await claimed(strict)
    asked = await strict.ask(getattr(strict, asker), claim["task"], action_type="task.finish")
    await decide(strict, asked, decision="approved")
    found = (await hand_in(strict, claim, status="done")).ok()
    assert (found["task"]["status"], found["approval"]["status"]) == ("review", "pending")
    assert found["approval"]["id"] != asked["id"] and found["approval"]["agent_id"] == str(strict.vega.id)


async def test_hand_in_replaces_what_another_agent_asked_about_it(strict: Cast) -> None:
    claim = await claimed(strict)
    asked = await strict.ask(strict.rigel, claim["task"], action_type="task.finish")
    own = (await hand_in(strict, claim)).ok()["approval"]
    assert own["id"] != asked["id"] and (await Approval.get(id=asked["id"])).decision == "closed"
    await decide(strict, own, decision="approved")
    assert await status(strict, claim) == "done"


async def test_hand_in_after_the_approval_finishes_at_once(strict: Cast) -> None:
    claim = await claimed(strict)
    await decide(strict, await strict.ask(strict.vega, claim["task"], action_type="task.finish"), status="approved")
    assert await status(strict, claim) == "in_progress"
    found = (await hand_in(strict, claim)).ok()
    assert (found["task"]["status"], found["approval"]) == ("done", None)


@pytest.mark.parametrize("decision", ["approved", "rejected", "changes_requested"])
async def test_other_pending_approval_is_decided_first(strict: Cast, decision: str) -> None:
    claim = await claimed(strict)
    other = await strict.ask(strict.vega, claim["task"], action_type="send.email")
    assert (await hand_in(strict, claim)).ok()["approval"]["id"] == other["id"]
    before = await head(strict)
    assert (await decide(strict, other, decision=decision))["outcomes"] == []
    own = await Approval.get(action_type="task.finish")
    assert (own.status, own.agent_id, own.payload["reason"]) == ("pending", strict.vega.id, SUMMARY)
    asked = (await events(before, organization_id=strict.organization.id))[-1]
    assert (asked.kind, asked.actor_kind, asked.agent_id) == ("approval.requested", "system", strict.vega.id)
    assert await status(strict, claim) == "review"
    await decide(strict, {"id": own.id}, decision="approved")
    assert await status(strict, claim) == "done"


@pytest.mark.parametrize("decision", ["rejected", "changes_requested"])
async def test_answered_hand_in_does_not_ask_again(strict: Cast, decision: str) -> None:
    claim = await claimed(strict)
    await decide(strict, (await hand_in(strict, claim)).ok()["approval"], decision=decision)
    assert await Approval.filter(status="pending").count() == 0
    await decide(strict, await strict.ask(strict.vega, claim["task"]), decision="approved")
    assert await Approval.filter(status="pending").count() == 0


async def test_sent_back_work_is_assigned_first(strict: Cast) -> None:
    urgent = await strict.add_task(title="Urgent", priority="critical", assigned_agent_id=str(strict.vega.id))
    await strict.add_task(title="Free", priority="critical")
    claim = await claimed(strict)
    approval = (await hand_in(strict, claim)).ok()["approval"]
    inbox = (await strict.vega.get("/agent/inbox")).ok()
    decided = await decide(strict, approval, decision="changes_requested", note="Use a softer cloth.")
    assert [one["outcome"] for one in decided["outcomes"]] == ["sent_back"]
    task = (await strict.vega.get(strict.task(claim["task"]))).ok()
    assert (task["status"], task["assigned_agent_id"]) == ("inbox", str(strict.vega.id))
    said = (await strict.vega.get(f"{strict.task(task)}/comments")).ok()["items"][-1]
    assert (said["message"], said["author"]["name"]) == ("Use a softer cloth.", "Cleo")
    told = (await strict.vega.get(f"/agent/inbox?after={inbox['next']}")).ok()["items"]
    assert [one["kind"] for one in told] == ["decision", "changes_requested"]
    assert all("Use a softer cloth." in one["text"] for one in told)
    again = (await strict.vega.post(f"/agent{strict.home}/claims", {})).ok()
    assert (again["task"]["id"], again["lease"]["fence"]) == (task["id"], 2)
    second = (await hand_in(strict, again)).ok()["approval"]
    assert second["id"] != approval["id"]
    await decide(strict, second, decision="approved")
    assert await status(strict, claim) == "done"
    assert (await strict.vega.post(f"/agent{strict.home}/claims", {})).ok()["task"]["id"] == urgent["id"]


async def test_sent_back_work_without_a_note_repeats_no_old_note(strict: Cast) -> None:
    claim = await claimed(strict)
    (await strict.cleo.post(f"{strict.task(claim['task'])}/comments", {"message": "A good beginning."})).ok()
    approval = (await hand_in(strict, claim)).ok()["approval"]
    inbox = (await strict.vega.get("/agent/inbox")).ok()
    await decide(strict, approval, decision="changes_requested")
    told = (await strict.vega.get(f"/agent/inbox?after={inbox['next']}")).ok()["items"]
    rework = next(one for one in told if one["header"] == "CHANGES REQUESTED")
    assert "A good beginning." not in rework["text"] and "Read the comments" in rework["text"]


async def test_sent_back_work_of_a_former_agent_is_unassigned(strict: Cast) -> None:
    claim = await claimed(strict)
    approval = (await hand_in(strict, claim)).ok()["approval"]
    (await strict.ada.delete(f"/agents/{strict.vega.id}")).ok()
    await decide(strict, approval, decision="changes_requested", note="Again.")
    task = await Task.get(id=claim["task"]["id"])
    assert (task.status, task.assigned_agent_id) == ("inbox", None)


@pytest.mark.parametrize(("then", "outcome", "where"), [
    ({}, "returned", ("inbox", None, False)),
    ({"then": "inbox"}, "returned", ("inbox", None, False)),
    ({"then": "mine"}, "taken_over", ("in_progress", "Cleo", False)),
    ({"then": "trash"}, "deleted", ("review", None, True)),
])  # fmt: skip
@pytest.mark.parametrize("way", ["decision", "PATCH"])
async def test_rejected_work_ends_as_the_person_says(
    strict: Cast, then: dict[str, str], outcome: str, where: tuple[str, str | None, bool], way: str
) -> None:
    claim = await claimed(strict)
    approval = (await hand_in(strict, claim)).ok()["approval"]
    inbox = (await strict.vega.get("/agent/inbox")).ok()
    path, sent = f"{strict.approvals}/{approval['id']}", {"decision": "rejected", "note": "Not wanted.", **then}
    if way == "PATCH":
        (await strict.cleo.patch(path, sent)).ok()
    else:
        (await strict.cleo.post(f"{path}/decisions", sent)).ok()
    link, task = await ApprovalTask.get(approval_id=approval["id"]), await Task.get(id=claim["task"]["id"])
    whose = "Cleo" if task.assigned_user_id == strict.cleo.id else None
    assert (link.outcome, task.assigned_agent_id) == (outcome, None)
    assert (task.status, whose, task.deleted_at is not None) == where
    told = (await strict.vega.get(f"/agent/inbox?after={inbox['next']}")).ok()["items"]
    [decision] = [one for one in told if one["kind"] == "decision"]
    assert "Your work on it is over" in decision["text"] and "Not wanted." in decision["text"]
    assert await Approval.filter(status="pending").count() == 0
    await decide(strict, approval, status="pending")
    task = await Task.get(id=claim["task"]["id"])
    assert (task.status, task.assigned_user_id, task.deleted_at) == ("review", None, None)
    await decide(strict, approval, decision="approved")
    assert await status(strict, claim) == "done"


async def test_what_was_rejected_and_finished_by_another_approval_is_not_asked_for_again(strict: Cast) -> None:
    claim = await claimed(strict)
    first = (await hand_in(strict, claim)).ok()["approval"]
    await decide(strict, first, decision="rejected", then="trash")
    (await strict.ada.post(f"{strict.task(claim['task'])}/restorations")).ok()
    [second] = (await strict.ada.get(f"{strict.approvals}?status=pending")).ok()["items"]
    await decide(strict, second, decision="approved")
    assert await status(strict, claim) == "done"
    again = await strict.cleo.patch(f"{strict.approvals}/{first['id']}", {"status": "pending"})
    assert "moved on" in again.refused(409) and await status(strict, claim) == "done"


async def test_approval_names_the_blocking_rule(strict: Cast) -> None:
    claim, other = await claimed(strict), await strict.add_task(title="First")
    approval = (await hand_in(strict, claim)).ok()["approval"]
    (await strict.ada.patch(strict.task(claim["task"]), {"depends_on_task_ids": [other["id"]]})).ok()
    [outcome] = (await decide(strict, approval, decision="approved"))["outcomes"]
    assert outcome["outcome"] == "not_finished" and "First" in outcome["reason"]
    assert await status(strict, claim) == "review"
    waiting = (await strict.ada.get(f"{strict.task(claim['task'])}/waiting")).ok()["reasons"]
    assert "dependency" in [one["kind"] for one in waiting]


async def test_reopening_reverts_the_outcome(strict: Cast) -> None:
    claim = await claimed(strict)
    approval = (await hand_in(strict, claim)).ok()["approval"]
    for decision in ("approved", "changes_requested"):
        await decide(strict, approval, decision=decision, note="So.")
        reopened = await decide(strict, approval, status="pending")
        assert (reopened["status"], reopened["outcomes"]) == ("pending", [])
        assert await status(strict, claim) == "review"
    await decide(strict, approval, decision="approved")
    assert await status(strict, claim) == "done"


@pytest.mark.parametrize("second", ["approved", "rejected", "changes_requested"])
@pytest.mark.parametrize("first", ["approved", "rejected", "changes_requested"])
async def test_changed_decision_replaces_the_first_outcome(strict: Cast, first: str, second: str) -> None:
    claim = await claimed(strict)
    approval = (await hand_in(strict, claim)).ok()["approval"]
    where = {
        "approved": ("done", ["finished"]),
        "rejected": ("inbox", ["returned"]),
        "changes_requested": ("inbox", ["sent_back"]),
    }
    for decision in (first, second):
        decided = await decide(strict, approval, decision=decision, note=f"Now {decision}.")
        now = (await status(strict, claim), [one["outcome"] for one in decided["outcomes"]])
        assert now == where[decision]
    decided = await decide(strict, approval, decision=second, note="Another note.")
    assert [one["outcome"] for one in decided["outcomes"]] == where[second][1]
    await decide(strict, approval, status="pending")
    assert await status(strict, claim) == "review"
    await decide(strict, approval, decision="approved")
    assert await status(strict, claim) == "done"


async def test_changed_decision_leaves_a_progressed_task_alone(strict: Cast) -> None:
    claim = await claimed(strict)
    approval = (await hand_in(strict, claim)).ok()["approval"]
    await decide(strict, approval, decision="changes_requested")
    await claimed(strict, task=claim["task"])
    assert (await decide(strict, approval, decision="approved"))["outcomes"] == []
    assert await status(strict, claim) == "in_progress"


async def test_decision_about_a_progressed_task_is_not_reopened(strict: Cast) -> None:
    claim = await claimed(strict)
    approval = (await hand_in(strict, claim)).ok()["approval"]
    await decide(strict, approval, decision="changes_requested")
    again = await claimed(strict, task=claim["task"])
    refused = await strict.cleo.patch(f"{strict.approvals}/{approval['id']}", {"status": "pending"})
    refused.refused_as(409, "approval_closed")
    assert await status(strict, claim) == "in_progress"
    found = (await hand_in(strict, again)).ok()
    assert found["approval"]["id"] != approval["id"]


@pytest.mark.parametrize(("decision", "after"), [("approved", "done"), ("changes_requested", "inbox")])
async def test_reopening_leaves_a_newly_decided_task_alone(strict: Cast, decision: str, after: str) -> None:
    claim = await claimed(strict)
    first = (await hand_in(strict, claim)).ok()["approval"]
    await decide(strict, first, decision=decision)
    (await strict.cleo.patch(strict.task(claim["task"]), {"status": "inbox"})).ok()
    again = await claimed(strict, task=claim["task"])
    await decide(strict, (await hand_in(strict, again)).ok()["approval"], decision=decision)
    refused = await strict.cleo.patch(f"{strict.approvals}/{first['id']}", {"status": "pending"})
    refused.refused_as(409, "approval_closed")
    assert await status(strict, claim) == after


async def test_request_of_an_earlier_attempt_is_replaced(strict: Cast) -> None:
    first = await claimed(strict)
    stale = await strict.ask(strict.vega, first["task"], action_type="task.finish")
    fence = first["lease"]["fence"]
    (await strict.vega.delete(f"/agent{strict.task(first['task'])}/lease?fence={fence}")).ok()
    second = await claimed(strict, strict.rigel, first["task"])
    found = (await hand_in(strict, second, strict.rigel)).ok()
    assert found["approval"]["agent_id"] == str(strict.rigel.id)
    assert (await strict.ada.get(f"{strict.approvals}/{stale['id']}")).ok()["status"] == "rejected"


async def test_late_report_also_requests_approval(strict: Cast) -> None:
    claim = await claimed(strict)
    (await strict.vega.patch(strict.task(claim["task"]), {"status": "review"})).ok()
    approval = (await hand_in(strict, claim)).ok()["approval"]
    assert approval["payload"]["reason"] == SUMMARY
    await decide(strict, approval, decision="approved")
    assert await status(strict, claim) == "done"


async def test_board_without_the_rule_requests_nothing(cast: Cast) -> None:
    claim = await claimed(cast)
    found = (await hand_in(cast, claim)).ok()
    assert found["approval"] is None and await Approval.all().count() == 0


async def test_two_people_deciding_at_once_finish_it_once(strict: Cast) -> None:
    for _ in range(3):
        claim = await claimed(strict)
        approval = (await hand_in(strict, claim)).ok()["approval"]
        before = await head(strict)
        where = f"{strict.approvals}/{approval['id']}"
        answers = await asyncio.gather(
            strict.cleo.patch(where, {"decision": "approved"}),
            strict.ben.patch(where, {"decision": "approved"}),
            strict.ada.patch(strict.task(claim["task"]), {"status": "done"}),
        )
        assert {answer.status for answer in answers} <= {200, 409}
        found = [kind for kind, _ in await kinds(strict, before)]
        assert found.count("approval.decided") == 1 and found.count("task.status_changed") == 1
        assert await status(strict, claim) == "done"


async def test_repeated_decision_with_a_key_acts_once(strict: Cast) -> None:
    claim = await claimed(strict)
    approval = (await hand_in(strict, claim)).ok()["approval"]
    where, key = f"{strict.approvals}/{approval['id']}", {"Idempotency-Key": "one"}
    sent = {"decision": "changes_requested", "note": "Again."}
    first = (await strict.cleo.patch(where, sent, headers=key)).ok()
    before = await head(strict)
    assert (await strict.cleo.patch(where, sent, headers=key)).ok() == first
    assert await head(strict) == before and await Comment.filter(message="Again.").count() == 1


# Which approval lets a task be done


async def test_approval_of_an_earlier_attempt_does_not_count(strict: Cast) -> None:
    first = await claimed(strict)
    await decide(strict, await strict.ask(strict.vega, first["task"], action_type="task.finish"), decision="approved")
    (await strict.vega.patch(strict.task(first["task"]), {"status": "inbox"})).ok()
    second = await claimed(strict, strict.rigel, first["task"])
    refused = await strict.rigel.patch(strict.task(first["task"]), {"status": "done"})
    assert refused.refused(409)["code"] == "task_approval_required"
    assert (await hand_in(strict, second, strict.rigel)).ok()["approval"]["agent_id"] == str(strict.rigel.id)


async def test_approval_counts_for_one_done_only(strict: Cast) -> None:
    task = await strict.add_task()
    await decide(strict, await strict.ask(strict.vega, task, action_type="task.finish"), decision="approved")
    for wanted in ("done", "inbox"):
        (await strict.ada.patch(strict.task(task), {"status": wanted})).ok()
    assert (await strict.ada.patch(strict.task(task), {"status": "done"})).refused(409)[
        "code"
    ] == "task_approval_required"
    await decide(strict, await strict.ask(strict.vega, task, action_type="mark_task_done"), decision="approved")
    (await strict.ada.patch(strict.task(task), {"status": "done"})).ok()


@pytest.mark.parametrize("way", ["PATCH", "hand-in", "person", "bulk"])
async def test_small_yes_opens_no_gate(strict: Cast, way: str) -> None:
    claim = await claimed(strict)
    task = claim["task"]
    await decide(strict, await strict.ask(strict.vega, task, action_type="read.docs"), decision="approved")
    if way == "hand-in":
        found = (await hand_in(strict, claim, status="done")).ok()
        assert (found["task"]["status"], found["approval"]["action_type"]) == ("review", "task.finish")
        return
    who, bulk = (strict.vega if way == "PATCH" else strict.ada), each([task["id"]], status="done")
    if way == "bulk":
        assert "task_approval_required" in str((await strict.ada.post(f"{strict.tasks}/changes", bulk)).refused(409))
    else:
        (await who.patch(strict.task(task), {"status": "done"})).refused_as(409, "task_approval_required")
    assert await status(strict, claim) == "in_progress"


async def test_card_in_review_names_the_worker(strict: Cast) -> None:
    claim = await claimed(strict)
    await hand_in(strict, claim)
    task = await Task.get(id=claim["task"]["id"])
    assert (task.review_agent_id, task.assigned_agent_id) == (strict.vega.id, None)
    assert (await Run.get(task_id=task.id)).agent_id == strict.vega.id
