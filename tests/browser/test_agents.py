"""A new agent: its token once, and the lines that work when they are pasted into a shell."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def shell(line: str, home: Path, typed: str = "") -> str:
    """Run a pasted line as a person would."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", line, stdin=-1, stdout=-1, stderr=-1, cwd=home, env=environment
    )
    printed, complained = await asyncio.wait_for(process.communicate(typed.encode()), 60)
    assert process.returncode == 0, complained
    return printed.decode()


async def create(page: Page, name: str, board: str) -> None:
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Board", exact=True).select_option(board)
    await page.get_by_role("button", name="Create the agent").click()
    await expect(page.get_by_role("heading", name=f"{name} is ready")).to_be_visible()


async def test_pasted_lines_work_and_steps_are_shown(site: Site, open_page: Open, tmp_path: Path) -> None:
    board = await site.board(name="Workshop", require_approval_for_done=True)
    page = await open_page(f"/agents/new?board={board}")
    await create(page, "Lyra", board)
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    await expect(page.locator("#first-task")).to_contain_text("no unassigned task yet")
    task = await site.task(board, "Sand the table")
    await expect(page.locator("#line-2")).to_contain_text(task)
    await expect(page.locator("#first-task")).not_to_contain_text("no unassigned task yet")
    watching = await open_page(f"/boards/{board}")
    await expect(watching.locator("html")).to_have_attribute("data-connection", "live")
    secret = (await page.locator("#token code").inner_text()).strip()
    assert "Lyra works on" in await shell(await page.locator("#line-1").inner_text(), tmp_path, secret)
    await expect(page.locator("#step-1")).to_have_text("Done")
    assert "Sand the table" in await shell(await page.locator("#line-2").inner_text(), tmp_path)
    await expect(watching.locator(f"#list-in_progress #task-{task}")).to_be_visible()
    await expect(page.locator("#step-2")).to_have_text("Done")
    await shell(await page.locator("#line-3").inner_text(), tmp_path)
    await expect(page.locator("#step-3")).to_have_text("Done")
    await expect(watching.locator(f"#task-{task}").get_by_role("link", name="Review #1")).to_be_visible()
    await page.get_by_role("link", name="Back to Lyra").click()
    await expect(page.get_by_text("Sand the table").first).to_be_visible()
    assert secret not in await page.content()


async def test_token_is_copied(site: Site, open_page: Open) -> None:
    board = await site.board(name="Copying")
    page = await open_page(f"/agents/new?board={board}", permissions=["clipboard-read", "clipboard-write"])
    await create(page, "Cygnus", board)
    await page.clock.install()
    await page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    copy = page.locator(".copy-block[data-once]").get_by_role("button")
    await copy.click()
    await expect(copy).to_have_text("Copied")
    await page.clock.run_for(2000)
    await expect(copy).to_have_text("Copy")
    assert await page.evaluate("navigator.clipboard.readText()") == await page.locator("#token code").inner_text()


async def test_presence_is_shown_in_the_list(site: Site, open_page: Open) -> None:
    board = await site.board(name="Presence")
    made = await site.make("/agents", name="Deneb", board_id=board)
    page = await open_page("/agents")
    row = page.locator(f"#agent-{made['id']}")
    await expect(row).to_contain_text("Waiting for first check-in")
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    headers = {"X-Agent-Token": made["token"]}
    await site.api.post("/api/v1/agent/heartbeat", headers=headers, json={})
    await expect(row).to_contain_text("Online")


async def test_agent_is_deleted_after_a_warning(site: Site, open_page: Open) -> None:
    board = await site.board(name="Leaving")
    made = await site.make("/agents", name="Rigel", board_id=board)
    page = await open_page(f"/agents/{made['id']}")
    await page.get_by_role("button", name="More for Rigel").click()
    await page.get_by_role("link", name="Delete the agent").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Its tokens are revoked immediately")
    await page.get_by_role("dialog").get_by_role("button", name="Delete Rigel").click()
    await page.wait_for_url("**/agents")
    await expect(page.locator(f"#agent-{made['id']}")).to_have_count(0)


async def test_agent_is_created_without_javascript(site: Site, open_page: Open, tmp_path: Path) -> None:
    board = await site.board(name="No scripts", require_approval_for_done=True)
    task = await site.task(board, "Oil the hinge")
    page = await open_page("/agents/new", java_script_enabled=False)
    await create(page, "Altair", board)
    await expect(page.locator("#line-2")).to_contain_text(task)
    secret = (await page.locator("#token code").inner_text()).strip()
    for number in (1, 2, 3):
        await shell(await page.locator(f"#line-{number}").inner_text(), tmp_path, secret)
    assert (await site.read(board, task))["status"] == "review"
