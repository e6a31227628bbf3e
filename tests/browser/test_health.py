"""The live indicator while a check of the server really fails."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site, served, set_up
from tests.browser.looks import found

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
COLUMNS = "id, version, app, content"
REASON = "1 migration of the database is not applied."


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[Site]:
    """A server of its own, which may be broken."""
    with served(tmp_path) as started:
        async with set_up(*started) as site:
            yield site


def forget_migration(site: Site) -> tuple[object, ...]:
    """Let the server's database look as if its newest migration was not applied; return what it says of it."""
    with closing(sqlite3.connect(site.database, timeout=30)) as database, database:
        row: tuple[object, ...] = database.execute(f"SELECT {COLUMNS} FROM aerich ORDER BY id DESC LIMIT 1").fetchone()
        database.execute("DELETE FROM aerich WHERE id = ?", row[:1])
    return row


def remember_migration(site: Site, row: tuple[object, ...]) -> None:
    """Let it look applied again."""
    with closing(sqlite3.connect(site.database, timeout=30)) as database, database:
        database.execute(f"INSERT INTO aerich ({COLUMNS}) VALUES (?, ?, ?, ?)", row)


async def home(own: Site, open_page: Open, width: int) -> Page:
    page = await open_page("/offline", base=own.url, width=width)
    await page.context.add_cookies([{"name": "mission_control", "value": own.cookie, "url": own.url}])
    await page.goto(f"{own.url}/settings/profile")
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    return page


async def test_failing_check_is_shown_and_goes_by_itself(own: Site, open_page: Open) -> None:
    page, phone = await home(own, open_page, 1440), await home(own, open_page, 320)
    live = page.locator(".sidebar [data-live]")
    await expect(live).to_contain_text("Live")
    row = forget_migration(own)
    async with httpx.AsyncClient(base_url=own.url) as client:
        assert (await client.get("/readyz")).json()["checks"]["migrations"] == "1 pending"
    await expect(live).to_have_attribute("data-state", "degraded")
    await expect(live).to_contain_text("Degraded")
    await expect(page.locator(".sidebar .health")).to_have_text(REASON)
    await expect(page.locator("#status-region")).to_have_text(f"The server is degraded. {REASON}")
    await expect(phone.locator(".bar-live")).to_be_visible()
    await expect(phone.locator(".bar-live")).to_have_text(f"Degraded {REASON}", use_inner_text=True)
    assert await phone.evaluate("document.documentElement.scrollWidth") <= 320
    assert await found(page) == [] and await found(phone) == []
    await page.reload()
    await expect(live).to_contain_text("Degraded")
    remember_migration(own, row)
    for one in (page, phone):
        await expect(one.locator("[data-live]").first).to_have_attribute("data-state", "live")
        await expect(one.locator("[data-live-text]").first).to_have_text("Live")
        await expect(one.locator("[data-health]").first).to_have_text("")
    await expect(phone.locator(".bar-live")).to_be_hidden()
