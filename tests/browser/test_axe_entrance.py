"""Nothing for axe to find where nobody is signed in yet: the first run and the one-time link."""

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from tests.browser.test_entrance import PASSWORD, fill, setup_code
from tests.live.servers import PATIENCE, installation

pytestmark = [pytest.mark.browser, pytest.mark.database]
LOOKS: list[tuple[Any, int]] = [("light", 320), ("light", 1440), ("dark", 320), ("dark", 1440)]


async def violations(chromium: Browser, url: str) -> list[str]:
    """What axe finds on a page in both themes, narrow and wide, and whether it is too wide."""
    found = []
    for theme, width in LOOKS:
        context = await chromium.new_context(color_scheme=theme, viewport={"width": width, "height": 800})
        context.set_default_timeout(1000 * PATIENCE)
        page = await context.new_page()
        await page.goto(url)
        results: Any = await Axe().run(page)
        found += [f"{theme} {width} {one['id']}" for one in results.response["violations"]]
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{theme} {width} too wide")
        await context.close()
    return found


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
