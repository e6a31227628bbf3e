"""What one changed title costs on an open board of 200 cards: `python -m bench.live_page [--against DIR]`.

For each checkout: bytes sent to one viewer, SQL statements with no viewer, one and five, milliseconds of the browser's
main thread, and milliseconds from sending the change to the frame that shows it, alone and with 100 more viewers; for a
task by itself and for one that 20 others wait for. DIR is another checkout with a virtual environment in `.venv`.
Chromium is that of `CHROMIUM`, else /usr/bin/chromium. `measured(root, folder)` is the same, as a function.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import CDPSession, async_playwright

from bench import server
from bench.server import TOKEN, Server

ROOT = Path(__file__).resolve().parent.parent
CARDS, DEPENDENTS, VIEWERS, MANY = 200, 20, 5, 100
CHANGES = 15
SETTLED = 0.7  # seconds after which everything that a change causes has happened
STATUSES = ("inbox", "in_progress", "review", "done")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
# The moment of the first frame in which the card shows a title, in milliseconds since 1970.
SHOWN_AT = """([card, title]) => new Promise((resolve) => {
    const look = () => document.querySelector(`#task-${card} .card-title`)?.textContent.includes(title);
    const now = () => performance.timeOrigin + performance.now();
    const done = () => requestAnimationFrame(() => setTimeout(() => resolve(now())));
    if (look()) return done();
    const observer = new MutationObserver(() => { if (look()) { observer.disconnect(); done(); } });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
})"""


@dataclass(frozen=True)
class Figures:
    """What one changed title costs, as medians."""

    bytes_sent: float
    statements: dict[int, float]  # by the number of viewers
    main_thread_ms: float
    to_pixel_ms: float
    to_pixel_among_many_ms: float  # with `MANY` viewers beside the browser


@dataclass(frozen=True)
class Site:
    """A running server, the session of its owner, a board, and the task that is changed."""

    api: httpx.AsyncClient
    server: Server
    cookie: str
    board: str
    alone: str
    awaited: str

    async def rename(self, task: str, title: str) -> None:
        answer = await self.api.patch(f"/api/v1/boards/{self.board}/tasks/{task}", json={"title": title})
        answer.raise_for_status()


async def measured(root: Path, folder: Path, changes: int = CHANGES) -> dict[str, Figures]:
    """Measure the checkout at `root`: a task by itself, and one that 20 others wait for."""
    with served(root, folder) as running:
        async with httpx.AsyncClient(
            base_url=running.url, headers={"Sec-Fetch-Site": "same-origin"}, timeout=60
        ) as api:
            site = await furnished(api, running)
            kinds = {"by itself": site.alone, f"{DEPENDENTS} wait for it": site.awaited}
            return {name: await _figures(site, task, changes) for name, task in kinds.items()}


@contextmanager
def served(root: Path, folder: Path) -> Iterator[Server]:
    """Serve a checkout on an empty folder, with its statements counted."""
    folder.mkdir(parents=True, exist_ok=True)
    with server.served(folder, "", python=root / ".venv/bin/python", counter=folder / "statements") as running:
        yield running


async def furnished(api: httpx.AsyncClient, running: Server) -> Site:
    owner = {"name": "Ada", "email": "ada@example.org", "password": "a long enough password"}
    answer = await api.post("/setup", data={"code": TOKEN, "organization_name": "Bench", **owner})
    cookie = answer.cookies["mission_control"]
    rules = {"name": "Bench", "slug": "bench", "description": "Measurements", "require_approval_for_done": False}
    board = await _made(api, "/boards", rules)
    tasks = [await _made(api, f"/boards/{board}/tasks", _task(number)) for number in range(CARDS - DEPENDENTS)]
    alone, awaited = tasks[0], tasks[1]
    for number in range(DEPENDENTS):
        waiting = {"title": f"Waiting {number}", "depends_on_task_ids": [awaited]}
        await _made(api, f"/boards/{board}/tasks", waiting)
    return Site(api, running, cookie, board, alone, awaited)


def _task(number: int) -> dict[str, Any]:
    at = (number + DEPENDENTS) * len(STATUSES) // CARDS  # 50 cards in each column, as many as a page shows
    return {"title": f"Task {number:03d}: write the login page", "status": STATUSES[at]}


async def _made(api: httpx.AsyncClient, path: str, body: dict[str, Any]) -> str:
    answer = await api.post(f"/api/v1{path}", json=body)
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _figures(site: Site, task: str, changes: int) -> Figures:
    statements = {viewers: (await _sent(site, task, viewers, changes))[0] for viewers in (0, 1, VIEWERS)}
    _, sizes = await _sent(site, task, 1, changes)
    main_thread, to_pixel = await _seen(site, task, changes)
    async with AsyncExitStack() as stack:
        for _ in range(MANY):
            await stack.enter_async_context(_viewer(site))
        _, among_many = await _seen(site, task, changes)
    return Figures(statistics.median(sizes), statements, main_thread, to_pixel, among_many)


async def _sent(site: Site, task: str, viewers: int, changes: int) -> tuple[float, list[int]]:
    """Return the statements for each change beyond those of idle time, and the bytes that the first viewer got."""
    counts, sizes = [], []
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(_viewer(site)) for _ in range(viewers)]
        await asyncio.sleep(SETTLED)
        for number in range(changes):
            began = site.server.statements()
            await asyncio.sleep(SETTLED)
            idle, was = site.server.statements() - began, [len(one) for one in streams]
            await site.rename(task, f"Task renamed {viewers}-{number}")
            await asyncio.sleep(SETTLED)
            counts.append(site.server.statements() - began - 2 * idle)
            sizes += [len(streams[0]) - was[0]] if streams else []
    return statistics.median(counts), sizes


@asynccontextmanager
async def _viewer(site: Site) -> AsyncIterator[bytearray]:
    """Follow the stream of the board's page without a browser; what came so far."""
    found = bytearray()
    headers = {"HX-Request": "true", "Cookie": f"mission_control={site.cookie}", "Accept-Encoding": "identity"}
    async with (
        httpx.AsyncClient(base_url=site.server.url, headers=headers, timeout=None) as client,
        client.stream("GET", f"/boards/{site.board}/live") as answer,
    ):
        answer.raise_for_status()

        async def read() -> None:
            async for piece in answer.aiter_raw():
                found.extend(piece)

        reading = asyncio.create_task(read())
        try:
            yield found
        finally:
            reading.cancel()


async def _seen(site: Site, task: str, changes: int) -> tuple[float, float]:
    """Return the milliseconds of the main thread for each change, and until a frame shows it."""
    async with async_playwright() as playwright:
        executable = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        await context.add_cookies([{"name": "mission_control", "value": site.cookie, "url": site.server.url}])
        page = await context.new_page()
        await page.goto(f"{site.server.url}/boards/{site.board}")
        await page.wait_for_selector("html[data-connection=live]")
        session = await context.new_cdp_session(page)
        await session.send("Performance.enable")
        await asyncio.sleep(3)
        busy, waited = [], []
        for number in range(changes):
            title = f"Task seen {number} times"
            shown = asyncio.create_task(page.evaluate(SHOWN_AT, [task, title]))
            idle = await _main_thread_of(session, asyncio.sleep(SETTLED))
            sent = time.time() * 1000
            busy.append(await _main_thread_of(session, _change(site, task, title)) - idle)
            waited.append(await shown - sent)
        await browser.close()
    return statistics.median(busy), statistics.median(waited)


async def _change(site: Site, task: str, title: str) -> None:
    await site.rename(task, title)
    await asyncio.sleep(SETTLED)


async def _main_thread_of(session: CDPSession, work: Awaitable[None]) -> float:
    async def busy() -> float:
        found = (await session.send("Performance.getMetrics"))["metrics"]
        return float(next(one["value"] for one in found if one["name"] == "TaskDuration")) * 1000

    before = await busy()
    await work
    return await busy() - before


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.live_page", description=__doc__)
    parser.add_argument("--against", type=Path, help="another checkout, the one of before")
    parser.add_argument("--changes", type=int, default=CHANGES)
    options = parser.parse_args()
    roots = {"before": options.against.resolve()} if options.against else {}
    print(f"{time.strftime('%F %T')}; Python {sys.version_info.major}.{sys.version_info.minor}; {CARDS} cards, medians")
    print(f"| Checkout | Task | bytes | SQL, no viewer | one | five | main thread ms | API to pixel ms | {MANY} more |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, root in {**roots, "now": ROOT}.items():
        with tempfile.TemporaryDirectory(prefix="mc-live-") as folder:
            for kind, one in asyncio.run(measured(root, Path(folder) / "data", options.changes)).items():
                counts = " | ".join(f"{one.statements[viewers]:.0f}" for viewers in (0, 1, VIEWERS))
                print(f"| {name} | {kind} | {one.bytes_sent:.0f} | {counts} | {one.main_thread_ms:.1f}"
                      f" | {one.to_pixel_ms:.0f} | {one.to_pixel_among_many_ms:.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
