"""From nothing to signed in: the first run in a real browser, with and without JavaScript."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Watched
from tests.live.servers import PATIENCE, Server, installation

pytestmark = [pytest.mark.browser, pytest.mark.database, pytest.mark.thorough]
PASSWORD = "a long enough password"


async def fill(page: Page, fields: dict[str, str]) -> None:
    for label, text in fields.items():
        await page.get_by_label(label, exact=True).fill(text)


def setup_code(server: Server) -> str:
    found = re.search(r"enter the code (\S+)", server.log.read_text())
    assert found
    return found[1]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_setup_sign_out_and_sign_in(tmp_path: Path, chromium: Browser, scripts: bool) -> None:
    async with installation(tmp_path) as place, place.served() as server:
        context = await chromium.new_context(base_url=server.url, java_script_enabled=scripts)
        context.set_default_timeout(1000 * PATIENCE)
        page = await context.new_page()
        watched = Watched()
        watched.listen(page)
        await page.goto("/approvals")
        await expect(page.get_by_role("heading", name="Set up Mission Control")).to_be_visible()
        await fill(page, {"Setup code": "WRONG", "Organization": "Harbour", "Your name": "Mara Reyes"})
        await fill(page, {"E-mail": "mara@example.org", "Password": PASSWORD})
        await page.get_by_role("button", name="Create the organization").click()
        await expect(page.get_by_label("Your name")).to_have_value("Mara Reyes")
        await expect(page.get_by_label("Password", exact=True)).to_have_value("")
        await fill(page, {"Setup code": setup_code(server).lower(), "Password": PASSWORD})
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{server.url}/")
        await page.goto("/settings")
        if scripts:
            await page.get_by_role("button", name="Harbour: account and appearance").click()
        else:
            await page.locator(".org").click()
        await page.locator("#account-menu").get_by_role("button", name="Sign out").click()
        await page.wait_for_url("**/sign-in")
        await page.goto("/settings#tokens")
        await fill(page, {"E-mail": "Mara@example.org", "Password": "wrong password"})
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("do not belong together")
        if scripts:
            await expect(page.get_by_role("alert")).to_be_focused()
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.keyboard.press("Enter")
        if not scripts:  # without them nobody knows the time zone
            await page.get_by_role("link", name="Not now").click()
        await page.wait_for_url("**/settings")
        assert watched.complaints == []
        await context.close()
