"""The activity in a browser: its filter and its stream."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def test_filter_keeps_focus_and_updates_the_stream(site: Site, open_page: Open) -> None:
    board = await site.board(name="Breakwater")
    task = await site.task(board, "Lay stones")
    page = await open_page(f"/boards/{board}/activity")
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    kind = page.get_by_label("Kind")
    await kind.focus()
    async with page.expect_response(lambda answer: "/live?" in answer.url and "kind=comments" in answer.url):
        await kind.select_option("comments")
    await expect(page.locator("#main")).to_contain_text("Nothing matches")
    await expect(page).to_have_url(f"{site.url}/boards/{board}/activity?kind=comments&actor=&from=&to=")
    await expect(kind).to_be_focused()
    await site.task(board, "Not a comment")
    await site.make(f"/boards/{board}/tasks/{task}/comments", message="Ten so far")
    await expect(page.locator("#feed-new")).to_contain_text("Ten so far")
    await expect(page.locator("#feed-new .feed-item")).to_have_count(1)
    await expect(page.locator("#feed-empty")).to_be_hidden()
