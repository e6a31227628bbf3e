"""Latency of a ping during mixed load: `python -m bench.stall --against DIR [--database postgres]`.

Every 20 ms a ping is sent to a server that is writing, listing, searching and exporting: to `/healthz`, which needs
no database, and to `/api/v1/users/me`, which does. DIR is another checkout with a virtual environment in `.venv`. Both
are served and filled alike, and loaded in turns, so that what else the machine does meets both. The work comes at a
fixed rate: a server that is faster is not given more of it.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

from bench.client import Connection
from bench.compare import NAMES, Side, both
from bench.data import TEXT, V1
from bench.measure import percentile

EVERY_SECONDS = 0.02
PINGS = ("/healthz", f"{V1}/users/me")
PERCENTILES = (50, 90, 99, 99.9, 100)


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mc-stall-")))
        sides = stack.enter_context(both(folder, options.against, options.database, counted=False))
        asyncio.run(_measure(sides, options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.stall", description=__doc__)
    parser.add_argument("--against", type=Path, required=True, help="the other checkout, the one of before")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=6.0, help="length of one round on one side")
    parser.add_argument("--load", type=float, default=1.0, help="how many times the usual rate of the work")
    return parser.parse_args()


async def _measure(sides: list[Side], options: argparse.Namespace) -> None:
    for side in sides:
        await side.prepare()
    waits: dict[tuple[str, str], list[float]] = {(side.name, path): [] for side in sides for path in PINGS}
    done = dict.fromkeys(NAMES, 0)
    for number in range(options.rounds):
        for side in sides if number % 2 else reversed(sides):
            done[side.name] += await _load(side, options, waits)
    print(f"{time.strftime('%F %T')}; {options.database}; a ping every {EVERY_SECONDS * 1000:.0f} ms beside mixed work")
    print(
        "\n| Ping, ms | side | pings | " + " | ".join(f"p{one}" if one < 100 else "most" for one in PERCENTILES) + " |"
    )
    print("|---|---|---|" + "---|" * len(PERCENTILES))
    for path in PINGS:
        for name in NAMES:
            found = waits[name, path]
            cells = " | ".join(f"{percentile(found, one):.1f}" for one in PERCENTILES)
            print(f"| {path} | {name} | {len(found)} | {cells} |")
    print("\nrequests of the mixed work answered: " + ", ".join(f"{name} {done[name]}" for name in NAMES))


async def _load(side: Side, options: argparse.Namespace, waits: dict[tuple[str, str], list[float]]) -> int:
    end = time.perf_counter() + options.seconds
    async with asyncio.TaskGroup() as group:
        working = [group.create_task(_work(side, work, pause / options.load, end)) for work, pause in WORK.items()]
        for path in PINGS:
            group.create_task(_ping(side, path, end, waits[side.name, path]))
    return sum(task.result() for task in working)


async def _ping(side: Side, path: str, end: float, waits: list[float]) -> None:
    connection = Connection(side.server.port, side.server.token)
    while (sent := time.perf_counter()) < end:
        await connection.call("GET", path)
        took = time.perf_counter() - sent
        waits.append(took * 1000)
        await asyncio.sleep(max(0.0, EVERY_SECONDS - took))
    connection.close()


type Work = Callable[[Connection, Side, int], Awaitable[object]]


async def _work(side: Side, work: Work, pause: float, end: float) -> int:
    connection = Connection(side.server.port, side.server.token)
    number, due = 0, time.perf_counter()
    while due < end:
        await work(connection, side, number)
        number, due = number + 1, max(due + pause, time.perf_counter())
        await asyncio.sleep(due - time.perf_counter())
    connection.close()
    return number


def _task(connection: Connection, side: Side, number: int) -> Awaitable[object]:
    return connection.json("POST", f"{side.data.board}/tasks", {"title": f"Stall {number}", "description": TEXT})


def _comment(connection: Connection, side: Side, number: int) -> Awaitable[object]:
    task = side.data.tasks[number % len(side.data.tasks)]
    return connection.json("POST", f"{side.data.board}/tasks/{task}/comments", {"message": TEXT})


def _list(connection: Connection, side: Side, number: int) -> Awaitable[object]:
    return connection.call("GET", f"{side.data.board}/tasks?limit=200")


def _search(connection: Connection, side: Side, number: int) -> Awaitable[object]:
    return connection.call("GET", f"{V1}/search?q=reproduction")


def _export(connection: Connection, side: Side, number: int) -> Awaitable[object]:
    return connection.call("GET", f"{side.data.board}/export")


# Each on one connection, this many seconds apart.
WORK: dict[Work, float] = {_task: 0.05, _comment: 0.05, _list: 0.1, _search: 0.1, _export: 0.5}

if __name__ == "__main__":
    main()
