"""Sudden death while an agent is being set up on its gateway: the next start ends it, and nothing happens twice."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from mission_control.core.secrets import encrypt
from mission_control.core.values import new_id
from mission_control.gateway_agents.provisioning.workspace import token_in
from tests.gateways.fake import FakeGateway
from tests.live.scenarios import check_whole, database, new_board
from tests.live.servers import API, PATIENCE, Installation, Server, installation

pytestmark = pytest.mark.database

COLUMNS = (
    "id, organization_id, name, url, workspace_root, token, allow_insecure_tls, disable_device_pairing, state,"
    " state_at, created_at, updated_at"
)


async def put_gateway(home: Installation, fake: FakeGateway, board: str) -> None:
    """Put the gateway beside the board."""
    key = (home.folder / "data" / "secret_key").read_text().strip()
    moment, board_id, gateway_id = datetime.now(UTC).replace(tzinfo=None), board.rpartition("/")[2], new_id()
    [(organization_id,)] = await database(home, f"SELECT organization_id FROM boards WHERE id = '{board_id}'")
    values = ", ".join(
        f"'{one}'" for one in (gateway_id, organization_id, "Tower", fake.url, "~/.openclaw", encrypt(fake.token, key))
    )
    await database(
        home,
        f"INSERT INTO gateways ({COLUMNS}) VALUES ({values}, FALSE, FALSE, 'connecting', '{moment}', '{moment}',"
        f" '{moment}')",
    )
    await database(home, f"UPDATE boards SET gateway_id = '{gateway_id}' WHERE id = '{board_id}'")


async def until(found: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not found():
            await asyncio.sleep(0.05)


async def create(server: Server, board: str) -> dict[str, Any]:
    async with server.client() as client:
        made = await client.post(f"{API}/agents", json={"board_id": board.rpartition("/")[2], "name": "Lyra"})
    body: dict[str, Any] = made.raise_for_status().json()
    return body


@pytest.mark.thorough
@pytest.mark.parametrize("method", ["agents.create", "chat.send"])
async def test_killed_provisioning_is_finished_by_the_next_start(tmp_path: Path, method: str) -> None:
    async with FakeGateway() as fake, installation(tmp_path) as home:
        async with home.served() as first:
            board = await new_board(first)
            await put_gateway(home, fake, board)
            held = fake.hold(method)
            made = await create(first, board)
            await until(lambda: not fake.faults.get(method))
            await first.kill()
        held.set()
        async with home.served() as second:
            key = f"mc-{made['id']}"
            await until(lambda: fake.messages(f"agent:{key}:main"))
            token = token_in(fake.state.agents[key].files["AGENTS.md"])
            async with httpx.AsyncClient(headers={"X-Agent-Token": token or ""}, timeout=PATIENCE) as lyra:
                (await lyra.post(f"{second.url}{API}/agent/heartbeat")).raise_for_status()
            done = "SELECT COUNT(*) FROM provisioning_jobs WHERE state = 'done'"
            async with asyncio.timeout(PATIENCE):
                while (await database(home, done)) != [(1,)]:
                    await asyncio.sleep(0.05)
            work = await database(home, "SELECT state, step FROM jobs WHERE kind = 'agent_setup'")
            assert work == [("done", "")]
        assert sorted(fake.state.agents) == ["main", key]
        assert len(fake.messages(f"agent:{key}:main")) == 1
        assert len({one["idempotencyKey"] for one in fake.sent("chat.send")}) == 1
        await check_whole(home)
