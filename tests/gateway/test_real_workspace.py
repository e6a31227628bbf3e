"""An agent of a real OpenClaw gateway that works by its workspace files, and whose heartbeats cost nearly nothing."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from mission_control.agents.schemas import DEFAULT_HEARTBEAT
from mission_control.openclaw.connection import Connection
from mission_control.provisioning.gateway_config import PROMPT, WantedAgent, config_patch
from mission_control.provisioning.workspace.facts import BoardFacts, WorkspaceFacts
from mission_control.provisioning.workspace.files import FILES, workspace_files
from tests.gateway.fake_model import Reply, Turn
from tests.gateway.real import RealGateway
from tests.gateway.real_plays import Listener, connected, listed
from tests.live.crew import Crew, crew
from tests.live.servers import PATIENCE, Installation

pytestmark = pytest.mark.gateway

MAKE = "sed -n '/^cat > mc/,/^chmod/p' AGENTS.md | sh"
HAND_IN = re.compile(r"^\./mc POST \S+/completions - <<'JSON'\n.*?\nJSON$", re.MULTILINE | re.DOTALL)


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Crew]:
    """A board with a lead and a worker, on a real server."""
    async with Installation(tmp_path, f"sqlite:///{tmp_path / 'beats.sqlite3'}").served() as server:
        yield await crew(server)


class Worker:
    """A model that does to the letter what the files and the heartbeat's prompt say."""

    def __init__(self, agent: str, hand_in: str) -> None:
        self.agent, self.hand_in = agent, hand_in
        self.turns: list[Turn] = []

    def __call__(self, turn: Turn) -> Reply | None:
        if turn.agent != self.agent:
            return None
        self.turns.append(turn)
        if not turn.results:
            return Reply(command="./mc beat" if PROMPT in turn.user else f"{MAKE} && ./mc beat")
        if (said := turn.results[-1].strip()) == "idle":
            return Reply("HEARTBEAT_OK")
        if said.startswith('{"work"'):
            found = json.loads(said.splitlines()[0])
            return Reply(command=f"export TASK={found['work']['id']} FENCE={found['fence']}\n{self.hand_in}")
        return Reply("Handed in.")


async def write_files(connection: Connection, agent_id: str, workspace: str, made: Crew) -> str:
    """Write the files that the gateway accepts; return the command that hands in."""
    files = (await connection.call("agents.files.list", {"agentId": agent_id}))["files"]
    facts = WorkspaceFacts(
        role="worker", agent_id=UUID(made.vega.id), name="Vega", base_url=made.server.url, token=made.vega.token,
        workspace_path=workspace, board=BoardFacts(id=UUID(made.board_id), name="Telescope"),
    )  # fmt: skip
    texts = workspace_files(facts, names=[one["name"] for one in files])
    assert set(texts) == set(FILES[:5])
    for name, content in texts.items():
        await connection.call("agents.files.set", {"agentId": agent_id, "name": name, "content": content})
    [hand_in] = HAND_IN.findall(texts["AGENTS.md"])
    return str(hand_in)


async def beat(connection: Connection, agent_id: str, workspace: str, every: str) -> None:
    """Have the agent's entry as it should be; nothing differs afterwards."""
    wanted = WantedAgent(agent_id=agent_id, workspace=workspace, heartbeat=DEFAULT_HEARTBEAT | {"every": every})
    found = await connection.call("config.get")
    patch = config_patch(found["config"], [wanted])
    await connection.call("config.patch", {"raw": json.dumps(patch), "baseHash": found["hash"]})
    assert config_patch((await connection.call("config.get"))["config"], [wanted]) is None


async def test_agent_works_by_its_files_and_its_heartbeats(real_gateway: RealGateway, made: Crew) -> None:
    listener, name = Listener(), f"files-{uuid.uuid4().hex[:8]}"
    workspace = f"~/{name}"
    async with connected(real_gateway, listener) as connection:
        await connection.call("agents.create", {"name": name, "workspace": workspace})
        await listed(connection, name)
        worker = Worker(name, await write_files(connection, name, workspace, made))
        real_gateway.model.answer = worker
        try:
            greeting = {"sessionKey": f"agent:{name}:main", "message": "Hello Vega.", "idempotencyKey": name}
            await connection.call("chat.send", greeting)
            await listener.until("chat", lambda said: said["runId"] == name and said["state"] == "final")
            assert worker.turns[-1].results[-1].strip() == "idle"
            await beat(connection, name, workspace, "2s")
            await listener.until("heartbeat", lambda said: said["status"] == "ok-empty")
            wanted = await made.add_task("Look at “Vega”")
            async with asyncio.timeout(PATIENCE):
                while (await made.task(wanted))["status"] != "review":
                    await asyncio.sleep(0.2)
            await beat(connection, name, workspace, "0m")
        finally:
            real_gateway.model.answer = None
            await connection.call("agents.delete", {"agentId": name, "deleteFiles": True})
    for turn in worker.turns:
        is_beat = PROMPT in turn.user
        assert ('worker of the board "Telescope"' in turn.system) is not is_beat
        assert turn.session.endswith(":heartbeat") is is_beat
