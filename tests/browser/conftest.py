"""A server of its own on an empty database, somebody who is signed in, and pages that must stay free of errors."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 60  # seconds for what must come; on an idle machine it comes within one
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
REFUSALS = re.compile(r"status of (409|422)")
# The browser's own word when it leaves out the animation between two pages; nothing else is missing then.
NO_ANIMATION = re.compile(r"^Transition was (aborted|skipped)")
WATCH = "addEventListener('securitypolicyviolation', (e) => console.error('CSP', e.violatedDirective, e.blockedURI));"


expect.set_options(timeout=1000 * PATIENCE)


@dataclass(slots=True)
class Site:
    """A running server and its owner's session."""

    url: str
    cookie: str
    api: httpx.AsyncClient
    database: Path

    async def make(self, path: str, **body: Any) -> dict[str, Any]:
        """Make something through the API."""
        answer = await self.api.post(f"/api/v1{path}", json=body)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def board(self, **fields: Any) -> str:
        """A board; returns its id."""
        wanted = {"name": "Harbour", "slug": "harbour", "description": "Ships.", "require_approval_for_done": False}
        return str((await self.make("/boards", **{**wanted, **fields}))["id"])

    async def task(self, board: str, title: str, **fields: Any) -> str:
        """A task; returns its id."""
        return str((await self.make(f"/boards/{board}/tasks", title=title, **fields))["id"])

    async def read(self, board: str, task: str) -> dict[str, Any]:
        """A task as the API lists it."""
        answer = await self.api.get(f"/api/v1/boards/{board}/tasks")
        return next(one for one in answer.json()["items"] if one["id"] == task)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """The address of a fresh server, its setup code and its database."""
    with served(tmp_path_factory.mktemp("browser")) as found:
        yield found


@contextmanager
def served(folder: Path, *, port: int = 0, **settings: str) -> Iterator[tuple[str, str, Path]]:
    """Run a fresh server in a folder; it chooses its port, unless `BASE_URL` has to name it."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {**keep, "DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, "-m", "mission_control.cli", "serve", "--port", str(port)]
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield *_address_and_code(process, folder / "log"), folder / "mission-control.sqlite3"
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()


def _address_and_code(process: "subprocess.Popen[bytes]", log: Path) -> tuple[str, str]:
    for _ in range(10 * PATIENCE):
        if found := re.search(r"Open (\S+)/setup and enter the code (\S+)", log.read_text()):
            return found[1], found[2]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
async def site(server: tuple[str, str, Path]) -> AsyncIterator[Site]:
    """The server after its first run: Ada owns the Observatory."""
    async with set_up(*server) as found:
        yield found


@asynccontextmanager
async def set_up(url: str, code: str, database: Path) -> AsyncIterator[Site]:
    """Make Ada the owner of the Observatory on a fresh server."""
    async with httpx.AsyncClient(base_url=url, headers=SAME_ORIGIN, timeout=PATIENCE) as api:
        owner = {"name": "Ada", "email": "ada@example.org", "password": "a long enough password"}
        answer = await api.post("/setup", data={"code": code, "organization_name": "Observatory", **owner})
        assert answer.status_code == 303, answer.text
        yield Site(url, answer.cookies["mission_control"], api, database)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all tests."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=1000 * PATIENCE)
        yield browser
        await browser.close()


@dataclass(slots=True)
class Watched:
    """Contexts that were opened, and what their pages complained about."""

    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    forgiven: str = r"^$"

    def hear(self, text: str) -> None:
        """Keep a complaint that nobody expected."""
        if not any(re.search(one, text) for one in (REFUSALS, NO_ANIMATION, self.forgiven)):
            self.complaints.append(text)

    def listen(self, page: Page) -> None:
        """Hear what a page complains about."""
        page.on("console", lambda said: self.hear(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.hear(str(error)))


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    """Fails the test when a page logged an error or violated the content security policy."""
    seen = Watched()
    yield seen
    for context in seen.contexts:
        await context.close()
    assert seen.complaints == []


async def becomes_true(page: Page, expression: str, arg: Any = None) -> None:
    """Wait until this is true in a page.

    `Page.wait_for_function` does not wait: it evaluates a string in the page, whose policy forbids that.
    """
    async with asyncio.timeout(PATIENCE):
        while not await page.evaluate(expression, arg):
            await asyncio.sleep(0.05)


Open = Callable[..., Awaitable[Page]]


@pytest.fixture
def open_page(site: Site, chromium: Browser, watched: Watched) -> Open:
    """Open an address as Ada: `await open_page("/boards", width=320, theme="dark")`."""

    async def open_(
        path: str, *, width: int = 1440, theme: Any = "light", base: str = "", signed_in: bool = True, **options: Any
    ) -> Page:
        look = {"viewport": {"width": width, "height": 900}, "color_scheme": theme}
        context = await _context(chromium, site.cookie if signed_in else "", base or site.url, {**look, **options})
        watched.contexts.append(context)
        page = await context.new_page()
        watched.listen(page)
        await page.goto((base or site.url) + path)
        return page

    return open_


async def _context(chromium: Browser, cookie: str, url: str, options: dict[str, Any]) -> BrowserContext:
    context = await chromium.new_context(**{"service_workers": "block", "reduced_motion": "reduce", **options})
    context.set_default_timeout(1000 * PATIENCE)
    if cookie:
        await context.add_cookies([{"name": "mission_control", "value": cookie, "url": url}])
    await context.add_init_script(WATCH)
    return context


@pytest.fixture(scope="session")
async def walking(site: Site, chromium: Browser) -> AsyncIterator[BrowserContext]:
    """Ada's browser with warm caches, for tests that only look at pages."""
    context = await _context(chromium, site.cookie, site.url, {"viewport": {"width": 1440, "height": 900}})
    yield context
    await context.close()


@pytest.fixture
async def walker(walking: BrowserContext, watched: Watched) -> AsyncIterator[Page]:
    """A page of that browser, 1440 wide and in the light theme: a twentieth of the time of `open_page`."""
    page = await walking.new_page()
    watched.listen(page)
    yield page
    await page.close()
