"""The conversation about a board: what people say is stored before it is sent, and nothing of it is lost."""

import asyncio
from typing import Any

import orjson
import pytest
from tortoise.exceptions import IntegrityError

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core.actor import system
from mission_control.events.leases import Delivery
from mission_control.gateway_agents.models import OnboardingSession, ProvisioningJob
from mission_control.gateway_agents.onboarding.api import store_main_agent_message
from mission_control.gateway_agents.onboarding.conversation import PATIENCE, note_silences
from mission_control.gateway_agents.onboarding.queries import BoardOnboardingAgentComplete, BoardOnboardingAgentQuestion
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.identity import main_session_key
from tests.cast import Cast, head, kinds
from tests.claiming import later
from tests.gateway_agents.test_onboarding import GOAL
from tests.onboarding import PROPOSAL, QUESTION, add_gateway, arrive, hire_main_agent, on_gateway, put_on, sent_to
from tests.onboarding import the_session as session_of

pytestmark = pytest.mark.dialect

SILENT = PATIENCE.total_seconds() + 1


def at(cast: Cast, tail: str = "", board: Any = None) -> str:
    """The path of a board's conversation."""
    return f"/boards/{(board or cast.other_board).id}/onboarding{tail}"


async def start(cast: Cast) -> Any:
    return (await cast.ada.post(at(cast, "/start"), {})).ok()


async def answer(cast: Cast, text: str, **more: Any) -> Any:
    return (await cast.ada.post(at(cast, "/answer"), {"answer": text, **more})).ok()


async def hear(cast: Cast, said: dict[str, Any]) -> None:
    """What the main agent says, by the command of its operation."""
    kind = BoardOnboardingAgentComplete if "status" in said else BoardOnboardingAgentQuestion
    await store_main_agent_message(system(cast.organization.id), cast.other_board, kind.model_validate(said))


async def test_a_start_is_stored_with_its_delivery(cast: Cast) -> None:
    gateway, main = await on_gateway(cast)
    before = await head(cast)
    read = await start(cast)
    [sent] = await sent_to(main)
    assert (read["status"], read["session_key"]) == ("active", main_session_key(gateway.id))
    assert (read["delivery_ids"], read["silent_at"], read["draft_goal"]) == ([str(sent.id)], None, None)
    assert (sent.kind, sent.header, sent.state) == ("agent.notice", "BOARD ONBOARDING REQUEST", "waiting")
    [said] = read["messages"]
    assert said["role"] == "user"
    assert said["content"] == f"BOARD ONBOARDING REQUEST\n\n{sent.text}"
    assert [kind for kind, _ in await kinds(cast, before)] == ["onboarding.started"]


async def test_a_second_start_returns_an_asked_question_untouched(cast: Cast) -> None:
    _, main = await on_gateway(cast)
    first = await start(cast)
    await hear(cast, QUESTION)
    before, asked = await head(cast), (await cast.ada.get(at(cast))).ok()
    assert await start(cast) == asked
    assert (asked["id"], asked["delivery_ids"]) == (first["id"], [])
    assert await kinds(cast, before) == []
    assert len(await sent_to(main)) == 1


@pytest.mark.parametrize("state", ["waiting", "failed"])
async def test_what_never_arrived_is_sent_again_with_its_own_key(cast: Cast, state: str) -> None:
    _, main = await on_gateway(cast)
    first = await start(cast)
    await arrive(first["delivery_ids"][0], state=state, attempts=6, last_error="No route.")
    again = await start(cast)
    assert (again["id"], again["delivery_ids"]) == (first["id"], first["delivery_ids"])
    assert again["updated_at"] > first["updated_at"]
    [sent] = await sent_to(main)
    assert (sent.state, sent.attempts) == ("waiting", 0)


async def test_what_is_being_sent_is_not_sent_twice(cast: Cast) -> None:
    _, main = await on_gateway(cast)
    first = await start(cast)
    await arrive(first["delivery_ids"][0], state="sending", leased_by="x")
    assert (await start(cast))["delivery_ids"] == first["delivery_ids"]
    [sent] = await sent_to(main)
    assert (sent.state, sent.leased_by) == ("sending", "x")


async def test_what_arrived_without_an_answer_is_a_new_delivery(cast: Cast) -> None:
    _, main = await on_gateway(cast)
    first = await start(cast)
    await arrive(first["delivery_ids"][0])
    again = await start(cast)
    old, new = await sent_to(main)
    assert (old.state, new.state, new.header, new.text) == ("sent", "waiting", old.header, old.text)
    assert again["delivery_ids"] == [str(new.id)]
    assert len(again["messages"]) == 1


async def test_a_start_after_a_proposal_begins_anew(cast: Cast) -> None:
    await on_gateway(cast)
    first = await start(cast)
    await hear(cast, PROPOSAL)
    second = await start(cast)
    assert second["id"] != first["id"]
    assert (second["status"], second["draft_goal"]) == ("active", None)


async def test_an_older_active_conversation_is_used_before_a_newer_proposal(cast: Cast) -> None:
    gateway, _ = await on_gateway(cast)
    first = await start(cast)
    await OnboardingSession.create(
        board_id=cast.other_board.id, status="completed", session_key=main_session_key(gateway.id)
    )
    assert (await start(cast))["id"] == first["id"]


async def test_concurrent_starts_begin_one_conversation(cast: Cast) -> None:
    _, main = await on_gateway(cast)
    answers = await asyncio.gather(*(who.post(at(cast, "/start"), {}) for who in (cast.ada, cast.ben, cast.ada)))
    assert len({one.ok()["id"] for one in answers}) == 1
    assert len(await sent_to(main)) == 1
    with pytest.raises(IntegrityError):
        await OnboardingSession.create(board_id=cast.other_board.id)


async def test_answers_arrive_as_they_were_typed(cast: Cast) -> None:
    _, main = await on_gateway(cast)
    await start(cast)
    await hear(cast, QUESTION)
    await answer(cast, "Stars")
    await answer(cast, "Moons", other_text="")
    await answer(cast, "Something else", other_text=" Dust\nand gas.")
    read = await answer(cast, "Blank", other_text=" ")
    texts = ["Stars", "Moons", "Something else:  Dust\nand gas.", "Blank:  "]
    sent = (await sent_to(main))[1:]
    assert [one.text for one in sent] == texts
    assert {one.data["raw"] for one in sent} == {True}
    assert [one["content"] for one in read["messages"][2:]] == texts
    assert read["delivery_ids"] == [str(sent[-1].id)]


async def test_concurrent_answers_are_all_stored_and_sent(cast: Cast) -> None:
    _, main = await on_gateway(cast)
    await start(cast)
    texts = {f"Answer {number}" for number in range(6)}
    await asyncio.gather(*(answer(cast, text) for text in sorted(texts)))
    stored = (await session_of(cast.other_board)).messages[1:]
    assert {one["content"] for one in stored} == texts
    sent = (await sent_to(main))[1:]
    assert [one.text for one in sent] == [one["content"] for one in stored]


async def test_context_after_a_proposal_is_sent_and_answered_by_another_one(cast: Cast) -> None:
    await on_gateway(cast)
    await start(cast)
    await hear(cast, PROPOSAL)
    read = await answer(cast, "Additional context", other_text="By May.")
    assert (read["status"], read["messages"][-1]["content"]) == ("completed", "Additional context: By May.")
    await hear(cast, PROPOSAL | {"objective": "By May.", "lead_agent": None})
    read = (await cast.ada.get(at(cast))).ok()
    assert (read["draft_goal"]["objective"], read["draft_goal"]["lead_agent"]) == ("By May.", None)


async def test_an_answer_names_its_board_where_one_chat_holds_two_conversations(cast: Cast) -> None:
    gateway, main = await on_gateway(cast)
    await put_on(cast.board, gateway)
    await start(cast)
    (await cast.ada.post(at(cast, "/start", cast.board), {})).ok()
    await answer(cast, "Stars")
    board = cast.other_board
    assert (await sent_to(main))[-1].text == f"About the board {board.name} ({board.id}):\nStars"
    assert (await session_of(board)).messages[-1]["content"] == "Stars"


async def test_an_answer_needs_a_conversation(cast: Cast) -> None:
    await on_gateway(cast)
    assert "no conversation" in (await cast.ada.post(at(cast, "/answer"), {"answer": "x"})).refused(404)
    await start(cast)
    assert isinstance((await cast.ada.post(at(cast, "/answer"), {"answer": " "})).refused(422), list)
    assert isinstance((await cast.ada.post(at(cast, "/answer"), {})).refused(422), list)


@pytest.mark.parametrize(
    ("state", "code"),
    [(None, "board_without_gateway"), ("refused", "gateway_refused"), ("headless", "gateway_without_main_agent")],
)
@pytest.mark.parametrize(("tail", "body"), [("/start", {}), ("/answer", {"answer": "x"}), ("/resends", ...)])
async def test_a_gateway_that_cannot_work_is_refused(cast: Cast, state: Any, code: str, tail: str, body: Any) -> None:
    if state == "headless":
        await put_on(cast.other_board, await add_gateway(cast))
    elif state:
        await on_gateway(cast, state=state)
    await OnboardingSession.create(
        board_id=cast.other_board.id, messages=[{"role": "user", "content": "x", "timestamp": "2026-11-26T12:00:00Z"}]
    )
    (await cast.ada.post(at(cast, tail), body)).refused_as(422, code)
    assert await Delivery.all().count() == 0


@pytest.mark.parametrize("state", ["connecting", "pairing", "unreachable"])
async def test_a_gateway_that_is_away_gets_it_later(cast: Cast, state: str) -> None:
    _, main = await on_gateway(cast, state=state)
    await start(cast)
    assert [one.state for one in await sent_to(main)] == ["waiting"]


async def test_a_gateway_of_another_organization_is_gone(cast: Cast) -> None:
    gateway, _ = await on_gateway(cast)
    await Gateway.filter(id=gateway.id).update(organization_id=cast.elsewhere.id)
    (await cast.ada.post(at(cast, "/start"), {})).refused_as(422, "gateway_gone")


async def test_a_silent_agent_is_noticed_once(cast: Cast) -> None:
    await on_gateway(cast)
    read = await start(cast)
    with later(SILENT):
        assert await note_silences() == 0  # it has not arrived
    await arrive(read["delivery_ids"][0], sent_at=(await session_of(cast.other_board)).updated_at)
    before = await head(cast)
    assert await note_silences() == 0
    with later(SILENT):
        assert await note_silences() == 1
        assert await note_silences() == 0
    assert [kind for kind, _ in await kinds(cast, before)] == ["onboarding.agent_silent"]
    assert (await cast.ada.get(at(cast))).ok()["silent_at"] is not None
    again = (await cast.ada.post(at(cast, "/resends"))).ok()
    assert (again["silent_at"], again["delivery_ids"] == read["delivery_ids"]) == (None, False)


async def test_an_answer_of_the_agent_ends_the_silence(cast: Cast) -> None:
    await on_gateway(cast)
    read = await start(cast)
    await arrive(read["delivery_ids"][0], sent_at=(await session_of(cast.other_board)).updated_at)
    with later(SILENT):
        await note_silences()
        await hear(cast, QUESTION)
        assert await note_silences() == 0
    read = (await cast.ada.get(at(cast))).ok()
    assert (read["silent_at"], read["delivery_ids"], len(read["messages"])) == (None, [], 2)
    (await cast.ada.post(at(cast, "/resends"))).refused_as(409, "onboarding_answered")


async def test_the_trash_keeps_no_watch(cast: Cast) -> None:
    await on_gateway(cast)
    read = await start(cast)
    await arrive(read["delivery_ids"][0], sent_at=(await session_of(cast.other_board)).updated_at)
    (await cast.ada.delete(f"/boards/{cast.other_board.id}")).ok()
    with later(SILENT):
        assert await note_silences() == 0


async def test_a_cancelled_conversation_is_gone_and_sends_nothing(cast: Cast) -> None:
    _, main = await on_gateway(cast)
    first = await start(cast)
    before = await head(cast)
    assert (await cast.ada.post(at(cast, "/cancellations"))).ok()["id"] == first["id"]
    assert [kind for kind, _ in await kinds(cast, before)] == ["onboarding.cancelled"]
    assert [one.state for one in await sent_to(main)] == ["failed"]
    (await cast.ada.get(at(cast))).refused(404)
    for tail in ("/answer", "/resends", "/cancellations"):
        (await cast.ada.post(at(cast, tail), {"answer": "x"} if tail == "/answer" else ...)).refused(404)
    assert (await start(cast))["id"] != first["id"]


async def test_a_proposal_can_be_cancelled_and_a_confirmation_cannot(cast: Cast) -> None:
    await on_gateway(cast)
    await start(cast)
    await hear(cast, PROPOSAL)
    (await cast.ada.post(at(cast, "/cancellations"))).ok()
    await OnboardingSession.create(board_id=cast.other_board.id, status="confirmed")
    (await cast.ada.post(at(cast, "/cancellations"))).refused_as(409, "onboarding_confirmed")


async def test_another_gateway_of_the_board_begins_anew(cast: Cast) -> None:
    _, main = await on_gateway(cast)
    first = await start(cast)
    other = await add_gateway(cast)
    second_main = await hire_main_agent(cast, other)
    await put_on(cast.other_board, other)
    for tail, body in (("/answer", {"answer": "x"}), ("/resends", ...)):
        (await cast.ada.post(at(cast, tail), body)).refused_as(409, "onboarding_gateway_changed")
    second = await start(cast)
    assert (second["id"] != first["id"], second["session_key"]) == (True, main_session_key(other.id))
    assert [one.state for one in await sent_to(main)] == ["failed"]
    assert [one.state for one in await sent_to(second_main)] == ["waiting"]


async def test_stored_messages_of_the_agent_are_compact(cast: Cast) -> None:
    await on_gateway(cast)
    await start(cast)
    await hear(cast, PROPOSAL)
    stored = (await session_of(cast.other_board)).messages[-1]
    assert stored["content"] == orjson.dumps(orjson.loads(stored["content"])).decode()
    assert "null" not in stored["content"]


async def test_a_board_without_a_gateway_keeps_its_conversation_readable(cast: Cast) -> None:
    await on_gateway(cast)
    first = await start(cast)
    await Board.filter(id=cast.other_board.id).update(gateway_id=None)
    assert (await cast.ada.get(at(cast))).ok()["id"] == first["id"]
    (await cast.ada.post(at(cast, "/cancellations"))).ok()


async def test_a_confirmation_tries_a_lead_again_that_could_not_be_created(cast: Cast) -> None:
    gateway, _ = await on_gateway(cast)
    lead = await Agent.create(
        organization_id=cast.organization.id,
        board_id=cast.other_board.id,
        gateway_id=gateway.id,
        name="Cetus",
        is_board_lead=True,
        status="error",
        last_provision_error="The gateway was away.",
    )
    for _ in range(2):
        done = (await cast.ada.post(at(cast, "/confirm"), GOAL)).ok()
        assert (done["lead_agent_id"], done["lead_token"]) == (str(lead.id), None)
    assert await ProvisioningJob.filter(agent_id=lead.id, action="provision").count() == 1
    await Agent.filter(id=lead.id).update(last_provision_error=None)
    await ProvisioningJob.all().delete()
    (await cast.ada.post(at(cast, "/confirm"), GOAL)).ok()
    assert await ProvisioningJob.all().count() == 0
