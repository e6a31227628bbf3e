"""Three processes behind nginx on PostgreSQL, each with an address and a folder of its own: `python -m bench.machines`.

With 200 streams and agents and people at work, one process is killed, one restarted and the proxy reloaded; the verdict
is "0 lost, 0 doubled, 0 missed", or what was. `--throughput` measures writes and reads with one, two and three
processes instead. It stops by itself after a few minutes.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from bench.client import Connection
from bench.server import Server
from tests.databases import DATABASE, system_server
from tests.live.machines import NGINX, Machines, machines, play
from tests.live.scenarios import new_board
from tests.live.servers import TOKEN

TICK = os.sysconf("SC_CLK_TCK")
PROGRAM = "mission-control"  # what its connections call themselves


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.machines", description=__doc__)
    parser.add_argument("--streams", type=int, default=170, help="JSON streams")
    parser.add_argument("--pages", type=int, default=30, help="streams of open boards")
    parser.add_argument("--agents", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the load, or of one measurement")
    parser.add_argument("--connections", type=int, default=24, help="of the throughput")
    parser.add_argument("--throughput", action="store_true")
    options = parser.parse_args()
    if NGINX is None:
        sys.exit("nginx is not installed.")
    with system_server() as url, tempfile.TemporaryDirectory(prefix="mc-machines-") as name:
        asyncio.run(_throughput(Path(name), url, options) if options.throughput else _play(Path(name), url, options))


async def _play(folder: Path, url: str, options: argparse.Namespace) -> None:
    async with machines(folder, url) as made:
        try:
            verdict = await play(
                made, streams=options.streams, pages=options.pages, agents=options.agents, seconds=options.seconds
            )
        except AssertionError as fault:
            sys.exit(f"FAULT: {fault}")
    streams = options.streams + options.pages
    print(f"{verdict.acknowledged} writes acknowledged in {verdict.seconds:.0f} s, {verdict.events} events in the log")
    print(f"{streams} streams, cut {verdict.cuts} times; writes sent again: {verdict.sent_again or 'none'}")
    print("0 lost, 0 doubled, 0 missed")


@dataclass(frozen=True)
class Used:
    """Processor seconds so far: of the program's processes, of their database's, of nginx, and of the clients."""

    program: float
    database: float
    nginx: float
    clients: float

    def since(self, before: "Used") -> "Used":
        return Used(*(getattr(self, name) - getattr(before, name) for name in vars(self)))


async def _throughput(folder: Path, url: str, options: argparse.Namespace) -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {options.connections} connections")
    print("processes  requests/s  ms of a request: program  database  nginx  clients")
    for count in (1, 2, 3):
        database = f"{DATABASE}_{count}"
        connection = await asyncpg.connect(url)
        await connection.execute(f'CREATE DATABASE "{database}"')
        await connection.close()
        here = folder / str(count)
        here.mkdir()
        async with machines(here, url.replace(DATABASE, database), count) as made:
            await _measure(made, options)


async def _measure(made: Machines, options: argparse.Namespace) -> None:
    board = await new_board(made.servers[0])
    assert made.proxy is not None
    connections = [Connection(made.proxy.port, TOKEN) for _ in range(options.connections)]
    end = time.perf_counter() + 2
    await asyncio.gather(*(_work(one, board, end) for one in connections))
    before, began = await _used(made), time.perf_counter()
    done = await asyncio.gather(*(_work(one, board, began + options.seconds) for one in connections))
    seconds, used = time.perf_counter() - began, (await _used(made)).since(before)
    requests = sum(done)
    parts = [1000 * part / requests for part in (used.program, used.database, used.nginx, used.clients)]
    print(
        f"{len(made.servers):9}  {requests / seconds:10.0f}  {parts[0]:24.2f}  {parts[1]:8.2f}"
        f"  {parts[2]:5.2f}  {parts[3]:7.2f}"
    )
    for one in connections:
        one.close()


async def _work(connection: Connection, board: str, end: float) -> int:
    """Make a task, move it, comment on it and read it, again and again. Return how many requests that were."""
    count = 0
    while time.perf_counter() < end:
        task: Any = await connection.json("POST", f"{board}/tasks", {"title": "A task"})
        path = f"{board}/tasks/{task['id']}"
        await connection.json("PATCH", path, {"status": "in_progress"})
        await connection.json("POST", f"{path}/comments", {"message": "Half of it."})
        await connection.json("GET", path)
        count += 4
    return count


async def _used(made: Machines) -> Used:
    connection = await asyncpg.connect(made.homes[0].database_url)
    found = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE application_name = $1", PROGRAM)
    await connection.close()
    assert made.proxy is not None
    program = sum(Server(0, one.process.pid, None).cpu_seconds() for one in made.servers)
    nginx = Server(0, made.proxy.pid, None).cpu_seconds()
    return Used(program, sum(_cpu_of(row["pid"]) for row in found), nginx, time.process_time())


def _cpu_of(pid: int) -> float:
    """Return the processor seconds of another user's process."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICK


if __name__ == "__main__":
    main()
