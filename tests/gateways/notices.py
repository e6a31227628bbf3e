"""Agents on gateways and the notices that wait for them, for tests."""

from collections import Counter
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.boards.models import Board
from mission_control.events.leases import Delivery
from mission_control.gateways.connections import link
from mission_control.gateways.models import Gateway
from mission_control.people.models import Organization
from tests.agents_on_gateways import hire_on
from tests.cast import Cast, Program
from tests.deliveries import look_away, send_due
from tests.gateways.fake import FakeGateway
from tests.gateways.fake_state import FakeAgent


async def reconnect_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections come back at once, and nobody but the test sends."""
    monkeypatch.setattr(link, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(link, "LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(link, "SHORT_INTERRUPTION_SECONDS", 0.0)
    await look_away(monkeypatch)


async def on_gateway(
    cast: Cast, fake: FakeGateway, gateway: Gateway, name: str, *, board: Board | None = None, is_lead: bool = False
) -> Program:
    """An agent of a board that is ready on the gateway."""
    made = await hire_on(cast.app, gateway, board or cast.other_board, name, is_lead=is_lead)
    await known(fake, made)
    return made


async def known(fake: FakeGateway, agent: Program) -> str:
    """Let the gateway have an agent; return the key of its session."""
    row = await Agent.get(id=agent.id)
    fake.state.agents[str(row.gateway_agent_id)] = FakeAgent(str(row.gateway_agent_id), row.name, "/workspace")
    return str(row.openclaw_session_id)


async def session_of(agent: Program) -> str:
    """The key of an agent's session."""
    return str((await Agent.get(id=agent.id)).openclaw_session_id)


async def received(fake: FakeGateway, agent: Program) -> list[str]:
    """What an agent's session really holds, in order."""
    session = fake.state.sessions.get(await session_of(agent))
    return [one["content"] for one in session.messages if one["role"] == "user"] if session else []


async def write(cast: Cast, agent: Program, *texts: str, **fields: Any) -> list[Delivery]:
    """Notices that wait for an agent."""
    last = await Delivery.all().count()
    made = [
        Delivery(
            organization_id=cast.organization.id, seq=last + number, kind=NOTICE, agent_id=agent.id,
            header="TASK ASSIGNED", text=text, **fields,
        )
        for number, text in enumerate(texts, 1)
    ]  # fmt: skip
    await Delivery.bulk_create(made)
    await Organization.filter(id=cast.organization.id).update(delivery_seq=last + len(made))
    return made


async def send_all() -> None:
    """Send until nothing is due."""
    while await send_due():
        pass


async def states(agent: Program) -> Counter[str]:
    """How many of an agent's notices are in which state."""
    return Counter([one.state for one in await Delivery.filter(agent_id=agent.id)])
