"""What gateways ask for agents that are on no board: kept, shown to admins, settled here or there, and once only."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import CHANNEL
from mission_control.core import times
from mission_control.events import wakeup_channels
from mission_control.gateway_agents.requests import answer_loop, intake
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateway_agents.requests.reading import read_answers
from mission_control.gateways.connections import connector, link
from mission_control.gateways.connections.events import GatewayRef
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.payload import Payload
from mission_control.questions.models import Question
from tests.cast import Cast, events, kinds
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway, until
from tests.gateways.test_questions import COLOURS, TARGET
from tests.mcp.clients import connected

REQUESTS = "/gateways/requests"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other quickly."""
    monkeypatch.setattr(link, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(link, "LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(answer_loop, "RETRY_SECONDS", 0.05)


@pytest.fixture
async def gateway(cast: Cast, fake_gateway: FakeGateway) -> Gateway:
    """A gateway on which nobody of a board is."""
    return await connected_gateway(cast, fake_gateway)


async def kept(cast: Cast, external_id: str, **fields: Any) -> dict[str, Any]:
    """Return what is kept under an id of the gateway as soon as it is so."""

    async def found() -> GatewayRequest | None:
        return await GatewayRequest.get_or_none(external_id=external_id, **fields)

    request = await until(found)
    body: dict[str, Any] = (await cast.ada.get(f"{REQUESTS}/{request.id}")).ok()
    return body


async def asked(cast: Cast, fake: FakeGateway, agent: str = "a-stranger", **request: Any) -> tuple[dict[str, Any], str]:
    """Ask for an approval on the gateway; return ours, and its id there."""
    there = await fake.ask_approval("git push", agent, **request)
    return await kept(cast, there["id"]), there["id"]


async def decide(who: Any, request: dict[str, Any], **body: Any) -> Any:
    """Decide a request."""
    return await who.post(f"{REQUESTS}/{request['id']}/decisions", body)


async def test_request_of_a_stranger_appears_once(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found, there = await asked(cast, fake_gateway)
    assert (found["kind"], found["heading"], found["status"]) == ("approval", "Run a command: git push", "pending")
    assert (found["agent_name"], found["agent_id"]) == ("a-stranger", None)
    assert found["gateway_name"] == gateway.name and found["expires_at"]
    ref = GatewayRef(gateway.id, gateway.organization_id)
    await intake.approval_requested("exec")(ref, Payload(fake_gateway.state.approvals[there]))
    await Agent.filter(id=cast.vega.id).update(gateway_id=gateway.id, gateway_agent_id="a-stranger")
    await intake.catch_up(ref)
    assert (await GatewayRequest.all().count(), await Approval.all().count()) == (1, 0)
    [event] = await events(kind="gateway.request.asked")
    assert "git push" not in str(event.data) + event.message and event.subject_id == gateway.id


async def test_main_agent_is_named(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    await Agent.filter(id=cast.vega.id).update(gateway_id=gateway.id, gateway_agent_id="mc-main", board_id=None)
    found, _ = await asked(cast, fake_gateway, "mc-main")
    assert (found["agent_name"], found["agent_id"]) == ("Vega", str(cast.vega.id))


@pytest.mark.parametrize(("decision", "there"), [("approved", "allow-once"), ("rejected", "deny")])
async def test_decision_answers_the_gateway(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, decision: str, there: str
) -> None:
    found, external_id = await asked(cast, fake_gateway)
    (await decide(cast.ben, found, decision=decision)).ok()
    now = await kept(cast, external_id, answer_state="sent")
    assert fake_gateway.state.approvals[external_id]["decision"] == there
    assert (now["status"], now["resolved_by"]["name"]) == (decision, "Ben")
    refusal = (await decide(cast.ada, found, decision="approved")).refused(409)
    assert "Ben" in str(refusal)
    told = [kind for kind, _ in await kinds(cast, 0) if kind.startswith("gateway.request.")]
    assert told == ["gateway.request.asked", "gateway.request.decided", "gateway.request.delivered"]


async def test_always_is_sent_only_where_the_gateway_takes_it(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    once, _ = await asked(cast, fake_gateway)
    (await decide(cast.ada, once, decision="approved", always=True)).refused(422)
    often, there = await asked(cast, fake_gateway, allowedDecisions=["allow-once", "allow-always", "deny"])
    (await decide(cast.ada, often, decision="approved", always=True)).ok()
    await kept(cast, there, answer_state="sent")
    assert fake_gateway.state.approvals[there]["decision"] == "allow-always"


async def test_two_people_decide_once(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found, there = await asked(cast, fake_gateway)
    both = await asyncio.gather(
        decide(cast.ben, found, decision="approved"), decide(cast.ada, found, decision="rejected")
    )
    assert sorted(one.status for one in both) == [200, 409]
    won = next(one.body for one in both if one.status == 200)
    await kept(cast, there, answer_state="sent")
    wanted = {"approved": "allow-once", "rejected": "deny"}[won["status"]]
    assert fake_gateway.state.approvals[there]["decision"] == wanted


async def test_decided_on_the_gateway_first(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found, there = await asked(cast, fake_gateway)
    fake_gateway.resolve_approval(there, "allow-once", by="telegram")
    now = await kept(cast, there, status="approved")
    # The news of the gateway names who; its list, where that is read first, says also that it was a device.
    assert now["resolved_by"] is None and now["resolved_by_name"].endswith("telegram on the gateway")
    assert "telegram" in str((await decide(cast.ada, found, decision="rejected")).refused(409))
    late, there = await asked(cast, fake_gateway)
    fake_gateway.state.approvals[there] |= {"decision": "deny", "resolvedBy": "console"}  # we are not told yet
    (await decide(cast.ada, late, decision="approved")).ok()
    now = await kept(cast, there, answer_state="late")
    assert now["status"] == "rejected" and "console" in now["resolved_by_name"] and "before our answer" in now["note"]


async def test_what_happened_while_away_is_caught_up(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    ids = [(await asked(cast, fake_gateway))[1] for _ in range(3)]
    decided, allowed, gone = ids
    await fake_gateway.stop()
    await until(lambda: gateway.id not in connector.held_here())
    (await decide(cast.ada, await kept(cast, decided), decision="approved")).ok()
    fake_gateway.state.approvals[allowed] |= {"decision": "allow-once", "resolvedBy": "console"}
    del fake_gateway.state.approvals[gone]
    missed = await fake_gateway.ask_approval("ls", "a-stranger")
    await fake_gateway.start()
    assert (await kept(cast, missed["id"]))["status"] == "pending"
    await kept(cast, decided, answer_state="sent")
    assert (await kept(cast, allowed, status="approved"))["resolved_by"] is None
    assert "any more" in (await kept(cast, gone, status="rejected"))["note"]


async def test_expires_while_the_gateway_is_away(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found, there = await asked(cast, fake_gateway)
    question = await fake_gateway.ask_question(TARGET, agent_id="a-stranger")
    open_question = await kept(cast, f"{question['id']}#target")
    await fake_gateway.stop()
    await until(lambda: gateway.id not in connector.held_here())
    with times.travelled(timedelta(minutes=31)):
        (await decide(cast.ada, found, decision="approved")).refused(409)
        (await cast.ada.post(f"{REQUESTS}/{open_question['id']}/answers", {"option_id": "1"})).refused(409)
        wakeup_channels.channels_notify([CHANNEL])
        assert (await kept(cast, there, status="rejected"))["note"] == "Nobody decided before it expired."
        assert (await kept(cast, f"{question['id']}#target", status="withdrawn"))["note"].startswith("Nobody answered")


@pytest.mark.parametrize("wants_flat_answers", [False, True])
async def test_questions_are_answered_together(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, wants_flat_answers: bool
) -> None:
    fake_gateway.wants_flat_answers = wants_flat_answers
    there = await fake_gateway.ask_question(TARGET, COLOURS, agent_id="a-stranger")
    target, colours = [await kept(cast, f"{there['id']}#{name}") for name in ("target", "colours")]
    assert (target["heading"], target["options"][0]["recommended"]) == ("Where shall I deploy?", True)
    (await cast.ada.post(f"{REQUESTS}/{target['id']}/answers", {"option_id": "7"})).refused(422)
    (await decide(cast.ada, target, decision="approved")).refused(422)
    (await cast.ada.post(f"{REQUESTS}/{target['id']}/answers", {"option_id": "2"})).ok()
    assert fake_gateway.sent("question.resolve") == []
    (await cast.ben.post(f"{REQUESTS}/{colours['id']}/answers", {"answer": "red, Green"})).ok()
    for name in ("target", "colours"):
        await kept(cast, f"{there['id']}#{name}", answer_state="sent")
    said = fake_gateway.state.questions[there["id"]]
    assert read_answers(said["answers"]) == {"target": ["Production"], "colours": ["Red", "Green"]}
    assert said["resolvedBy"] == "Ben"
    (await cast.ada.post(f"{REQUESTS}/{target['id']}/answers", {"option_id": "1"})).refused(409)
    assert not await Question.all().exists()


async def test_question_ended_on_the_gateway(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    there = [await fake_gateway.ask_question(TARGET, agent_id="a-stranger") for _ in range(2)]
    for one in there:
        await kept(cast, f"{one['id']}#target")
    fake_gateway.state.questions[there[0]["id"]]["resolvedBy"] = "Bea"
    fake_gateway.resolve_question(there[0]["id"], "answered", {"answers": {"target": ["Production"]}})
    now = await kept(cast, f"{there[0]['id']}#target", status="answered")
    assert (now["answer"], now["resolved_by_name"]) == ("Production", "Bea on the gateway")
    fake_gateway.resolve_question(there[1]["id"], "cancelled")
    assert "cancelled" in (await kept(cast, f"{there[1]['id']}#target", status="withdrawn"))["note"]


async def test_gateway_fills_no_queue_without_end(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_PENDING", 2)
    ref = GatewayRef(gateway.id, gateway.organization_id)
    for _ in range(3):
        await fake_gateway.ask_approval("make", "a-stranger")
        await fake_gateway.ask_question(TARGET, agent_id="a-stranger")
    await intake.catch_up(ref)
    assert await GatewayRequest.filter(kind="approval").count() == 2
    assert await GatewayRequest.filter(kind="question").count() == 2


async def test_requests_are_listed_by_status_and_go_with_their_gateway(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    found, _ = await asked(cast, fake_gateway)
    path = f"{REQUESTS}/{found['id']}"
    assert (await cast.eve.get(REQUESTS)).ok()["total"] == 0
    assert (await cast.ben.get(f"{REQUESTS}?status=pending&gateway_id={gateway.id}")).ok()["total"] == 1
    assert (await cast.ben.get(f"{REQUESTS}?status=answered")).ok()["total"] == 0
    (await cast.ada.delete(f"/gateways/{gateway.id}")).ok()
    (await cast.ada.get(path)).refused(404)


async def test_pending_requests_say_what_can_be_answered(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    await asked(cast, fake_gateway)
    there = await fake_gateway.ask_question(TARGET, agent_id="a-stranger")
    await kept(cast, f"{there['id']}#target")
    approval, question = (await cast.ada.get("/needs?kind=request")).ok()["items"]
    assert [one["id"] for one in approval["answers"]] == ["approved", "rejected"] and approval["otherwise"]["at"]
    assert [(one["label"], one["recommended"]) for one in question["answers"]] == [
        ("Staging", True),
        ("Production", False),
        ("Answer in your own words", False),
    ]
    assert (await cast.cleo.get("/needs?kind=request")).ok()["total"] == 0


async def test_person_settles_requests_through_a_model(cast: Cast, fake_gateway: FakeGateway, gateway: Gateway) -> None:
    found, external_id = await asked(cast, fake_gateway, allowedDecisions=["allow-once", "allow-always", "deny"])
    async with connected(cast.ada) as ada, connected(cast.cleo) as cleo:
        assert (await cleo.ok("list_requests"))["requests"] == []
        assert (await cleo.refused("decide_approval", approval_id=found["id"], decision="approved"))["status"] == 404
        [request] = (await ada.ok("list_requests"))["requests"]
        assert (request["id"], request["kind"], request["board_id"]) == (found["id"], "approval", None)
        assert (request["asked_by"], request["gateway_name"]) == ("a-stranger", gateway.name)
        assert "git push" in request["text"] and request["allows_always"] is True
        assert (await ada.ok("list_requests", board_id=str(cast.board.id)))["requests"] == []
        refusal = await ada.refused("decide_approval", approval_id=found["id"], decision="changes_requested")
        assert refusal["status"] == 422 and "message to its agent" in refusal["message"]
        decided = await ada.ok("decide_approval", approval_id=found["id"], decision="approved", always=True)
        assert (decided["approval"]["decision"], decided["approval"]["resolved_by"]) == ("approved", "Ada")
        await kept(cast, external_id, answer_state="sent")
        assert fake_gateway.state.approvals[external_id]["decision"] == "allow-always"
        late = await ada.refused("decide_approval", approval_id=found["id"], decision="rejected")
        assert late["status"] == 409 and (await ada.ok("list_requests"))["requests"] == []


async def test_person_answers_a_question_through_a_model(
    cast: Cast, fake_gateway: FakeGateway, gateway: Gateway
) -> None:
    await fake_gateway.ask_question(TARGET, agent_id="a-stranger")
    async with connected(cast.ada) as ada:
        waiting = await until(lambda: _listed(ada))
        reply = {"question_id": waiting["id"], "option_id": waiting["options"][0]["id"]}
        answered = await ada.ok("answer_question", **reply)
        assert (answered["state"], answered["board_id"]) == ("answered", None)
        assert (await ada.refused("answer_question", **reply))["status"] == 409


async def _listed(ada: Any) -> Any:
    """Return the question that waits, as soon as it does."""
    return next((one for one in (await ada.ok("list_requests"))["requests"] if one["kind"] == "question"), None)
