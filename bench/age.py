"""What age costs: `python -m bench.age YOUNG OLD`, two folders that `bench.old` made, say of 2,000 and 100,000 tasks.

Every page and every list of the API that needs nothing but a board, a task, an agent or an approval is read from both.
Printed for each is the processor time of the server (the least of three) and the bytes, young and old, the slowest
old one first. Streams are left out.
"""

import argparse
import asyncio
import re
import shutil
import sqlite3
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.client import Connection
from bench.long_texts import signed_in
from bench.old import url_of
from bench.server import Server, served
from mission_control.app import create_app
from mission_control.config import Settings

TIMES = 3
LEFT_OUT = re.compile(r"stream|/live|/export|/wait|/static|/assets|sign-?out|/events$|/metrics$|/client")


type Figures = tuple[int, float, float, int]  # status, processor time and whole time in ms, bytes


@dataclass
class Side:
    """One installation, served."""

    server: Server
    connection: Connection
    cookie: str
    ids: dict[str, str]


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(prog="python -m bench.age", description=__doc__)
    parser.add_argument("young", type=Path)
    parser.add_argument("old", type=Path)
    parser.add_argument("--only", default="", help="a part of the paths that are read")
    options = parser.parse_args()
    with ExitStack() as stack:
        sides = [_side(stack, folder) for folder in (options.young, options.old)]
        asyncio.run(_measure(sides, [path for path in _paths() if options.only in path]))


def _side(stack: ExitStack, folder: Path) -> Side:
    server = stack.enter_context(served(folder, url_of(folder)))
    cookie = signed_in(folder, server)
    with sqlite3.connect(url_of(folder).removeprefix("sqlite:///")) as database:
        ids = dict(
            zip(
                ("board_id", "task_id", "agent_id", "number"),
                database.execute(
                    "SELECT board_id, id, assigned_agent_id, number FROM tasks WHERE assigned_agent_id IS NOT NULL"
                    " AND archived_at IS NULL LIMIT 1"
                ).fetchone(),
                strict=True,
            )
        )
        [ids["approval_id"]] = database.execute("SELECT id FROM approvals LIMIT 1").fetchone()
    return Side(server, Connection(server.port, server.token), cookie, {key: str(value) for key, value in ids.items()})


def _paths() -> list[str]:
    folder = tempfile.mkdtemp()
    app = create_app(Settings.from_environment({"DATA_DIR": folder}))
    shutil.rmtree(folder)
    found = {
        re.sub(r"<(?:[a-z]+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", str(rule))
        for rule in app.url_map.iter_rules()
        if rule.methods and "GET" in rule.methods and not LEFT_OUT.search(str(rule))
    }
    return sorted(found)


async def _measure(sides: list[Side], paths: list[str]) -> None:
    found: list[tuple[str, list[Figures]]] = []
    for path in paths:
        figures: list[Figures] = []
        for side in sides:
            try:
                filled = path.format(**side.ids)
            except (KeyError, ValueError):
                break
            figures.append(await _read(side, filled))
        if len(figures) == len(sides) and all(status == 200 for status, *_ in figures):
            found.append((path, figures))
    print("| Path | young: CPU ms | whole ms | bytes | old: CPU ms | whole ms | bytes |")
    print("|---|---|---|---|---|---|---|")
    for path, figures in sorted(found, key=lambda row: -row[1][1][2]):
        cells = (f"{cpu:.1f} | {whole:.1f} | {length}" for _, cpu, whole, length in figures)
        print(f"| {path} | {' | '.join(cells)} |")


async def _read(side: Side, path: str) -> Figures:
    headers = {"Cookie": side.cookie, "Accept": "text/html, application/json"}
    least = whole = float("inf")
    status, body = 0, b""
    for _ in range(TIMES):
        began, used = time.perf_counter(), side.server.cpu_seconds()
        try:
            status, body = await asyncio.wait_for(side.connection.call("GET", path, None, headers), 20)
        except TimeoutError:
            print("no answer within 20 s:", path, flush=True)
            side.connection.close()
            side.connection = Connection(side.server.port, side.server.token)
            return 0, 0.0, 0.0, 0
        whole = min(whole, (time.perf_counter() - began) * 1000)
        least = min(least, (side.server.cpu_seconds() - used) * 1000)
    return status, least, whole, len(body)


if __name__ == "__main__":
    main()
