"""Setting up a board with the keyboard; and nothing for axe to find on its pages and on those of questions."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.test_questions import ask, lead

pytestmark = pytest.mark.browser
LOOKS = [(theme, width) for theme in ("light", "dark") for width in (320, 1440)]


async def flawless(page: Page) -> None:
    """Axe finds nothing, and nothing is too wide."""
    results: Any = await Axe().run(page)
    assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in results.response["violations"]] == []
    scroll = "(document.querySelector('.scroll') ?? document.documentElement)"
    assert await page.evaluate(f"{scroll}.scrollWidth <= {scroll}.clientWidth")


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
    await flawless(page)
    await page.get_by_label("Success metrics").fill("Late ships: under 2 %")
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("heading", name="Pier is set up")).to_be_visible()
    await expect(page.locator("#token")).to_contain_text("mca_")
    await flawless(page)
    read = (await site.api.get(f"/api/v1/boards/{board}")).json()
    assert (read["goal_confirmed"], read["success_metrics"]) == (True, {"Late ships": "under 2 %"})
    await page.get_by_role("link", name="Open the board").click()
    await expect(page.get_by_text("Say what it is for")).to_have_count(0)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
async def test_axe_finds_nothing(site: Site, open_page: Open, theme: str, width: int) -> None:
    board = await site.board(name=f"Look {theme} {width}")
    await flawless(await open_page(f"/boards/{board}/setup", theme=theme, width=width))
    headers = await lead(site, board)
    asked, over = [await ask(site, board, headers, f"Which lens {n}?\n\nThe **wide** one?") for n in range(2)]
    await site.make(f"/boards/{board}/questions/{over}/answers", answer="The wide one.")
    for path in ("approvals", f"questions/{asked}", f"questions/{over}", "setup"):
        await flawless(await open_page(f"/boards/{board}/{path}", theme=theme, width=width))
