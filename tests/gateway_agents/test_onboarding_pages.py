"""The form for a board's goal and lead."""

import re
from typing import Any

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.events.commands import atomically
from mission_control.events.unit_of_work import record
from mission_control.gateway_agents.models import OnboardingSession
from mission_control.people.models import User
from tests.cast import Cast, head, kinds
from tests.visitor import visitor

TYPED = {
    "board_type": "goal", "objective": "See farther.", "metrics": "Nights: 12\n\n Clear skies : half",
    "target_date": "", "lead_name": "Lyra", "autonomy": "ask_first", "instructions": "Be kind.",
}  # fmt: skip


def at(board: Board) -> str:
    return f"/boards/{board.id}/setup"


async def test_setup_form_creates_the_lead_and_shows_its_token_once(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(at(cast.other_board))).is_status(200).has("What it is for", "Who leads it", "Lead Agent")
    done = (await ada.post(at(cast.other_board), TYPED)).is_status(200)
    done.has("Dome is set up", "The token of Lyra, shown only now", "http://localhost/client.pyz", "What Lyra does")
    found = re.search(r"mca_[\w-]{48}", done.text)
    assert found
    assert (await cast.nobody.get("/agent/healthz", headers={"X-Agent-Token": found[0]})).ok()["is_board_lead"] is True
    board = await Board.get(id=cast.other_board.id)
    assert (board.objective, board.success_metrics) == ("See farther.", {"Nights": "12", "Clear skies": "half"})
    assert (board.goal_confirmed, board.require_approval_for_done, board.target_date) == (True, True, None)
    lead = await Agent.get(name="Lyra")
    assert lead.identity_profile is not None and lead.identity_profile["autonomy_level"] == "ask_first"
    (await ada.get(at(cast.other_board))).has("leads this board", "Nights: 12").lacks(found[0], 'name="lead_name"')


async def test_autonomous_lead_needs_no_approvals(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.post(at(cast.other_board), TYPED | {"autonomy": "autonomous"})).is_status(200)
    assert (await Board.get(id=cast.other_board.id)).require_approval_for_done is False


async def test_existing_lead_keeps_the_approval_rule(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    seen = (await cleo.get(at(cast.board))).is_status(200)
    seen.has("Atlas", "leads this board").lacks('name="lead_name"')
    typed = {name: text for name, text in TYPED.items() if name != "lead_name"} | {"target_date": "2027-03-01"}
    done = (await cleo.post(at(cast.board), typed)).is_status(303)
    assert done.leads_to == f"/boards/{cast.board.id}"
    board = await Board.get(id=cast.board.id)
    assert (board.require_approval_for_done, str(board.target_date)) == (False, "2027-03-01 23:59:00")
    before = await head(cast)
    (await cleo.post(at(cast.board), typed)).is_status(303)
    assert await kinds(cast, before) == []


async def test_writer_without_admin_role_sees_no_link_to_the_agent(cast: Cast) -> None:
    (await cast.ada.delete(f"/agents/{cast.atlas.id}")).ok()
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.post(at(cast.board), TYPED)).is_status(200).has("shown only now").lacks("What Lyra does")


async def test_errors_are_shown_at_their_fields(cast: Cast) -> None:
    ada, before = await visitor(cast.app, cast.ada), await head(cast)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"objective": " "}, "Say what should be true in the end."),
        ({"metrics": ""}, "Name at least one metric; a goal is measured."),
        ({"metrics": "Many nights"}, "this one is not: Many nights."),
        ({"target_date": "soon"}, "Enter a date such as 2026-03-14."),
        ({"autonomy": "wild"}, "Choose one of the options."),
        ({"instructions": "x" * 2001}, "Use at most 2000 characters."),
    ]
    for change, sentence in wrong:
        refused = (await ada.post(at(cast.other_board), TYPED | change)).is_status(422)
        refused.has("<!doctype html>", sentence, 'aria-invalid="true"', "Lyra")
    assert await kinds(cast, before) == []
    (await ada.post(at(cast.other_board), {"board_type": "general"})).is_status(200)


async def test_agents_proposal_is_shown_first(cast: Cast) -> None:
    proposed = {
        "status": "complete", "board_type": "goal", "objective": "Map the <sky>.", "success_metrics": {"Stars": [1, 2]},
        "lead_agent": {"name": "Cetus", "autonomy_level": "autonomous"}, "target_date": "2027-05-06T00:00:00",
    }  # fmt: skip
    await OnboardingSession.create(board_id=cast.other_board.id, status="completed", draft_goal=proposed)
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.get(at(cast.other_board))).has("Map the &lt;sky&gt;.", "Stars: [1,2]", "Cetus", "2027-05-06")
    seen.has('value="autonomous" selected')


async def test_existing_lead_gets_the_chosen_name(cast: Cast) -> None:
    proposed = {"status": "complete", "board_type": "general", "lead_agent": {"name": "Lyra"}}
    await OnboardingSession.create(board_id=cast.board.id, status="completed", draft_goal=proposed)
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get(at(cast.board))).has('value="Lyra"', "Empty, it stays Atlas.")
    (await cleo.post(at(cast.board), {"board_type": "general", "lead_name": "Lyra"})).is_status(303)
    assert (await Agent.get(id=cast.atlas.id)).name == "Lyra"


PERSON = {
    "preferred_name": "Adi", "pronouns": "she/her", "timezone": "Europe/Oslo", "notes": "Old.",
    "context": "Runs the shop with one colleague.",
}  # fmt: skip


def ticked(text: str) -> set[str]:
    """The boxes of a person's profile that are ticked."""
    boxes = re.findall(r'<input type="checkbox"[^>]*id="person-(\w+)"[^>]*>', text)
    return {name for name in boxes if re.search(rf'id="person-{name}"[^>]*\bchecked\b', text)}


async def test_profile_changes_only_where_it_is_ticked(cast: Cast) -> None:
    proposed = {"status": "complete", "board_type": "general", "user_profile": PERSON}
    await OnboardingSession.create(board_id=cast.board.id, status="completed", draft_goal=proposed)
    await User.filter(id=cast.cleo.id).update(notes="Old.", preferred_name="Cleo", timezone="Europe/Paris")
    cleo = await visitor(cast.app, cast.cleo)
    seen = (await cleo.get(at(cast.board))).has("Your name: Adi", "Now: Cleo", "Time zone: Europe/Oslo")
    assert ticked(seen.text) == {"preferred_name", "timezone"}  # the others are those of the example
    seen.lacks("Notes for agents")  # is so already
    (await cleo.post(at(cast.board), {"board_type": "general", "timezone": "Europe/Oslo"})).is_status(303)
    [person] = await User.filter(id=cast.cleo.id).values("preferred_name", "timezone", "notes", "pronouns")
    assert person == {"preferred_name": "Cleo", "timezone": "Europe/Oslo", "notes": "Old.", "pronouns": None}


async def answered(session: OnboardingSession) -> None:
    """Record that somebody answered in a conversation."""
    record("onboarding.answered", await Board.get(id=session.board_id), "Answered.", session_id=session.id)


async def test_what_others_said_of_themselves_and_unknown_zones_are_not_ticked(cast: Cast) -> None:
    proposed = {"status": "complete", "board_type": "general", "user_profile": PERSON | {"timezone": "Oslo"}}
    session = await OnboardingSession.create(board_id=cast.board.id, status="completed", draft_goal=proposed)
    await atomically(await cast.ada.actor(), lambda: answered(session))
    cleo, ada = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.ada)
    seen = (await cleo.get(at(cast.board))).has("Your name: Adi").lacks("Time zone:")
    assert ticked(seen.text) == set()
    assert ticked((await ada.get(at(cast.board))).text) == {"preferred_name", "notes"}


async def test_untouched_metrics_keep_their_values(cast: Cast) -> None:
    await Board.filter(id=cast.board.id).update(success_metrics={"nights": 12, "who": {"a": 1}})
    cleo = await visitor(cast.app, cast.cleo)
    form = TYPED | {"metrics": 'nights: 12\nwho: {"a":1}\nmore: 3'}
    (await cleo.post(at(cast.board), form)).is_status(303)
    assert (await Board.get(id=cast.board.id)).success_metrics == {"nights": 12, "who": {"a": 1}, "more": "3"}


async def test_setup_needs_rights(cast: Cast) -> None:
    dan, eve = await visitor(cast.app, cast.dan), await visitor(cast.app, cast.eve)
    (await dan.get(at(cast.board))).is_status(403)
    (await eve.get(at(cast.board))).is_status(404)


async def test_empty_board_links_to_setup_until_confirmed(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"/boards/{cast.other_board.id}")).has("Say what it is for", at(cast.other_board))
    (await ada.get(f"/boards/{cast.other_board.id}/settings")).has(at(cast.other_board))
    (await ada.post(at(cast.other_board), TYPED)).is_status(200)
    (await ada.get(f"/boards/{cast.other_board.id}")).lacks("Say what it is for")
    (await ada.get("/activity")).has("set up")
