"""Claims over real sockets; `tests/long/test_claim_race.py` is the long form."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.live.claim_plays import Crew, add_tasks, check_hand_outs, new_crew, play_race, play_zombies
from tests.live.servers import BEFORE_POLLS_END, PATIENCE, TELLING, Server, installation

pytestmark = [pytest.mark.dialect, pytest.mark.database]


async def test_agents_race_for_tasks_over_http(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served() as server:
        await play_race(home, server, agents=8, tasks=60)


@pytest.mark.thorough
async def test_stale_fences_are_refused(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served() as server:
        await play_zombies(home, server, 5)


async def test_stopping_server_answers_waiting_claims(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served(program=TELLING) as server:
        crew = await new_crew(server, 3)
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(wait_for_work(server, crew, token)) for token in crew.tokens]
            await server.told("waits at work:", 3)
            assert not any(one.done() for one in waiting)
            assert await server.stop(BEFORE_POLLS_END) == 0
        for one in waiting:
            assert one.result().json() == {"task": None, "lease": None, "reason": None}


async def test_disconnected_claim_takes_nothing(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served(program=TELLING) as server:
        crew = await new_crew(server, 2)
        async with asyncio.TaskGroup() as group:
            gone = group.create_task(wait_for_work(server, crew, crew.tokens[0]))
            await server.told("waits at work:")
            stays = group.create_task(wait_for_work(server, crew, crew.tokens[1]))
            await server.told("waits at work:", 2)
            gone.cancel()
            await server.told("waits no more at work:")
            await add_tasks(server, crew, 1)
        body = stays.result().json()
        assert body["task"] is not None and body["lease"]["fence"] == 1
        await check_hand_outs(home, 1)


async def wait_for_work(server: Server, crew: Crew, token: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=server.url, headers={"X-Agent-Token": token}, timeout=PATIENCE) as client:
        return await client.post(crew.claims, json={"wait_seconds": 50})
