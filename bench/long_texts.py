"""Latency of an agent's heartbeat while others search long texts: `python -m bench.long_texts [--database postgres]`.

Forty tasks, comments and entries of memory have 900 KB of text each. One client after the other searches them, in
every way there is, with the words that cost the most, while an agent in a process of its own sends a heartbeat every
20 ms. Printed is what the heartbeats waited, for each way.
"""

import argparse
import asyncio
import multiprocessing
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import quote

import httpx

from bench.client import Connection
from bench.data import V1
from bench.measure import percentile
from bench.server import PRINTED, TOKEN, Server, database, served

COOKIE = "mission_control"
TEXTS = 40
LONG = "a" * 900_000
LINES = ("> - a `b` *c* http://d.example\n" * 30_000)[:900_000]
SIGNS = ">" * 100_000
WORST = "a" * 199 + "b"
MANY = " ".join(f"{'a' * 10}{number}" for number in range(30))
EVERY_SECONDS = 0.02
PERCENTILES = (50, 90, 99, 100)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.long_texts", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--python", type=Path, help="the interpreter of another checkout, to measure that one")
    parser.add_argument("--times", type=int, default=3, help="how often each search is sent")
    parser.add_argument("--clients", type=int, default=1, help="how many send it at the same time")
    parser.add_argument("--only", default="", help="a part of the names of what is measured")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mc-long-texts-")))
        url = stack.enter_context(database(options.database, folder))
        server = stack.enter_context(served(folder, url, python=options.python))
        asyncio.run(_measure(folder, server, options))


async def _measure(folder: Path, server: Server, options: argparse.Namespace) -> None:
    cookie = signed_in(folder, server)
    for way in _ways(*await _fill(server, "Short", 1, lambda text: text[:1000]), cookie).values():
        await _call(server, *way)  # the first page of its kind reads its templates
    board, task, agent = await _fill(server, "Long", TEXTS, lambda text: text)
    print(f"{time.strftime('%F %T')}; {options.database}; {TEXTS} texts of 900 KB; a heartbeat every 20 ms, in ms")
    print("\n| While | s | answer | beats | " + " | ".join(f"p{n}" if n < 100 else "most" for n in PERCENTILES) + " |")
    print("|---|---|---|---|" + "---|" * len(PERCENTILES))
    for name, (method, path, body, headers) in _ways(board, task, agent, cookie).items():
        if options.only not in name:
            continue
        began, answers = time.perf_counter(), []
        with _heart(server.port, agent["token"]) as waits:
            await asyncio.sleep(0.3)
            for _ in range(options.times):
                calls = (_call(server, method, path, body, headers) for _ in range(options.clients))
                answers += await asyncio.gather(*calls)
            await asyncio.sleep(0.3)
            took = time.perf_counter() - began - 0.6
        cells = " | ".join(f"{percentile(waits, one):.1f}" for one in PERCENTILES)
        print(f"| {name} | {took:.2f} | {', '.join(sorted(set(answers)))} | {len(waits)} | {cells} |", flush=True)


async def _fill(
    server: Server, name: str, number_of: int, cut: Callable[[str], str]
) -> tuple[str, str, dict[str, Any]]:
    """Write the texts of a board. Return its id, a task's id and an agent."""
    owner = Connection(server.port, server.token)
    board = await owner.json("POST", f"{V1}/boards", {"name": name, "slug": name, "description": "Texts"})
    agent = await owner.json("POST", f"{V1}/agents", {"board_id": board["id"], "name": "Heart"})
    path = f"{V1}/boards/{board['id']}"
    task: dict[str, Any] = {}
    for number in range(number_of):
        text = cut(LONG if number % 2 else LINES)
        task = await owner.json("POST", f"{path}/tasks", {"title": f"{name} {number}", "description": text})
        await owner.json("POST", f"{path}/tasks/{task['id']}/comments", {"message": text})
        await owner.json("POST", f"{path}/memory", {"content": text})
        skill = {"source_url": f"https://github.com/a/{name}{number}", "name": f"Skill {number}", "description": text}
        await owner.call("POST", f"{V1}/skills/marketplace", skill)
    for number in range(30):
        await owner.json("POST", f"{path}/views", {"name": f"View {number}", "query": MANY, "is_shared": True})
    owner.close()
    return board["id"], task["id"], agent


def signed_in(folder: Path, server: Server) -> str:
    """Set the server up and give it a personal token. Return the cookie of the owner's browser."""
    printed = re.search(r"enter the code (\S+)", (folder / PRINTED).read_text())
    owner = {"name": "Ada", "email": "ada@example.org", "password": "a long enough password"}
    origin = f"http://127.0.0.1:{server.port}"
    with httpx.Client(base_url=origin, headers={"Origin": origin}) as client:
        code = printed[1] if printed else TOKEN
        done = client.post("/setup", data={"code": code, "organization_name": "Bench", **owner})
        if COOKIE not in done.cookies:  # it was set up before
            done = client.post("/sign-in", data=owner)
        cookie = done.cookies[COOKIE]
        client.cookies.set(COOKIE, cookie)
        server.token = client.post(f"{V1}/users/me/tokens", json={"name": "Bench", "scopes": ["admin"]}).json()["token"]
    return f"{COOKIE}={cookie}"


type Way = tuple[str, str, Any, dict[str, str]]


def _ways(board: str, task: str, agent: dict[str, Any], cookie: str) -> dict[str, Way]:
    api, worst, many = f"{V1}/boards/{board}", quote(WORST), quote(MANY)
    token = agent["token"]
    page = {"Cookie": cookie, "Accept": "text/html"}

    def tool(name: str, arguments: dict[str, Any], token: str = "") -> Way:
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        headers = {"Accept": "application/json, text/event-stream"}
        return "POST", "/mcp", call, headers | ({"X-Agent-Token": token} if token else {})

    def get(path: str) -> Way:
        return "GET", path, None, {}

    def seen(path: str) -> Way:
        return "GET", path, None, page

    return {
        "nothing": ("", "", None, {}),
        "GET tasks?limit=1&q=worst": get(f"{api}/tasks?limit=1&q={worst}"),
        "GET tasks?limit=1&q=30 words": get(f"{api}/tasks?limit=1&q={many[:199]}"),
        "GET tasks?query=30 words": get(f"{api}/tasks?limit=1&query={many}"),
        "GET tasks?query=field:words": get(f"{api}/tasks?limit=1&query=x:{worst}"),
        "GET tasks?q=a": get(f"{api}/tasks?q=a&limit=200"),
        "GET snapshot": get(f"{api}/snapshot"),
        "GET comments": get(f"{api}/tasks/{task}/comments"),
        "GET task": get(f"{api}/tasks/{task}"),
        "GET memory?q=worst": get(f"{api}/memory?q={worst}"),
        "GET memory?q=a": get(f"{api}/memory?q=a&limit=200"),
        "GET search?q=worst": get(f"{V1}/search?q={worst}"),
        "GET search?q=a": get(f"{V1}/search?q=a&limit=100"),
        "GET search?q=http": get(f"{V1}/search?q=http&limit=100"),
        "GET skills?search=worst": get(f"{V1}/skills/marketplace?search={worst}"),
        "GET skills?search=a": get(f"{V1}/skills/marketplace?search=a"),
        "GET export": get(f"{api}/export"),
        "GET export.csv": get(f"{api}/export/tasks.csv"),
        "page of the board": seen(f"/boards/{board}"),
        "page filtered by worst": seen(f"/boards/{board}?q={worst}"),
        "page filtered by 30 words": seen(f"/boards/{board}?q={many}"),
        "page as a table": seen(f"/boards/{board}?view=table&q=a"),
        "page of a task": seen(f"/boards/{board}/tasks/{task}"),
        "dependency of a task": seen(f"/boards/{board}/tasks/{task}/links?q={worst}"),
        "palette, worst": seen(f"/palette?q={worst}"),
        "palette, 30 words": seen(f"/palette?q={many}"),
        "palette, a": seen("/palette?q=a"),
        "page of skills": seen(f"/settings/skills?q={worst}"),
        "MCP list_tasks, worst": tool("list_tasks", {"board_id": board, "q": WORST}),
        "MCP list_tasks, a": tool("list_tasks", {"board_id": board, "q": "a", "limit": 200}),
        "MCP get_task": tool("get_task", {"task_id": task}),
        "MCP recall, worst": tool("recall", {"q": WORST}, token),
        "MCP recall, a": tool("recall", {"q": "a", "limit": 200}, token),
        "POST task of 900 KB": ("POST", f"{api}/tasks", {"title": "More", "description": LINES}, {}),
        "POST task of 100,000 signs": ("POST", f"{api}/tasks", {"title": "More", "description": SIGNS}, {}),
        "page of the board again": seen(f"/boards/{board}"),
    }


async def _call(server: Server, method: str, path: str, body: Any, headers: dict[str, str]) -> str:
    if not method:
        return "-"
    connection = Connection(server.port, "" if headers.keys() & {"Cookie", "X-Agent-Token"} else server.token)
    try:
        status, text = await asyncio.wait_for(connection.call(method, path, body, headers), 120)
    except TimeoutError:
        return "none in 120 s"
    finally:
        connection.close()
    if status == 200 and b'"isError":true' in text[-300:]:
        return text[:200].decode()
    return f"{status} {len(text) // 1000} KB"


@contextmanager
def _heart(port: int, token: str) -> Iterator[list[float]]:
    """Send heartbeats from another process; the list has their milliseconds afterwards."""
    ends = multiprocessing.Event()
    found: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
    process = multiprocessing.Process(target=_beat, args=(port, token, ends, found))
    process.start()
    waits: list[float] = []
    try:
        yield waits
    finally:
        ends.set()
        try:
            waits += found.get(timeout=60)
        except Empty:
            waits += [60_000.0]
        process.join()


def _beat(port: int, token: str, ends: Any, found: Any) -> None:
    asyncio.run(_beats(port, token, ends, found))


async def _beats(port: int, token: str, ends: Any, found: Any) -> None:
    waits, connection = list[float](), Connection(port, token)
    await connection.open()
    while not ends.is_set():
        sent = time.perf_counter()
        status, _ = await connection.call("POST", f"{V1}/agent/heartbeat", {})
        took = time.perf_counter() - sent
        if status >= 300:
            raise RuntimeError(f"A heartbeat is answered {status}.")
        waits.append(took * 1000)
        await asyncio.sleep(max(0.0, EVERY_SECONDS - took))
    found.put(waits)
    connection.close()


if __name__ == "__main__":
    main()
