"""Runs that wait for people over the sudden death of the server: none is given twice, none waits for nothing."""

import asyncio
import random
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.live.claim_plays import new_crew
from tests.live.scenarios import check_whole, database, new_tasks
from tests.live.servers import API, PATIENCE, Installation, installation
from tests.machines import LONG

pytestmark = [pytest.mark.dialect, pytest.mark.database]

AGENTS, TASKS, ROUNDS = 3, 12, 20 if LONG else 1
# What must never be found, on both databases.
FAULTS = {
    "a task with two holders": "SELECT task_id FROM task_runs WHERE ended_at IS NULL"
    " GROUP BY task_id HAVING COUNT(*) > 1",
    "an attempt that counted for waiting": "SELECT id FROM tasks WHERE failed_attempts > 0",
    "a run that was given up": "SELECT id FROM task_runs WHERE state NOT IN ('running', 'completed')",
    "an ask that outlives its run": "SELECT q.id FROM agent_questions q JOIN task_runs r ON r.id = q.run_id"
    " JOIN tasks t ON t.id = r.task_id WHERE q.state = 'open' AND r.ended_at IS NOT NULL AND t.status = 'done'",
    "a run that waits for nothing": "SELECT r.id FROM task_runs r WHERE r.ended_at IS NULL AND r.parked_at IS NOT NULL"
    " AND r.ready_at IS NULL AND NOT EXISTS"
    " (SELECT 1 FROM agent_questions q WHERE q.run_id = r.id AND q.state = 'open')",
    "a run that goes on unanswered": "SELECT r.id FROM task_runs r JOIN agent_questions q ON q.run_id = r.id"
    " WHERE r.ended_at IS NULL AND r.ready_at IS NOT NULL AND q.state = 'open'",
    "a waiting run with a lease": "SELECT id FROM task_runs WHERE ended_at IS NULL AND parked_at IS NOT NULL"
    " AND lease_expires_at IS NOT NULL",
}


class Caller:
    """Somebody that sends a request with its key again until a server answers."""

    def __init__(self, port: int, token: str | None, fallback: dict[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"X-Agent-Token": token} if token else fallback

    async def send(self, path: str, body: dict[str, Any]) -> Any:
        headers = {**self.headers, "Idempotency-Key": uuid4().hex}
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient(base_url=self.url, headers=headers) as client:
            while True:
                with suppress(httpx.TransportError):
                    answer = await client.post(path, json=body)
                    if answer.status_code < 500:
                        return answer.raise_for_status().json()
                await asyncio.sleep(0.05)


async def work(agent: Caller, board: str, chance: random.Random) -> None:
    """Claim, ask and leave, come back with the answer, hand in, until nothing is left."""
    home = board.replace(API, f"{API}/agent", 1)
    while True:
        claim = await agent.send(f"{home}/claims", {"wait_seconds": 1})
        if claim["task"] is None:
            if await done(agent, board):
                return
            continue
        path = f"{home}/tasks/{claim['task']['id']}"
        if claim["why"]["kind"] == "new" or chance.random() < 0.3:
            sent = {"content": "Which?", "task_id": claim["task"]["id"], "park": True}
            await agent.send(f"{home}/questions", sent)
        else:
            await agent.send(f"{path}/completions", {"fence": claim["lease"]["fence"], "summary": "Done."})


async def done(agent: Caller, board: str) -> bool:
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient(base_url=agent.url, headers=agent.headers) as client:
        while True:
            with suppress(httpx.TransportError):
                found = await client.get(f"{board}/tasks", params={"limit": 100})
                if found.status_code == 200:
                    return all(one["status"] == "done" for one in found.json()["items"])
            await asyncio.sleep(0.05)


async def answer_all(person: Caller, home: Installation, board: str, over: asyncio.Event) -> None:
    while not over.is_set():
        for (question,) in await database(home, "SELECT CAST(id AS TEXT) FROM agent_questions WHERE state = 'open'"):
            await person.send(f"{board}/questions/{question}/answers", {"answer": "This one."})
        await asyncio.sleep(0.02)


@pytest.mark.thorough
async def test_runs_that_wait_survive_the_death_of_the_server(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with installation(tmp_path) as home:
        server = await home.start()
        try:
            crew, port = await new_crew(server, AGENTS), server.port
            board = crew.board
            for _ in range(ROUNDS):
                await new_tasks(server, board, TASKS)
                over = asyncio.Event()
                async with asyncio.timeout(PATIENCE * 3), asyncio.TaskGroup() as group:
                    person = Caller(port, None, server.headers)
                    answering = group.create_task(answer_all(person, home, board, over))
                    workers = [group.create_task(work(Caller(port, one, {}), board, chance)) for one in crew.tokens]
                    for _ in range(3):
                        await asyncio.sleep(chance.uniform(0.2, 0.8))
                        await server.kill()
                        for what, sql in FAULTS.items():
                            assert not await database(home, sql), what
                        server = await home.start(port=port)
                    await asyncio.gather(*workers)
                    over.set()
                    await answering
            for what, sql in FAULTS.items():
                assert not await database(home, sql), what
            runs = "SELECT COUNT(*), COUNT(DISTINCT task_id) FROM task_runs WHERE state = 'completed'"
            assert await database(home, runs) == [(ROUNDS * TASKS, ROUNDS * TASKS)]
            await check_whole(home)
        finally:
            await server.stop()
