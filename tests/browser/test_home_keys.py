"""Home with 300 things that wait, of every kind, some of them old: one key answers each, and the focus goes on."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PATIENCE, ROOT, Open, Site, served, set_up
from tests.browser.test_home import ask, home, row
from tests.many_needs import kinds_put

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
NUMBER = 300
BEYOND = 33  # more than a page has rows at first
KEYS = {
    "approval": "a", "question": "1", "request": "a", "review": "a", "proposal": "a", "flagged": "1", "silent": "1",
    "not_resumed": "1", "gateway": "1", "delivery": "1", "overdue": "1", "outgoing_webhook": "1",
    "channel": "2", "device": "2", "hold": "1",
}  # fmt: skip
# Note how long the focus takes from a key to another row.
LISTEN = """() => {
    let pressed = 0;
    window.took = [];
    addEventListener("keydown", () => { pressed = performance.now(); }, true);
    addEventListener("focusin", (event) => {
        if (pressed && event.target.matches(".need")) { window.took.push(performance.now() - pressed); pressed = 0; }
    }, true);
}"""
# The row that has the focus, once the list has filled up again, with the next one that waits; null when nothing waits.
HERE = """async () => {
    const until = performance.now() + 60000;
    while (!document.activeElement.matches(".need")) {
        if (document.querySelector("#queue .home-calm")) return null;
        if (performance.now() > until) throw new Error(`The focus is at ${document.activeElement.id}`);
        await new Promise((done) => setTimeout(done, 5));
    }
    const waiting = document.querySelectorAll("#queue .need[data-pending]:not([data-sent])");
    const rows = [...waiting].filter((row) => row.checkVisibility());
    const here = document.activeElement;
    return { id: here.id, kind: here.dataset.kind, next: rows[rows.indexOf(here) + 1]?.id ?? "" };
}"""


@pytest.fixture
async def busy(tmp_path: Path) -> AsyncIterator[Site]:
    """A server of its own, on which 300 things of every kind wait for Ada."""
    with served(tmp_path) as found:
        async with set_up(*found) as site:
            await put(site, tmp_path, NUMBER)
            make_old(site)
            yield site


async def put(site: Site, folder: Path, number: int) -> None:
    """Put things that wait for the owner into a server's database."""
    board = await site.board()
    me = (await site.api.get("/api/v1/users/me")).json()["id"]
    command = [sys.executable, "-m", "tests.many_needs", board, me, str(number)]
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    await asyncio.to_thread(subprocess.run, command, env=environment, cwd=folder, check=True)


def make_old(site: Site) -> None:
    """Let every third approval and question be of last month."""
    with closing(sqlite3.connect(site.database, timeout=30)) as database, database:
        for table in ("approvals", "agent_questions"):
            database.execute(f"UPDATE {table} SET created_at = datetime('now', '-30 days') WHERE rowid % 3 = 0")


async def walk(page: Page, most: int) -> tuple[Counter[str], list[float]]:
    """Answer rows from the first on, one key each; return how many of each kind, and the milliseconds of each."""
    answered: Counter[str] = Counter()
    await page.evaluate(LISTEN)
    await page.locator("#queue .need").first.focus()
    while answered.total() < most and (here := await page.evaluate(HERE)):
        await press(page, here)
        answered[here["kind"]] += 1
    return answered, await page.evaluate("window.took")


async def press(page: Page, here: dict[str, str]) -> None:
    """Answer the row that has the focus, which must go to the next one."""
    await page.keyboard.press(KEYS[here["kind"]])
    if here["next"]:
        await page.wait_for_function("(id) => document.activeElement.id === id", arg=here["next"])


async def test_300_rows_are_answered_by_one_key_each(busy: Site, open_page: Open) -> None:
    page = await open_page("/offline", base=busy.url)
    await page.context.add_cookies([{"name": "mission_control", "value": busy.cookie, "url": busy.url}])
    await page.goto(busy.url)
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    answered, _ = await walk(page, BEYOND)
    assert answered.total() == BEYOND
    await expect(page.locator("[data-sent]")).to_have_count(0)  # leaving at once has a test of its own
    await page.goto(f"{busy.url}/?all=1")
    for kind in kinds_put()[1:]:
        rows = page.locator(f".need[data-kind={kind}][data-pending]:not([data-sent])").locator("visible=true")
        for _ in range(2 if await rows.count() else 0):
            await rows.first.focus()
            await press(page, await page.evaluate(HERE))
            answered[kind] += 1
    await page.keyboard.press("o")
    older = page.locator("#needs-older .need[data-pending]:not([data-sent])")
    for _ in range(3):
        await older.first.focus()
        here = await page.evaluate(HERE)
        await press(page, here)
        answered[here["kind"]] += 1
    await expect(page.locator("[data-sent]")).to_have_count(0)
    ended = sum(number for kind, number in answered.items() if kind != "gateway")
    async with asyncio.timeout(PATIENCE):  # the last answer may still be on its way
        while len(await lasting(busy)) != NUMBER - NUMBER // len(kinds_put()) - ended:
            await asyncio.sleep(0.1)


async def test_answers_arrive_although_their_reader_leaves_at_once(site: Site, open_page: Open) -> None:
    board = await site.board(name="Leaving")
    names = {await ask(site, board, f"publish {one}") for one in range(24)}
    page = await home(open_page)
    await page.evaluate(
        """(names) => {
          for (const one of names) document.querySelector(`#${one} button[value=approve]`).click();
          location.assign("/offline");
        }""",
        list(names),
    )
    await page.wait_for_url("**/offline")
    async with asyncio.timeout(PATIENCE):
        while names & {f"need-{one['id'].replace(':', '-')}" for one in await lasting(site)}:
            await asyncio.sleep(0.1)


async def test_focus_goes_to_the_next_row_when_another_tab_answers(site: Site, open_page: Open) -> None:
    board = await site.board(name="Elsewhere")
    _, second, third = [await ask(site, board, f"send {one}") for one in range(3)]
    page, other = await home(open_page), await home(open_page)
    for one in (page, other):
        await row(one, second).focus()
    await other.keyboard.press("a")
    await expect(row(page, second)).to_have_count(0)
    await expect(row(page, third)).to_be_focused()


async def lasting(site: Site) -> list[dict[str, Any]]:
    """Everything that waits, without gateways: they may have left the state that they were put into."""
    pages = [(await site.api.get(f"/api/v1/needs?limit=200&offset={one}")).json()["items"] for one in (0, 200)]
    return [one for page in pages for one in page if one["kind"] != "gateway"]
