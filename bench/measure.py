"""The measurements. Each is a closed loop of a fixed length."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.client import Connection
from bench.data import Data, Request
from bench.server import Server

WARM_SECONDS = 0.5


@dataclass(frozen=True)
class Cell:
    per_second: float
    p50: float
    p99: float
    cpu_ms: float
    errors: int
    size: int


def percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("nan")


async def load(server: Server, make: Callable[[int, int], Request], concurrency: int, seconds: float) -> Cell:
    """Run a closed loop: each worker sends its next request after the last response."""
    times: list[float] = []
    errors = size = 0
    begin = time.perf_counter() + WARM_SECONDS
    end = begin + seconds

    async def work(worker: int) -> None:
        nonlocal errors, size
        connection = Connection(server.port, server.token)
        number = 0
        while (sent := time.perf_counter()) < end:
            status, body = await connection.call(*make(worker, number))
            number += 1
            done = time.perf_counter()
            errors += status >= 300
            if begin <= done <= end:
                times.append((done - sent) * 1000)
                size = len(body)
        connection.close()

    workers = [asyncio.create_task(work(worker)) for worker in range(concurrency)]
    await asyncio.sleep(begin - time.perf_counter())
    before = server.cpu_seconds()
    await asyncio.sleep(end - time.perf_counter())
    used = server.cpu_seconds() - before
    await asyncio.gather(*workers)
    count = max(1, len(times))
    return Cell(len(times) / seconds, percentile(times, 50), percentile(times, 99), used * 1000 / count, errors, size)


async def change_to_stream(server: Server, data: Data, changes: int) -> tuple[list[float], list[float]]:
    """Return milliseconds from sending a change to its response, and to another connection's stream message."""
    chance = random.Random(3)
    reader, writer = Connection(server.port, server.token), Connection(server.port, server.token)
    lines = await reader.stream(f"{data.board}/tasks/stream")
    answered, shown = [], []
    for number in range(changes):
        await asyncio.sleep(chance.uniform(0.0, 0.15))
        title = f"Seen {number} of {changes}"
        path = f"{data.board}/tasks/{data.tasks[number % len(data.tasks)]}"
        sent = time.perf_counter()

        async def send(path: str = path, title: str = title, sent: float = sent) -> None:
            await writer.json("PATCH", path, {"title": title})
            answered.append((time.perf_counter() - sent) * 1000)

        sending = asyncio.create_task(send())
        while title.encode() not in await lines.readline():
            pass
        shown.append((time.perf_counter() - sent) * 1000)
        await sending
    reader.close()
    writer.close()
    return answered, shown


@asynccontextmanager
async def open_streams(server: Server, data: Data, count: int) -> AsyncIterator[None]:
    connections = [Connection(server.port, server.token) for _ in range(count)]
    reading = []
    for connection in connections:
        lines = await connection.stream(f"{data.board}/tasks/stream")
        reading.append(asyncio.create_task(_swallow(lines)))
    try:
        yield
    finally:
        for task in reading:
            task.cancel()
        for connection in connections:
            connection.close()


async def _swallow(lines: asyncio.StreamReader) -> None:
    while await lines.read(2**16):
        pass


async def idle_cpu_percent(server: Server, seconds: float) -> float:
    """Return the percentage of one core that the idle server uses."""
    await asyncio.sleep(1)
    before = server.cpu_seconds()
    await asyncio.sleep(seconds)
    return (server.cpu_seconds() - before) / seconds * 100
