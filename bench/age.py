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
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.client import Connection
from bench.long_texts import signed_in
from bench.old import url_of
from bench.server import Server, served
from mission_control.core.settings import Settings
from mission_control.server.app import create_app

TIMES = 3
LEFT_OUT = re.compile(r"stream|/live|/export|/wait|/static|/assets|sign-?out|/events$|jsonl$|/metrics$|/client")


# Filters and searches: what an address asks for decides how much is looked at.
ASKED = (
    "/palette?q=login", "/palette?q=Agent", "/api/v1/search?q=login%20export",
    "/boards/{board_id}?q=login", "/boards/{board_id}?q=due:overdue", "/boards/{board_id}?q=assignee:me",
    "/boards/{board_id}?q=is:open", "/boards/{board_id}?q=priority:high", "/boards/{board_id}?all=done",
    "/boards/{board_id}?view=table", "/boards/{board_id}?view=table&q=", "/boards/{board_id}?view=table&q=&all=table",
    "/boards/{board_id}/tasks/{task_id}?comments=all", "/api/v1/boards/{board_id}/tasks?q=login",
    "/api/v1/boards/{board_id}/tasks?status=done", "/api/v1/boards/{board_id}/tasks?assigned_agent_id={agent_id}",
    "/api/v1/boards/{board_id}/tasks?archived=true", "/api/v1/boards/{board_id}/tasks?deleted=true",
    "/api/v1/boards/{board_id}/tasks?updated_since={day}T00:00:00Z", "/api/v1/boards/{board_id}/tasks?due_before={day}",
    "/activity?kind=approvals", "/activity?kind=webhooks", "/activity?kind=questions", "/activity?kind=comments",
    "/activity?actor=agent:{agent_id}", "/activity?actor=system", "/activity?from={begin}&to={begin}",
    "/activity?kind=agents&from={week}", "/api/v1/activity?kind=approval", "/api/v1/activity?kind=task.created",
    "/api/v1/activity?kind=board&kind=agent", "/api/v1/activity?actor_id={agent_id}",
    "/api/v1/activity?since={week}T00:00:00Z", "/api/v1/activity?board_id={board_id}",
    "/approvals?state=rejected", "/approvals?state=approved&page=9", "/settings/trash/archive?page=9",
    "/api/v1/organizations/me/account-log?group=rights", "/api/v1/organizations/me/account-log?group=tokens",
    "/api/v1/users/me/notifications?unread=true", "/agents/{agent_id}?tab=activity", "/agents/{agent_id}?tab=runs",
)  # fmt: skip

type Figures = tuple[int, float, float, int]  # status, processor time and whole time in ms, bytes


@dataclass
class Side:
    server: Server
    connection: Connection
    cookie: str
    ids: dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.age", description=__doc__)
    parser.add_argument("young", type=Path)
    parser.add_argument("old", type=Path)
    parser.add_argument("--only", default="", help="a part of the paths that are read")
    options = parser.parse_args()
    with ExitStack() as stack:
        sides = [_side(stack, folder) for folder in (options.young, options.old)]
        asyncio.run(_measure(sides, [path for path in (*_paths(), *ASKED) if options.only in path]))


def _side(stack: ExitStack, folder: Path) -> Side:
    server = stack.enter_context(served(folder, url_of(folder)))
    cookie = signed_in(folder, server)
    with sqlite3.connect(url_of(folder).removeprefix("sqlite:///")) as database:
        ids = dict(
            zip(
                ("board_id", "task_id", "agent_id", "number"),
                database.execute(
                    "SELECT t.board_id, t.id, t.assigned_agent_id, t.number FROM tasks t JOIN (SELECT board_id,"
                    " COUNT(*) AS n FROM tasks WHERE archived_at IS NULL AND deleted_at IS NULL GROUP BY board_id) b"
                    " ON b.board_id = t.board_id WHERE t.status = 'in_progress' AND t.deleted_at IS NULL"
                    " ORDER BY b.n DESC, (SELECT COUNT(*) FROM task_comments c WHERE c.task_id = t.id) DESC LIMIT 1"
                ).fetchone(),
                strict=True,
            )
        )
        [ids["approval_id"]] = database.execute(
            "SELECT id FROM approvals WHERE board_id = ? ORDER BY status = 'pending' DESC LIMIT 1", (ids["board_id"],)
        ).fetchone()
    day = datetime.now(UTC).date()
    ids |= {"day": str(day), "week": str(day - timedelta(days=7)), "begin": str(day - timedelta(days=360))}
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
        elif figures:
            print(f"left out, answered {[status for status, *_ in figures]}: {path}", flush=True)
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
