"""With a real gateway: an approval and a question in the queue unblock the run, and its usage counts."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.core.secrets import encrypt
from mission_control.gateway_agents.sessions import usage as session_usage
from mission_control.gateways.connections import connector
from mission_control.gateways.connections.connector import call
from mission_control.gateways.models import Gateway
from tests.cast import Cast
from tests.gateways.fake_model import Reply, Turn
from tests.gateways.gateways import until
from tests.gateways.real import RealGateway

pytestmark = pytest.mark.gateway

PATIENCE = 90.0


@pytest.fixture
async def gateway(cast: Cast, real_gateway: RealGateway) -> AsyncIterator[Gateway]:
    """A gateway row that this process is connected to, with an agent that has to ask before it runs commands."""
    key = cast.app.config["SECRET_KEY"]
    found = await Gateway.create(
        organization_id=cast.organization.id,
        name="Real",
        url=real_gateway.url,
        workspace_root=str(real_gateway.workspaces),
        token=encrypt(real_gateway.token, key),
    )
    connector.HOLDING.wake()
    await waited(lambda: found.id in connector.held_here())
    name = f"requests-{uuid.uuid4().hex[:8]}"
    await call(found.id, "agents.create", {"name": name, "workspace": str(real_gateway.workspaces / name)}, seconds=60)
    async with asyncio.timeout(PATIENCE):
        while name not in [one["id"] for one in (await call(found.id, "agents.list", seconds=30))["agents"]]:
            await asyncio.sleep(0.2)
    config = await call(found.id, "config.get", seconds=30)
    patch = {"agents": {"entries": {name: {"tools": {"exec": {"mode": "ask"}}}}}}
    changed = {"raw": json.dumps(patch), "baseHash": config["hash"]}
    await call(found.id, "config.patch", changed, seconds=30)
    await Agent.filter(id=cast.vega.id).update(gateway_id=found.id, gateway_agent_id=name)
    yield found
    await call(found.id, "agents.delete", {"agentId": name, "deleteFiles": True}, seconds=60)


async def waited(is_so: Any) -> Any:
    """Wait for something longer than a fake needs."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await until(is_so)
            except TimeoutError:
                continue


async def waiting(cast: Cast, path: str, state: dict[str, str]) -> dict[str, Any]:
    """Return the newest thing of a list that is in this state."""
    query = "&".join(f"{name}={value}" for name, value in state.items())

    async def found() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await cast.ada.get(f"{path}?{query}")).ok()["items"]
        return items

    items: list[dict[str, Any]] = await waited(found)
    return items[0]


async def last_words(gateway_id: uuid.UUID, key: str) -> str:
    """Return the end of a session's transcript."""
    history = await call(gateway_id, "chat.history", {"sessionKey": key, "limit": 3}, seconds=30)
    return json.dumps(history["messages"][-1:])


async def test_decision_and_answer_in_the_queue_unblock_the_run(
    cast: Cast, real_gateway: RealGateway, gateway: Gateway
) -> None:
    agent = await Agent.get(id=cast.vega.id)
    key = f"agent:{agent.gateway_agent_id}:main"

    def answer(turn: Turn) -> Reply | None:
        if turn.agent != agent.gateway_agent_id:
            return None
        return Reply(text=f"It said {turn.results[-1]}") if turn.results else Reply(command="uname -s")

    real_gateway.model.answer, before = answer, real_gateway.model.answer
    try:
        message = {"sessionKey": key, "message": "Go on.", "idempotencyKey": str(uuid.uuid4())}
        await call(gateway.id, "chat.send", message, seconds=30)
        asked = await waiting(cast, cast.approvals, {"status": "pending"})
        assert asked["payload"]["gateway_request"]["command"] == "uname -s" and asked["agent_id"] == str(agent.id)
        decided = await cast.cleo.post(f"{cast.approvals}/{asked['id']}/decisions", {"decision": "approved"})
        decided.ok()
        await waited(lambda: _says(gateway.id, key, "Linux"))
        read = (await cast.ada.get(f"{cast.approvals}/{asked['id']}")).ok()
        assert read["answer_state"] == "sent" and read["resolved_by"]["name"] == "Cleo"
    finally:
        real_gateway.model.answer = before

    items = [{
        "questionId": "target", "header": "Target", "question": "Where to?", "isOther": True,
        "options": [{"label": "Staging (Recommended)"}, {"label": "Production"}],
    }]  # fmt: skip
    request = {"questions": items, "agentId": agent.gateway_agent_id, "sessionKey": key, "timeoutMs": 600_000}
    there = await call(gateway.id, "question.request", request, seconds=30)
    question = await waiting(cast, f"{cast.home}/questions", {"state": "open"})
    (await cast.cleo.post(f"{cast.home}/questions/{question['id']}/answers", {"option_id": "1"})).ok()
    kept = await waited(lambda: _answered(gateway.id, there["id"]))
    assert kept["answers"]["answers"] == {"target": ["Staging (Recommended)"]} and kept["resolvedBy"] == "Cleo"

    async def used() -> dict[str, Any]:
        await asyncio.sleep(0.5)
        await session_usage.measure(gateway.id)
        sums: dict[str, Any] = (await cast.ada.get(f"/usage?agent_id={agent.id}")).ok()["sums"]
        return sums if sums["tokens"] else {}

    sums = await waited(used)
    assert sums["input_tokens"] > sums["output_tokens"] > 0 and sums["cost_usd"] > 0


async def test_agent_on_no_board_is_answered_on_its_gateway(
    cast: Cast, real_gateway: RealGateway, gateway: Gateway
) -> None:
    name = (await Agent.get(id=cast.vega.id)).gateway_agent_id
    await Agent.filter(id=cast.vega.id).update(gateway_id=None, gateway_agent_id=None)
    key, requests = f"agent:{name}:main", "/gateways/requests"

    def answer(turn: Turn) -> Reply | None:
        if turn.agent != name:
            return None
        return Reply(text=f"It said {turn.results[-1]}") if turn.results else Reply(command="uname -o")

    real_gateway.model.answer, before = answer, real_gateway.model.answer
    try:
        message = {"sessionKey": key, "message": "Go on.", "idempotencyKey": str(uuid.uuid4())}
        await call(gateway.id, "chat.send", message, seconds=30)
        asked = await waiting(cast, requests, {"status": "pending"})
        assert asked["gateway_agent_id"] == name and asked["agent_id"] is None and asked["kind"] == "approval"
        (await cast.ada.post(f"{requests}/{asked['id']}/decisions", {"decision": "approved"})).ok()
        await waited(lambda: _says(gateway.id, key, "GNU/Linux"))
    finally:
        real_gateway.model.answer = before


async def _says(gateway_id: uuid.UUID, key: str, text: str) -> bool:
    return text in await last_words(gateway_id, key)


async def _answered(gateway_id: uuid.UUID, question_id: str) -> dict[str, Any]:
    found = (await call(gateway_id, "question.get", {"id": question_id}, seconds=30))["question"]
    return found if found["status"] == "answered" else {}
