"""Setting up a board with the keyboard; and nothing for axe to find on its pages and on those of questions."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.looks import found
from tests.browser.test_questions import ask, lead

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def test_empty_board_is_set_up(site: Site, open_page: Open) -> None:
    board = await site.board(name="Pier")
    page = await open_page(f"/boards/{board}")
    await page.get_by_role("link", name="Goal and lead").click()
    await page.get_by_label("Objective").fill("Ships arrive on time.")
    await page.get_by_label("Success metrics").fill("Late ships")
    await page.get_by_label("Name").fill("Marlin")
    await page.get_by_label("Name").press("Enter")
    await expect(page.locator(".form-errors")).to_contain_text("Write each line")
    await expect(page.get_by_label("Name")).to_have_value("Marlin")
    assert await found(page) == []
    await page.get_by_label("Success metrics").fill("Late ships: under 2 %")
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("heading", name="Pier is set up")).to_be_visible()
    await expect(page.locator("#token")).to_contain_text("mca_")
    assert await found(page) == []
    read = (await site.api.get(f"/api/v1/boards/{board}")).json()
    assert (read["goal_confirmed"], read["success_metrics"]) == (True, {"Late ships": "under 2 %"})
    await page.get_by_role("link", name="Open the board").click()
    await expect(page.get_by_text("Say what it is for")).to_have_count(0)


async def test_axe_finds_nothing(site: Site, walker: Page) -> None:
    board = await site.board(name="Look")
    await walker.goto(f"{site.url}/boards/{board}/setup")
    assert await found(walker) == []
    headers = await lead(site, board)
    asked, over = [await ask(site, board, headers, f"Which lens {n}?\n\nThe **wide** one?") for n in range(2)]
    await site.make(f"/boards/{board}/questions/{over}/answers", answer="The wide one.")
    paths = ("approvals", f"questions/{asked}", f"questions/{over}", "setup")
    broken = {}
    for path in paths:
        await walker.goto(f"{site.url}/boards/{board}/{path}")
        broken[path] = await found(walker)
    assert not any(broken.values()), broken
