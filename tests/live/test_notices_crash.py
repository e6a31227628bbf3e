"""Notices to a gateway over the sudden death of the server: each arrives once."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mission_control.core.secrets import encrypt
from tests.gateways.fake import FakeGateway
from tests.gateways.fake_state import FakeAgent
from tests.live.scenarios import database, new_board
from tests.live.servers import API, PATIENCE, Installation, Server, installation

pytestmark = pytest.mark.database

KEY = "a-secret-key-of-an-installation-for-tests-that-is-long-enough-to-be-one"
AGENTS, ENTRIES = 5, 10


async def crew_on(server: Server, board: str) -> list[str]:
    """Agents of a board; their ids."""
    async with server.client() as client:
        made: list[dict[str, Any]] = [
            (await client.post(f"{API}/agents", json={"board_id": board.rpartition("/")[2], "name": f"Star{number}"}))
            .raise_for_status()
            .json()
            for number in range(AGENTS)
        ]
    return [one["id"] for one in made]


async def move_to(home: Installation, fake: FakeGateway, agents: list[str]) -> None:
    gateway, moment = uuid4(), "'2026-11-26 12:00:00.000000'"
    no = "FALSE" if home.sqlite_file is None else "0"
    statements = (
        "INSERT INTO gateways (id, organization_id, name, url, workspace_root, token, allow_insecure_tls,"
        " disable_device_pairing, state, state_at, created_at, updated_at)"
        f" SELECT '{gateway}', organization_id, 'Basement', '{fake.url}', '~', '{encrypt(fake.token, KEY)}',"
        f" {no}, {no}, 'connecting', {moment}, {moment}, {moment} FROM agents WHERE id = '{agents[0]}'",
        *(
            f"UPDATE agents SET gateway_id = '{gateway}', openclaw_session_id = '{session_of(one)}',"
            f" gateway_agent_id = 'mc-{one}', last_wake_sent_at = {moment} WHERE id = '{one}'"
            for one in agents
        ),
    )
    for statement in statements:
        await database(home, statement)
    for one in agents:
        fake.state.agents[f"mc-{one}"] = FakeAgent(f"mc-{one}", one, "/workspace")


def session_of(agent: str) -> str:
    return f"agent:mc-{agent}:main"


async def say(server: Server, board: str, *texts: str) -> None:
    everybody = " ".join(f"@Star{number}" for number in range(AGENTS))
    async with server.client() as client:
        for text in texts:
            new = {"content": f"{everybody} {text}", "tags": ["chat"]}
            (await client.post(f"{board}/memory", json=new)).raise_for_status()


def received(fake: FakeGateway, agent: str) -> list[str]:
    session = fake.state.sessions.get(session_of(agent))
    texts = [one["content"] for one in session.messages if one["role"] == "user"] if session else []
    return [next(line for line in text.split("\n") if line.startswith("@")).rpartition(" ")[2] for text in texts]


async def until(is_so: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0.02)


@pytest.mark.thorough
async def test_fifty_notices_arrive_once_over_a_crash(tmp_path: Path) -> None:
    """Also when the gateway was restarted meanwhile, so that it knows no idempotency keys."""
    async with installation(tmp_path) as home, FakeGateway() as fake:
        async with home.served(SECRET_KEY=KEY) as first:
            board = await new_board(first)
            agents = await crew_on(first, board)
        await move_to(home, fake, agents)
        async with home.served(SECRET_KEY=KEY) as second:
            await say(second, board, "hello")
            await until(lambda: all(received(fake, one) == ["hello"] for one in agents))
            gate = fake.hold("chat.send", times=1_000)
            words = [f"word{number}" for number in range(ENTRIES)]
            await say(second, board, *words)
            await until(lambda: fake.in_progress >= AGENTS)
            await second.kill()
        gate.set()
        fake.faults.clear()
        fake.state.runs.clear()
        async with home.served(SECRET_KEY=KEY):
            await until(lambda: all(received(fake, one)[-1] == words[-1] for one in agents))
        assert [received(fake, one) for one in agents] == [["hello", *words]] * AGENTS
        found = await database(home, "SELECT state, COUNT(*) FROM deliveries GROUP BY state")
        assert found == [("sent", AGENTS * (1 + ENTRIES))]
        await home.command("audit", "verify", SECRET_KEY=KEY)
