"""What Home says of an absence: looks, the figure of what waits is live, the cross by the keyboard in two tabs."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open, Site
from tests.browser.looks import found
from tests.browser.test_home import ask, home, row

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

AWAY = (
    "UPDATE users SET absent_since = strftime('%Y-%m-%d %H:%M:%f', 'now', '-13 hours'),"
    " back_at = strftime('%Y-%m-%d %H:%M:%f', 'now')"
)
RUN = (
    "INSERT INTO task_runs (id, board_id, task_id, agent_name, fence, state, started_at, ended_at, lease_seconds,"
    " input_tokens, output_tokens, cached_tokens, written_tokens, unpriced_tokens, gaps, cost_micros, resumes_on_any)"
    " SELECT lower(hex(randomblob(16))), board_id, id, 'Juno', 9, 'completed',"
    " strftime('%Y-%m-%d %H:%M:%f', 'now', '-66 seconds'), strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 minute'), 900,"
    " 0, 0, 0, 0, 0, 0, 0, FALSE"
    " FROM tasks WHERE title = 'Fix the footer'"
)


async def test_the_block_is_live_and_closes_in_all_tabs(site: Site, open_page: Open, tmp_path: Path) -> None:
    board = await site.board(name="Night")
    await site.task(board, "Fix the footer", status="done")
    with closing(sqlite3.connect(site.database, timeout=30)) as database, database:
        database.execute(AWAY)
        database.execute(RUN)
    page, other = await home(open_page), await home(open_page)
    block = page.locator("section.away")
    await expect(block).to_contain_text("Juno closed #1 in 6 s. No question, no change.")
    waiting = block.locator(".tally a", has_text="waiting for you")
    before = int(await waiting.locator("b").inner_text())
    name = await ask(site, board, "publish")
    await expect(row(page, name)).to_be_visible()
    await expect(waiting.locator("b")).to_have_text(str(before + 1))
    await expect(waiting).to_have_attribute("data-tone", "ask")
    for scheme, width in (("light", 1200), ("dark", 1200), ("light", 390)):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.set_viewport_size({"width": width, "height": 800})
        await page.screenshot(path=tmp_path / f"absence-{scheme}-{width}.png")
        assert await found(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.locator("#away-close").focus()
    await page.keyboard.press("Enter")
    await expect(block).to_have_count(0)
    await expect(other.locator("section.away")).to_have_count(0)
    await page.goto(f"{site.url}/absence")
    await expect(page.locator(".away-report")).to_contain_text("Juno closed #1 in 6 s.")
    assert await found(page) == []
