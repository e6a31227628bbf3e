"""The page of the conversation about a board: its states, what people answer, and the way to the goal."""

import asyncio
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.gateway_agents.models import OnboardingSession
from mission_control.gateway_agents.onboarding.chat_pages import question_of
from mission_control.gateway_agents.onboarding.conversation import PATIENCE, note_silences
from mission_control.gateways.models import Gateway
from tests.cast import Cast, Program
from tests.claiming import later
from tests.onboarding import PROPOSAL, QUESTION, arrive, on_gateway, put_on, sent_to, the_session
from tests.visitor import visitor


def at(board: Board, tail: str = "") -> str:
    return f"/boards/{board.id}/onboarding{tail}"


async def say(cast: Cast, main: Program, said: dict[str, Any]) -> None:
    """The main agent asks or proposes."""
    (await main.post(f"/agent{at(cast.other_board)}", said)).ok()


async def begun(cast: Cast, *said: dict[str, Any]) -> Program:
    """A conversation in which the agent said something."""
    _, main = await on_gateway(cast)
    (await cast.ada.post(at(cast.other_board, "/start"), {})).ok()
    for one in said:
        await say(cast, main, one)
    return main


async def test_the_page_offers_to_begin(cast: Cast) -> None:
    await on_gateway(cast)
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.get(at(cast.other_board))).is_status(200)
    seen.has("Talk it through", "The main agent of Dock", "Start the conversation", "fill in the form", "Conversation")
    seen.lacks("answer-form")
    assert (await ada.post(at(cast.other_board, "/starts"))).leads_to == at(cast.other_board)
    (await ada.get(at(cast.other_board))).has("On its way to the agent", "The agent was asked to begin", "answer-form")
    (await ada.get(f"/boards/{cast.other_board.id}/setup")).has("Ways to set up the board", "created on the board")


async def test_a_board_without_a_gateway_has_the_form_alone(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    assert (await ada.get(at(cast.other_board))).leads_to == f"/boards/{cast.other_board.id}/setup"
    (await ada.get(f"/boards/{cast.other_board.id}/setup")).lacks("Ways to set up the board")


async def test_the_page_needs_rights(cast: Cast) -> None:
    gateway, _ = await on_gateway(cast)
    await put_on(cast.board, gateway)
    dan, eve = await visitor(cast.app, cast.dan), await visitor(cast.app, cast.eve)
    for tail in ("", "/live"):
        (await dan.get(at(cast.board, tail))).is_status(403)
        (await eve.get(at(cast.board, tail))).is_status(404)


async def test_options_are_numbered_buttons_and_own_words_a_field(cast: Cast) -> None:
    await begun(cast, QUESTION | {"options": [*QUESTION["options"], {"id": "other", "label": "I'll type it"}]})
    ada = await visitor(cast.app, cast.ada)
    seen = await ada.get(at(cast.other_board))
    seen.has("What for?", 'data-key="1"', 'value="Stars"', 'data-key="3"', 'href="#answer-text"').lacks(
        "Choose all that fit"
    )
    assert 'name="typed" value="I&#39;ll type it"' in seen.text


@pytest.mark.parametrize(("form", "text"), [
    ({"choice": "Stars"}, "Stars"),
    ({"choice": ["Stars", "Moons"]}, "Stars, Moons"),
    ({"choice": "Stars", "text": " and dust "}, "Stars: and dust"),
    ({"text": "Dust", "typed": "I'll type it"}, "I'll type it: Dust"),
    ({"text": "Dust"}, "Dust"),
])  # fmt: skip
async def test_answers_are_sent_as_chosen_and_typed(cast: Cast, form: dict[str, Any], text: str) -> None:
    main = await begun(cast, QUESTION)
    ada = await visitor(cast.app, cast.ada)
    (await ada.with_htmx.post(at(cast.other_board, "/answers"), {"seen": "2", **form})).is_status(204)
    assert (await sent_to(main))[-1].text == text
    (await ada.get(at(cast.other_board))).has("On its way to the agent", text.replace("'", "&#39;"))


async def test_an_answer_says_something(cast: Cast) -> None:
    main = await begun(cast, QUESTION)
    ada = await visitor(cast.app, cast.ada)
    refused = (await ada.with_htmx.post(at(cast.other_board, "/answers"), {"text": " "})).is_status(422)
    refused.has("Choose an answer or write one.")
    assert len(await sent_to(main)) == 1


async def test_an_answer_to_an_earlier_question_is_refused(cast: Cast) -> None:
    main = await begun(cast, QUESTION, QUESTION | {"question": "And then?"})
    ada = await visitor(cast.app, cast.ada)
    late = await ada.with_htmx.post(at(cast.other_board, "/answers"), {"choice": "Stars", "seen": "2"})
    late.is_status(409).has("Something was said since.")
    assert len(await sent_to(main)) == 1


async def test_several_options_where_the_question_says_so(cast: Cast) -> None:
    await begun(cast, QUESTION | {"question": "Which limits? (choose all that apply)"})
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(at(cast.other_board))).has('type="checkbox"', "Choose all that fit, then send.")


@pytest.mark.parametrize(("label", "is_typed"), [
    ("I'll type it", True), ("Other", True), ("Something else", True), ("Let me type my own", True),
    ("Another brother", False), ("Typewriters", False), ("Ask first", False),
])  # fmt: skip
def test_options_that_stand_for_own_words(label: str, is_typed: bool) -> None:
    asked = f'{{"question": "What?", "options": [{{"id": "1", "label": "{label}"}}]}}'
    question = question_of(OnboardingSession(messages=[{"role": "assistant", "content": asked}]))
    assert question is not None
    assert question.options[0].is_typed is is_typed


@pytest.mark.parametrize(("state", "words"), [
    ("unreachable", "Dock cannot be reached. What you say is stored"),
    ("pairing", "Dock waits to be paired."),
    ("refused", "Dock refuses the connection."),
    ("connecting", "Dock is being connected."),
])  # fmt: skip
async def test_a_gateway_that_is_away_is_said(cast: Cast, state: str, words: str) -> None:
    gateway, _ = await on_gateway(cast, state=state)
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(at(cast.other_board))).has(words, f"/gateways/{gateway.id}", "Talk it through")


async def test_the_page_says_what_it_waits_for(cast: Cast) -> None:
    await begun(cast)
    ada, session = await visitor(cast.app, cast.ada), await the_session(cast.other_board)
    await arrive(session.delivery_id, sent_at=session.updated_at)
    (await ada.get(at(cast.other_board))).has("The agent is thinking").lacks("Send again")
    with later(PATIENCE.total_seconds() + 1):
        await note_silences()
    (await ada.get(at(cast.other_board))).has("No answer for 5 minutes.", "Send again")
    (await ada.with_htmx.post(at(cast.other_board, "/resends"))).is_status(204)
    session = await the_session(cast.other_board)
    await arrive(session.delivery_id, state="failed", last_error="The run failed.")
    (await ada.get(at(cast.other_board))).has("This could not be sent: The run failed.", "Send again")
    await arrive(session.delivery_id, state="waiting", last_error="Busy.")
    (await ada.get(at(cast.other_board))).has("Not sent yet: Busy.", "Try now")


async def test_a_proposal_is_a_form_that_confirms(cast: Cast) -> None:
    await begun(cast, QUESTION, PROPOSAL)
    ada = await visitor(cast.app, cast.ada)
    seen = await ada.get(at(cast.other_board))
    seen.has("The proposal", "Map the sky.", "Stars: 900", "Cetus", "Proposed a goal and a lead", "Additional context")
    typed = {
        "board_type": "goal", "objective": "Map it all.", "metrics": "Stars: 900", "lead_name": "Cetus",
        "autonomy": "autonomous",
    }  # fmt: skip
    (await ada.post(f"/boards/{cast.other_board.id}/setup", typed))
    board = await Board.get(id=cast.other_board.id)
    assert (board.objective, board.success_metrics, board.goal_confirmed) == ("Map it all.", {"Stars": "900"}, True)
    lead = await Agent.get(board_id=board.id, is_board_lead=True)
    seen = await ada.get(at(cast.other_board))
    seen.has("Confirmed. What happens now", "Cetus", f"/agents/{lead.id}", "Open the board").lacks("answer-form")


async def test_a_cancelled_conversation_can_begin_again(cast: Cast) -> None:
    await begun(cast, QUESTION)
    ada = await visitor(cast.app, cast.ada)
    assert (await ada.post(at(cast.other_board, "/cancellations"))).leads_to == at(cast.other_board)
    (await ada.get(at(cast.other_board))).has("Talk it through").lacks("What for?")


async def test_open_pages_get_questions_and_the_state_of_the_gateway(cast: Cast) -> None:
    main = await begun(cast)
    ada = await visitor(cast.app, cast.ada)
    async with ada.watching(at(cast.other_board, "/live?after=0")) as watch:
        await say(cast, main, QUESTION)
        await watch.until("What for?")
        await watch.until("The agent asks: What for?")
        watch.text = ""
        await ada.with_htmx.post(at(cast.other_board, "/answers"), {"choice": "Stars", "seen": "2"})
        await watch.until("On its way to the agent")
        await say(cast, main, PROPOSAL)
        await watch.until("Map the sky.")


async def test_texts_of_agents_are_escaped(cast: Cast) -> None:
    await begun(cast, {"question": "<b>What</b>?", "options": [{"id": "1", "label": "<i>Stars</i>"}]})
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(at(cast.other_board))).has("&lt;b&gt;What", "&lt;i&gt;Stars").lacks("<b>What", "<i>Stars")


async def test_two_people_answer_at_once_and_one_is_asked_to_look(cast: Cast) -> None:
    main = await begun(cast, QUESTION)
    ada, ben = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben)
    form = {"choice": "Stars", "seen": "2"}
    seen = await asyncio.gather(*(who.with_htmx.post(at(cast.other_board, "/answers"), form) for who in (ada, ben)))
    assert sorted(one.status for one in seen) == [204, 409]
    assert len(await sent_to(main)) == 2


async def test_a_conversation_outlives_its_gateway(cast: Cast) -> None:
    await begun(cast, QUESTION)
    await Gateway.all().delete()
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(at(cast.other_board))).is_status(200).has("The gateway is gone.", "What for?")
