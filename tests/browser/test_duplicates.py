"""A task is copied on a board, from its card and from its panel."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open, Site
from tests.browser.test_board import live

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def test_copy_opens_with_its_title_and_goes_again(site: Site, open_page: Open) -> None:
    board = await site.board(name="Copies")
    task = await site.task(board, "Polish")
    await site.task(board, "Grind")
    page = await open_page(f"/boards/{board}?q=polish")
    await live(page)
    await page.locator(f"#task-{task} .card-menu").click()
    await page.locator("#card-menu").get_by_role("button", name="Duplicate").click()
    title = page.locator("#panel").get_by_label("Title", exact=True)
    await expect(title).to_be_focused()
    await expect(page.locator("#list-inbox .card")).to_have_count(2)
    copy = await page.locator("#list-inbox .card").nth(1).get_attribute("data-task")
    await expect(page).to_have_url(f"{site.url}/boards/{board}/tasks/{copy}")
    await title.fill("Polish the other one")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-panel-title]")).to_have_text("Polish the other one")
    await expect(page.locator(f"#task-{copy}")).to_contain_text("Polish the other one")
    await page.keyboard.press("y")
    await expect(title).to_have_value("Polish the other one")
    await expect(page.locator("#list-inbox .card")).to_have_count(3)
    await page.keyboard.press("Escape")
    await page.keyboard.press("z")
    await expect(page.locator("#list-inbox .card")).to_have_count(2)
