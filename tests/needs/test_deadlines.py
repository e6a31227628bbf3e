"""Deadlines of approvals and questions: set when asking or later, and what happens when nobody answers."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from mission_control.core.times import travelled
from mission_control.needs import deadlines
from mission_control.needs.kinds import KINDS
from tests.cast import Cast, head, kinds, stamp
from tests.needs.test_needs import ask_question, needs, one_of

pytestmark = pytest.mark.dialect

LATER = timedelta(hours=2)


async def passed() -> None:
    """Let the deadlines pass, as the timer sees it."""
    with travelled(LATER):
        await deadlines.end_due()
        await deadlines.end_due()


async def test_approval_goes_back_when_nobody_decides(cast: Cast) -> None:
    task = await cast.add_task(status="review")
    await cast.put(task, review_agent_id=cast.vega.id)
    due = str(stamp(60))
    asked = await cast.ask(cast.vega, task, action_type="task.finish", decide_by=due, otherwise="send_back")
    assert (asked["otherwise"], asked["otherwise_user_id"]) == ("send_back", None)
    one = await one_of(cast.cleo, "approval")
    assert one["otherwise"] == {"at": asked["decide_by"], "text": "It goes back to Vega."}
    await deadlines.end_due()
    assert await one_of(cast.cleo, "approval") == one
    await passed()
    decided = (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()
    assert (decided["decision"], decided["resolved_by"]) == ("changes_requested", None)
    assert decided["note"].startswith("Nobody decided by ")
    sent_back = (await cast.ada.get(cast.task(task))).ok()
    assert (sent_back["status"], sent_back["assigned_agent_id"]) == ("inbox", str(cast.vega.id))
    late = await cast.cleo.post(f"/needs/approval:{asked['id']}/answers", {"answer": "approve"})
    assert late.refused_as(409, "need_ended").startswith("Mission Control sent this back")


async def test_people_are_reminded_and_see_it_again(cast: Cast) -> None:
    asked = await cast.ask(cast.vega, decide_by=str(stamp(60)))
    (await cast.cleo.call("PUT", f"/needs/approval:{asked['id']}/snooze", {"until": str(stamp(999))})).ok()
    before = await head(cast)
    await passed()
    assert [kind for kind, _ in await kinds(cast, before)] == ["approval.reminded"]
    one = await one_of(cast.cleo, "approval")
    assert [fact["tone"] for fact in one["facts"] if fact["text"].startswith("reminded")] == ["warn"]
    assert one["otherwise"]["at"] is None


async def test_somebody_else_is_asked(cast: Cast) -> None:
    asked = await cast.ask(cast.vega)
    path = f"{cast.approvals}/{asked['id']}/deadline"
    ask = {"decide_by": str(stamp(60)), "otherwise": "ask"}
    assert "cannot answer" in (await cast.ben.call("PUT", path, ask | {"otherwise_user_id": str(cast.dan.id)})).refused(
        422
    )
    (await cast.ben.call("PUT", path, ask)).refused(422)
    set_ = (await cast.ben.call("PUT", path, ask | {"otherwise_user_id": str(cast.cleo.id)})).ok()
    assert set_["otherwise_user_id"] == str(cast.cleo.id)
    assert (await one_of(cast.ben, "approval"))["otherwise"]["text"] == "Cleo is asked."
    await passed()
    one = await one_of(cast.cleo, "approval")
    assert one["facts"][-1]["text"] == "Cleo was asked, because nobody answered"


async def test_option_of_a_question_is_taken(cast: Cast) -> None:
    question = await ask_question(cast, decide_by=str(stamp(60)), otherwise="option", otherwise_option_id="2")
    one = await one_of(cast.cleo, "question")
    assert one["otherwise"]["text"] == "“The long one” is taken."
    await passed()
    answered = (await cast.ada.get(f"{cast.home}/questions/{question['id']}")).ok()
    assert (answered["state"], answered["answer"], answered["chosen_option_id"]) == ("answered", "The long one", "2")


async def test_question_is_asked_of_another_or_reminded_of(cast: Cast) -> None:
    first, second = await ask_question(cast), await ask_question(cast, decide_by=str(stamp(60)))
    path = f"{cast.home}/questions/{first['id']}/deadline"
    ask = {"decide_by": str(stamp(60)), "otherwise": "ask", "otherwise_user_id": str(cast.ben.id)}
    (await cast.cleo.call("PUT", path, ask)).ok()
    await passed()
    assert (await cast.ada.get(f"{cast.home}/questions/{first['id']}")).ok()["asked_user_id"] == str(cast.ben.id)
    assert (await cast.ada.get(f"{cast.home}/questions/{second['id']}")).ok()["reminded_at"] is not None
    assert (await needs(cast.cleo))["counts"]["answer"] == 2


async def test_deadline_is_removed_and_refused_when_it_does_not_fit(cast: Cast) -> None:
    asked = await cast.ask(cast.vega, decide_by=str(stamp(60)), otherwise="send_back")
    path = f"{cast.approvals}/{asked['id']}/deadline"
    assert (await cast.cleo.delete(path)).ok()["decide_by"] is None
    await passed()
    assert (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()["status"] == "pending"
    for body in ({"decide_by": str(stamp(-5))}, {"decide_by": str(stamp(60)), "otherwise": "option"}, {}):
        (await cast.cleo.call("PUT", path, body)).refused(422)
    for odd in ({"otherwise": "remind"}, {"decide_by": str(stamp(0)), "otherwise": "remind"}):
        wanted = {"action_type": "publish", "confidence": 80, "lead_reasoning": "It is ready.", **odd}
        (await cast.vega.post(cast.approvals, wanted)).refused(422)
    (await cast.ben.post(f"{cast.approvals}/{asked['id']}/decisions", {"decision": "approved"})).ok()
    (await cast.cleo.call("PUT", path, {"decide_by": str(stamp(60))})).refused(409)


async def test_reopened_approval_has_no_deadline_left(cast: Cast) -> None:
    asked = await cast.ask(cast.vega, decide_by=str(stamp(60)), otherwise="send_back")
    await passed()
    reopened = (await cast.ben.post(f"{cast.approvals}/{asked['id']}/reopenings")).ok()
    assert (reopened["status"], reopened["decide_by"]) == ("pending", None)


async def test_two_processes_end_a_deadline_once(cast: Cast) -> None:
    asked = await cast.ask(cast.vega, decide_by=str(stamp(60)))
    before = await head(cast)
    with travelled(LATER):
        deadline = KINDS["approval"].deadline
        assert deadline is not None
        ends = [deadlines.end_deadline(deadline, UUID(asked["id"]), cast.organization.id) for _ in range(3)]
        await asyncio.gather(*ends)
    assert [kind for kind, _ in await kinds(cast, before)] == ["approval.reminded"]


async def test_timer_wakes_for_the_next_deadline(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await deadlines.seconds_left() == deadlines.LONGEST_SLEEP_SECONDS
    await cast.ask(cast.vega, decide_by=str(stamp(2)))
    monkeypatch.setattr(deadlines, "LONGEST_SLEEP_SECONDS", 3600.0)
    assert 100 < await deadlines.seconds_left() <= 120
    with travelled(LATER):
        assert await deadlines.seconds_left() == 1.0


async def test_deadline_may_be_so_many_seconds_from_now(cast: Cast) -> None:
    asked = await cast.ask(cast.vega, decide_in=60, otherwise="send_back")
    question = await ask_question(cast, decide_in=3600)
    assert asked["decide_by"] < question["decide_by"]
    path = f"{cast.approvals}/{asked['id']}/deadline"
    later = (await cast.ben.call("PUT", path, {"decide_in": 7200})).ok()
    assert later["decide_by"] > question["decide_by"]
    for wrong in ({}, {"decide_in": 59}, {"decide_in": 60, "decide_by": str(stamp(60))}):
        (await cast.ben.call("PUT", path, wrong)).refused(422)
    before = await head(cast)
    await passed()
    assert {kind for kind, _ in await kinds(cast, before)} == {"question.reminded"}
