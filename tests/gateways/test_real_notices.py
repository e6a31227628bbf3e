"""Notices to an agent of a real gateway."""

import asyncio
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.core import times
from mission_control.events.leases import Delivery
from mission_control.gateways.connections import connector
from tests.agents_on_gateways import hire_on
from tests.cast import Cast
from tests.deliveries import look_away, send_due
from tests.gateways.fake import hold_nothing
from tests.gateways.gateways import connected_gateway
from tests.gateways.real import RealGateway

pytestmark = pytest.mark.gateway

SECONDS = 60.0


async def texts(gateway_id: Any, session: str) -> list[str]:
    """What the agent was told, as soon as it was told something."""
    async with asyncio.timeout(SECONDS):
        while True:
            found = await connector.call(gateway_id, "chat.history", {"sessionKey": session}, seconds=SECONDS)
            if found_texts := [str(one["content"]) for one in found["messages"] if one["role"] == "user"]:
                return found_texts
            await asyncio.sleep(0.5)


async def test_notice_arrives_once_although_its_answer_was_lost(
    cast: Cast, real_gateway: RealGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await look_away(monkeypatch)
    hold_nothing(monkeypatch)
    gateway = await connected_gateway(cast, real_gateway)
    lyra = await hire_on(cast.app, gateway, cast.other_board, "Lyra")
    agent = await Agent.get(id=lyra.id)
    new = {"name": agent.gateway_agent_id, "workspace": str(real_gateway.workspaces / "notices")}
    await connector.call(gateway.id, "agents.create", new, seconds=SECONDS)
    async with asyncio.timeout(SECONDS):
        while str(agent.gateway_agent_id) not in str(await connector.call(gateway.id, "agents.list", seconds=SECONDS)):
            await asyncio.sleep(0.5)
    notice = await Delivery.create(
        organization_id=cast.organization.id, seq=1, kind=NOTICE, agent_id=lyra.id, header="TASK ASSIGNED",
        text="SAY: seen",
    )  # fmt: skip
    assert await send_due() == 1
    assert (await Delivery.get(id=notice.id)).state == "sent"
    session = str(agent.openclaw_session_id)
    assert await texts(gateway.id, session) == ["TASK ASSIGNED\nSAY: seen"]
    lost = {"state": "waiting", "attempts": 1, "due_at": times.clock_now(), "last_error": "The connection was lost."}
    await Delivery.filter(id=notice.id).update(**lost)
    assert await send_due() == 1
    assert (await Delivery.get(id=notice.id)).state == "sent"
    assert await texts(gateway.id, session) == ["TASK ASSIGNED\nSAY: seen"]
