"""Approvals that several people have to give: votes, what they are bound to, and all the ways to give them."""

import asyncio
import random
from typing import Any

import pytest

from mission_control.channels.delivery.state import waiting_in
from mission_control.home.shell import waiting_for
from tests.cast import Caller, Cast, head, ids, kinds
from tests.claiming import taken
from tests.needs.test_needs import needs, one_of

pytestmark = pytest.mark.dialect


async def needing(cast: Cast, number: int, **more: Any) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": number, **more})).ok()


async def decide(caller: Caller, cast: Cast, asked: dict[str, Any], decision: str = "approved", **more: Any) -> Any:
    return await caller.post(f"{cast.approvals}/{asked['id']}/decisions", {"decision": decision, **more})


async def read(cast: Cast, asked: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()
    return found


async def finishing(cast: Cast) -> tuple[dict[str, Any], dict[str, Any]]:
    """A task in review, and the request to finish it."""
    task = await cast.add_task(status="review")
    await cast.put(task, review_agent_id=cast.vega.id)
    return task, await cast.ask(cast.vega, task, action_type="task.finish")


async def test_second_of_two_people_decides(cast: Cast) -> None:
    await needing(cast, 2)
    task, asked = await finishing(cast)
    assert (asked["approvals_needed"], asked["approvals_missing"], asked["votes"]) == (2, 2, [])
    before = await head(cast)
    first = (await decide(cast.ben, cast, asked, note="Looks fine.")).ok()
    assert (first["status"], first["approvals_missing"]) == ("pending", 1)
    [vote] = first["votes"]
    assert (vote["user"]["name"], vote["note"], vote["is_current"]) == ("Ben", "Looks fine.", True)
    assert [kind for kind, _ in await kinds(cast, before)] == ["approval.voted"]
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "review"
    again = (await decide(cast.ben, cast, asked)).ok()
    assert (again["status"], len(again["votes"])) == ("pending", 1)
    second = (await decide(cast.cleo, cast, asked)).ok()
    assert (second["status"], second["approvals_missing"], second["approvals_needed"]) == ("approved", 0, 2)
    assert [one["user"]["name"] for one in second["votes"]] == ["Ben", "Cleo"]
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "done"
    messages = [one["message"] for one in (await cast.ada.get(f"{cast.approvals}/{asked['id']}/history")).ok()["items"]]
    assert "Approved by 1 of 2: task.finish." in messages
    (await decide(cast.ada, cast, asked)).refused(409)


async def test_need_waits_for_others_only(cast: Cast) -> None:
    await needing(cast, 2)
    asked = await cast.ask(cast.vega)
    one = await one_of(cast.cleo, "approval")
    assert "2 people have to approve" in [fact["text"] for fact in one["facts"]]
    assert one["answers"][0]["effect"] == "Another person has to approve too."
    waiting = {person.name: await waiting_for(await person.actor()) for person in (cast.ben, cast.cleo)}
    given = (await cast.ben.post(f"/needs/{one['id']}/answers", {"answer": "approve"})).ok()
    assert (given["outcome"], given["missing"], given["undoable"]) == ("answered", 1, True)
    assert (await needs(cast.ben))["items"] == []
    assert await waiting_for(await cast.ben.actor()) == waiting["Ben"] - 1
    assert await waiting_for(await cast.cleo.actor()) == waiting["Cleo"]
    other = await one_of(cast.cleo, "approval")
    assert "1 of 2: Ben approved" in [fact["text"] for fact in other["facts"]]
    assert other["version"] != one["version"] and other["substance"] == one["substance"]
    late = await cast.ben.post(f"/needs/{one['id']}/answers", {"answer": "approve"})
    assert late.refused_as(409, "need_ended").startswith("Ben approved this")
    last = (await cast.cleo.post(f"/needs/{one['id']}/answers", {"answer": "approve"})).ok()
    assert last["missing"] == 0
    assert (await read(cast, asked))["status"] == "approved"


async def test_snoozed_need_of_a_voter_is_counted_once(cast: Cast) -> None:
    await needing(cast, 2)
    asked = await cast.ask(cast.vega)
    await cast.ask(cast.vega)
    (await cast.ben.call("PUT", f"/needs/approval:{asked['id']}/snooze", {"until_changed": True})).ok()
    assert await waiting_for(await cast.ben.actor()) == 1
    (await decide(cast.ben, cast, asked)).ok()
    assert await waiting_for(await cast.ben.actor()) == 1
    assert (await needs(cast.ben))["counts"]["total"] == 1


async def test_one_person_sends_back_or_rejects(cast: Cast) -> None:
    await needing(cast, 3)
    for decision, more in (("changes_requested", {"note": "Shorter."}), ("rejected", {})):
        asked = await cast.ask(cast.vega)
        (await decide(cast.ben, cast, asked)).ok()
        ended = (await decide(cast.cleo, cast, asked, decision, **more)).ok()
        assert (ended["status"], ended["decision"], ended["approvals_missing"]) == ("rejected", decision, 0)
        (await decide(cast.ada, cast, asked)).refused(409)
        patched = await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})
        assert "Several people" in patched.refused_as(409, "approval_needs_several")


async def test_voter_may_send_back_after_all(cast: Cast) -> None:
    await needing(cast, 2)
    asked = await cast.ask(cast.vega)
    (await decide(cast.ben, cast, asked)).ok()
    assert (await decide(cast.ben, cast, asked, "changes_requested", note="Wait.")).ok()["status"] == "rejected"


async def test_who_asked_does_not_count(cast: Cast) -> None:
    await needing(cast, 2)
    task = await cast.add_task()
    asked = await cast.ask(cast.ben, task)
    assert "other people" in (await decide(cast.ben, cast, asked)).refused(403)
    assert (await needs(cast.ben))["counts"]["answer"] == 0
    assert await waiting_for(await cast.ben.actor()) == 0
    (await decide(cast.ada, cast, asked)).ok()
    assert (await decide(cast.cleo, cast, asked)).ok()["status"] == "approved"
    forged = {"action_type": "deploy", "confidence": 90, "lead_reasoning": "Now.", "status": "approved"}
    assert "Several people" in (await cast.ben.post(cast.approvals, forged)).refused_as(409, "approval_needs_several")


async def test_where_one_is_enough_who_asked_may_approve(cast: Cast) -> None:
    asked = await cast.ask(cast.ben)
    decided = (await decide(cast.ben, cast, asked)).ok()
    assert (decided["status"], decided["approvals_needed"], decided["votes"]) == ("approved", 1, [])


async def test_votes_are_bound_to_what_was_seen(cast: Cast) -> None:
    await needing(cast, 2)
    task, asked = await finishing(cast)
    (await decide(cast.ben, cast, asked, substance=asked["substance"])).ok()
    assert (await needs(cast.ben))["counts"]["answer"] == 0
    before = await head(cast)
    (await cast.ada.patch(cast.task(task), {"description": "Another thing."})).ok()
    assert "approval.vote_lapsed" in [kind for kind, _ in await kinds(cast, before)]
    changed = await read(cast, asked)
    assert (changed["approvals_missing"], changed["votes"][0]["is_current"]) == (2, False)
    again = await one_of(cast.ben, "approval")
    assert "Ben approved before, which no longer counts" in [fact["text"] for fact in again["facts"]]
    (await decide(cast.cleo, cast, asked, substance=asked["substance"])).refused_as(409, "need_changed")
    assert (await decide(cast.cleo, cast, asked)).ok()["approvals_missing"] == 1
    assert (await decide(cast.ben, cast, asked, substance=again["substance"])).ok()["status"] == "approved"


async def test_vote_of_somebody_who_left_does_not_count(cast: Cast) -> None:
    await needing(cast, 2)
    asked = await cast.ask(cast.vega)
    (await decide(cast.cleo, cast, asked)).ok()
    members = (await cast.ada.get("/organizations/me/members")).ok()["items"]
    [cleo] = [one["id"] for one in members if one["user_id"] == str(cast.cleo.id)]
    (await cast.ada.delete(f"/organizations/me/members/{cleo}")).ok()
    assert (await read(cast, asked))["approvals_missing"] == 2
    assert (await decide(cast.ben, cast, asked)).ok()["status"] == "pending"
    assert (await decide(cast.ada, cast, asked)).ok()["status"] == "approved"


async def test_hand_in_after_a_vote_is_approved_anew(cast: Cast) -> None:
    await needing(cast, 2)
    task = await cast.add_task()
    held = await taken(cast)
    asked = await cast.ask(cast.vega, task, action_type="task.finish")
    (await decide(cast.ben, cast, asked)).ok()
    body = {"fence": held["lease"]["fence"], "summary": "It is done.", "checked": "All of it."}
    (await cast.vega.post(f"/agent{cast.task(task)}/completions", body)).ok()
    assert (await read(cast, asked))["votes"][0]["is_current"] is False
    assert f"approval:{asked['id']}" in ids((await needs(cast.ben))["items"])


async def test_other_changes_leave_votes(cast: Cast) -> None:
    await needing(cast, 2)
    task, asked = await finishing(cast)
    (await decide(cast.ben, cast, asked)).ok()
    (await cast.ada.patch(cast.task(task), {"priority": "high"})).ok()
    assert (await read(cast, asked))["approvals_missing"] == 1
    assert (await needs(cast.ben))["counts"]["answer"] == 0


async def test_votes_are_taken_back(cast: Cast) -> None:
    await needing(cast, 3)
    asked = await cast.ask(cast.vega)
    need = f"approval:{asked['id']}"
    (await decide(cast.ben, cast, asked)).ok()
    (await decide(cast.cleo, cast, asked)).ok()
    undone = (await cast.ben.post("/needs/undos", {"ids": [need]})).ok()
    assert undone["undone"] == 1
    assert [one["user"]["name"] for one in (await read(cast, asked))["votes"]] == ["Cleo"]
    assert (await one_of(cast.ben, "approval"))["id"] == need
    refused = (await cast.ben.post("/needs/undos", {"ids": [need]})).ok()["results"][0]
    assert refused["outcome"] == "refused"
    taken_back = (await cast.cleo.post(f"{cast.approvals}/{asked['id']}/reopenings")).ok()
    assert (taken_back["status"], taken_back["votes"]) == ("pending", [])


async def test_undoing_the_last_vote_keeps_the_others(cast: Cast) -> None:
    await needing(cast, 2)
    task, asked = await finishing(cast)
    (await decide(cast.ben, cast, asked)).ok()
    (await decide(cast.cleo, cast, asked)).ok()
    assert (await cast.cleo.post("/needs/undos", {"ids": [f"approval:{asked['id']}"]})).ok()["undone"] == 1
    waits = await read(cast, asked)
    assert (waits["status"], waits["approvals_missing"]) == ("pending", 1)
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "review"
    (await decide(cast.cleo, cast, asked)).ok()
    reopened = (await cast.ada.post(f"{cast.approvals}/{asked['id']}/reopenings")).ok()
    assert (reopened["approvals_missing"], reopened["votes"]) == (2, [])


async def test_moving_a_card_to_done_is_a_vote(cast: Cast) -> None:
    await needing(cast, 2)
    task, asked = await finishing(cast)
    move = {"status": "done", "approve": True}
    assert (await cast.ben.post(f"{cast.task(task)}/moves", move)).ok()["status"] == "review"
    assert (await read(cast, asked))["approvals_missing"] == 1
    assert (await cast.cleo.post(f"{cast.task(task)}/moves", move)).ok()["status"] == "done"


async def test_review_without_a_request_asks_the_others(cast: Cast) -> None:
    await needing(cast, 2)
    task = await cast.add_task(status="review")
    await cast.put(task, review_agent_id=cast.vega.id)
    one = await one_of(cast.ben, "review")
    (await cast.ben.post(f"/needs/{one['id']}/answers", {"answer": "approve"})).ok()
    assert (await needs(cast.ben))["items"] == []
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "review"
    asked = await one_of(cast.cleo, "approval")
    assert "1 of 2: Ben approved" in [fact["text"] for fact in asked["facts"]]
    (await cast.cleo.post(f"/needs/{asked['id']}/answers", {"answer": "approve"})).ok()
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "done"


async def test_many_are_approved_at_once(cast: Cast) -> None:
    await needing(cast, 2)
    asked = [await cast.ask(cast.vega) for _ in range(3)]
    answers = {"answers": [{"id": f"approval:{one['id']}", "answer": "approve"} for one in asked]}
    first = (await cast.ben.post("/needs/answers", answers)).ok()
    assert (first["answered"], [one["missing"] for one in first["results"]]) == (3, [1, 1, 1])
    second = (await cast.cleo.post("/needs/answers", answers)).ok()
    assert (second["answered"], [one["missing"] for one in second["results"]]) == (3, [0, 0, 0])
    assert {(await read(cast, one))["status"] for one in asked} == {"approved"}


async def test_two_votes_at_once_decide_once(cast: Cast) -> None:
    await needing(cast, 2)
    asked = await cast.ask(cast.vega)
    before = await head(cast)
    given = await asyncio.gather(*(decide(who, cast, asked) for who in (cast.ben, cast.cleo)))
    assert [one.status for one in given] == [200, 200]
    assert (await read(cast, asked))["status"] == "approved"
    assert [kind for kind, _ in await kinds(cast, before)] == ["approval.voted", "approval.decided"]


async def test_same_person_twice_at_once_is_one_vote(cast: Cast) -> None:
    await needing(cast, 2)
    asked = await cast.ask(cast.vega)
    given = await asyncio.gather(*(decide(cast.ben, cast, asked) for _ in range(4)))
    assert {one.ok()["status"] for one in given} == {"pending"}
    assert len((await read(cast, asked))["votes"]) == 1


async def test_only_admins_change_the_number(cast: Cast) -> None:
    assert "owners and admins" in (await cast.cleo.patch(cast.home, {"approvals_needed": 2})).refused(403)
    (await cast.cleo.patch(cast.home, {"approvals_needed": 1})).ok()
    for number in (0, 6):
        (await cast.ada.patch(cast.home, {"approvals_needed": number})).refused(422)
    assert "can answer on this board" in str((await cast.ada.patch(cast.home, {"approvals_needed": 5})).refused(422))


async def test_lower_number_decides_nothing_by_itself(cast: Cast) -> None:
    await needing(cast, 3)
    asked = await cast.ask(cast.vega)
    (await decide(cast.ben, cast, asked)).ok()
    (await decide(cast.cleo, cast, asked)).ok()
    await needing(cast, 2)
    waits = await read(cast, asked)
    assert (waits["status"], waits["approvals_missing"]) == ("pending", 1)
    assert (await needs(cast.ben))["counts"]["answer"] == 0
    assert ids((await needs(cast.cleo))["items"]) == [f"approval:{asked['id']}"]
    assert (await decide(cast.cleo, cast, asked)).ok()["status"] == "approved"


async def test_higher_number_counts_at_once(cast: Cast) -> None:
    await needing(cast, 2)
    asked = await cast.ask(cast.vega)
    (await decide(cast.ben, cast, asked)).ok()
    await needing(cast, 3)
    assert (await decide(cast.cleo, cast, asked)).ok()["status"] == "pending"
    assert (await decide(cast.ada, cast, asked)).ok()["status"] == "approved"


async def test_any_order_needs_so_many_present_votes(cast: Cast) -> None:
    """Random votes, withdrawals and edits: it is approved exactly when enough people approved what is there."""
    people = {"ada": cast.ada, "ben": cast.ben, "cleo": cast.cleo}
    for seed in range(12):
        chance = random.Random(seed)
        number = chance.choice((2, 3))
        await needing(cast, number)
        task, asked = await finishing(cast)
        votes: set[str] = set()
        for step in range(25):
            name = chance.choice(list(people))
            act = chance.choice(("vote", "vote", "vote", "edit", "priority", "withdraw"))
            if act == "vote":
                votes.add(name)
                (await decide(people[name], cast, asked)).ok()
            elif act == "withdraw" and name in votes:
                votes.discard(name)
                (await people[name].post(f"{cast.approvals}/{asked['id']}/reopenings")).ok()
            elif act == "edit":
                votes.clear()
                (await cast.ada.patch(cast.task(task), {"description": f"{seed} {step}"})).ok()
            elif act == "priority":
                (await cast.ada.patch(cast.task(task), {"priority": chance.choice(("low", "high"))})).ok()
            present = await read(cast, asked)
            assert present["status"] == ("approved" if len(votes) >= number else "pending"), (seed, step, act)
            if present["status"] == "approved":
                break
            assert present["approvals_missing"] == number - len(votes)
            for one, caller in people.items():
                waits = f"approval:{asked['id']}" in ids((await needs(caller))["items"])
                assert waits == (one not in votes), (seed, step, one)


async def test_reach_knows_for_whom_it_is_done(cast: Cast) -> None:
    await needing(cast, 2)
    asked = await cast.ask(cast.vega)
    (await decide(cast.ben, cast, asked)).ok()
    [one] = await waiting_in(cast.organization.id)
    ben, cleo = [(await who.actor()).memberships[cast.organization.id] for who in (cast.ben, cast.cleo)]
    assert not one.found.is_for(ben, cast.ben.id)
    assert one.found.is_for(cleo, cast.cleo.id)
