"""A gateway of the cast's organization, with its connection in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from quart import Quart

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core.actor import system
from mission_control.database.sql import rows
from mission_control.events import wakeup_channels
from mission_control.events.commands import atomically
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning import runner
from mission_control.gateway_agents.provisioning.files import here
from mission_control.gateway_agents.provisioning.jobs import CHANNEL
from mission_control.gateway_agents.provisioning.main_agents import ensure_main_agent, make
from mission_control.gateway_agents.provisioning.workspace import token_in
from mission_control.gateways.connections import connector
from mission_control.gateways.connections.checked_connection import connect
from mission_control.gateways.connections.events import GatewayRef
from mission_control.gateways.connections.open_connection import Connection
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.errors import Unreachable
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.target import Target
from tests.cast import Cast, Program
from tests.gateways.fake import FakeGateway, hold_nothing, patch_at_once

LONG = 30.0


class Tower:
    """A fake gateway, its row, and the runner's way to it."""

    def __init__(self, app: Quart, fake: FakeGateway, row: Gateway) -> None:
        self.app = app
        self.fake = fake
        self.row = row
        self.target = Target(fake.url, token=fake.token)
        self.identity = Identity.new()
        self.connection: Connection | None = None

    async def call(self, gateway_id: UUID, method: str, params: Any = None, *, seconds: float = 5.0) -> Any:
        """Stand in for `gateways.calls.call`."""
        if self.connection is None or not self.connection.is_open or gateway_id != self.row.id:
            raise Unreachable("CLOSED", "The gateway is not connected.", is_retryable=True)
        return await self.connection.call(method, params, seconds=seconds)

    async def connect(self) -> None:
        """Connect, as the connector does."""
        self.connection = await connect(self.target, self.identity, on_event=lambda event: None)
        await Gateway.filter(id=self.row.id).update(state="connected")
        await runner.connected(GatewayRef(self.row.id, self.row.organization_id))

    async def disconnect(self) -> None:
        """Lose the connection."""
        await Gateway.filter(id=self.row.id).update(state="unreachable")
        if self.connection is not None:
            await self.connection.close()

    async def ended(self) -> None:
        """Wait until no job is open."""
        async with asyncio.timeout(LONG):
            while await self.open_jobs("state IN ('waiting', 'running')"):
                wakeup_channels.channels_notify([CHANNEL])
                await asyncio.sleep(0.02)

    async def settled(self) -> None:
        """Wait until no job is at work or due."""
        async with asyncio.timeout(LONG):
            while await self.open_jobs("state = 'running' OR (state = 'waiting' AND NOT awaits_check_in)"):
                wakeup_channels.channels_notify([CHANNEL])
                await asyncio.sleep(0.02)

    async def add_agent(self, cast: Cast, name: str = "Lyra") -> Agent:
        """Create an agent on the cast's board and wait until it was woken."""
        made = (await cast.ada.post("/agents", {"name": name, "board_id": cast.board.id})).ok()
        await self.settled()
        return await Agent.get(id=made["id"])

    async def add_main_agent(self) -> Agent:
        """Give the gateway its main agent, as its creation and the first need of it do."""
        actor = system(self.row.organization_id)
        agent, _ = await atomically(actor, lambda: ensure_main_agent(self.row))
        await make(actor, agent)
        return agent

    async def until_agent(self, agent_id: Any, **values: Any) -> None:
        """Wait until an agent has some values."""
        async with asyncio.timeout(LONG):
            while not await Agent.filter(id=agent_id, **values).exists():
                wakeup_channels.channels_notify([CHANNEL])
                await asyncio.sleep(0.02)

    async def until_held(self) -> None:
        """Wait until the gateway holds a call back."""
        async with asyncio.timeout(LONG):
            while True:
                before = self.fake.in_progress
                await asyncio.sleep(0.1)
                if before and self.fake.in_progress == before:
                    return

    async def open_jobs(self, condition: str) -> int:
        """Count jobs."""
        [row] = await rows(f"SELECT COUNT(*) AS n FROM provisioning_jobs WHERE {condition}")
        return int(row["n"])

    async def until(self, condition: str) -> None:
        """Wait until some job meets a condition."""
        async with asyncio.timeout(LONG):
            while not await self.open_jobs(condition):
                wakeup_channels.channels_notify([CHANNEL])
                await asyncio.sleep(0.02)

    async def job(self, agent_id: Any) -> ProvisioningJob:
        """Return the newest job of an agent."""
        found = await ProvisioningJob.filter(agent_id=agent_id).order_by("-created_at").first()
        assert found is not None
        return found

    async def program(self, agent_id: Any) -> Program:
        """Return an agent that works with the token that it finds in its files."""
        agent = await Agent.get(id=agent_id)
        files = self.files(agent)
        token = next(one for text in files.values() if (one := token_in(text)))
        return Program(self.app, {"X-Agent-Token": token}, agent.id, agent.name, token)

    def files(self, agent: Agent) -> dict[str, str]:
        """Return the files of an agent on the gateway."""
        return dict(self.fake.state.agents[str(agent.gateway_agent_id)].files)

    def names(self) -> list[str]:
        """Return the names of the calls so far that concern agents, in order."""
        return [one.method for one in self.fake.calls]


@asynccontextmanager
async def tower_of(cast: Cast, monkeypatch: pytest.MonkeyPatch, *, is_old: bool = False) -> AsyncIterator[Tower]:
    """Put a gateway beside the cast's board; its connection is in this process."""
    hold_nothing(monkeypatch)
    patch_at_once(monkeypatch)
    async with FakeGateway(is_old=is_old) as fake:
        row = await Gateway.create(
            organization_id=cast.organization.id,
            name="Tower",
            url=fake.url,
            token=here().seal(fake.token),
            workspace_root="~/.openclaw",
        )
        await Board.filter(id=cast.board.id).update(gateway_id=row.id, max_agents=50)
        tower = Tower(cast.app, fake, row)
        monkeypatch.setattr(connector, "call", tower.call)
        monkeypatch.setattr(connector, "held_here", lambda: frozenset({row.id}))
        await tower.connect()
        try:
            yield tower
        finally:
            monkeypatch.setattr(connector, "held_here", frozenset)
            await _idle()
            if tower.connection is not None:
                await tower.connection.close()


async def _idle() -> None:
    """Wait until the runner has let go of all jobs."""
    await ProvisioningJob.all().update(state="done", leased_by=None)
    for _ in range(200):
        if not [one for one in asyncio.all_tasks() if one.get_coro().__qualname__ == "work_on"]:  # type: ignore[union-attr]
            return
        await asyncio.sleep(0.02)
