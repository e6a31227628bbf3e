"""Claims over real sockets, in any length: many agents at once, and agents that come back from the dead."""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mission_control.core import times
from tests.live.scenarios import check_whole, database, new_board
from tests.live.servers import API, PATIENCE, Installation, Server
from tests.moments import parsed

ZOMBIE = Path(__file__).with_name("zombie.py")


@dataclass
class Crew:
    board: str
    tokens: list[str]

    @property
    def board_id(self) -> str:
        return self.board.rpartition("/")[2]

    @property
    def claims(self) -> str:
        return f"{API}/agent/boards/{self.board_id}/claims"


async def new_crew(server: Server, size: int) -> Crew:
    board = await new_board(server)
    async with server.client() as client:
        made = [
            await client.post(f"{API}/agents", json={"name": f"Star {n}", "board_id": board.rpartition("/")[2]})
            for n in range(size)
        ]
    return Crew(board, [answer.raise_for_status().json()["token"] for answer in made])


async def add_tasks(server: Server, crew: Crew, count: int, first: int = 0) -> None:
    """New tasks of all priorities, several at once."""
    numbers = iter(range(first, first + count))

    async def some(client: httpx.AsyncClient) -> None:
        for number in numbers:
            new = {"title": f"Task {number}", "priority": ("low", "medium", "high", "urgent")[number % 4]}
            (await client.post(f"{crew.board}/tasks", json=new)).raise_for_status()

    async with server.client() as client:
        await asyncio.gather(*(some(client) for _ in range(8)))


async def play_race(home: Installation, server: Server, agents: int, tasks: int) -> float:
    """Half of the tasks are there, half come while agents wait for them; each is assigned once. Returns claims/s."""
    crew = await new_crew(server, agents)
    await add_tasks(server, crew, tasks // 2)
    got: list[tuple[str, int]] = []
    start = time.monotonic()

    async def work(token: str) -> float:
        last = start
        async with httpx.AsyncClient(base_url=server.url, headers={"X-Agent-Token": token}, timeout=PATIENCE) as client:
            while True:
                answer = await client.post(crew.claims, json={"wait_seconds": 3})
                body = answer.raise_for_status().json()
                if body["task"] is None:
                    if len(got) >= tasks:
                        return last
                    continue
                last = time.monotonic()
                got.append((body["task"]["id"], body["lease"]["fence"]))

    ends = await asyncio.gather(
        *(work(token) for token in crew.tokens), add_tasks(server, crew, tasks - tasks // 2, tasks)
    )
    assert len(got) == tasks and max(Counter(task for task, _ in got).values()) == 1, "a task was handed out twice"
    assert {fence for _, fence in got} == {1}
    await check_hand_outs(home, tasks)
    return tasks / (max(end for end in ends if end is not None) - start)


async def check_hand_outs(home: Installation, tasks: int) -> None:
    """Each task is in the hands of the agent of its one run."""
    [(runs, distinct)] = await database(home, "SELECT COUNT(*), COUNT(DISTINCT task_id) FROM task_runs")
    assert (runs, distinct) == (tasks, tasks)
    [(agreeing,)] = await database(
        home,
        "SELECT COUNT(*) FROM tasks t JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence"
        " AND r.agent_id = t.assigned_agent_id WHERE t.status = 'in_progress' AND r.ended_at IS NULL",
    )
    assert agreeing == tasks
    await check_whole(home)


async def play_zombies(home: Installation, server: Server, count: int) -> None:
    """Clients are stopped beyond their leases and go on afterwards: every write with the old fence is refused."""
    crew = await new_crew(server, count + 1)
    refused = await asyncio.gather(*(_zombie(server, crew, crew.tokens[n], n) for n in range(count)))
    assert sum(refused) == count, f"{sum(refused)} of {count} were refused"
    [(comments,)] = await database(home, "SELECT COUNT(*) FROM task_comments")
    [(done,)] = await database(home, "SELECT COUNT(*) FROM tasks WHERE status = 'done'")
    assert (comments, done) == (0, 0)
    await check_whole(home)


async def _zombie(server: Server, crew: Crew, token: str, number: int) -> bool:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ZOMBIE), server.url, crew.board_id, token,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            await add_tasks(server, crew, 1, number)
            claimed = json.loads(await process.stdout.readline())
            process.send_signal(signal.SIGSTOP)
            process.stdin.write(b"go on\n")
            await _until(claimed["lease"]["expires_at"])
            if number % 2:
                await _hand_to_another(server, crew, claimed["task"]["id"])
            process.send_signal(signal.SIGCONT)
            answers: list[Any] = json.loads(await process.stdout.readline())
        return all(status == 409 and detail["code"] == "lease_lost" for status, detail in answers)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until(moment: str) -> None:
    await asyncio.sleep(max(0.0, (parsed(moment) - times.clock_now()).total_seconds()) + 0.05)


async def _hand_to_another(server: Server, crew: Crew, task_id: str) -> None:
    """Another agent takes the task as clients know it, as soon as it came back."""
    token = {"X-Agent-Token": crew.tokens[-1]}
    async with httpx.AsyncClient(base_url=server.url, headers=token, timeout=PATIENCE) as client:
        while True:
            answer = await client.patch(f"{crew.board}/tasks/{task_id}", json={"status": "in_progress"})
            if answer.status_code == 200:
                return
            await asyncio.sleep(0.1)
