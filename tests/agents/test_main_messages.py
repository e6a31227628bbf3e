"""Messages between the main agent of a gateway and the leads of its boards, and nudges on gateways."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
import pytest

from mission_control.agents import lead_api
from mission_control.agents.coordination import message_lead
from mission_control.agents.models import Agent
from mission_control.background.sending import settle
from mission_control.boards.models import Board
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict
from mission_control.events.leases import Delivery
from mission_control.gateways.models import Gateway
from mission_control.questions.models import Question
from tests.agents_on_gateways import add_gateway, hire_main, hire_on
from tests.cast import Cast, Program, events, head, kinds

BROADCAST = "/agent/gateway/leads/broadcast"


@dataclass(slots=True)
class Fleet:
    """A gateway with its main agent, on which the board lives with its direct agents, and the attic without a lead."""

    gateway: Gateway
    main: Program
    attic: Board


@pytest.fixture
async def fleet(cast: Cast) -> AsyncIterator[Fleet]:
    """The gateway is away: what is for its agents waits."""
    gateway = await add_gateway(cast.organization.id, cast.board, state="unreachable", holder=None)
    attic = await Board.create(
        organization_id=cast.organization.id, name="Attic", slug="attic", description="", gateway_id=gateway.id
    )
    yield Fleet(gateway, await hire_main(cast.app, gateway), attic)


def to_lead(board: Board) -> str:
    """Where the main agent writes to a board's lead."""
    return f"/agent/gateway/boards/{board.id}/lead/message"


async def arrived(delivery_id: Any, error: str | None = None) -> None:
    """What becomes of a delivery."""
    await Delivery.filter(id=delivery_id).update(state="sending", leased_by="tests", attempts=1)
    sent = await Delivery.get(id=delivery_id)
    assert sent.organization_id is not None
    await settle(system(sent.organization_id), sent, error, final=True)


@pytest.mark.parametrize(
    ("kind", "header"), [("question", "GATEWAY MAIN QUESTION"), ("handoff", "GATEWAY MAIN HANDOFF")]
)
async def test_lead_gets_the_message_and_how_to_answer(cast: Cast, fleet: Fleet, kind: str, header: str) -> None:
    lead = await hire_on(cast.app, fleet.gateway, fleet.attic, "Attic lead", is_lead=True)
    before = await head(cast)
    new = {"kind": kind, "content": " How is it? ", "correlation_id": " c-7 ", "reply_tags": ["chat", "roof"]}
    answer = (await fleet.main.post(to_lead(fleet.attic), new)).ok()
    [delivery_id] = answer.pop("delivery_ids")
    assert answer == {
        "ok": True,
        "board_id": str(fleet.attic.id),
        "lead_agent_id": str(lead.id),
        "lead_agent_name": "Attic lead",
        "lead_created": False,
    }
    notice = await Delivery.get(id=delivery_id)
    assert (notice.agent_id, notice.header, notice.board_id) == (lead.id, header, fleet.attic.id)
    assert notice.data["deliver"] is False and notice.data["correlation_id"] == "c-7"
    lines = notice.text.split("\n")
    assert lines[:4] == ["Board: Attic", f"Board ID: {fleet.attic.id}", "From: Gateway main", "Correlation ID: c-7"]
    assert "How is it?" in lines and f"/api/v1/agent/boards/{fleet.attic.id}/memory" in notice.text
    assert orjson.loads(lines[-1]) == {"content": "...", "tags": ["roof"], "source": "lead_to_gateway_main"}
    assert await kinds(cast, before) == []


@pytest.mark.parametrize("error", [None, "no such session"])
async def test_message_is_recorded_when_its_fate_is_known(cast: Cast, fleet: Fleet, error: str | None) -> None:
    lead = await hire_on(cast.app, fleet.gateway, fleet.attic, "Attic lead", is_lead=True)
    answer = (await fleet.main.post(to_lead(fleet.attic), {"content": "How is it?"})).ok()
    before = await head(cast)
    await arrived(answer["delivery_ids"][0], error)
    [event] = await events(before)
    word = "failed" if error else "sent"
    assert (event.kind, event.agent_id) == (f"gateway.main.lead_message.{word}", fleet.main.id)
    assert event.board_id == fleet.attic.id and orjson.loads(event.data)["lead_agent_id"] == str(lead.id)


async def test_direct_lead_reads_the_message_in_its_inbox(cast: Cast, fleet: Fleet) -> None:
    (await fleet.main.post(to_lead(cast.board), {"content": "How is it?"})).ok()
    [item] = (await cast.atlas.get("/agent/inbox")).ok()["items"]
    assert (item["kind"], item["header"]) == ("question", "GATEWAY MAIN QUESTION")
    assert "event" not in item["data"] and "succeeded" not in item["data"]


async def test_board_without_a_lead_gets_one(cast: Cast, fleet: Fleet) -> None:
    answer = (await fleet.main.post(to_lead(fleet.attic), {"content": "Hello."})).ok()
    assert answer["lead_created"] is True
    lead = await Agent.get(id=answer["lead_agent_id"])
    assert (lead.board_id, lead.is_board_lead, lead.name) == (fleet.attic.id, True, "Lead Agent")
    again = (await fleet.main.post(to_lead(fleet.attic), {"content": "Hello again."})).ok()
    assert (again["lead_created"], again["lead_agent_id"]) == (False, answer["lead_agent_id"])


async def test_refusals_of_a_lead_message_have_an_order(cast: Cast, fleet: Fleet) -> None:
    for board in (cast.other_board.id, cast.foreign_board.id, uuid4(), "nonsense"):
        (await fleet.main.post(f"/agent/gateway/boards/{board}/lead/message", {})).refused(404)
    (await fleet.main.post(to_lead(cast.board), {})).refused(422)
    await Gateway.filter(id=fleet.gateway.id).update(url=" ")
    refused = await fleet.main.post(f"/agent/gateway/boards/{uuid4()}/lead/message", {"content": "Hello."})
    assert refused.refused(422)["code"] == "gateway_unusable"
    assert (await fleet.main.post(BROADCAST, {"content": "Hello."})).refused(422)["code"] == "gateway_unusable"


async def test_broadcast_reaches_the_leads_of_the_gateway(cast: Cast, fleet: Fleet) -> None:
    before = await head(cast)
    answer = (await fleet.main.post(BROADCAST, {"content": "New rule."})).ok()
    assert (answer["sent"], answer["failed"], len(answer["delivery_ids"])) == (2, 0, 2)
    assert [one["board_id"] for one in answer["results"]] == [str(fleet.attic.id), str(cast.board.id)]
    assert [one["ok"] for one in answer["results"]] == [True, True]
    recorded = [one for one in await events(before) if one.kind == "gateway.main.lead_broadcast.sent"]
    assert [(one.agent_id, one.board_id) for one in recorded] == [(fleet.main.id, None)]
    only = {"content": "For one.", "board_ids": [str(cast.board.id), str(cast.other_board.id), str(uuid4())]}
    chosen = (await fleet.main.post(BROADCAST, only)).ok()
    assert [one["board_id"] for one in chosen["results"]] == [str(cast.board.id)]


async def test_broadcast_goes_on_after_a_failure(cast: Cast, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refusing(actor: Actor, board: Board, new: Any) -> Any:
        if board.id == fleet.attic.id:
            raise Conflict("No room for a lead.")
        return await message_lead(actor, board, new)

    monkeypatch.setattr(lead_api, "message_lead", refusing)
    answer = (await fleet.main.post(BROADCAST, {"content": "New rule."})).ok()
    assert (answer["sent"], answer["failed"]) == (1, 1)
    [attic, home] = answer["results"]
    assert (attic["ok"], attic["error"], attic["lead_agent_id"]) == (False, "No room for a lead.", None)
    assert (home["ok"], home["error"], home["lead_agent_name"]) == (True, None, "Atlas")


async def test_new_lead_gets_a_free_name(cast: Cast, fleet: Fleet) -> None:
    await hire_on(cast.app, fleet.gateway, fleet.attic, "Lead Agent")
    answer = (await fleet.main.post(to_lead(fleet.attic), {"content": "Hello."})).ok()
    assert answer["lead_agent_name"] == "Lead Agent 2"


async def test_broadcast_without_boards(cast: Cast) -> None:
    gateway = await add_gateway(cast.organization.id, name="Empty")
    main = await hire_main(cast.app, gateway)
    before = await head(cast)
    answer = (await main.post(BROADCAST, {"content": "Anybody?"})).ok()
    assert (answer["sent"], answer["failed"], answer["results"]) == (0, 0, [])
    assert [kind for kind, _ in await kinds(cast, before)] == ["gateway.main.lead_broadcast.sent"]


async def test_lead_asks_people_through_the_main_agent(cast: Cast, fleet: Fleet) -> None:
    before = await head(cast)
    new = {"content": "Red or blue?", "correlation_id": "c-1", "preferred_channel": "phone", "reply_tags": []}
    answer = (await cast.atlas.post(f"/agent{cast.home}/gateway/main/ask-user", new)).ok()
    [delivery_id] = answer.pop("delivery_ids")
    assert answer == {
        "ok": True,
        "board_id": str(cast.board.id),
        "main_agent_id": str(fleet.main.id),
        "main_agent_name": "Gateway main",
        "question_id": None,
    }
    assert await Question.all().count() == 0 and await kinds(cast, before) == []
    notice = await Delivery.get(id=delivery_id)
    assert (notice.agent_id, notice.header, notice.data["deliver"]) == (fleet.main.id, "LEAD REQUEST: ASK USER", True)
    lines = notice.text.split("\n")
    assert lines[2:5] == ["From lead: Atlas", "Correlation ID: c-1", "Preferred channel: phone"]
    assert '{"content":"...","tags":["gateway_main","user_reply"],"source":"user_via_gateway_main"}' in lines
    await arrived(delivery_id)
    [event] = await events(before)
    assert (event.kind, event.agent_id) == ("gateway.lead.ask_user.sent", cast.atlas.id)
    assert event.board_id == cast.board.id


async def test_question_of_a_board_without_gateway_goes_to_people(cast: Cast, fleet: Fleet) -> None:
    await Board.filter(id=cast.board.id).update(gateway_id=None)
    answer = (await cast.atlas.post(f"/agent{cast.home}/gateway/main/ask-user", {"content": "Red or blue?"})).ok()
    assert answer["question_id"] is not None and answer["main_agent_id"] is None and answer["delivery_ids"] == []


async def test_nudge_on_a_gateway_is_recorded_when_it_arrived(cast: Cast, fleet: Fleet) -> None:
    worker = await hire_on(cast.app, fleet.gateway, cast.board, "Lyra")
    before = await head(cast)
    path = f"/agent{cast.home}/agents/{worker.id}/nudge"
    [delivery_id] = (await cast.atlas.post(path, {"message": "Hello?"})).ok()["delivery_ids"]
    assert await kinds(cast, before) == []
    await arrived(delivery_id)
    [event] = await events(before)
    assert (event.kind, event.agent_id) == ("agent.nudge.sent", cast.atlas.id)
    told = orjson.loads(event.data)
    assert (told["to_agent_id"], told["text"]) == (str(worker.id), "Hello?")
    [delivery_id] = (await cast.atlas.post(path, {"message": "Hello?"})).ok()["delivery_ids"]
    await arrived(delivery_id, "refused")
    assert [one.kind for one in await events(before)] == ["agent.nudge.sent", "agent.nudge.failed"]


async def test_nudge_needs_a_session_and_a_gateway_that_can_work(cast: Cast, fleet: Fleet) -> None:
    worker = await hire_on(cast.app, fleet.gateway, cast.board, "Lyra")
    path = f"/agent{cast.home}/agents/{worker.id}/nudge"
    await Gateway.filter(id=fleet.gateway.id).update(url="")
    assert (await cast.atlas.post(path, {"message": "Hello?"})).refused(422)["code"] == "gateway_unusable"
    await Agent.filter(id=worker.id).update(openclaw_session_id=None)
    assert (await cast.atlas.post(path, {"message": "Hello?"})).refused(422)["code"] == "agent_without_session"
    assert not await Delivery.filter(agent_id=worker.id).exists()
