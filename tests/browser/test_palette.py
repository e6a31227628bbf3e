"""The palette: what the page can do, where the reader was, and what the server finds, by keys and by touch."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open, Site, becomes_true

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def test_it_goes_does_and_finds_by_keys(site: Site, open_page: Open) -> None:
    board = await site.board(name="Palette")
    task = await site.task(board, "Caulk the planks")
    page = await open_page(f"/boards/{board}")
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    await page.keyboard.press("Control+k")
    found = page.locator("#palette-results")
    await expect(found.get_by_role("group", name="On this page")).to_contain_text("New task")
    await page.keyboard.type("caulk")
    await expect(found.get_by_role("option").first).to_contain_text("Caulk the planks")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/tasks/{task}")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("new task")
    await expect(found.get_by_role("group", name="On this page")).to_be_visible()
    await found.get_by_role("group", name="On this page").get_by_role("option").first.click()
    await expect(page.locator("#palette")).not_to_be_visible()
    await becomes_true(page, "document.activeElement.matches('input[name=title]')")


async def test_it_begins_with_the_places_of_this_tab(site: Site, open_page: Open) -> None:
    page = await open_page("/agents", has_touch=True, width=360)
    await page.goto(f"{site.url}/activity")
    await page.goto(f"{site.url}/settings")
    await page.get_by_role("button", name="More").tap()
    await page.get_by_role("button", name="Search or jump to").last.tap()
    recent = page.locator("#palette-results").get_by_role("group", name="Recent").get_by_role("option")
    await expect(recent).to_have_count(2)
    await expect(recent.first).to_contain_text("Activity")
    await recent.last.tap()
    await page.wait_for_url("**/agents")
