"""When nobody has looked, others are asked by name; and who stands in for somebody who is away."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from mission_control.channels.delivery.state import waiting_in
from mission_control.channels.models import ReachNeed
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.core.times import travelled
from mission_control.needs import deadlines
from mission_control.needs.kinds import KINDS
from tests.cast import Caller, Cast, Person, head, kinds, stamp
from tests.needs.test_needs import ask_question, one_of
from tests.statements import counted

pytestmark = pytest.mark.dialect


def step(minutes: int, *people: Person, **more: Any) -> dict[str, Any]:
    return {"after_minutes": minutes, "user_ids": [str(one.id) for one in people], **more}


async def escalating(cast: Cast, *steps: dict[str, Any], **more: Any) -> None:
    (await cast.cleo.patch(cast.home, {"escalation": {"steps": list(steps), **more}})).ok()


async def after(minutes: float) -> None:
    """Let the clock look so many minutes from now."""
    with travelled(timedelta(minutes=minutes)):
        await deadlines.end_due()


async def asked_about(cast: Cast, approval: dict[str, Any]) -> list[tuple[str, str]]:
    read = (await cast.ada.get(f"{cast.approvals}/{approval['id']}")).ok()
    return [(one["name"], one["why"]) for one in read["asked"]]


async def test_others_are_asked_in_two_steps(cast: Cast) -> None:
    await escalating(cast, step(30, cast.ben), step(60, cast.ada, cast.cleo))
    asked = await cast.ask(cast.vega)
    before = await head(cast)
    await after(29)
    assert await asked_about(cast, asked) == []
    await after(31)
    await after(31)
    assert await asked_about(cast, asked) == [("Ben", "unseen")]
    read = (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()
    assert (read["asked_user_id"], read["asked"][0]["minutes"]) == (str(cast.ben.id), 30)
    await after(31 + 59)
    assert len(await asked_about(cast, asked)) == 1
    await after(31 + 61)
    await after(31 + 300)
    assert await asked_about(cast, asked) == [("Ben", "unseen"), ("Ada", "unseen"), ("Cleo", "unseen")]
    assert [kind for kind, _ in await kinds(cast, before)] == ["approval.asked_another"] * 2
    facts = [fact["text"] for fact in (await one_of(cast.cleo, "approval"))["facts"]]
    assert "Ben was asked, because nobody looked for 30 min" in facts
    history = [one["message"] for one in (await cast.ada.get(f"{cast.approvals}/{asked['id']}/history")).ok()["items"]]
    assert "Asked Ada and Cleo because nobody looked for 1 h: publish." in history


async def test_question_is_escalated_too(cast: Cast) -> None:
    await escalating(cast, step(30, cast.ben))
    question = await ask_question(cast)
    before = await one_of(cast.cleo, "question")
    await after(31)
    read = (await cast.ada.get(f"{cast.home}/questions/{question['id']}")).ok()
    assert (read["asked_user_id"], [one["name"] for one in read["asked"]]) == (str(cast.ben.id), ["Ben"])
    one = await one_of(cast.cleo, "question")
    assert "Ben was asked, because nobody looked for 30 min" in [fact["text"] for fact in one["facts"]]
    assert one["version"] != before["version"]


async def test_a_look_begins_the_time_anew(cast: Cast) -> None:
    await escalating(cast, step(30, cast.ben))
    snoozed, voted = await cast.ask(cast.vega), await cast.ask(cast.vega)
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    with travelled(timedelta(minutes=20)):
        path = f"/needs/approval:{snoozed['id']}/snooze"
        (await cast.cleo.call("PUT", path, {"until_changed": True})).ok()
        (await cast.cleo.post(f"{cast.approvals}/{voted['id']}/decisions", {"decision": "approved"})).ok()
    await after(40)
    assert await asked_about(cast, snoozed) == await asked_about(cast, voted) == []
    await after(51)
    assert await asked_about(cast, snoozed) == await asked_about(cast, voted) == [("Ben", "unseen")]


async def test_who_approved_already_is_not_asked_by_name(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": 3})).ok()
    await escalating(cast, step(30, cast.ben, cast.ada))
    await away(cast.ada, cast.cleo)
    asked = await cast.ask(cast.vega)
    for voter in (cast.ben, cast.cleo):
        (await voter.post(f"{cast.approvals}/{asked['id']}/decisions", {"decision": "approved"})).ok()
    await after(40)
    before = await head(cast)
    await after(41)
    assert await asked_about(cast, asked) == [("Ada", "unseen")]
    assert await kinds(cast, before) == []


async def test_what_is_answered_or_of_another_board_is_left(cast: Cast) -> None:
    await escalating(cast, step(30, cast.ben))
    decided = await cast.ask(cast.vega)
    (await cast.cleo.post(f"{cast.approvals}/{decided['id']}/decisions", {"decision": "approved"})).ok()
    before = await head(cast)
    await after(60)
    assert await kinds(cast, before) == []
    await cast.ask(cast.vega)
    (await cast.cleo.patch(cast.home, {"escalation": None})).ok()
    before = await head(cast)
    await after(60)
    assert await kinds(cast, before) == []


async def test_one_in_turns_is_asked(cast: Cast) -> None:
    await escalating(cast, step(5, cast.ada, cast.ben, cast.cleo, rota="day"), timezone="Europe/Zurich")
    names = []
    for days in range(4):
        with travelled(timedelta(days=days)):
            asked = await cast.ask(cast.vega)
        with travelled(timedelta(days=days, minutes=6)):
            await deadlines.end_due()
        names += [name for name, _ in await asked_about(cast, asked)]
    assert len(names) == 4
    assert set(names[:3]) == {"Ada", "Ben", "Cleo"} and names[3] == names[0]


async def test_board_on_which_nothing_waits_costs_nothing(cast: Cast) -> None:
    with counted() as before:
        await deadlines.end_due()
    await escalating(cast, step(5, cast.ben), step(5, cast.cleo))
    with counted() as found:
        await deadlines.end_due()
    assert len(found) == len(before)


async def test_others_are_asked_where_whose_turn_it_is_has_left(cast: Cast) -> None:
    await escalating(cast, step(5, cast.ben, cast.cleo, rota="day"))
    members = (await cast.ada.get("/organizations/me/members")).ok()["items"]
    [cleo] = [one["id"] for one in members if one["user_id"] == str(cast.cleo.id)]
    (await cast.ada.delete(f"/organizations/me/members/{cleo}")).ok()
    for days in range(2):  # one of them is Cleo's
        with travelled(timedelta(days=days)):
            asked = await cast.ask(cast.vega)
        with travelled(timedelta(days=days, minutes=6)):
            await deadlines.end_due()
        assert await asked_about(cast, asked) == [("Ben", "unseen")]


async def test_who_cannot_answer_is_neither_named_nor_asked(cast: Cast) -> None:
    for person in (cast.dan, cast.eve):
        wrong = {"steps": [step(5, person)]}
        assert "cannot answer" in str((await cast.ada.patch(cast.home, {"escalation": wrong})).refused(422))
    for caller, status in ((cast.dan, 403), (cast.eve, 404), (cast.vega, 401)):
        (await caller.patch(cast.home, {"escalation": {"steps": [step(5, cast.ben)]}})).refused(status)
    await escalating(cast, step(5, cast.cleo), step(5, cast.ben))
    asked = await cast.ask(cast.vega)
    members = (await cast.ada.get("/organizations/me/members")).ok()["items"]
    [cleo] = [one["id"] for one in members if one["user_id"] == str(cast.cleo.id)]
    (await cast.ada.delete(f"/organizations/me/members/{cleo}")).ok()
    await after(6)
    assert await asked_about(cast, asked) == []
    await after(12)
    assert await asked_about(cast, asked) == [("Ben", "unseen")]


async def test_two_processes_take_a_step_once(cast: Cast) -> None:
    await escalating(cast, step(5, cast.ben), step(60, cast.ada))
    asked = await cast.ask(cast.vega)
    before = await head(cast)
    deadline = KINDS["approval"].deadline
    assert deadline is not None
    with travelled(timedelta(minutes=6)):
        found = [await deadline.model.get(id=UUID(asked["id"])).select_related("board") for _ in range(3)]
        await asyncio.gather(*(deadline.go_on(system(cast.organization.id), one) for one in found))
    assert [kind for kind, _ in await kinds(cast, before)] == ["approval.asked_another"]


async def test_reopened_approval_begins_anew(cast: Cast) -> None:
    await escalating(cast, step(30, cast.ben), step(30, cast.ada))
    asked = await cast.ask(cast.vega)
    await after(31)
    path = f"{cast.approvals}/{asked['id']}"
    (await cast.cleo.post(f"{path}/decisions", {"decision": "approved"})).ok()
    with travelled(timedelta(minutes=60)):
        (await cast.cleo.post(f"{path}/reopenings")).ok()
    await after(80)
    assert await asked_about(cast, asked) == []
    await after(91)
    assert await asked_about(cast, asked) == [("Ben", "unseen")]
    await after(122)
    assert await asked_about(cast, asked) == [("Ben", "unseen"), ("Ada", "unseen")]


async def away(person: Caller, stand_in: Person | None, days: float = 3) -> None:
    until = str(times.clock_now() + timedelta(days=days)) if days else None
    sent = {"away_until": until, "stand_in_id": str(stand_in.id) if stand_in is not None else None}
    (await person.patch("/users/me", sent)).ok()


async def test_stand_in_is_asked_at_once(cast: Cast) -> None:
    await away(cast.ben, cast.cleo)
    asked = await cast.ask(cast.vega, decide_by=str(stamp(60)), otherwise="ask", otherwise_user_id=str(cast.ben.id))
    before = await head(cast)
    await after(120)
    assert await asked_about(cast, asked) == [("Ben", "unanswered"), ("Cleo", "away")]
    assert [kind for kind, _ in await kinds(cast, before)] == ["approval.asked_another"] * 2
    facts = [fact["text"] for fact in (await one_of(cast.ada, "approval"))["facts"]]
    assert any(one.startswith("Ben is away until ") and one.endswith("; Cleo was asked") for one in facts), facts
    read = (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()
    assert (read["asked_user_id"], read["asked"][1]["instead_of"]) == (str(cast.ben.id), "Ben")
    [one] = await waiting_in(cast.organization.id)
    assert one.asked == {cast.ben.id, cast.cleo.id}


async def test_who_leaves_after_being_asked_is_replaced_once(cast: Cast) -> None:
    await escalating(cast, step(5, cast.ben))
    asked = await cast.ask(cast.vega)
    await after(6)
    await away(cast.ben, cast.ada)
    for minutes in (7, 8, 9):
        await after(minutes)
    assert await asked_about(cast, asked) == [("Ben", "unseen"), ("Ada", "away")]


async def test_stand_ins_of_stand_ins_are_not_followed(cast: Cast) -> None:
    await away(cast.ben, cast.cleo)
    await away(cast.cleo, cast.ada)
    await escalating(cast, step(5, cast.ben))
    asked = await cast.ask(cast.vega)
    await after(6)
    await after(7)
    assert await asked_about(cast, asked) == [("Ben", "unseen"), ("Cleo", "away")]


async def test_stand_in_needs_the_right_and_absence_ends(cast: Cast) -> None:
    await escalating(cast, step(5, cast.ben))
    await away(cast.ben, cast.dan)
    first = await cast.ask(cast.vega)
    await after(6)
    assert await asked_about(cast, first) == [("Ben", "unseen")]
    await away(cast.ben, cast.cleo, days=0)
    await after(7)
    assert await asked_about(cast, first) == [("Ben", "unseen")]
    await away(cast.ben, cast.cleo, days=1)
    with travelled(timedelta(days=2)):
        second = await cast.ask(cast.vega)
    await after(2 * 1440 + 6)
    assert await asked_about(cast, second) == [("Ben", "unseen")]


async def test_stand_in_is_another_person_of_an_own_organization(cast: Cast) -> None:
    for wrong in (cast.eve.id, cast.ben.id, UUID(int=7)):
        refused = (await cast.ben.patch("/users/me", {"stand_in_id": str(wrong)})).refused(422)
        assert "another person" in str(refused)
    read = (await cast.ben.patch("/users/me", {"stand_in_id": str(cast.cleo.id)})).ok()
    assert (read["stand_in_id"], read["away_until"]) == (str(cast.cleo.id), None)


async def test_what_somebody_saw_on_home_counts_as_a_look(cast: Cast) -> None:
    await escalating(cast, step(30, cast.ben))
    seen, unseen = await cast.ask(cast.vega), await cast.ask(cast.vega)
    with travelled(timedelta(minutes=20)):
        await ReachNeed.create(
            reader_id=cast.cleo.id, user_id=cast.cleo.id, organization_id=cast.organization.id, kind="approval",
            subject_id=UUID(seen["id"]), version="1", board_id=cast.board.id, since=stamp(), seen_at=times.clock_now(),
        )  # fmt: skip
    await after(40)
    assert await asked_about(cast, seen) == []
    assert await asked_about(cast, unseen) == [("Ben", "unseen")]
    await after(51)
    assert await asked_about(cast, seen) == [("Ben", "unseen")]
