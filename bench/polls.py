"""Agents that wait on their inboxes: their idle cost, and the delay of a wake-up."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from bench.client import Connection
from bench.data import V1, Data
from bench.server import Server

INBOX = f"{V1}/agent/inbox?wait_seconds=25"  # longer than the measurement; they end by themselves
AT_ONCE = 16
SETTLE_SECONDS = 2.0


@dataclass(frozen=True)
class Waiter:
    id: str
    connection: Connection


async def hire(server: Server, data: Data, count: int) -> list[Waiter]:
    owner = Connection(server.port, server.token)
    board_id, found = data.board.rpartition("/")[2], []
    for number in range(count):
        body = {"board_id": board_id, "name": f"Waiter {number:04d}"}
        made = await owner.json("POST", f"{V1}/agents", body)
        found.append(Waiter(made["id"], Connection(server.port, made["token"])))
    owner.close()
    return found


@asynccontextmanager
async def waiting(waiters: list[Waiter]) -> AsyncIterator[dict[str, "asyncio.Task[tuple[float, list[Any]]]"]]:
    """Return the waiting poll of each agent, after they have read older notices."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def read(one: Waiter) -> int:
        async with gate:
            await one.connection.open()
            number: int = (await one.connection.json("GET", f"{V1}/agent/inbox"))["next"]
            return number

    numbers = await asyncio.gather(*(read(one) for one in waiters))
    polls = {one.id: asyncio.create_task(_poll(one, number)) for one, number in zip(waiters, numbers, strict=True)}
    await asyncio.sleep(SETTLE_SECONDS)
    try:
        yield polls
    finally:
        await asyncio.gather(*polls.values(), return_exceptions=True)
        for one in waiters:
            one.connection.close()


async def _poll(one: Waiter, after: int) -> tuple[float, list[Any]]:
    """Return when a poll was answered, and its answer."""
    status, text = await one.connection.call("GET", f"{INBOX}&after={after}")
    answered = time.perf_counter()
    if status != 200:
        raise RuntimeError(f"The inbox answers {status}: {text[:300]!r}")
    return answered, orjson.loads(text)["items"]


async def wake(
    server: Server, data: Data, polls: dict[str, "asyncio.Task[tuple[float, list[Any]]]"], rounds: int
) -> tuple[list[float], list[float], list[float]]:
    """Return milliseconds from assigning a task to its response, to the poll's answer, and between the two.

    The commit lies before both answers, so the second figure holds the time from the commit to the woken poll's answer.
    """
    chance = random.Random(5)
    owner = Connection(server.port, server.token)
    answered, woken, between = [], [], []
    for number, agent_id in enumerate(chance.sample(list(polls), rounds)):
        await asyncio.sleep(chance.uniform(0.0, 0.1))
        sent = time.perf_counter()
        await owner.json("POST", f"{data.board}/tasks", {"title": f"Wake {number}", "assigned_agent_id": agent_id})
        done = time.perf_counter()
        told, items = await polls[agent_id]
        if not items:
            raise RuntimeError("A poll was answered without a notice.")
        answered.append((done - sent) * 1000)
        woken.append((told - sent) * 1000)
        between.append((told - done) * 1000)
    owner.close()
    return answered, woken, between
