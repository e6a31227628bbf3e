"""What only a browser can show about work in progress: an open panel learns what happens elsewhere on its board."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open, Site
from tests.browser.test_board import live

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def test_open_panel_updates_waiting_reasons(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    waiting = page.locator(f"#task-{task}-panel-waiting")
    await expect(waiting).to_contain_text("No worker is on this board.")
    comment = page.get_by_label("Comment", exact=True)
    await comment.fill("Half a word")
    agent = await site.make("/agents", name="Keeper", board_id=board)
    await site.api.patch(f"/api/v1/boards/{board}", json={"only_lead_can_change_status": True})
    await expect(waiting).to_contain_text("only a lead changes a task's status")
    await site.api.patch(f"/api/v1/boards/{board}", json={"only_lead_can_change_status": False})
    await expect(waiting).to_contain_text("No agent that could take it is online.")
    await site.api.post("/api/v1/agent/heartbeat", headers={"X-Agent-Token": agent["token"]})
    await expect(waiting).to_contain_text("An agent can claim it now.")
    await expect(comment).to_have_value("Half a word")
    await expect(comment).to_be_focused()
