"""What waits for people: found with their rights, said with its answers, and what happens with each."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.database.sql import rows
from mission_control.events.leases import Delivery
from mission_control.gateways.connections.connector import INVENTED
from mission_control.gateways.models import Gateway
from mission_control.needs import deadlines
from mission_control.needs.kinds import KINDS
from mission_control.runs.claims.leases import take_from_silent
from tests.cast import Caller, Cast, everybody, stamp
from tests.claiming import claim, taken
from tests.hand_ins import hand_in, rework
from tests.statements import cost

pytestmark = pytest.mark.dialect


async def needs(caller: Caller, query: str = "") -> dict[str, Any]:
    """The list of somebody."""
    body: dict[str, Any] = (await caller.get(f"/needs{query}")).ok()
    return body


async def ask_question(cast: Cast, **fields: Any) -> dict[str, Any]:
    """A question of Atlas with two options."""
    options = [
        {"label": "The wide one", "outcome": "I mount it tonight.", "recommended": True},
        {"label": "The long one"},
    ]
    asked = {"content": "Which lens?\nBoth are clean.", "options": options, **fields}
    body: dict[str, Any] = (await cast.atlas.post(f"/agent{cast.home}/questions", asked)).ok()
    return body


async def test_approval_says_what_is_asked_and_what_follows(cast: Cast) -> None:
    task = await cast.add_task(title="Polish the mirror", status="review")
    asked = await cast.ask(cast.vega, task, action_type="task.finish", confidence=84)
    [one] = (await needs(cast.cleo))["items"]
    assert one["id"] == f"approval:{asked['id']}"
    assert (one["kind"], one["group"], one["title"]) == (
        "approval",
        "answer",
        "Approve: Vega finishes #1 Polish the mirror",
    )
    assert (one["reason"], one["agent"]["name"], one["person"]) == ("It is ready.", "Vega", None)
    assert (one["board"]["name"], one["tasks"][0]["number"]) == ("Telescope", 1)
    assert [fact["text"] for fact in one["facts"]] == ["Vega", "84 % sure"]
    assert [(answer["id"], answer["key"], answer["note"]) for answer in one["answers"]] == [
        ("approve", "A", "optional"),
        ("send_back", "R", "required"),
        ("reject", None, "optional"),
        ("reject_mine", None, "optional"),
        ("reject_trash", None, "optional"),
    ]
    assert one["answers"][0]["effect"] == "#1 is done."
    assert one["otherwise"] == {"at": None, "text": "#1 stays in review until somebody decides."}


async def test_answers_name_operations_that_can_be_performed(cast: Cast) -> None:
    task = await cast.add_task(status="review")
    await cast.ask(cast.vega, task, action_type="task.finish")
    await ask_question(cast)
    for one in (await needs(cast.cleo))["items"]:
        how = one["answers"][0]["operation"]
        (await cast.cleo.call(how["method"], how["path"], how["body"])).ok()
    assert (await needs(cast.cleo))["items"] == []
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "done"


async def test_question_has_its_options_as_answers(cast: Cast) -> None:
    await ask_question(cast)
    [one] = (await needs(cast.ben))["items"]
    assert (one["title"], one["reason"]) == ("Atlas asks: Which lens?", "Both are clean.")
    assert [(answer["key"], answer["label"], answer["recommended"]) for answer in one["answers"]] == [
        ("1", "The wide one", True),
        ("2", "The long one", False),
        ("A", "Answer in your own words", False),
    ]
    assert one["answers"][0]["effect"] == "I mount it tonight."
    assert one["answers"][2]["operation"]["note_field"] == "answer"


async def test_list_has_what_each_member_may_act_on(cast: Cast) -> None:
    await cast.ask(cast.vega, await cast.add_task())
    await ask_question(cast)
    (
        await cast.mira.post(
            f"/boards/{cast.other_board.id}/approvals",
            {"action_type": "publish", "confidence": 1, "lead_reasoning": "It is ready."},
        )
    ).ok()
    (
        await cast.nova.post(
            f"/boards/{cast.foreign_board.id}/approvals",
            {"action_type": "publish", "confidence": 1, "lead_reasoning": "It is ready."},
        )
    ).ok()
    found: dict[str, Any] = {}
    for name, member in everybody(cast).items():
        answer = await member.get("/needs")
        found[name] = answer.body["counts"]["total"] if answer.status == 200 else answer.status
    people = {"ada": 3, "ben": 3, "cleo": 2, "dan": 0, "eve": 1}
    assert found == people | dict.fromkeys(("atlas", "vega", "rigel", "mira", "nova"), 401)


async def test_one_need_is_read_until_it_is_over(cast: Cast) -> None:
    asked = await cast.ask(cast.vega, await cast.add_task())
    path = f"/needs/approval:{asked['id']}"
    assert (await cast.cleo.get(path)).ok() == (await needs(cast.cleo))["items"][0]
    for odd in ("approval", "approval:1", f"nothing:{asked['id']}", f"question:{asked['id']}"):
        (await cast.cleo.get(f"/needs/{odd}")).refused(404)
    (await cast.ben.post(f"{cast.approvals}/{asked['id']}/decisions", {"decision": "approved"})).ok()
    (await cast.cleo.get(path)).refused(404)


async def test_list_is_narrowed_and_paged(cast: Cast) -> None:
    asked = [await cast.ask(cast.vega, await cast.add_task()) for _ in range(3)]
    await ask_question(cast)
    listed = await needs(cast.ada)
    assert [one["id"] for one in listed["items"][:3]] == [f"approval:{one['id']}" for one in asked]
    assert listed["oldest"] == listed["items"][0]["since"]
    page = await needs(cast.ada, "?limit=2&offset=1&kind=approval")
    assert ([one["id"] for one in page["items"]], page["total"]) == ([f"approval:{one['id']}" for one in asked[1:]], 3)
    assert (await needs(cast.ada, f"?board_id={cast.other_board.id}"))["counts"]["total"] == 0
    assert (await needs(cast.ada, "?group=own"))["items"] == []
    (await cast.ada.get("/needs?limit=0")).refused(422)


async def test_list_costs_the_same_however_long_it_is(cast: Cast) -> None:
    await cast.ask(cast.vega, await cast.add_task())
    await ask_question(cast)
    few = await cost(cast.cleo, "/needs")
    for _ in range(5):
        await cast.ask(cast.vega, await cast.add_task())
        await ask_question(cast)
    assert await cost(cast.cleo, "/needs") == few


async def one_of(caller: Caller, kind: str) -> dict[str, Any]:
    """The only need of a kind."""
    [one] = (await needs(caller, f"?kind={kind}"))["items"]
    return dict(one)


async def perform(caller: Caller, one: dict[str, Any], answer_id: str, **more: Any) -> Any:
    """Give an answer by the operation that it names."""
    [how] = [answer["operation"] for answer in one["answers"] if answer["id"] == answer_id]
    body = None if how["body"] is None and not more else {**(how["body"] or {}), **more}
    return (await caller.call(how["method"], how["path"], ... if body is None else body)).ok()


async def handed_in(cast: Cast) -> dict[str, Any]:
    """A task that Vega claimed and handed in."""
    task = await cast.add_task(title="Polish the mirror")
    claimed = (await cast.vega.post(f"/agent{cast.home}/claims", {"task_id": task["id"]})).ok()
    done = {"fence": claimed["lease"]["fence"], "summary": "Polished twice."}
    (await cast.vega.post(f"/agent{cast.task(task)}/completions", done)).ok()
    return task


async def test_review_is_finished_or_sent_back(cast: Cast) -> None:
    task = await handed_in(cast)
    one = await one_of(cast.cleo, "review")
    assert (one["id"], one["group"], one["title"]) == (f"review:{task['id']}", "review", "Review #1 Polish the mirror")
    assert (one["reason"], one["agent"]["name"]) == ("Polished twice.", "Vega")
    await perform(cast.cleo, one, "send_back", note="Once more.")
    sent_back = (await cast.ada.get(cast.task(task))).ok()
    assert (sent_back["status"], sent_back["assigned_agent_id"]) == ("inbox", str(cast.vega.id))
    assert (await needs(cast.cleo))["items"] == []
    await cast.put(task, status="review")
    await perform(cast.cleo, await one_of(cast.cleo, "review"), "approve")
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "done"
    again = await cast.ben.post(f"{cast.task(task)}/reviews", {"decision": "approved"})
    assert again.refused_as(409, "task_not_in_review")
    for caller, status in ((cast.dan, 403), (cast.eve, 404), (cast.vega, 401)):
        (await caller.post(f"{cast.task(task)}/reviews", {"decision": "approved"})).refused(status)
    (await cast.ben.post(f"{cast.task(task)}/reviews", {"decision": "changes_requested"})).refused(422)


async def test_review_with_an_approval_waits_once(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    await handed_in(cast)
    assert [one["kind"] for one in (await needs(cast.cleo))["items"]] == ["approval"]


async def test_stopped_task_that_failed_before_was_stopped(cast: Cast) -> None:
    task = await cast.add_task()
    await taken(cast, task_id=task["id"])
    await cast.put(task, failed_attempts=1)
    (await cast.ada.post(f"{cast.task(task)}/stop", {"reason": "The order was withdrawn."})).ok()
    one = await one_of(cast.cleo, "flagged")
    assert one["title"] == f"#{task['number']} Write the report was stopped"
    assert one["reason"] == "Stopped by a person: The order was withdrawn."


async def test_question_of_a_run_names_its_task(cast: Cast) -> None:
    task = await cast.add_task()
    await taken(cast, task_id=task["id"])
    (await cast.vega.post(f"/agent{cast.home}/questions", {"content": "Which filter?"})).ok()
    one = await one_of(cast.cleo, "question")
    assert [one["number"] for one in one["tasks"]] == [task["number"]]
    url = f"/boards/{cast.board.id}/tasks/{task['id']}"
    assert (f"#{task['number']} Write the report", url) in [(fact["text"], fact["url"]) for fact in one["facts"]]


async def test_flagged_task_is_tried_again_taken_or_dropped(cast: Cast) -> None:
    for answer in ("retry", "take", "drop"):
        task = await cast.add_task()
        await cast.put(task, flagged_at=stamp(-5), flag_reason="Five leases ran out.", failed_attempts=5)
        one = await one_of(cast.cleo, "flagged")
        assert one["title"] == f"#{task['number']} Write the report failed 5 times"
        assert (one["group"], one["reason"]) == ("unblock", "Five leases ran out.")
        await perform(cast.cleo, one, answer)
        assert (await needs(cast.cleo))["items"] == []


async def test_silent_agent_is_asked_or_loses_its_task(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.post(f"/agent{cast.home}/claims", {"task_id": task["id"]})).ok()
    assert (await needs(cast.cleo))["items"] == []
    await Agent.filter(id=cast.vega.id).update(last_seen_at=stamp(-38))
    await Run.all().update(started_at=stamp(-60))
    one = await one_of(cast.cleo, "silent")
    assert one["title"] == "Vega has given no sign for 38 min at #1"
    assert one["otherwise"]["at"] is not None
    await perform(cast.cleo, one, "ask")
    assert (await needs(cast.ada))["items"] == []  # everybody waits for a sign now
    with times.travelled(timedelta(minutes=16)):
        assert (await one_of(cast.ada, "silent"))["id"] == one["id"]
    await perform(cast.cleo, one, "take_back")
    assert (await needs(cast.cleo))["items"] == []
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "inbox"


@pytest.mark.parametrize("way", ["answered", "sent back"])
async def test_agent_that_does_not_go_on_is_asked_or_others_have_its_work(cast: Cast, way: str) -> None:
    (await cast.ada.patch(cast.home, {"resume_after_seconds": 600})).ok()
    task = await cast.add_task()
    held = await taken(cast)
    if way == "answered":
        asked = (await cast.vega.post(f"/agent{cast.home}/questions", {"content": "Which?", "park": True})).ok()
        (await cast.cleo.post(f"{cast.home}/questions/{asked['id']}/answers", {"answer": "That."})).ok()
    else:
        await hand_in(cast, {"task": task, "lease": held["lease"]}, cast.vega)
        await rework(cast, task)
    assert (await needs(cast.cleo))["items"] == []
    begun = KINDS["not_resumed"].begins(stamp(9), stamp(11))
    assert begun is not None and [str(row["value"]) for row in await rows(begun[0], *begun[1])] == [str(cast.vega.id)]
    with times.travelled(timedelta(minutes=12)):
        (await cast.vega.post("/agent/heartbeat", None)).ok()
        await take_from_silent()
        one = await one_of(cast.cleo, "not_resumed")
        assert one["title"] == "Vega has not taken up #1 again for 12 min"
        assert one["reason"] == ("What it asked is settled." if way == "answered" else "It was sent back.")
        await perform(cast.cleo, one, "ask")
        assert (await needs(cast.ada))["items"] == []
    with times.travelled(timedelta(minutes=30)):
        assert (await one_of(cast.ada, "not_resumed"))["id"] == one["id"]
        (await cast.ada.call("PUT", f"{cast.home}/work-state", {"state": "paused"})).ok()
        assert (await needs(cast.ada))["items"] == []
        (await cast.ada.call("PUT", f"{cast.home}/work-state", {"state": "running"})).ok()
        await perform(cast.cleo, await one_of(cast.ada, "not_resumed"), "take_back")
        assert (await needs(cast.cleo))["items"] == []
        assert (await claim(cast, cast.rigel)).ok()["task"]["id"] == task["id"]


async def test_admins_see_gateways_that_wait_and_notices_that_were_given_up(cast: Cast) -> None:
    await Gateway.create(
        organization_id=cast.organization.id, name="Basement", url=INVENTED, workspace_root="~",
        state="pairing", pairing_device_id="7F2C91AD", pairing_request_id="r1",
    )  # fmt: skip
    await cast.add_task(assigned_agent_id=str(cast.vega.id))
    await Delivery.filter(agent_id=cast.vega.id).update(state="failed", attempts=6, last_error="Nobody answered.")
    found = (await needs(cast.ben))["items"]
    assert {one["kind"] for one in found} == {"gateway", "delivery"}
    assert (await needs(cast.cleo))["items"] == []
    pairing, delivery = await one_of(cast.ben, "gateway"), await one_of(cast.ben, "delivery")
    assert pairing["title"] == "Gateway Basement waits to be paired"
    assert pairing["answers"][0]["copy_text"].startswith("openclaw devices approve")
    assert (await needs(cast.ben, f"?board_id={cast.board.id}"))["counts"]["total"] == 1
    assert delivery["title"] == "Vega did not get a notice: Task assigned"
    await perform(cast.ben, delivery, "resend")
    assert (await needs(cast.ben, "?kind=delivery"))["items"] == []


async def test_overdue_tasks_are_those_of_the_person(cast: Cast) -> None:
    for due, person in ((-3000, cast.cleo), (60, cast.cleo), (-60, cast.ben)):
        task = await cast.add_task(assigned_user_id=str(person.id))
        await cast.put(task, due_at=stamp(due))
    one = await one_of(cast.cleo, "overdue")
    assert (one["group"], one["title"]) == ("own", "#1 Write the report was due 2 d ago")
    await perform(cast.cleo, one, "tomorrow")
    assert (await needs(cast.cleo))["items"] == []
    await perform(cast.ben, await one_of(cast.ben, "overdue"), "done")
    assert (await needs(cast.ben))["items"] == []


async def test_readers_hear_of_what_begins_with_the_clock(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, str]] = []

    async def publish(_organization_id: UUID, **signal: str) -> None:
        heard.extend(signal.items())

    monkeypatch.setattr(deadlines, "publish_signal", publish)
    first, until = await cast.ask(), stamp(1)
    (await cast.ben.call("PUT", f"/needs/approval:{first['id']}/snooze", {"until": times.wire(until)})).ok()
    await cast.put(await cast.add_task(assigned_user_id=str(cast.cleo.id)), due_at=until)
    running = await cast.add_task()
    (await cast.vega.post(f"/agent{cast.home}/claims", {"task_id": running["id"]})).ok()
    (await cast.ada.post(f"{cast.task(running)}/comments", {"message": "Still there?"})).ok()
    await deadlines.notify_returns(stamp(), until)
    assert heard == []
    await deadlines.notify_returns(until, until + timedelta(seconds=1))
    assert sorted(heard) == sorted(("needs_of", str(one.id)) for one in (cast.ben, cast.cleo))
    await deadlines.notify_returns(stamp(14), stamp(16))
    assert heard[2:] == [("agent_id", str(cast.vega.id))]
