"""Whether memory stays flat under mixed load: `python -m bench.memory [--minutes 30] [--cache 16]`.

A server with many boards, whose answers do not all fit into its cache of so many megabytes, is read and written by
some connections at a bounded rate, with live streams that come and go. Its resident memory is sampled all the while;
the last line says the median of the second third of the time, that of the last third, and their ratio.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.client import Connection
from bench.data import TEXT, V1
from bench.server import Server, served

BOARDS, TASKS = 40, 120
READERS, WRITERS, STREAMS = 3, 2, 20
PAUSE = 0.02  # of each connection, between two requests
STREAM_SECONDS = 45.0
SAMPLE_SECONDS = 5.0
GZIP = {"Accept-Encoding": "gzip"}


@dataclass
class Load:
    """What is asked of a server until the time is over."""

    server: Server
    until: float
    boards: dict[str, list[str]] = field(default_factory=dict)
    requests: int = 0

    def connection(self) -> Connection:
        return Connection(self.server.port, self.server.token)

    async def fill(self) -> None:
        owner = self.connection()
        for number in range(BOARDS):
            made = {"name": f"Board {number}", "slug": f"board-{number}", "description": "Measurements"}
            board = f"{V1}/boards/{(await owner.json('POST', f'{V1}/boards', made))['id']}"
            self.boards[board] = [
                (await owner.json("POST", f"{board}/tasks", {"title": f"Task {n}", "description": TEXT * 3}))["id"]
                for n in range(TASKS)
            ]
        owner.close()

    async def run(self) -> list[tuple[float, float]]:
        """Send everything at once. Return the samples of memory: seconds and megabytes."""
        samples: list[tuple[float, float]] = []
        began = time.monotonic()
        work = [self._read(n) for n in range(READERS)] + [self._write(n) for n in range(WRITERS)]
        tasks = [asyncio.create_task(one) for one in (*work, *(self._follow(n) for n in range(STREAMS)))]
        while time.monotonic() < self.until:
            samples.append((time.monotonic() - began, self.server.resident_mib()))
            await asyncio.sleep(SAMPLE_SECONDS)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        return samples

    async def _read(self, number: int) -> None:
        chance, connection = random.Random(number), self.connection()
        while True:
            board = chance.choice(list(self.boards))
            path = chance.choice(
                ("/tasks", "/snapshot", f"/tasks/{chance.choice(self.boards[board])}", "/tasks?limit=50")
            )
            await self._call(
                connection, "GET", chance.choice((board + path, f"{V1}/activity", f"{V1}/metrics/dashboard"))
            )

    async def _write(self, number: int) -> None:
        chance, connection = random.Random(100 + number), self.connection()
        while True:
            board = chance.choice(list(self.boards))
            task = f"{board}/tasks/{chance.choice(self.boards[board])}"
            if chance.random() < 0.3:
                await self._call(connection, "POST", f"{task}/comments", {"message": TEXT})
            else:
                await self._call(connection, "PATCH", task, {"title": f"Task {chance.random()}"})

    async def _call(self, connection: Connection, method: str, path: str, body: Any = None) -> None:
        status, text = await connection.call(method, path, body, GZIP)
        if status >= 300:
            raise RuntimeError(f"{method} {path} answers {status}: {text[:200]!r}")
        self.requests += 1
        await asyncio.sleep(PAUSE)

    async def _follow(self, number: int) -> None:
        chance = random.Random(200 + number)
        while True:
            connection = self.connection()
            lines = await connection.stream(f"{chance.choice(list(self.boards))}/tasks/stream")
            try:
                async with asyncio.timeout(STREAM_SECONDS * chance.uniform(0.5, 1.5)):
                    while await lines.read(2**16):
                        pass
            except TimeoutError:
                pass
            finally:
                connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--cache", type=int, default=16, help="RESPONSE_CACHE_MB of the server")
    options = parser.parse_args()
    os.environ["RESPONSE_CACHE_MB"] = str(options.cache)
    with tempfile.TemporaryDirectory(prefix="mc-memory-") as name:
        url = f"sqlite:///{Path(name) / 'bench.sqlite3'}"
        with served(Path(name), url) as server:
            asyncio.run(_measure(server, options.minutes))


async def _measure(server: Server, minutes: float) -> None:
    load = Load(server, 0.0)
    await load.fill()
    print(f"{time.strftime('%F %T')}; {BOARDS} boards of {TASKS} tasks; at the start {server.resident_mib():.0f} MiB")
    load.until = time.monotonic() + minutes * 60
    samples = await load.run()
    for minute in range(0, int(minutes), max(1, int(minutes) // 10)):
        print(f"minute {minute}: {statistics.median(_between(samples, minute * 60, minute * 60 + 60)):.0f} MiB")
    third = minutes * 60 / 3
    middle, last = (statistics.median(_between(samples, third * n, third * (n + 1))) for n in (1, 2))
    print(f"{load.requests} requests; the second third {middle:.1f} MiB, the last {last:.1f} MiB: {last / middle:.3f}")


def _between(samples: list[tuple[float, float]], begin: float, end: float) -> list[float]:
    return [megabytes for seconds, megabytes in samples if begin <= seconds < end] or [float("nan")]


if __name__ == "__main__":
    main()
