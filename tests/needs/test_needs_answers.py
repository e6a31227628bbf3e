"""Needs are answered: the first answer wins, many at once, taken back, put off."""

import asyncio
from typing import Any

import pytest

from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateways.connections.connector import INVENTED
from mission_control.gateways.models import Gateway
from mission_control.home.shell import waiting_for
from tests.cast import Caller, Cast, stamp
from tests.needs.test_needs import ask_question, needs, one_of
from tests.statements import counted

pytestmark = pytest.mark.dialect


async def answer(caller: Caller, one: dict[str, Any], name: str, **more: Any) -> Any:
    """Give one of the answers of a need."""
    return await caller.post(f"/needs/{one['id']}/answers", {"answer": name, **more})


async def overdue(cast: Cast) -> dict[str, Any]:
    """A late task of Cleo's; what she reads of it."""
    task = await cast.add_task(assigned_user_id=str(cast.cleo.id))
    await cast.put(task, due_at=stamp(-60))
    return await one_of(cast.cleo, "overdue")


async def test_answer_performs_its_operation(cast: Cast) -> None:
    task = await cast.add_task(status="review")
    asked = await cast.ask(cast.vega, task, action_type="task.finish")
    one = await one_of(cast.cleo, "approval")
    assert (await answer(cast.cleo, one, "send_back")).refused(
        422
    ) == "Send a note with this answer: what should change?"
    given = (await answer(cast.cleo, one, "send_back", note="Once more.")).ok()
    assert (given["outcome"], given["undoable"]) == ("answered", True)
    decided = (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()
    assert (decided["decision"], decided["note"]) == ("changes_requested", "Once more.")


async def test_second_answer_reads_whose_was_first(cast: Cast) -> None:
    await cast.ask(cast.vega, await cast.add_task())
    await ask_question(cast)
    task = await cast.add_task()
    await cast.put(task, status="review")
    flagged = await cast.add_task()
    await cast.put(flagged, flagged_at=stamp(-5), flag_reason="It failed.", failed_attempts=5)
    answers = {"approval": "approve", "question": "option:1", "review": "approve", "flagged": "retry"}
    for one in (await needs(cast.cleo))["items"]:
        (await answer(cast.ben, one, answers[one["kind"]])).ok()
        refusal = (await answer(cast.cleo, one, answers[one["kind"]])).refused_as(409, "need_ended")
        assert refusal.startswith("Ben ") and refusal.endswith((" just now.", " s ago.")), refusal
    assert (await needs(cast.cleo))["items"] == []


async def test_two_answers_at_once_are_one(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.put(task, status="review")
    one = await one_of(cast.cleo, "review")
    given = await asyncio.gather(*(answer(who, one, "approve") for who in (cast.ada, cast.ben, cast.cleo)))
    assert sorted(one.status for one in given) == [200, 409, 409]


async def test_answer_that_is_not_offered_is_refused(cast: Cast) -> None:
    await cast.ask(cast.vega, await cast.add_task())
    one = await one_of(cast.cleo, "approval")
    assert "Approve (approve), Request changes (send_back)" in (await answer(cast.cleo, one, "yes")).refused(422)
    (await answer(cast.cleo, {"id": "nothing:1"}, "approve")).refused(404)


async def test_many_are_answered_with_a_result_each_and_taken_back(cast: Cast) -> None:
    for _ in range(3):
        await cast.ask(cast.vega, await cast.add_task(status="review"), action_type="task.finish")
    await ask_question(cast)
    late = await overdue(cast)
    first, second, third, question = [one["id"] for one in (await needs(cast.cleo, "?group=answer"))["items"]]
    (await answer(cast.ben, {"id": second}, "approve")).ok()
    wanted = [
        {"id": first, "answer": "approve"},
        {"id": second, "answer": "approve"},
        {"id": third, "answer": "send_back", "note": "Shorter."},
        {"id": question, "answer": "option:1"},
        {"id": late["id"], "answer": "done"},
        {"id": "approval:1", "answer": "approve"},
    ]
    done = (await cast.cleo.post("/needs/answers", {"answers": wanted})).ok()
    outcomes = ["answered", "ended", "answered", "refused", "answered", "refused"]
    assert ([one["outcome"] for one in done["results"]], done["answered"], done["failed"]) == (outcomes, 3, 3)
    assert done["results"][1]["message"].startswith("Ben approved this ")
    undone = (await cast.cleo.post("/needs/undos", {"ids": [first, second, third, late["id"], question]})).ok()
    assert [one["outcome"] for one in undone["results"]] == ["undone", "ended", "undone", "undone", "refused"]
    assert (undone["answered"], undone["undone"], undone["failed"]) == (0, 3, 2)
    assert {one["id"] for one in (await needs(cast.cleo))["items"]} == {first, third, late["id"], question}
    again = await one_of(cast.cleo, "overdue")
    assert again["since"] == late["since"]


async def test_snoozed_need_comes_back_when_its_time_or_a_change_comes(cast: Cast) -> None:
    task = await cast.add_task(status="review")
    await cast.ask(cast.vega, task)
    await ask_question(cast)
    approval, question = (await needs(cast.cleo))["items"]
    for bad in ({}, {"until": str(stamp(-5))}, {"until_changed": False}, {"until": "soon"}):
        (await cast.cleo.call("PUT", f"/needs/{approval['id']}/snooze", bad)).refused(422)
    put_off = (await cast.cleo.call("PUT", f"/needs/{approval['id']}/snooze", {"until_changed": True})).ok()
    assert (put_off["is_snoozed"], put_off["snoozed_until"]) == (True, None)
    (await cast.cleo.call("PUT", f"/needs/{question['id']}/snooze", {"until": str(stamp(60))})).ok()
    listed = await needs(cast.cleo)
    assert (listed["items"], listed["counts"]["total"], listed["counts"]["snoozed"]) == ([], 0, 2)
    assert [one["id"] for one in (await needs(cast.cleo, "?include=snoozed"))["items"]] == [
        approval["id"],
        question["id"],
    ]
    assert (await needs(cast.ben))["counts"]["total"] == 2
    (await cast.ada.patch(cast.task(task), {"title": "Write it again"})).ok()
    assert [one["id"] for one in (await needs(cast.cleo))["items"]] == [approval["id"]]
    (await cast.cleo.delete(f"/needs/{question['id']}/snooze")).ok()
    assert (await needs(cast.cleo))["counts"]["total"] == 2


async def test_number_on_every_page_agrees_with_the_list(cast: Cast) -> None:
    await cast.ask(cast.vega, await cast.add_task())
    await ask_question(cast)
    late = await overdue(cast)
    for person in (cast.ada, cast.ben, cast.cleo, cast.dan, cast.eve):
        assert await waiting_for(await person.actor()) == (await needs(person))["counts"]["total"]
    (await cast.cleo.call("PUT", f"/needs/{late['id']}/snooze", {"until": str(stamp(60))})).ok()
    assert await waiting_for(await cast.cleo.actor()) == 2
    with counted() as statements:
        await waiting_for(await cast.ada.actor())
    assert len([one for one in statements if "every AS" in one]) == 2


async def test_request_of_a_gateway_is_for_admins_and_by_itself(cast: Cast) -> None:
    organization: dict[str, Any] = {"organization_id": cast.organization.id}
    gateway = await Gateway.create(**organization, name="Basement", url=INVENTED, workspace_root="~")
    asked = {"command": "git push", "kind": "exec", "allowed_decisions": ["allow-once", "deny"]}
    await GatewayRequest.create(
        **organization, gateway_id=gateway.id, kind="approval", external_id="r1", gateway_agent_id="main",
        agent_name="Main", action_type="gateway.exec", payload={"gateway_request": asked},
    )  # fmt: skip
    assert (await needs(cast.cleo))["items"] == []
    one = await one_of(cast.ben, "request")
    assert (one["title"], one["group"], one["board"]) == ("Approve: Run a command: git push", "answer", None)
    assert [(answer["id"], answer["key"]) for answer in one["answers"]] == [("approved", "A"), ("rejected", "R")]
    bulk = {"answers": [{"id": one["id"], "answer": "approved"}]}
    [result] = (await cast.ben.post("/needs/answers", bulk)).ok()["results"]
    assert result["outcome"] == "refused"
    assert await waiting_for(await cast.ben.actor()) == 1
    (await answer(cast.ben, one, "approved")).ok()
    assert (await answer(cast.ada, one, "rejected")).refused_as(409, "need_ended").startswith("Ben approved this ")
    (await answer(cast.cleo, one, "approved")).refused(404)


async def test_many_are_put_off_and_shown_again_by_name(cast: Cast) -> None:
    await cast.ask(cast.vega, await cast.add_task())
    ids = [(await one_of(cast.cleo, "approval"))["id"], "approval:1"]
    for bad in ({}, {"until_changed": False}, {"show": True, "until_changed": True}):
        (await cast.cleo.post("/needs/snoozes", {"ids": ids, **bad})).refused(422)
    put_off = (await cast.cleo.post("/needs/snoozes", {"ids": ids, "until_changed": True})).ok()
    assert [one["outcome"] for one in put_off["results"]] == ["snoozed", "refused"]
    assert (put_off["answered"], put_off["snoozed"], put_off["failed"]) == (0, 1, 1)
    shown = (await cast.cleo.post("/needs/snoozes", {"ids": ids[:1], "show": True})).ok()
    assert (shown["results"][0]["outcome"], shown["shown"], shown["snoozed"]) == ("shown", 1, 0)
    assert (await needs(cast.cleo))["counts"]["total"] == 1


async def test_answer_is_taken_back_once(cast: Cast) -> None:
    await cast.ask(cast.vega, await cast.add_task())
    one = await one_of(cast.cleo, "approval")
    late = await overdue(cast)
    for need, name in ((one, "approve"), (late, "done")):
        (await answer(cast.cleo, need, name)).ok()
        assert (await cast.cleo.post("/needs/undos", {"ids": [need["id"]]})).ok()["undone"] == 1
        [again] = (await cast.cleo.post("/needs/undos", {"ids": [need["id"]]})).ok()["results"]
        assert (again["outcome"], again["message"][:32]) == ("refused", "This waits for an answer already")
