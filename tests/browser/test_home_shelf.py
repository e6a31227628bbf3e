"""What has waited for more than a week, folded away at the end of Home: keys, live changes, a phone, no scripts."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Open, Site, served, set_up
from tests.browser.looks import found
from tests.browser.test_home import ask, focused, home, row

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def old(site: Site, board: str, action: str, days: int) -> str:
    """An approval that was requested so many days ago; the id of its row."""
    name = await ask(site, board, action)
    approval = UUID(name.removeprefix("need-approval-"))
    with closing(sqlite3.connect(site.database, timeout=30)) as database, database:
        change = "UPDATE approvals SET created_at = datetime('now', ?) WHERE id IN (?, ?)"
        database.execute(change, (f"-{days} days", str(approval), approval.hex))
    return name


def shelf(page: Page) -> Locator:
    return page.locator("#group-older")


async def test_keys_pass_a_closed_shelf_and_reach_an_open_one(site: Site, open_page: Open) -> None:
    board = await site.board(name="Shelf")
    first, second = await old(site, board, "sweep", 23), await old(site, board, "dust", 9)
    new, newer = await ask(site, board, "publish"), await ask(site, board, "deploy")
    page = await home(open_page)
    await expect(shelf(page)).not_to_have_attribute("open", "")
    await row(page, newer).focus()
    last = page.locator("#queue .need").locator("visible=true").last
    await last.focus()
    name = await focused(page)
    await page.keyboard.press("j")
    assert await focused(page) == name
    await page.keyboard.press("o")
    await expect(row(page, first)).to_be_visible()
    await page.keyboard.press("j")
    assert await focused(page) == first
    await page.keyboard.press("a")  # an answer goes on to the next row, and changes of the list leave the shelf open
    await expect(row(page, first)).to_have_count(0)
    assert await focused(page) == second
    other = await ask(site, board, "paint")
    await expect(row(page, other)).to_be_visible()
    await expect(row(page, second)).to_be_visible()
    assert await focused(page) == second
    await page.keyboard.press("o")
    await expect(row(page, second)).to_be_hidden()
    await expect(page.locator("[data-current]")).to_be_visible()  # no key means a row that is not seen
    await row(page, new).focus()
    await page.keyboard.press("x")
    await last.focus()
    await page.keyboard.press("Shift+X")
    await expect(page.locator("#selection")).to_contain_text("selected: this is what you decide")
    await expect(row(page, second)).not_to_have_attribute("data-picked", "")
    await page.keyboard.press("Escape")
    for name in (new, newer, other):
        await row(page, name).focus()
        await page.keyboard.press("a")
        await expect(row(page, name)).to_have_count(0)
    await row(page, second).evaluate("(row) => { row.closest('details').open = true; row.focus(); }")
    await page.keyboard.press("a")
    await expect(row(page, second)).to_have_count(0)


@pytest.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[Site]:
    """A server of its own, on which nothing waits yet."""
    with served(tmp_path) as found:
        async with set_up(*found) as site:
            yield site


async def test_shelf_opens_once_nothing_else_waits(quiet: Site, open_page: Open) -> None:
    board = await quiet.board(name="Alone")
    aged, new = await old(quiet, board, "sweep", 40), await ask(quiet, board, "publish")
    page = await open_page("/offline", base=quiet.url)
    await page.context.add_cookies([{"name": "mission_control", "value": quiet.cookie, "url": quiet.url}])
    await page.goto(quiet.url)
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    await expect(row(page, aged)).to_be_hidden()
    await row(page, new).focus()
    await page.keyboard.press("a")
    await expect(row(page, aged)).to_be_focused()
    await page.keyboard.press("a")
    await expect(page.locator("#queue .home-calm").first).to_be_visible()
    await expect(shelf(page)).to_have_count(0)


async def test_shelf_on_a_phone_and_without_scripts(site: Site, open_page: Open) -> None:
    board = await site.board(name="Small")
    aged, new = await old(site, board, "sweep", 40), await ask(site, board, "publish")
    page = await home(open_page, width=320, has_touch=True, is_mobile=True)
    title = shelf(page).locator("summary")
    box = await title.bounding_box()
    assert box is not None and box["height"] >= 44
    await title.tap()
    await row(page, aged).locator(".need-facts").tap()
    await expect(row(page, aged)).to_have_attribute("data-current", "")
    await expect(page.locator("#dock")).to_contain_text("Sweep")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    assert await found(page) == []
    await title.tap()
    await expect(page.locator("#dock")).not_to_contain_text("Sweep")
    bare = await open_page("/", java_script_enabled=False)
    await expect(row(bare, aged)).to_be_hidden()
    await shelf(bare).locator("summary").click()
    await row(bare, aged).get_by_role("button", name="Approve").click()
    await expect(row(bare, aged)).to_have_count(0)
    await row(bare, new).get_by_role("button", name="Approve").click()
    await expect(row(bare, new)).to_have_count(0)
