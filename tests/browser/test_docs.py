"""The documentation and the palette in a browser."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def test_anchor_opens_its_operation(open_page: Open) -> None:
    operation = "get_board_api_v1_boards__board_id__get"
    page = await open_page(f"/docs/boards#{operation}")
    await expect(page.locator(f"#{operation} .operation-body")).to_be_visible()
    await page.locator(f"#{operation}").get_by_role("link", name="BoardRead").first.click()
    await expect(page.locator("#shape-BoardRead .operation-body")).to_be_visible()


async def test_palette_works_with_keys_alone(site: Site, open_page: Open) -> None:
    board = await site.board(name="Palette")
    task = await site.task(board, "Varnish the rudder")
    page = await open_page("/settings")
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("varnish")
    await expect(page.locator("#palette-results [role=option]").first).to_contain_text("Varnish the rudder")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/boards/{board}/tasks/{task}")


async def test_palette_without_javascript(site: Site, open_page: Open) -> None:
    board = await site.board(name="Plain palette")
    page = await open_page("/settings", java_script_enabled=False)
    await page.get_by_role("link", name="Search or jump to").first.click()
    await page.locator("main").get_by_label("Search or jump to").fill("plain palette")
    await page.locator("main").get_by_role("button", name="Search").click()
    await page.locator("main").get_by_role("link", name="Plain palette").click()
    await page.wait_for_url(f"**/boards/{board}")
