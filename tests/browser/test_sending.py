"""What people send: once, however often they press; and what they typed is never lost."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Open, Site

pytestmark = pytest.mark.browser

ANSWERED = """answered = new Promise((resolve) => document.addEventListener(
    "htmx:finally:request", (event) => { if (event.target.id === "quick-add-inbox") setTimeout(resolve); }
)); null"""


class Slow:
    """A server whose answers to posts wait until `let_go`."""

    def __init__(self) -> None:
        self.sent = 0
        self._free = asyncio.Event()

    async def on(self, page: Page, path: str) -> "Slow":
        await page.route(path, self._hold)
        return self

    async def _hold(self, route: Route) -> None:
        if route.request.method == "POST":
            self.sent += 1
            answer = await route.fetch(max_redirects=0)
            await self._free.wait()
            await route.fulfill(response=answer)
        else:
            await route.continue_()

    def let_go(self) -> None:
        self._free.set()


async def live(page: Page) -> None:
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")


async def titles(site: Site, board: str) -> list[str]:
    items = (await site.api.get(f"/api/v1/boards/{board}/tasks")).json()["items"]
    return sorted(one["title"] for one in items)


async def test_quick_add_sends_once_and_keeps_new_text(site: Site, open_page: Open) -> None:
    board = await site.board(name="Impatience")
    page = await open_page(f"/boards/{board}")
    await live(page)
    slow = await Slow().on(page, "**/boards/*/tasks")
    await page.locator("#add-inbox > summary").click()
    field = page.locator("#new-task-inbox")
    await field.fill("Paint the hull")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.locator("#list-inbox")).to_contain_text("Paint the hull")
    await page.keyboard.type(" and the mast")
    await page.evaluate(ANSWERED)
    slow.let_go()
    await page.evaluate("answered")
    await expect(field).to_have_value("Paint the hull and the mast")
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("")
    assert await titles(site, board) == ["Paint the hull", "Paint the hull and the mast"]
    assert slow.sent == 2


async def test_board_is_created_once(site: Site, open_page: Open) -> None:
    page = await open_page("/boards/new")
    slow = await Slow().on(page, "**/boards")
    await page.get_by_label("Name").fill("Only one of these")
    await page.get_by_role("button", name="Create board").dblclick(no_wait_after=True)
    slow.let_go()
    await expect(page.get_by_role("heading", name="Only one of these")).to_be_visible()
    boards = (await site.api.get("/api/v1/boards?limit=200")).json()["items"]
    assert [one["name"] for one in boards].count("Only one of these") == 1


async def test_drafts_return_with_the_panel(site: Site, open_page: Open) -> None:
    board = await site.board(name="Drafts of panels")
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    comment = page.get_by_label("Comment", exact=True)
    await comment.fill("Half of it")
    await page.get_by_role("link", name="Edit", exact=True).click()
    await page.get_by_role("textbox", name="Title").fill("Paint the whole hull")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(page.locator("#panel > *")).to_have_count(0)
    await page.keyboard.press("Enter")
    await expect(comment).to_have_value("Half of it")
    await page.get_by_role("link", name="Edit", exact=True).click()
    await expect(page.get_by_role("textbox", name="Title")).to_have_value("Paint the whole hull")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#panel [data-panel-title]")).to_have_text("Paint the whole hull")
    await page.get_by_role("button", name="Comment", exact=True).click()
    await expect(page.locator("#panel .comment")).to_have_count(1)
    await page.reload()
    await expect(comment).to_have_value("")
    assert (await site.read(board, task))["title"] == "Paint the whole hull"


async def test_cancelled_edit_is_discarded(site: Site, open_page: Open) -> None:
    board = await site.board(name="Given up")
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    await page.get_by_role("link", name="Edit", exact=True).click()
    await page.get_by_role("textbox", name="Title").fill("Sink it")
    await page.get_by_role("link", name="Cancel", exact=True).click()
    await expect(page.locator("#panel [data-panel-title]")).to_have_text("Paint the hull")
    await page.get_by_role("link", name="Edit", exact=True).click()
    await expect(page.get_by_role("textbox", name="Title")).to_have_value("Paint the hull")
