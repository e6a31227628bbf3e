"""Start on a card and in the panel: by keys, as workers come and go, and without harm by axe."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.conftest import PATIENCE, Open, Site
from tests.browser.looks import found
from tests.browser.test_board import live
from tests.browser.test_steering import Agent

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


@asynccontextmanager
async def waiting(site: Site, agent: Agent, **wanted: object) -> AsyncIterator["asyncio.Task[httpx.Response]"]:
    """An agent that waits for work, for the length of a block."""
    async with httpx.AsyncClient(base_url=site.url, headers=agent.api.headers, timeout=PATIENCE) as api:
        call = asyncio.create_task(api.post("/api/v1/agent/next", json={"wait_seconds": 50, **wanted}))
        yield call
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)


async def test_a_task_is_started_with_a_worker_that_is_ready(site: Site, open_page: Open) -> None:
    board = await site.board(name="Slip")
    me = (await site.api.get("/api/v1/users/me")).json()["id"]
    kit, juno = [
        Agent(site, board, await site.make("/agents", board_id=board, name=name)) for name in ("Kit of Slip", "Juno")
    ]
    held, task = await site.task(board, "Paint the keel"), await site.task(board, "Tar the ropes", assigned_user_id=me)
    await juno.claim(held)
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    start = page.get_by_role("region", name="Start")
    await expect(start).to_be_hidden()  # it is the person's, as long as nobody is ready
    async with waiting(site, kit, program="codex", places=2) as call:
        await expect(start).to_contain_text("Kit of Slip is ready, Codex")
        await page.keyboard.press("w")
        dialog = page.get_by_role("dialog", name="Start #2")
        await expect(dialog.get_by_role("radio", name="Kit of Slip")).to_be_checked()
        await expect(dialog).to_contain_text("ready, 2 free places")
        await expect(dialog).to_contain_text("busy with #1")
        assert await found(page) == []
        await page.keyboard.press("Enter")
        await expect(page.locator("#toasts")).to_contain_text("#2 is handed to Kit of Slip, which begins it")
        assert (await call).json()["task"]["id"] == task
    await expect(page.locator(".doing")).to_contain_text("Kit of Slip works on this")
    await expect(start).to_be_hidden()


async def test_the_menu_of_a_card_starts_it(site: Site, open_page: Open) -> None:
    board = await site.board(name="Quay of starts")
    await site.make("/agents", board_id=board, name="Otto")
    task = await site.task(board, "Coil the hawser")
    begun = await site.task(board, "Scrub the deck", status="in_progress")
    page = await open_page(f"/boards/{board}")
    await live(page)
    menu = page.get_by_role("group", name="Move #1")
    await page.locator(f"#task-{begun} .card-menu").click()
    await expect(page.locator("#card-menu [name=start]")).to_be_hidden()
    await page.keyboard.press("Escape")
    await page.locator(f"#task-{task} .card-menu").click()
    await menu.get_by_role("button", name="Start…").click()
    dialog = page.get_by_role("dialog", name="Start #1")
    await expect(dialog).to_contain_text("No worker waits for work now")
    assert await found(page) == []
    await dialog.get_by_role("radio", name="Otto").check()
    await dialog.get_by_role("button", name="Hand it over").click()
    await expect(page.locator("#toasts")).to_contain_text("which takes it when it asks for work")
    await expect(page.locator(f"#task-{task} .card-foot")).to_contain_text("Otto")
