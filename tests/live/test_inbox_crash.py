"""An inbox over sudden death, over a stop, and over two server processes: nothing lost, nothing acknowledged twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live.scenarios import check_whole, database, new_board
from tests.live.servers import API, BEFORE_POLLS_END, PATIENCE, TELLING, Server, installation
from tests.live.test_durability import served_by_each

pytestmark = [pytest.mark.dialect, pytest.mark.database]

INBOX = f"{API}/agent/inbox"


class Hired:
    """A direct agent at its own connection."""

    def __init__(self, server: Server, made: dict[str, Any]) -> None:
        self.id, self.headers = made["id"], {"X-Agent-Token": made["token"]}
        self.client = httpx.AsyncClient(base_url=server.url, headers=self.headers, timeout=PATIENCE)

    async def read(self, after: int = 0, seconds: int = 0) -> dict[str, Any]:
        answer = await self.client.get(f"{INBOX}?after={after}&wait_seconds={seconds}")
        body: dict[str, Any] = answer.raise_for_status().json()
        return body


@asynccontextmanager
async def hired(server: Server, board: str, name: str = "Vega") -> AsyncIterator[Hired]:
    """An agent that the owner makes for a board."""
    async with server.client() as client:
        made = await client.post(f"{API}/agents", json={"board_id": board.rpartition("/")[2], "name": name})
    agent = Hired(server, made.raise_for_status().json())
    async with agent.client:
        yield agent


async def assign(server: Server, board: str, agent: Hired) -> None:
    async with server.client() as client:
        answer = await client.post(f"{board}/tasks", json={"title": "Look", "assigned_agent_id": agent.id})
        answer.raise_for_status()


@pytest.mark.thorough
async def test_crash_loses_no_notice_and_acknowledges_none_twice(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served() as first:
        board = await new_board(first)
        async with hired(first, board) as vega:
            for _ in range(3):
                await assign(first, board, vega)
            handed_out = await vega.read()
            assert len(handed_out["items"]) == 3
            await first.kill()
            async with home.served(port=first.port) as second:
                assert await vega.read() == handed_out
                after_first = await vega.read(handed_out["items"][0]["seq"])
                assert after_first["items"] == handed_out["items"][1:]
                await second.kill()
            async with home.served(port=first.port):
                assert await vega.read() == after_first
                assert await vega.read(handed_out["next"]) == {"items": [], "next": handed_out["next"]}
        [(recorded,)] = await database(home, "SELECT COUNT(*) FROM events WHERE kind = 'task.assignee_notified'")
        assert recorded == 3
        await check_whole(home)


async def test_stop_answers_waiting_polls(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served(program=TELLING) as server:
        async with hired(server, await new_board(server)) as vega, asyncio.TaskGroup() as group:
            poll = group.create_task(vega.read(seconds=50))
            await server.told("waits at inbox:")
            assert not poll.done()
            assert await server.stop(BEFORE_POLLS_END) == 0
        assert poll.result() == {"items": [], "next": 0}


@pytest.mark.postgres
async def test_notice_of_another_process_wakes_the_poll(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served("--workers", "2") as server, AsyncExitStack() as stack:
        board = await new_board(server)
        agents = [await stack.enter_async_context(hired(server, board, f"Worker {number}")) for number in range(6)]
        group = await stack.enter_async_context(asyncio.TaskGroup())
        polls: list[asyncio.Task[dict[str, Any]]] = []
        while min(served_by_each(server)) < 2 or len(polls) < len(agents):  # any worker may take a connection
            assert len(polls) < 200
            polls.append(group.create_task(agents[len(polls) % len(agents)].read(seconds=50)))
            await asyncio.sleep(0.05)
        for agent in agents:
            await assign(server, board, agent)
        async with asyncio.timeout(40):  # one that was not woken would answer after fifty seconds
            bodies = await asyncio.gather(*polls)
        assert [[one["kind"] for one in body["items"]] for body in bodies] == [["task_assigned"]] * len(polls)
