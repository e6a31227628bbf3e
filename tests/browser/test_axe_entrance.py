"""Nothing for axe to find where nobody is signed in yet: the first run and the one-time link."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.looks import found
from tests.browser.test_entrance import PASSWORD, fill, setup_code
from tests.live.servers import PATIENCE, installation

pytestmark = [pytest.mark.browser, pytest.mark.database, pytest.mark.thorough]


async def violations(chromium: Browser, url: str) -> list[str]:
    """What is wrong with a page in both themes, narrow and wide."""
    context = await chromium.new_context(reduced_motion="reduce", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(1000 * PATIENCE)
    page = await context.new_page()
    await page.goto(url)
    broken = await found(page)
    await context.close()
    return broken


async def test_axe_finds_nothing_on_setup_and_reset_pages(tmp_path: Path, chromium: Browser) -> None:
    async with installation(tmp_path) as place, place.served() as server:
        assert await violations(chromium, f"{server.url}/setup") == []
        context = await chromium.new_context(base_url=server.url)
        context.set_default_timeout(1000 * PATIENCE)
        page = await context.new_page()
        await page.goto("/setup")
        await fill(page, {"Setup code": setup_code(server), "Organization": "Harbour", "Your name": "Mara Reyes"})
        await fill(page, {"E-mail": "mara@example.org", "Password": PASSWORD})
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{server.url}/")
        printed = await place.command("user", "reset-password", "mara@example.org")
        address = re.search(r"/reset/mcr_[\w-]+", printed)
        await context.close()
        assert address is not None
        assert await violations(chromium, server.url + address[0]) == []
