"""The shelf of proposals above the inbox, and the parts and links of a task in its panel."""

from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.looks import found
from tests.browser.test_board import live

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def an_agent(site: Site, board: str) -> httpx.AsyncClient:
    """Kit, who works on a board."""
    kit = await site.make("/agents", name="Kit", board_id=board)
    token = (await site.make(f"/agents/{kit['id']}/tokens"))["token"]
    return httpx.AsyncClient(base_url=f"{site.url}/api/v1/agent", headers={"X-Agent-Token": token})


async def propose(kit: httpx.AsyncClient, board: str, title: str, **fields: Any) -> None:
    new = {"title": title, "reason": "The old address answers 404 since the move of the shop.", **fields}
    answer = await kit.post(f"/boards/{board}/proposals", json=new)
    assert answer.status_code == 200, answer.text


async def titles(page: Page, column: str = "inbox") -> list[str]:
    return await page.locator(f"#list-{column} .card-title").all_inner_texts()


async def test_proposals_come_live_and_are_decided_by_keys(site: Site, open_page: Open) -> None:
    board = await site.board(name="Found work")
    task = await site.task(board, "Move the shop")
    page = await open_page(f"/boards/{board}")
    await live(page)
    async with await an_agent(site, board) as kit:
        for title in ("Redirect the old address", "Sweep the logs", "Order lenses"):
            await propose(kit, board, title, task_id=task, description="With **all** pages below it.")
    await expect(page.locator(".proposal")).to_have_count(3)
    assert await found(page) == []
    await page.locator(".proposal [data-nav-item]").first.focus()
    await page.keyboard.press("a")
    await expect(page.locator(".proposal")).to_have_count(2)
    await expect(page.locator("#list-inbox .card-title").first).to_have_text("Redirect the old address")
    await page.keyboard.press("z")
    await expect(page.locator(".proposal")).to_have_count(3)
    await expect(page.locator("#list-inbox .card")).to_have_count(1)
    await page.locator(".proposal").nth(1).get_by_role("button", name="Drop").click()
    await expect(page.locator(".proposal")).to_have_count(2)
    await page.locator(".proposal").first.get_by_role("link", name="Merge the proposal").click()
    dialog = page.locator("#proposal")
    await expect(dialog).to_contain_text("With all pages below it.")
    assert await found(page) == []
    await expect(dialog.get_by_label("Or merge it into")).to_be_focused()
    await page.keyboard.type("#99")
    await page.keyboard.press("Enter")  # merges, and does not accept
    await expect(dialog).to_contain_text("not on this board")
    await dialog.get_by_label("Or merge it into").fill("#1")
    await dialog.get_by_label("Note to Kit").fill("The same as before.")
    await dialog.get_by_role("button", name="Merge").click()
    await expect(dialog).to_be_hidden()
    await expect(page.locator(".proposal")).to_have_count(1)
    await page.locator(".proposal").get_by_role("link", name="Order lenses", exact=True).click()
    await dialog.get_by_role("button", name="Accept").click()
    await expect(page.locator(".proposal")).to_have_count(0)
    assert await titles(page) == ["Order lenses", "Move the shop"]


async def test_proposals_are_decided_without_javascript(site: Site, open_page: Open) -> None:
    board = await site.board(name="No scripts")
    async with await an_agent(site, board) as kit:
        await propose(kit, board, "Sweep")
        await propose(kit, board, "Mop")
    page = await open_page(f"/boards/{board}", java_script_enabled=False)
    await page.get_by_role("button", name="Accept the proposal Sweep").click()
    assert await titles(page) == ["Sweep"]
    await page.get_by_role("link", name="Mop", exact=True).click()
    await page.get_by_label("Or merge it into").fill("#7")
    await page.get_by_role("button", name="Merge").click()
    await expect(page.locator("main")).to_contain_text("not on this board")
    await page.get_by_role("button", name="Drop").click()
    await expect(page.locator(".proposal")).to_have_count(0)


async def test_parts_are_added_blocked_and_taken_away_in_the_panel(site: Site, open_page: Open) -> None:
    board = await site.board(name="Parts")
    parent = await site.task(board, "Build the telescope")
    other = await site.task(board, "Grind the mirror")
    page = await open_page(f"/boards/{board}/tasks/{parent}")
    await live(page)
    panel = page.locator("#panel")

    async def choose(words: str, text: str, choice: str) -> None:
        await panel.get_by_role("button", name="More about #1").click()
        await panel.locator("#panel-menu").get_by_role("link", name=words).click()
        async with page.expect_response(lambda answer: "&q=" in answer.url):
            await page.locator("#link-task input[type=search]").fill(text)
        await page.locator("#link-task").get_by_role("button", name=choice).click()
        await expect(page.locator("#link-task")).to_be_hidden()

    await choose("Add a part", "grind", "#2 Grind the mirror")
    parts = panel.locator(f"#fact-part-{parent}")
    await expect(parts).to_contain_text("0 of 1 done")
    await choose("Add a part", "Paint the dome", "New task: Paint the dome")
    await expect(parts).to_contain_text("0 of 2 done")
    await expect(page.locator(f"#task-{parent}")).to_contain_text("0 of 2")
    await expect(page.locator(f"#task-{other}")).to_contain_text("part of #1")
    await parts.get_by_role("button", name="blocks").first.click()
    await expect(parts.get_by_role("button", name="blocks").first).to_have_attribute("aria-pressed", "true")
    assert await found(page) == []
    await panel.get_by_label("Status").select_option("review")
    await expect(page.locator("#alert-region, #toasts, #panel")).to_contain_text(["Parts of this task"])
    await site.make(f"/boards/{board}/tasks/{other}/moves", status="done")
    await expect(parts).to_contain_text("1 of 2 done")
    await expect(page.locator(f"#task-{parent}")).to_contain_text("1 of 2")
    await choose("Say of what it is a duplicate", "#2", "#2 Grind the mirror")
    await expect(panel.locator(f"#fact-duplicate_of-{parent}")).to_contain_text("#2 Grind the mirror")
    await panel.locator(f"#fact-duplicate_of-{parent}").get_by_role("button", name="Remove the link to #2").click()
    await expect(panel.locator(f"#fact-duplicate_of-{parent}")).to_have_count(0)
    await parts.get_by_role("button", name="#2 is no longer a part").click()
    await expect(parts).to_contain_text("0 of 1 done")
    await page.keyboard.press("z")
    await expect(parts).to_contain_text("1 of 2 done")
