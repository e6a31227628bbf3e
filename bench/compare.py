"""Two checkouts side by side in one run: `python -m bench.compare --against DIR [--database postgres]`.

DIR is another checkout with a virtual environment in `.venv`. Both are served at the same time, filled with the same
data, and measured in turns, so that other load on the machine affects both. CPU time is that of the server alone.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.client import Connection
from bench.data import TEXT, V1, Data, seed
from bench.server import Server, database, served

ROOT = Path(__file__).resolve().parent.parent
MOVES = ("in_progress", "review", "inbox")
GZIP = {"Accept-Encoding": "gzip, deflate, br, zstd"}
NAMES = ("before", "after")
CHANGED = ", one changed"


@dataclass
class Side:
    """One of the two servers, with its data and an agent that claims."""

    name: str
    server: Server
    data: Data = field(init=False)
    agent: dict[str, Any] = field(init=False)

    async def prepare(self) -> None:
        """Fill the server: 500 tasks on one board, 200 on another, and a board with work to claim."""
        self.data = await seed(self.server)
        owner = Connection(self.server.port, self.server.token)
        board = await owner.json("POST", f"{V1}/boards", {"name": "Claims", "slug": "claims", "description": "Claims"})
        self.agent = await owner.json("POST", f"{V1}/agents", {"board_id": board["id"], "name": "Claimer"})
        self.agent["task"] = await owner.json("POST", f"{V1}/boards/{board['id']}/tasks", {"title": "Claim me"})
        owner.close()


class Work:
    """One kind of request, as it is sent in round after round to one side."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.owner = Connection(side.server.port, side.server.token)
        self.agent = Connection(side.server.port, side.agent["token"])
        self.number = 0

    async def prepare(self, name: str) -> None:
        """Do what comes before the work and is not measured."""
        self.number += 1
        if name.endswith(CHANGED):
            task = self.side.data.tasks[self.number % len(self.side.data.tasks)]
            await self._call("PATCH", f"{self.side.data.board}/tasks/{task}", {"title": f"Renamed {self.number}"})
        elif name == "claim and release":  # what was given back rests from its agent for some minutes
            board = f"{V1}/boards/{self.side.agent['board_id']}"
            await self._call("POST", f"{board}/tasks", {"title": f"Claimed {self.number}"})

    def close(self) -> None:
        self.owner.close()
        self.agent.close()

    async def once(self, name: str) -> int:
        """Do the work once. Return the bytes of the response body as sent."""
        board, tasks, n = self.side.data.board, self.side.data.tasks, self.number
        task = f"{board}/tasks/{tasks[n // 3 % len(tasks)]}"
        match name.removesuffix(CHANGED):
            case "GET /users/me":
                return await self._call("GET", f"{V1}/users/me")
            case "GET one task":
                return await self._call("GET", f"{board}/tasks/{tasks[n % len(tasks)]}")
            case "GET 200 tasks":
                return await self._call("GET", f"{board}/tasks?limit=200")
            case "GET 200 tasks, compressed":
                return await self._call("GET", f"{board}/tasks?limit=200", headers=GZIP)
            case "GET snapshot of 500":
                return await self._call("GET", f"{board}/snapshot")
            case "GET snapshot of 500, compressed":
                return await self._call("GET", f"{board}/snapshot", headers=GZIP)
            case "GET 200 tasks, 304":
                return await self._call("GET", f"{board}/tasks?limit=200", headers={"If-None-Match": self.owner.tag})
            case "GET activity":
                return await self._call("GET", f"{V1}/activity")
            case "GET dashboard":
                return await self._call("GET", f"{V1}/metrics/dashboard")
            case "POST task":
                return await self._call("POST", f"{board}/tasks", {"title": f"New {n}", "description": TEXT})
            case "PATCH status":
                return await self._call("PATCH", task, {"status": MOVES[n % 3]})
            case "POST comment":
                return await self._call("POST", f"{task}/comments", {"message": TEXT})
            case "POST approval":
                asked = {"action_type": "bench", "confidence": 80, "lead_reasoning": "b", "rubric_scores": {"c": 80}}
                return await self._call("POST", f"{board}/approvals", asked)
            case "claim and release":
                return await self._claim()
        raise ValueError(name)

    async def _call(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, agent: bool = False
    ) -> int:
        connection = self.agent if agent else self.owner
        status, text = await connection.call(method, path, body, headers)
        if status >= 300 and status != 304:
            raise RuntimeError(f"{self.side.name}: {method} {path} answers {status}: {text[:200]!r}")
        return len(text)

    async def _claim(self) -> int:
        board_id = self.side.agent["board_id"]
        claim = await self.agent.json("POST", f"{V1}/agent/boards/{board_id}/claims", {})
        lease = f"{V1}/agent/boards/{board_id}/tasks/{claim['task']['id']}/lease"
        return await self._call("DELETE", lease, {"fence": claim["lease"]["fence"]}, agent=True)


# Reads come first: writes make the data grow, on both sides alike.
WORK = {
    "GET /users/me": 60, "GET one task": 60, "GET 200 tasks": 25, "GET 200 tasks, compressed": 25,
    "GET 200 tasks, 304": 60, "GET 200 tasks, one changed": 25, "GET snapshot of 500": 10,
    "GET snapshot of 500, compressed": 10, "GET snapshot of 500, one changed": 10, "GET activity": 30,
    "GET activity, one changed": 30, "GET dashboard": 30,
    "POST task": 40, "PATCH status": 42, "POST comment": 40, "POST approval": 40, "claim and release": 25,
}  # fmt: skip


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mc-compare-")))
        sides = stack.enter_context(both(folder, options.against, options.database))
        print(f"{time.strftime('%F %T')}; {options.database}; processor time of the server, ms a request; medians of"
              f" {options.rounds} rounds in turns")  # fmt: skip
        asyncio.run(_measure(sides, options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("--against", type=Path, required=True, help="the other checkout, the one of before")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="names of work, separated by ';'")
    return parser.parse_args()


@contextmanager
def both(folder: Path, against: Path, kind: str, *, counted: bool = True) -> Iterator[list[Side]]:
    """Serve both checkouts, each on its own empty database. On SQLite, statements are counted."""
    with ExitStack() as stack:
        sides = []
        for name, root in zip(NAMES, (against.resolve(), ROOT), strict=True):
            own = folder / name
            own.mkdir()
            counter = own / "statements" if kind == "sqlite" and counted else None
            url = stack.enter_context(database(kind, own))
            server = stack.enter_context(served(own, url, python=root / ".venv/bin/python", counter=counter))
            sides.append(Side(name, server))
        yield sides


async def _measure(sides: list[Side], options: argparse.Namespace) -> None:
    for side in sides:
        await side.prepare()
    wanted = [one.strip() for one in options.only.split(";") if one.strip()] or list(WORK)
    print("\n| Work | before | after | ratio | SQL before | SQL after | bytes before | bytes after |")
    print("|---|---|---|---|---|---|---|---|")
    works = [Work(side) for side in sides]
    for name in wanted:
        times: dict[str, list[float]] = {side.name: [] for side in sides}
        counts: dict[str, float] = {}
        sizes: dict[str, int] = {}
        for number in range(options.rounds + 1):
            for work in works if number % 2 else reversed(works):
                cpu, sql, sizes[work.side.name] = await _round(work, name)
                if number:  # the first round warms up
                    times[work.side.name].append(cpu)
                    counts[work.side.name] = sql
        before, after = (statistics.median(times[one]) for one in NAMES)
        sql_columns = " | ".join(f"{counts[one]:.1f}" for one in NAMES) if sides[0].server.counter else " | "
        print(f"| {name} | {before:.2f} | {after:.2f} | {after / before:.2f} | {sql_columns}"
              f" | {sizes['before']} | {sizes['after']} |", flush=True)  # fmt: skip
    for work in works:
        work.close()


async def _round(work: Work, name: str) -> tuple[float, float, int]:
    """Return CPU milliseconds, statements and bytes per request."""
    server, times = work.side.server, WORK[name]
    cpu, sql, size = 0.0, 0, 0
    for _ in range(times):
        await work.prepare(name)
        cpu_before, sql_before = server.cpu_seconds(), server.statements()
        size = await work.once(name)
        cpu, sql = cpu + server.cpu_seconds() - cpu_before, sql + server.statements() - sql_before
    return cpu * 1000 / times, sql / times, size


if __name__ == "__main__":
    main()
