"""Pausing with one click or one key, for everybody who looks; budgets; nothing for axe to find on either."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.looks import found

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
LIVE = ("data-connection", "live")


async def opened(open_page: Open, path: str, **options: Any) -> Page:
    page = await open_page(path, **options)
    await expect(page.locator("html")).to_have_attribute(*LIVE)
    return page


async def test_board_paused_by_keyboard_updates_another_page(site: Site, open_page: Open) -> None:
    board = await site.board(name="Pier")
    page, other = await opened(open_page, f"/boards/{board}"), await opened(open_page, f"/boards/{board}")
    await page.get_by_role("button", name="More about the board").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Pause Pier").focus()
    await page.keyboard.press("Enter")
    for one in (page, other):
        await expect(one.locator("#board-work")).to_contain_text("This board is paused")
    await page.get_by_role("link", name="Say why").click()
    await page.get_by_label("Reason").fill("High tide")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    for one in (page, other):
        await expect(one.locator("#board-work")).to_contain_text("High tide")
    await other.locator("#board-work").get_by_role("button", name="Resume Pier").click()
    for one in (page, other):
        await expect(one.locator("#board-work")).to_be_empty()
    await page.keyboard.press("Escape")
    await other.keyboard.press("z")
    await expect(page.locator("#board-work")).to_contain_text("High tide")
    await other.locator("#board-work").get_by_role("button", name="Resume Pier").click()


async def test_stopping_all_agents_shows_on_every_page(site: Site, open_page: Open) -> None:
    page, other = await opened(open_page, "/agents"), await opened(open_page, "/settings", width=390)
    await page.get_by_role("button", name="account and appearance").click()
    await page.locator("#account-work").get_by_role("link", name="Stop all agents").click()
    await page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    for one in (page, other):
        await expect(one.locator("#organization-work")).to_contain_text("All agents are stopped")
    await other.get_by_role("button", name="Resume all agents").click()
    for one in (page, other):
        await expect(one.locator("#organization-work")).to_be_empty()


async def test_budget_is_created_changed_and_deleted(site: Site, open_page: Open) -> None:
    page = await opened(open_page, "/settings/budgets")
    await page.get_by_role("textbox", name="Limit").fill("2.50")
    await page.get_by_label("Of", exact=True).select_option("US dollars")
    await page.get_by_role("button", name="Set the budget").click()
    await expect(page.locator("#budgets")).to_contain_text("0.00 of 2.50 USD")
    await expect(page.locator("html")).to_have_attribute(*LIVE)
    await page.get_by_role("link", name="Change the limit of The whole organization").click()
    await page.get_by_label("Limit in US dollars").fill("3")
    await page.keyboard.press("Enter")
    await expect(page.locator("#budgets")).to_contain_text("0.00 of 3.00 USD")
    await page.get_by_role("button", name="Delete the budget of The whole organization").click()
    await expect(page.locator("#budgets")).to_contain_text("No budgets")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#budgets")).to_contain_text("0.00 of 3.00 USD")
    # Other tests use this server too, and an agent's page shows the budgets that it meets.
    await page.get_by_role("button", name="Delete the budget of The whole organization").click()
    await expect(page.locator("#budgets")).to_contain_text("No budgets")


async def test_axe_finds_nothing(site: Site, walker: Page) -> None:
    board = await site.board(name="Quay of rest")
    agent = await site.make("/agents", name="Polaris", board_id=board)
    for path, state in ((f"/agents/{agent['id']}", "paused"), (f"/boards/{board}", "stopped")):
        answer = await site.api.put(f"/api/v1{path}/work-state", json={"state": state, "reason": "A long storm"})
        assert answer.status_code == 200
    budget = await site.make("/budgets", agent_id=agent["id"], unit="cost", limit=1)
    await site.api.post(
        "/api/v1/agent/usage", json={"cost_usd": 0.9}, headers={"X-Agent-Token": agent["token"], "Cookie": ""}
    )
    paths = (f"/boards/{board}", "/agents", "/settings/budgets")
    broken = {}
    for path in paths:
        await walker.goto(site.url + path)
        broken[path] = await found(walker)
    assert not any(broken.values()), broken
    assert (await site.api.delete(f"/api/v1/budgets/{budget['id']}")).status_code == 200
