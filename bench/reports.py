"""What agents cost that report their work: `python -m bench.reports [--seconds 60] [--database postgres] [--hooks]`.

In turns, without reports and with them: an agent claims the best task, hands it back and begins again, with a pause in
between; a person changes titles, which another connection's stream shows. Then each of the agents reports one activity
a second. The figures: milliseconds of a claim, of a report, from sending a change until the stream shows it, and from
sending a report until an open board's stream has the line of the card; processor time of the server for a report; and
the bytes on disk for an activity, with its indexes. With `--hooks` they report as Claude Code does: a hook before each
call of a tool, and one after it.
"""

import argparse
import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.client import Connection
from bench.crowds import crowd
from bench.data import V1, Data
from bench.measure import change_to_stream, percentile
from bench.polls import Waiter, hire
from bench.server import Server, served
from mission_control.server import installation

TASKS = 100
PAUSE_SECONDS = 0.05  # between claims
CHANGE_SECONDS, ALONE_SECONDS = 0.12, 10.0
STEPS = (
    ("Bash", "pytest tests/catalogue -x"),
    ("Read", "shop/catalogue/views.py"),
    ("Edit", "shop/catalogue/signals.py"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.reports", description=__doc__)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the agents report in all")
    parser.add_argument("--rounds", type=int, default=3, help="in how many turns")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--hooks", action="store_true", help="report by the hooks of a program")
    options = parser.parse_args()
    installation.install()
    print(f"{time.strftime('%F %T')}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {options.database}")
    with (
        tempfile.TemporaryDirectory(prefix="mc-bench-") as name,
        _server(Path(name), options.database) as (server, url),
    ):
        asyncio.run(_measure(server, Path(name), url, options))


@contextmanager
def _server(folder: Path, database: str) -> Iterator[tuple[Server, str]]:
    if database == "sqlite":
        with served(folder, "") as server:
            yield server, str(folder / "data" / "mission-control.sqlite3")
        return
    from tests.databases import postgres

    with postgres() as url, served(folder, url) as server:
        yield server, url


async def _measure(server: Server, folder: Path, url: str, options: argparse.Namespace) -> None:
    owner = Connection(server.port, server.token)
    board = await owner.json("POST", f"{V1}/boards", {"name": "Bench", "slug": "bench", "description": "Measurements"})
    data = Data(f"{V1}/boards/{board['id']}", [])
    for number in range(TASKS):
        made = await owner.json("POST", f"{data.board}/tasks", {"title": f"Task {number}"})
        data.tasks.append(made["id"])
    claimer, *reporters = await hire(server, data, options.agents + 1)
    path = data.board.replace(V1, f"{V1}/agent")
    await reporters[0].connection.json("POST", f"{path}/claims", {"task_id": data.tasks[-1], "lease_seconds": 3600})
    [cookie], _ = await crowd(folder, url if options.database == "postgres" else "", UUID(board["id"]), 1, 0)
    page = Connection(server.port, "")
    lines = await page.stream(f"/boards/{board['id']}/live", {"Cookie": f"mission_control={cookie}"})
    cards = Cards()
    sends = _hook if options.hooks else _report
    watching = asyncio.create_task(cards.watch(lines))
    found: dict[bool, list[tuple[list[float], list[float]]]] = {False: [], True: []}
    reports: list[float] = []
    size = await _size(url, options.database)
    for _ in range(options.rounds):
        for is_loaded in (False, True):
            length = options.seconds / options.rounds
            async with _reporting(reporters if is_loaded else [], reports, cards, sends):
                # Another number each time, so that no title is one that a task has.
                changes = int(length / CHANGE_SECONDS) + len(found[False]) + len(found[True])
                claims, (_, shown) = await asyncio.gather(
                    _claim(claimer, data, length), change_to_stream(server, data, changes)
                )
            found[is_loaded].append((claims, shown))
    begun, before, count = time.perf_counter(), server.cpu_seconds(), len(reports)
    async with _reporting(reporters, reports, cards, sends):
        await asyncio.sleep(ALONE_SECONDS)
    used, took, count = server.cpu_seconds() - before, time.perf_counter() - begun, len(reports) - count
    for number, name in enumerate(("a claim", "a change, until its stream shows it")):
        alone, loaded = ([one for turn in found[kind] for one in turn[number]] for kind in (False, True))
        ratio = percentile(loaded, 50) / percentile(alone, 50)
        print(f"{name}, p50 / p99 ms: {_pair(alone)} alone, {_pair(loaded)} beside reports; ratio {ratio:.2f}")
    print(f"a report, p50 / p99 ms: {_pair(reports)}; nothing beside: {count / took:.0f} a second", end=", ")
    print(f"{used / count * 1000:.2f} ms of processor time each")
    watching.cancel()
    page.close()
    print(f"a report, until an open board has its card's line, p50 / p99 ms: {_pair(cards.took)} of {len(cards.took)}")
    grown = await _size(url, options.database) - size
    print(f"{len(reports)} activities, {grown / len(reports):.0f} bytes on disk each")


def _pair(values: list[float]) -> str:
    return f"{percentile(values, 50):.1f} / {percentile(values, 99):.1f}"


class Cards:
    """What the first agent does, as an open board shows it on the card of its task."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self._sent: dict[bytes, float] = {}

    def title(self) -> str:
        """A title that nothing else has, which is sent now."""
        word = os.urandom(6).hex()
        self._sent[word.encode()] = time.perf_counter()
        return f"Look for {word}"

    async def watch(self, lines: asyncio.StreamReader) -> None:
        """Read a stream, and note how long each word took; a board is told of a session once a second."""
        while line := await lines.readline():
            for one in [one for one in self._sent if one in line]:
                self.took.append((time.perf_counter() - self._sent.pop(one)) * 1000)


type Send = Callable[[Waiter, int, str], Awaitable[None]]


@asynccontextmanager
async def _reporting(reporters: list[Waiter], took: list[float], cards: Cards, sends: Send) -> AsyncIterator[None]:
    """Let agents report one activity a second, each in its own part of the second."""
    is_over = False

    async def report(number: int, one: Waiter) -> None:
        await asyncio.sleep(number / len(reporters))
        due = time.perf_counter()
        while not is_over:
            title = cards.title() if number == 0 else ""
            sent = time.perf_counter()
            await sends(one, len(took), title)
            took.append((time.perf_counter() - sent) * 1000)
            due += 1.0
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    tasks = [asyncio.create_task(report(number, one)) for number, one in enumerate(reporters)]
    try:
        yield
    finally:
        is_over = True
        await asyncio.gather(*tasks)


async def _report(one: Waiter, number: int, title: str) -> None:
    tool, about = STEPS[number % len(STEPS)]
    item: dict[str, Any] = {"key": os.urandom(8).hex(), "kind": "TOOL_CALL_END", "state": "ok"}
    item |= {"ref": os.urandom(12).hex(), "detail": {"tool": tool, "command": about, "seconds": 2.5}}
    await one.connection.json("POST", f"{V1}/agent/reports", {"items": [item | ({"title": title} if title else {})]})


async def _hook(one: Waiter, number: int, title: str) -> None:
    """Send the hook before a call, or the one after it; a title is the file that the call is about."""
    tool, about = STEPS[number % len(STEPS)]
    name = title.rpartition(" ")[2] or about.rpartition("/")[2]
    event: dict[str, Any] = {"session_id": one.id, "cwd": "/home/mara/shop", "permission_mode": "default"}
    event |= {"hook_event_name": ("PreToolUse", "PostToolUse")[number % 2], "tool_use_id": os.urandom(12).hex()}
    event |= {"tool_name": tool, "tool_input": {"command": name, "file_path": f"/home/mara/shop/{name}"}}
    event |= {"tool_response": {"stdout": "x" * 2_000}} if number % 2 else {}
    await one.connection.json("POST", f"{V1}/connect/claude-code/hooks", event)


async def _claim(claimer: Waiter, data: Data, seconds: float) -> list[float]:
    """Return the milliseconds of claims, each of which is given back."""
    took: list[float] = []
    board = data.board.replace(V1, f"{V1}/agent")
    end = time.perf_counter() + seconds
    while (sent := time.perf_counter()) < end:
        claim = await claimer.connection.json("POST", f"{board}/claims", {})
        took.append((time.perf_counter() - sent) * 1000)
        lease = f"{board}/tasks/{claim['task']['id']}/lease"
        await claimer.connection.json("DELETE", lease, {"fence": claim["lease"]["fence"]})
        await asyncio.sleep(PAUSE_SECONDS)
    return took


async def _size(url: str, database: str) -> int:
    """Return the bytes of the file, or of the table of activities with its indexes."""
    if database == "sqlite":
        with sqlite3.connect(url) as opened:
            [[pages]] = opened.execute(
                "SELECT SUM(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name = ?)",
                ["session_activities"],
            )
            return int(pages)
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT pg_total_relation_size('session_activities')"))
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
