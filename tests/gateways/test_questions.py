"""Questions that gateways ask: in people's queue, answered here or there, in both forms of the protocol."""

from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.approvals.payloads import CHANNEL
from mission_control.core import times
from mission_control.events import wakeup_channels
from mission_control.events.leases import Delivery
from mission_control.gateway_agents.requests import answer_loop
from mission_control.gateway_agents.requests.reading import read_answers, read_question
from mission_control.gateways.connections import connector, link
from mission_control.gateways.models import Gateway
from mission_control.questions.models import Question
from tests.cast import Cast
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway, until

TARGET: dict[str, Any] = {
    "questionId": "target",
    "header": "Target",
    "question": "Where shall I deploy?",
    "options": [{"label": "Staging (Recommended)", "description": "Safe."}, {"label": "Production"}],
    "isOther": True,
}
COLOURS: dict[str, Any] = {
    "questionId": "colours",
    "header": "Colours",
    "question": "Which colours?",
    "options": [{"label": "Red"}, {"label": "Blue"}, {"label": "Green"}],
    "multiSelect": True,
}
WHEN: dict[str, Any] = {"questionId": "when", "header": "When", "question": "When?", "options": [{"label": "Now"}]}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other quickly."""
    monkeypatch.setattr(link, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(link, "LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(answer_loop, "RETRY_SECONDS", 0.05)


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway) -> Gateway:
    """A gateway that Vega is on."""
    found = await connected_gateway(cast, fake_gateway)
    await Agent.filter(id=cast.vega.id).update(gateway_id=found.id, gateway_agent_id="mc-vega")
    return found


async def asked(cast: Cast, fake: FakeGateway, *items: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask on the gateway, and return our questions in the order of the items."""
    there = await fake.ask_question(*items, agent_id="mc-vega")
    return [await ours(cast, f"{there['id']}#{item['questionId']}") for item in items]


async def ours(cast: Cast, external_id: str, **fields: Any) -> dict[str, Any]:
    """Return our question of one of a gateway as soon as it is so."""

    async def found() -> Question | None:
        return await Question.get_or_none(external_id=external_id, **fields)

    question = await until(found)
    body: dict[str, Any] = (await cast.ada.get(f"{cast.home}/questions/{question.id}")).ok()
    return body


async def answer(cast: Cast, question: dict[str, Any], **body: Any) -> Any:
    """Answer as Cleo."""
    return await cast.cleo.post(f"{cast.home}/questions/{question['id']}/answers", body)


async def settled(cast: Cast, question: dict[str, Any], **fields: Any) -> tuple[dict[str, Any], str]:
    """Return a question as soon as it is so, and its id on the gateway."""
    external_id = str((await Question.get(id=question["id"])).external_id)
    return await ours(cast, external_id, **fields), external_id.partition("#")[0]


@pytest.mark.parametrize("wants_flat_answers", [False, True])
async def test_answer_goes_to_the_gateway(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, wants_flat_answers: bool
) -> None:
    fake_gateway.wants_flat_answers = wants_flat_answers
    [found] = await asked(cast, fake_gateway, TARGET)
    assert (found["content"], found["allows_text"]) == ("Where shall I deploy?", True)
    assert found["agent_name"] == "Vega" and found["expires_at"] and found["gateway_id"] == str(gateway.id)
    first, second = found["options"]
    assert first["recommended"] and first["outcome"] == "Safe." and not second["recommended"]
    (await answer(cast, found, option_id=second["id"])).ok()
    now, there = await settled(cast, found, answer_state="sent")
    kept = fake_gateway.state.questions[there]
    assert read_answers(kept["answers"]) == {"target": ["Production"]} and kept["resolvedBy"] == "Cleo"
    assert now["answered_by"]["name"] == "Cleo"
    assert not await Delivery.filter(header="QUESTION ANSWERED").exists(), "the gateway tells its agent"


async def test_questions_asked_together_are_answered_together(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    target, colours, when = await asked(cast, fake_gateway, TARGET, COLOURS, WHEN)
    assert "separated by commas" in colours["content"] and not when["allows_text"]
    (await answer(cast, target, answer="A new server")).ok()
    (await answer(cast, colours, answer="red, Green")).ok()
    assert fake_gateway.sent("question.resolve") == []
    (await answer(cast, when, option_id="1")).ok()
    _, there = await settled(cast, when, answer_state="sent")
    await settled(cast, target, answer_state="sent")
    said = {"target": ["A new server"], "colours": ["Red", "Green"], "when": ["Now"]}
    assert read_answers(fake_gateway.state.questions[there]["answers"]) == said


async def test_answered_or_ended_on_the_gateway(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    [first], [second] = await asked(cast, fake_gateway, TARGET), await asked(cast, fake_gateway, TARGET)
    ids = [str((await Question.get(id=one["id"])).external_id).partition("#")[0] for one in (first, second)]
    fake_gateway.state.questions[ids[0]]["resolvedBy"] = "Bea"
    fake_gateway.resolve_question(ids[0], "answered", {"answers": {"target": ["Production"]}})
    now, _ = await settled(cast, first, state="answered")
    assert (now["answer"], now["answered_by"], now["answered_by_name"]) == ("Production", None, "Bea on the gateway")
    (await answer(cast, first, answer="Late")).refused(409)
    fake_gateway.resolve_question(ids[1], "cancelled")
    await settled(cast, second, state="withdrawn")


async def test_beaten_answer_gives_way(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    [found] = await asked(cast, fake_gateway, TARGET)
    _, there = await settled(cast, found)
    kept = fake_gateway.state.questions[there]
    kept |= {"status": "answered", "answers": {"answers": {"target": ["Production"]}}, "resolvedBy": "Bea"}
    (await answer(cast, found, option_id="1")).ok()
    now, _ = await settled(cast, found, answer_state="late")
    assert (now["answer"], now["answered_by_name"]) == ("Production", "Bea on the gateway")


async def test_answer_told_before_a_crash_counts(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    [found] = await asked(cast, fake_gateway, TARGET)
    fake_gateway.break_off("question.resolve", after=True)
    (await answer(cast, found, option_id="1", answer="but on Monday")).ok()
    now, there = await settled(cast, found, answer_state="sent")
    assert now["answered_by"]["name"] == "Cleo"
    said = read_answers(fake_gateway.state.questions[there]["answers"])
    assert said == {"target": ["Staging (Recommended): but on Monday"]}


async def test_away_gateway_gets_the_answer_later(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    [found] = await asked(cast, fake_gateway, TARGET)
    await fake_gateway.stop()
    await until(lambda: gateway.id not in connector.held_here())
    assert (await answer(cast, found, option_id="1")).ok()["answer_state"] == "waiting"
    missed = {**TARGET, "question": "Missed?"}
    await fake_gateway.ask_question(missed, agent_id="mc-vega")
    await fake_gateway.start()
    await settled(cast, found, answer_state="sent")
    assert await until(lambda: Question.get_or_none(content="Missed?"))


async def test_expires_while_the_gateway_is_away(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    [found] = await asked(cast, fake_gateway, TARGET)
    await fake_gateway.stop()
    await until(lambda: gateway.id not in connector.held_here())
    with times.travelled(timedelta(minutes=31)):
        (await answer(cast, found, option_id="1")).refused(409)
        wakeup_channels.channels_notify([CHANNEL])
        await settled(cast, found, state="withdrawn")


async def test_withdrawal_cancels_it(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    [found] = await asked(cast, fake_gateway, TARGET)
    (await cast.atlas.delete(f"/agent{cast.home}/questions/{found['id']}")).ok()
    _, there = await settled(cast, found, answer_state="sent")
    assert fake_gateway.state.questions[there]["status"] == "cancelled"


async def test_secrets_and_strangers_stay_on_the_gateway(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    await fake_gateway.ask_question({**TARGET, "isSecret": True}, agent_id="mc-vega")
    await fake_gateway.ask_question(TARGET, agent_id="a-stranger")
    await asked(cast, fake_gateway, TARGET)
    assert await Question.all().count() == 1


def test_older_form_has_an_id() -> None:
    found = read_question({"id": "q", "questions": [{**TARGET, "questionId": None, "id": "old"}]})
    assert found is not None and found.parts[0].id == "old"
    assert read_answers({"a": "one", "b": ["two"], "c": {"answers": ["three"]}}) == {
        "a": ["one"],
        "b": ["two"],
        "c": ["three"],
    }


def test_options_that_do_not_fit_stand_in_the_text() -> None:
    same = [{"label": "Yes"}, {"label": "yes"}]
    found = read_question({"id": "q", "questions": [{**TARGET, "options": same}]})
    assert found is not None
    question = found.parts[0].as_question()
    assert question.options == [] and question.allows_text and "- yes" in question.content
