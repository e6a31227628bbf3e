"""What opening a board of 200 cards costs: `python -m bench.board_page [--against DIR] [--rounds 8]`.

Milliseconds of the server's processor and until the whole answer is there, bytes raw and compressed, and SQL
statements, as medians; for the board, its table, and the board again after one card changed. DIR is another checkout
with a virtual environment in `.venv`: both are served at the same time and asked in turns.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.live_page import CARDS, ROOT, STATUSES, served
from bench.server import TOKEN, Server

ASKS = 10  # pages in a round
PRIORITIES = ("low", "medium", "medium", "high", "critical")
COLUMNS = ("raw bytes", "gzip bytes", "SQL", "processor ms", "answer ms")


@dataclass(slots=True)
class Side:
    name: str
    server: Server
    api: httpx.AsyncClient
    board: str = ""
    task: str = ""

    async def fill(self) -> None:
        """Make a board of 200 cards with agents, tags, dependencies, comments and approvals."""
        owner = {"name": "Ada", "email": "ada@example.org", "password": "a long enough password"}
        await self.api.post("/setup", data={"code": TOKEN, "organization_name": "Bench", **owner})
        rules = {"name": "Bench", "slug": "bench", "description": "Measurements", "require_approval_for_done": False}
        board = self.board = (await self._made("/boards", rules))["id"]
        agents = [(await self._made("/agents", {"board_id": board, "name": f"Agent {n}"}))["id"] for n in range(8)]
        tags = [(await self._made("/tags", {"name": f"Tag {n}", "color": "3b6ecc"}))["id"] for n in range(6)]
        for number in range(CARDS):
            body: dict[str, Any] = {
                "title": f"Task {number:03d}: write the login page", "status": STATUSES[number * 4 // CARDS],
                "priority": PRIORITIES[number % 5], "tag_ids": [tags[number % 6], tags[(number + 1) % 6]][: number % 3],
            }  # fmt: skip
            if number % 3 and body["status"] != "in_progress":
                body["assigned_agent_id"] = agents[number % 8]
            if number % 12 == 0 and 0 < number < CARDS // 4:
                body["depends_on_task_ids"] = [self.task]
            self.task = (await self._made(f"/boards/{board}/tasks", body))["id"]
            if number % 5 == 0:
                await self._made(f"/boards/{board}/tasks/{self.task}/comments", {"message": "Looks good so far."})
            if number % 20 == 0:
                asked = {"action_type": "bench", "confidence": 80, "lead_reasoning": "Ready.", "task_id": self.task}
                await self._made(f"/boards/{board}/approvals", asked)

    async def _made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.api.post(f"/api/v1{path}", json=body)
        if answer.status_code != 200:
            raise RuntimeError(f"POST {path} {body} answers {answer.text}")
        made: dict[str, Any] = answer.json()
        return made

    async def asked(self, query: str, *, changed: bool) -> tuple[float, ...]:
        """Ask for the page several times. Return what one costs, in the order of `COLUMNS`."""
        raw, gzip, sql, cpu, waited = 0, 0, 0, 0.0, []
        for number in range(ASKS):
            if changed:
                title = {"title": f"Task renamed {number}"}
                (await self.api.patch(f"/api/v1/boards/{self.board}/tasks/{self.task}", json=title)).raise_for_status()
            counted, used, began = self.server.statements(), self.server.cpu_seconds(), time.perf_counter()
            request = self.api.build_request("GET", f"/boards/{self.board}{query}", headers={"Accept-Encoding": "gzip"})
            answer = await self.api.send(request, stream=True)
            gzip = len(b"".join([piece async for piece in answer.aiter_raw()]))
            waited.append((time.perf_counter() - began) * 1000)
            sql, cpu = self.server.statements() - counted, cpu + self.server.cpu_seconds() - used
            answer.raise_for_status()
        plain = await self.api.get(f"/boards/{self.board}{query}", headers={"Accept-Encoding": "identity"})
        raw = len(plain.content)
        return raw, gzip, sql, cpu * 1000 / ASKS, statistics.median(waited)


async def measured(sides: list[Side], rounds: int) -> None:
    """Fill the servers, ask them in turns and print a row for each page and server."""
    for side in sides:
        await side.fill()
    for name, query, changed in (
        ("board", "", False),
        ("table", "?view=table", False),
        ("board, one changed", "", True),
    ):
        found: dict[str, list[tuple[float, ...]]] = {side.name: [] for side in sides}
        for number in range(rounds + 1):
            for side in sides if number % 2 else reversed(sides):
                figures = await side.asked(query, changed=changed)
                if number:  # the first round warms up
                    found[side.name].append(figures)
        for side in sides:
            cells = [statistics.median(values) for values in zip(*found[side.name], strict=True)]
            print(f"| {side.name} | {name} | {' | '.join(f'{one:.0f}' for one in cells[:3])}"
                  f" | {cells[3]:.1f} | {cells[4]:.1f} |", flush=True)  # fmt: skip
    for side in sides:
        await side.api.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.board_page", description=__doc__)
    parser.add_argument("--against", type=Path, help="another checkout, the one of before")
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    roots = {**({"before": options.against.resolve()} if options.against else {}), "now": ROOT}
    print(f"{time.strftime('%F %T')}; Python {sys.version_info.major}.{sys.version_info.minor}; {CARDS} cards, medians")
    print(f"| Checkout | Page | {' | '.join(COLUMNS)} |\n|---|---|{'---|' * len(COLUMNS)}")
    with ExitStack() as stack:
        sides = []
        for name, root in roots.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mc-board-")))
            server = stack.enter_context(served(root, folder / "data"))
            api = httpx.AsyncClient(base_url=server.url, headers={"Sec-Fetch-Site": "same-origin"}, timeout=60)
            sides.append(Side(name, server, api))
        asyncio.run(measured(sides, options.rounds))


if __name__ == "__main__":
    main()
