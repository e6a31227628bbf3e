"""Work that agents found: proposing it, deciding about it one by one and many at once, and taking that back."""

import asyncio
from typing import Any

import pytest

from mission_control.tasks.models import TaskProposal
from mission_control.tasks.proposals.commands import MOST_OPEN
from tests.cast import Answer, Caller, Cast, events, head, ids

pytestmark = pytest.mark.dialect

NEW = {"title": "Oil the dome", "reason": "It squeaks."}


async def proposed(cast: Cast, by: Caller | None = None, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await (by or cast.vega).post(f"/agent{cast.home}/proposals", NEW | fields)).ok()
    return found


async def decided(cast: Cast, proposal: dict[str, Any], by: Caller | None = None, **given: Any) -> Answer:
    return await (by or cast.ada).post(f"{cast.home}/proposals/{proposal['id']}/decision", given)


async def told(cast: Cast) -> list[str]:
    inbox = (await cast.vega.get("/agent/inbox")).ok()["items"]
    return [one["text"] for one in inbox if one["kind"] == "proposal_decided"]


async def test_agent_proposes_what_it_found_at_its_task(cast: Cast) -> None:
    task, since = await cast.add_task(), await head(cast)
    (await cast.vega.post(f"/agent{cast.home}/claims", {"task_id": task["id"]})).ok()
    proposal = await proposed(cast, priority="high", description="All hinges.")
    assert proposal["found_in"] == {name: task[name] for name in ("id", "number", "title")} | {"status": "in_progress"}
    assert (proposal["state"], proposal["agent_name"], proposal["priority"]) == ("open", "Vega", "high")
    assert proposal["run_id"] is not None and proposal["task"] is None
    assert (await cast.dan.get(f"{cast.home}/proposals?state=open")).ok()["items"] == [proposal]
    assert (await cast.dan.get(f"{cast.home}/proposals/{proposal['id']}")).ok() == proposal
    [event] = await events(since, kind="proposal.made")
    assert (event.message, event.actor_id) == ("Task proposed: Oil the dome.", cast.vega.id)


async def test_same_title_is_proposed_once(cast: Cast) -> None:
    first = await proposed(cast)
    assert await proposed(cast, cast.rigel, reason="It is loud.") == first
    assert (await decided(cast, first, decision="drop")).ok()["state"] == "dropped"
    assert (await proposed(cast))["id"] != first["id"]


async def test_proposals_are_bounded(cast: Cast) -> None:
    waiting = (
        TaskProposal(board_id=cast.board.id, agent_name="Vega", title=f"No. {one}", reason="x")
        for one in range(MOST_OPEN)
    )
    await TaskProposal.bulk_create(waiting)
    assert "wait on this board" in (await cast.vega.post(f"/agent{cast.home}/proposals", NEW)).refused(409)


async def test_task_of_another_board_is_refused(cast: Cast) -> None:
    other = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Elsewhere"})).ok()
    (await cast.vega.post(f"/agent{cast.home}/proposals", NEW | {"task_id": other["id"]})).refused(404)


@pytest.mark.parametrize("role", ["person", "lead"])
async def test_accepted_proposal_is_a_task_linked_to_its_origin(cast: Cast, role: str) -> None:
    task = await cast.add_task()
    proposal = await proposed(cast, task_id=task["id"], priority="high")
    caller = cast.cleo if role == "person" else cast.atlas
    answer = (await decided(cast, proposal, caller, decision="accept", note="Well seen.")).ok()
    assert (answer["state"], answer["decided_by"], answer["note"]) == ("accepted", caller.name, "Well seen.")
    made = (await cast.ada.get(cast.task(answer["task"]))).ok()
    assert (made["title"], made["priority"], made["status"]) == ("Oil the dome", "high", "inbox")
    assert made["description"] == "Proposed by Vega: It squeaks."
    [link] = (await cast.ada.get(f"{cast.task(made)}/links")).ok()["items"]
    assert (link["kind"], link["task"]["id"]) == ("found_in", task["id"])
    assert await told(cast) == [f"Your proposal “Oil the dome” was accepted as #{made['number']}.\nWell seen."]
    (await decided(cast, proposal, decision="drop")).refused_as(409, "need_ended")


@pytest.mark.parametrize("named", ["id", "number"])
async def test_merged_proposal_is_a_comment_of_the_other_task(cast: Cast, named: str) -> None:
    task, proposal = await cast.add_task(), await proposed(cast)
    name = task["id"] if named == "id" else f"#{task['number']}"
    assert (await decided(cast, proposal, decision="merge", task_id=name)).ok()["task"]["id"] == task["id"]
    [comment] = (await cast.ada.get(f"{cast.task(task)}/comments")).ok()["items"]
    assert comment["message"] == "Vega proposed: Oil the dome\n\nIt squeaks."
    assert await told(cast) == [f"Your proposal “Oil the dome” was merged into #{task['number']}."]


@pytest.mark.parametrize("is_edited", [False, True])
async def test_merge_is_taken_back_with_its_comment_unless_somebody_edited_it(cast: Cast, is_edited: bool) -> None:
    task, proposal = await cast.add_task(), await proposed(cast)
    (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "Mine."})).ok()
    (await decided(cast, proposal, cast.ben, decision="merge", task_id=task["id"])).ok()
    comments = f"{cast.task(task)}/comments"
    made = (await cast.ada.get(comments)).ok()["items"][-1]
    if is_edited:
        (await cast.ben.patch(f"{comments}/{made['id']}", {"message": "Oil it, too."})).ok()
    assert (await cast.ada.delete(f"{cast.home}/proposals/{proposal['id']}/decision")).ok() == proposal
    kept = [one["message"] for one in (await cast.ada.get(comments)).ok()["items"]]
    assert kept == ["Mine.", *(["Oil it, too."] if is_edited else [])]


async def test_decisions_that_make_no_sense_are_refused(cast: Cast) -> None:
    task, proposal = await cast.add_task(), await proposed(cast)
    (await decided(cast, proposal, decision="merge")).refused(422)
    (await decided(cast, proposal, decision="drop", task_id=task["id"])).refused(422)
    (await decided(cast, proposal, decision="merge", task_id="#99")).refused(422)
    (await decided(cast, proposal, decision="merge", task_id="dome")).refused(422)


async def test_two_decisions_at_once_make_one_task(cast: Cast) -> None:
    proposal = await proposed(cast)
    answers = await asyncio.gather(*(decided(cast, proposal, one, decision="accept") for one in (cast.ada, cast.cleo)))
    assert sorted(one.status for one in answers) == [200, 409]
    assert (await cast.ada.get(cast.tasks)).ok()["total"] == 1


async def test_many_are_decided_at_once(cast: Cast) -> None:
    first, *others = [await proposed(cast, title=f"Dome {one}") for one in range(3)]
    (await decided(cast, first, decision="drop", note="No.")).ok()
    given = {"proposal_ids": [one["id"] for one in (first, *others)], "decision": "accept"}
    answer = (await cast.ada.post(f"{cast.home}/proposals/decisions", given)).ok()["items"]
    assert ids(answer) == given["proposal_ids"]
    assert [one["state"] for one in answer] == ["dropped", "accepted", "accepted"]
    stranger = given | {"proposal_ids": [first["id"], "01a20f89-2bd7-774c-8be4-ab89967d70a3"]}
    (await cast.ada.post(f"{cast.home}/proposals/decisions", stranger)).refused(404)
    (await cast.ada.post(f"{cast.home}/proposals/decisions", given | {"decision": "merge"})).refused(422)


async def test_decision_is_taken_back(cast: Cast) -> None:
    proposal = await proposed(cast)
    path = f"{cast.home}/proposals/{proposal['id']}/decision"
    made = (await decided(cast, proposal, decision="accept")).ok()["task"]
    assert (await cast.ada.delete(path)).ok() == proposal
    (await cast.ada.get(cast.task(made))).refused(404)
    assert (await cast.ada.delete(path)).ok() == proposal
    made = (await decided(cast, proposal, decision="accept")).ok()["task"]
    (await cast.ada.patch(cast.task(made), {"status": "in_progress"})).ok()
    assert "was taken up meanwhile" in (await cast.ada.delete(path)).refused(409)


async def test_proposal_is_a_need_that_is_answered_and_taken_back(cast: Cast) -> None:
    task = await cast.add_task()
    waiting = [await proposed(cast, title=f"Dome {one}", task_id=task["id"]) for one in range(3)]
    needs = (await cast.cleo.get("/needs?kind=proposal")).ok()["items"]
    assert [one["title"] for one in needs] == [f"Vega proposes: Dome {one}" for one in range(3)]
    assert [one["id"] for one in needs[0]["answers"]] == ["accept", "merge", "drop"]
    assert (await cast.dan.get("/needs?kind=proposal")).ok()["total"] == 0
    many = [{"id": one["id"], "answer": "accept"} for one in needs[:2]]
    assert (await cast.cleo.post("/needs/answers", {"answers": many})).ok()["answered"] == 2
    merge = {"answer": "merge", "note": f"#{task['number']}"}
    (await cast.cleo.post(f"/needs/{needs[2]['id']}/answers", merge)).ok()
    over = (await cast.ada.post(f"/needs/{needs[2]['id']}/answers", merge)).refused_as(409, "need_ended")
    assert over.startswith("Cleo merged this into a task")
    assert (await cast.cleo.post("/needs/undos", {"ids": [one["id"] for one in needs]})).ok()["undone"] == 3
    found = (await cast.cleo.get(f"{cast.home}/proposals")).ok()["items"]
    assert [one["state"] for one in found] == ["open"] * 3 and ids(found) == ids(waiting)[::-1]
    assert (await cast.ada.get(cast.tasks)).ok()["total"] == 1


async def test_required_fields_are_asked_for(cast: Cast) -> None:
    field = {"field_key": "site", "label": "Site", "field_type": "text", "required": True}
    (await cast.ada.post("/organizations/me/custom-fields", field | {"board_ids": [str(cast.board.id)]})).ok()
    proposal = await proposed(cast)
    assert (await decided(cast, proposal, decision="accept")).status == 422
    (await decided(cast, proposal, decision="accept", custom_field_values={"site": "Hill"})).ok()
