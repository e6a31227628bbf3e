"""What programs ask, on Home, and the rules for calls: whole on a phone, nothing for axe to find, answered by a key."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PATIENCE, Site
from tests.browser.looks import found

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
COMMAND = f"psql -f '{'migrations/' * 12}{'x' * 80}.sql' \u202e&& echo done"
WIDE = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture
async def asking(site: Site) -> AsyncIterator[tuple[str, "asyncio.Task[Any]"]]:
    """A board, and the request of a program on it that waits for people."""
    board = await site.board(name="Shipyard", slug="shipyard")
    agent = await site.make("/agents", name="Capella", board_id=board)
    token = (await site.make(f"/agents/{agent['id']}/tokens"))["token"]
    body = {
        "hook_event_name": "PermissionRequest", "session_id": "s", "cwd": "/home/mara/shop", "tool_name": "Bash",
        "tool_input": {"command": COMMAND, "description": "It takes 2 ms then."}, "permission_mode": "default",
    }  # fmt: skip
    async with httpx.AsyncClient(base_url=site.url, headers={"X-Agent-Token": token}, timeout=PATIENCE) as program:
        waiting = asyncio.create_task(program.post("/api/v1/connect/claude-code/hooks", json=body))
        yield board, waiting
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_a_request_is_whole_and_answered_by_a_key(
    asking: tuple[str, "asyncio.Task[Any]"], site: Site, walker: Page
) -> None:
    await walker.goto(f"{site.url}/?all=1&view=roomy")
    row = walker.locator("article, li").filter(has_text="Capella asks to run a command").last
    await expect(row).to_contain_text("\\u202e&& echo done")
    assert await found(walker) == []
    await walker.set_viewport_size({"width": 390, "height": 844})
    assert not await walker.evaluate(WIDE)
    await expect(row).to_contain_text("x.sql")
    assert await found(walker) == []
    await walker.set_viewport_size({"width": 1280, "height": 900})
    await row.get_by_role("button", name="Allow once").click()
    answer = await asking[1]
    assert answer.json()["hookSpecificOutput"]["decision"] == {"behavior": "allow"}


async def test_rules_for_calls(site: Site, walker: Page) -> None:
    board = await site.board(name="Slipway", slug="slipway")
    await walker.goto(f"{site.url}/boards/{board}/calls")
    await walker.get_by_label("Without asking").fill("Bash(git status *)\nBash(sh *)")
    await walker.get_by_role("button", name="Save the rules").click()
    await expect(walker.locator("#field-allow-error")).to_contain_text("sh runs others")
    assert await found(walker) == []
    await walker.get_by_label("Without asking").fill("Bash(git status *)")
    await walker.get_by_label("Needs a yes").fill("Bash(git push *)")
    await walker.get_by_role("button", name="Save the rules").click()
    await expect(walker.get_by_text("added Bash(git push *)")).to_be_visible()
    await walker.set_viewport_size({"width": 390, "height": 844})
    assert not await walker.evaluate(WIDE)
    assert await found(walker) == []
