"""Setting up a board: what it is for, the lead that is made for it, and the conversation that a gateway would lead."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.core.errors import Conflict, NotFound
from mission_control.gateway_agents.models import OnboardingSession
from mission_control.gateway_agents.onboarding.api import store_main_agent_message
from mission_control.gateway_agents.onboarding.queries import BoardOnboardingAgentComplete, BoardOnboardingAgentQuestion
from mission_control.people.models import User
from tests.cast import Cast, events, head, kinds

GOAL = {
    "board_type": "goal", "objective": "See farther.", "success_metrics": {"nights": 12}, "target_date": "2027-03-01",
}  # fmt: skip
LEAD = {"name": "Lyra", "identity_profile": {"role": " Guide ", "empty": " "}, "autonomy_level": "ask_first"}
STYLE = {
    "verbosity": "concise", "output_format": "bullets", "update_cadence": "daily", "custom_instructions": " Be kind. ",
}  # fmt: skip


def at(cast: Cast, tail: str = "", board: Any = None) -> str:
    """The path of a board's conversation; the other board has no lead."""
    return f"/boards/{(board or cast.other_board).id}/onboarding{tail}"


def draft(**fields: Any) -> BoardOnboardingAgentComplete:
    """What an agent proposes."""
    return BoardOnboardingAgentComplete.model_validate(GOAL | {"status": "complete"} | fields)


async def session(cast: Cast, **fields: Any) -> OnboardingSession:
    """A conversation about the other board."""
    return await OnboardingSession.create(board_id=cast.other_board.id, **fields)


async def hear(cast: Cast, said: Any) -> OnboardingSession:
    """What a main agent says, by the command that its operation calls."""
    return await store_main_agent_message(system(cast.organization.id), cast.other_board, said)


async def test_confirmation_sets_the_goal_and_creates_a_lead(cast: Cast) -> None:
    before = await head(cast)
    done = (await cast.ben.post(at(cast, "/confirm"), GOAL)).ok()
    assert (done["id"], done["goal_confirmed"], done["goal_source"]) == (
        str(cast.other_board.id), True, "lead_agent_onboarding",
    )  # fmt: skip
    assert (done["objective"], done["success_metrics"]) == ("See farther.", {"nights": 12})
    assert (done["target_date"], done["require_approval_for_done"]) == ("2027-03-01T00:00:00Z", True)
    lead = await Agent.get(id=done["lead_agent_id"])
    assert (lead.name, lead.is_board_lead, lead.gateway_id) == ("Lead Agent", True, None)
    found = await events(before)
    assert [one.kind for one in found] == ["board.updated", "agent.created", "onboarding.confirmed"]
    assert {one.actor_id for one in found} == {cast.ben.id}
    assert done["lead_token"] not in "".join(one.data for one in found)
    healthy = await cast.nobody.get("/agent/healthz", headers={"X-Agent-Token": done["lead_token"]})
    assert healthy.ok()["is_board_lead"] is True


async def test_repeated_confirmation_is_a_no_op(cast: Cast) -> None:
    first = (await cast.ada.post(at(cast, "/confirm"), GOAL)).ok()
    before = await head(cast)
    again = (await cast.ada.post(at(cast, "/confirm"), GOAL)).ok()
    assert again == first | {"lead_token": None}
    assert await kinds(cast, before) == []
    other = (await cast.ada.post(at(cast, "/confirm"), GOAL | {"objective": "See all."})).ok()
    assert (other["objective"], other["lead_token"]) == ("See all.", None)
    assert await Agent.filter(board_id=cast.other_board.id, is_board_lead=True).count() == 1


async def test_confirmation_keeps_an_existing_lead(cast: Cast) -> None:
    done = (await cast.cleo.post(at(cast, "/confirm", cast.board), {"board_type": "general"})).ok()
    assert (done["board_type"], done["objective"], done["lead_token"]) == ("general", None, None)
    assert done["lead_agent_id"] == str(cast.atlas.id)


async def test_confirmation_gives_an_existing_lead_the_proposed_name(cast: Cast) -> None:
    await OnboardingSession.create(board_id=cast.board.id, status="completed")
    await OnboardingSession.filter(board_id=cast.board.id).update(draft_goal={"lead_agent": {"name": "Vega"}})
    before = await head(cast)
    done = (await cast.cleo.post(at(cast, "/confirm", cast.board), GOAL)).ok()
    assert done["lead_agent_id"] == str(cast.atlas.id) and done["lead_token"] is None
    assert (await Agent.get(id=cast.atlas.id)).name == "Vega 2"  # another agent of the board is called Vega
    assert "agent.updated" in [kind for kind, _ in await kinds(cast, before)]
    before = await head(cast)
    (await cast.cleo.post(at(cast, "/confirm", cast.board), GOAL | {"lead_name": "Atlas"})).ok()
    (await cast.cleo.post(at(cast, "/confirm", cast.board), GOAL | {"lead_name": None})).ok()
    assert (await Agent.get(id=cast.atlas.id)).name == "Atlas"
    assert [kind for kind, _ in await kinds(cast, before)].count("agent.updated") == 1


async def test_concurrent_confirmations_create_one_lead(cast: Cast) -> None:
    answers = await asyncio.gather(*(who.post(at(cast, "/confirm"), GOAL) for who in (cast.ada, cast.ben, cast.ada)))
    assert sorted(one.ok()["lead_token"] is not None for one in answers) == [False, False, True]
    assert await Agent.filter(board_id=cast.other_board.id, is_board_lead=True).count() == 1


async def test_taken_lead_name_gets_a_number(cast: Cast) -> None:
    for name in ("LEAD agent", "Lead Agent 2"):
        (await cast.ada.post("/agents", {"name": name, "board_id": str(cast.other_board.id)})).ok()
    done = (await cast.ada.post(at(cast, "/confirm"), GOAL)).ok()
    assert (await Agent.get(id=done["lead_agent_id"])).name == "Lead Agent 3"


@pytest.mark.parametrize("change", [
    {"board_type": None}, {"objective": ""}, {"objective": None}, {"success_metrics": {}}, {"success_metrics": [1]},
    {"target_date": "soon"}, {"board_type": "x" * 65},
])  # fmt: skip
async def test_invalid_goal_is_refused(cast: Cast, change: dict[str, Any]) -> None:
    before = await head(cast)
    assert isinstance((await cast.ada.post(at(cast, "/confirm"), GOAL | change)).refused(422), list)
    assert await kinds(cast, before) == []


async def test_proposal_sets_the_leads_name_and_profile(cast: Cast) -> None:
    person = {"preferred_name": " Adi ", "timezone": "Europe/Oslo", "notes": " "}
    await User.filter(id=cast.ada.id).update(notes="Old.", pronouns="she")
    await session(cast)
    await hear(cast, draft(lead_agent=LEAD | STYLE, user_profile=person))
    wanted = GOAL | {"objective": "Mine.", "user_profile": {"timezone": "Europe/Oslo", "notes": " "}}
    done = (await cast.ada.post(at(cast, "/confirm"), wanted)).ok()
    lead = await Agent.get(id=done["lead_agent_id"])
    assert lead.name == "Lyra"
    assert lead.identity_profile == {
        "role": "Guide", "communication_style": "direct, concise, practical", "emoji": ":gear:",
        "autonomy_level": "ask_first", "verbosity": "concise", "output_format": "bullets",
        "update_cadence": "daily", "custom_instructions": "Be kind.",
    }  # fmt: skip
    assert (done["objective"], done["require_approval_for_done"]) == ("Mine.", True)
    [ada] = await User.filter(id=cast.ada.id).values("preferred_name", "timezone", "notes", "pronouns")
    assert ada == {"preferred_name": None, "timezone": "Europe/Oslo", "notes": "Old.", "pronouns": "she"}
    assert (await cast.ada.get(at(cast))).ok()["status"] == "confirmed"


@pytest.mark.parametrize(("lead", "asks"), [
    ({"autonomy_level": "autonomous"}, False),
    ({"autonomy_level": "balanced"}, True),
    ({"identity_profile": {"autonomy": "Fully_Autonomous"}}, False),
    ({"identity_profile": {"mode": "full-autonomy"}}, False),
    ({"identity_profile": {"autonomy_level": "fully, and autonomously"}}, False),
    ({"identity_profile": {"autonomy": "semi-autonomous"}}, True),
    (None, True),
])  # fmt: skip
async def test_only_an_autonomous_lead_needs_no_approvals(cast: Cast, lead: Any, asks: bool) -> None:
    await session(cast)
    await hear(cast, draft(lead_agent=lead))
    done = (await cast.ada.post(at(cast, "/confirm"), GOAL)).ok()
    assert done["require_approval_for_done"] is asks


async def test_outdated_parts_of_a_proposal_are_ignored(cast: Cast) -> None:
    await session(cast, draft_goal={"lead_agent": {"name": "Lyra", "verbosity": "loud"}, "user_profile": [1]})
    assert (await cast.ada.get(at(cast))).ok()["draft_goal"] is None
    done = (await cast.ada.post(at(cast, "/confirm"), GOAL)).ok()
    assert (await Agent.get(id=done["lead_agent_id"])).name == "Lead Agent"


async def test_writer_without_admin_role_also_gets_a_lead(cast: Cast) -> None:
    (await cast.ada.delete(f"/agents/{cast.atlas.id}")).ok()
    done = (await cast.cleo.post(at(cast, "/confirm", cast.board), GOAL)).ok()
    assert done["lead_token"].startswith("mca_")


@pytest.mark.parametrize(("tail", "body"), [("/start", {}), ("/answer", {"answer": "Stars."})])
async def test_conversation_needs_a_gateway(cast: Cast, tail: str, body: Any) -> None:
    await session(cast)
    (await cast.ada.post(at(cast, tail), body)).refused_as(422, "board_without_gateway")
    [item] = (await cast.ada.post(at(cast, tail))).refused(422)
    assert item["loc"] == ["body"]


async def test_latest_conversation_is_read(cast: Cast) -> None:
    assert "no conversation" in (await cast.ada.get(at(cast))).refused(404)
    old = await session(cast, session_key="old")
    await session(cast, session_key="new", status="completed", updated_at=times.clock_now() - timedelta(hours=1))
    read = (await cast.ada.get(at(cast))).ok()
    assert (read["id"], read["session_key"], read["status"]) == (str(old.id), "old", "active")
    assert (read["messages"], read["draft_goal"]) == ([], None)


async def test_only_a_main_agent_reports_to_onboarding(cast: Cast) -> None:
    await OnboardingSession.create(board_id=cast.board.id)
    said = {"question": "What for?", "options": [{"id": "1", "label": "Stars"}]}
    for path in (at(cast, "/agent", cast.board), f"/agent{at(cast, board=cast.board)}"):
        for caller in (cast.atlas, cast.vega):
            assert (await caller.post(path, said)).refused(403)["code"] == "main_agent_only"
            assert (await caller.post(path, {})).refused(403)["code"] == "main_agent_only"
    assert (await OnboardingSession.get(board_id=cast.board.id)).messages == []


async def test_main_agents_messages_are_stored(cast: Cast) -> None:
    question = {"question": " What for? ", "options": [{"id": "1", "label": "Stars"}]}
    with pytest.raises(NotFound):
        await hear(cast, BoardOnboardingAgentQuestion.model_validate(question))
    await session(cast)
    before = await head(cast)
    await hear(cast, BoardOnboardingAgentQuestion.model_validate(question))
    await hear(cast, draft(lead_agent=LEAD))
    read = (await cast.ada.get(at(cast))).ok()
    assert [one["role"] for one in read["messages"]] == ["assistant", "assistant"]
    asked, proposed = (orjson.loads(one["content"]) for one in read["messages"])
    assert asked == {"question": "What for?", "options": [{"id": "1", "label": "Stars"}]}
    assert proposed["lead_agent"] == {
        "name": "Lyra",
        "identity_profile": {"role": "Guide"},
        "autonomy_level": "ask_first",
    }
    assert (read["status"], read["draft_goal"]["objective"]) == ("completed", "See farther.")
    assert [kind for kind, _ in await kinds(cast, before)] == ["onboarding.asked", "onboarding.drafted"]
    await hear(cast, draft(objective="See all."))
    assert (await cast.ada.get(at(cast))).ok()["draft_goal"]["lead_agent"] is None
    (await cast.ada.post(at(cast, "/confirm"), GOAL)).ok()
    with pytest.raises(Conflict):
        await hear(cast, draft())


async def test_concurrent_messages_are_all_stored(cast: Cast) -> None:
    await session(cast)
    said = [BoardOnboardingAgentQuestion(question=f"{n}?", options=[{"id": "1", "label": "x"}]) for n in range(5)]  # type: ignore[list-item]
    await asyncio.gather(*(hear(cast, one) for one in said))
    assert len((await OnboardingSession.get(board_id=cast.other_board.id)).messages) == 5


async def test_deleted_board_cannot_be_set_up(cast: Cast) -> None:
    (await cast.ada.delete(f"/boards/{cast.other_board.id}")).ok()
    (await cast.ada.post(at(cast, "/confirm"), GOAL)).refused(404)
    assert (await Board.get(id=UUID(str(cast.other_board.id)))).goal_confirmed is False


async def test_a_board_is_set_up_with_the_wanted_lead(cast: Cast) -> None:
    url, board = at(cast, "/confirm"), cast.other_board
    wanted = GOAL | {"lead_name": "Polaris", "autonomy": "autonomous", "instructions": " Be kind. "}
    made = (await cast.ada.post(url, wanted)).ok()
    assert (made["objective"], made["goal_confirmed"], made["require_approval_for_done"]) == (
        "See farther.",
        True,
        False,
    )
    lead = await Agent.get(board_id=board.id, is_board_lead=True)
    assert (lead.name, str(lead.id), made["lead_token"][:4]) == ("Polaris", made["lead_agent_id"], "mca_")
    assert lead.identity_profile == {
        "role": "Board Lead", "communication_style": "direct, concise, practical", "emoji": ":gear:",
        "autonomy_level": "autonomous", "custom_instructions": "Be kind.",
    }  # fmt: skip
    again = (await cast.ada.post(url, wanted | {"autonomy": "ask_first"})).ok()
    assert (again["lead_token"], again["require_approval_for_done"]) == (None, False)
