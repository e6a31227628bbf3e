"""An agent of a real OpenClaw gateway that works by its workspace files."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from mission_control.agents.models import Agent
from mission_control.gateway_agents.provisioning.gateway_agent import config_patch
from mission_control.gateway_agents.provisioning.workspace import FILES, WorkspaceFacts, workspace_files
from mission_control.gateways.connections.open_connection import Connection
from mission_control.gateways.protocol.payload import Payload
from tests.gateway_agents.test_workspace_files import board_of
from tests.gateways.fake_model import Reply, Turn
from tests.gateways.real import RealGateway
from tests.gateways.real_plays import connected, listed
from tests.gateways.scripted import CLAIMED, MAKE_MC
from tests.live.crew import Crew, crew
from tests.live.servers import PATIENCE, Installation

pytestmark = pytest.mark.gateway

HAND_IN = re.compile(r"^\./mc finish [^\n]*(?:\\\n[^\n]*)*<<'TEXT'\n.*?\nTEXT$", re.MULTILINE | re.DOTALL)


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Crew]:
    """A board with a lead and a worker, on a real server."""
    async with Installation(tmp_path, f"sqlite:///{tmp_path / 'files.sqlite3'}").served() as server:
        yield await crew(server)


async def write_files(connection: Connection, agent_id: str, workspace: str, made: Crew) -> str:
    """Write the files that the gateway accepts; return the command that hands in."""
    files = (await connection.call("agents.files.list", {"agentId": agent_id}))["files"]
    agent = Agent(id=UUID(made.vega.id), name="Vega", workspace_path=workspace)
    board = board_of("Telescope", id=UUID(made.board_id))
    facts = WorkspaceFacts(agent=agent, board=board, base_url=made.server.url, token=made.vega.token)
    texts = workspace_files(facts, names=[one["name"] for one in files])
    assert set(texts) == set(FILES[:5])
    for name, content in texts.items():
        await connection.call("agents.files.set", {"agentId": agent_id, "name": name, "content": content})
    [hand_in] = HAND_IN.findall(texts["AGENTS.md"])
    return str(hand_in)


async def test_agent_works_by_its_files(real_gateway: RealGateway, made: Crew) -> None:
    name = f"files-{uuid.uuid4().hex[:8]}"
    workspace = f"~/{name}"
    async with connected(real_gateway) as connection:
        await connection.call("agents.create", {"name": name, "workspace": workspace})
        await listed(connection, name)
        wanted = Agent(name=name, gateway_agent_id=name, workspace_path=workspace)
        assert config_patch(Payload((await connection.call("config.get"))["config"]), [wanted]) is None
        await take_back_a_heartbeat(connection, wanted)
        hand_in = await write_files(connection, name, workspace, made)
        turns: list[Turn] = []

        def worker(turn: Turn) -> Reply | None:
            if turn.agent != name:
                return None
            turns.append(turn)
            return Reply("Handed in.") if turn.results else Reply(command=f"{MAKE_MC} && {CLAIMED}\n{hand_in}")

        real_gateway.model.answer = worker
        try:
            task = await made.add_task("Look at “Vega”")
            work = {"sessionKey": f"agent:{name}:main", "message": "TASK ASSIGNED", "idempotencyKey": name}
            await connection.call("chat.send", work)
            async with asyncio.timeout(PATIENCE):
                while (await made.task(task))["status"] != "review":
                    await asyncio.sleep(0.2)
        finally:
            real_gateway.model.answer = None
            await connection.call("agents.delete", {"agentId": name, "deleteFiles": True}, seconds=PATIENCE)
    assert 'worker of the board "Telescope"' in turns[0].system


async def take_back_a_heartbeat(connection: Connection, wanted: Agent) -> None:
    """Write a heartbeat as an earlier version did, and take it back as the present one does."""
    beating = {"agents": {"entries": {wanted.gateway_agent_id: {"heartbeat": {"every": "9m", "target": "none"}}}}}
    for patch in (beating, None):
        found = await connection.call("config.get")
        raw = json.dumps(patch or config_patch(Payload(found["config"]), [wanted]))
        await connection.call("config.patch", {"raw": raw, "baseHash": found["hash"]})
    entry = (await connection.call("config.get"))["config"]["agents"]["entries"][wanted.gateway_agent_id]
    assert "heartbeat" not in entry
