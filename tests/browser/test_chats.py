"""From a fresh installation to the first message in Telegram and Slack, by what stands on the pages alone."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, Site, _context, served, set_up
from tests.channels.fake_slack import FakeSlack
from tests.channels.fake_telegram import FakeTelegram
from tests.channels.plays import until
from tests.channels.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
ADA = 77
# Tests speak to a provider on this machine: its address is the only value that no page asks for.
PROVIDER = """(url) => {
  const input = Object.assign(document.createElement('input'), {type: 'hidden', name: 'value_api', value: url});
  document.querySelector('form.form').append(input);
}"""


@asynccontextmanager
async def opened(folder: Path, chromium: Browser, width: int) -> AsyncIterator[tuple[Site, Page]]:
    """A fresh installation, and its owner's browser."""
    with served(folder, OUTBOUND_ALLOW_PRIVATE="true") as server:
        async with set_up(*server) as site:
            look = {"viewport": {"width": width, "height": 900}}
            context = await _context(chromium, site.cookie, site.url, look)
            yield site, await context.new_page()
            await context.close()


async def add_channel(page: Page, site: Site, name: str, api: str, tokens: dict[str, str]) -> None:
    await page.goto(f"{site.url}/settings/channels")
    await page.get_by_role("link", name=name).click()
    await expect(page.locator(".reach-steps li").first).to_be_visible()
    for label, token in tokens.items():
        await page.get_by_label(label).fill(token)
    await page.evaluate(PROVIDER, api)
    await page.get_by_role("button", name="Test and add it").click()
    await expect(page.locator(".row-title", has_text=name)).to_be_visible()


async def code_of(page: Page, site: Site, name: str) -> str:
    """Begin to link an account, and return what the page says to send."""
    await page.goto(f"{site.url}/settings/notifications")
    await page.get_by_role("button", name=name).click()
    line = page.locator("#code-line")
    await expect(line).to_contain_text("MC-")
    found = re.search(r"(/start )?MC-[\w-]+", await line.inner_text())
    assert found is not None
    return found[0]


async def confirm(page: Page, label: str) -> None:
    """Say that it was oneself, once the page asks by itself."""
    await expect(page.get_by_role("heading", name=re.compile(f"{label}.*Is this you"))).to_be_visible()
    await page.get_by_role("button", name="Yes, link it").click()
    await expect(page.locator(".reach-row", has_text=label)).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
async def test_account_of_telegram_is_linked(tmp_path: Path, chromium: Browser, width: int) -> None:
    fake = FakeTelegram()
    async with serving(fake.app) as url, opened(tmp_path, chromium, width) as (site, page):
        await add_channel(page, site, "Telegram", url, {"Bot token": fake.token})
        fake.say(ADA, await code_of(page, site, "Telegram"))
        await confirm(page, "@ada77")
        await page.locator(".reach-row", has_text="@ada77").get_by_role("button", name="Test").click()
        await until(lambda: [one for one in fake.messages.values() if "reaches you here" in one["text"]])


async def test_account_of_slack_is_linked(tmp_path: Path, chromium: Browser) -> None:
    fake = FakeSlack()
    async with serving(fake.app) as url, opened(tmp_path, chromium, 1280) as (site, page):
        tokens = {"Bot User OAuth Token": fake.bot_token, "App-level token": fake.app_token}
        await add_channel(page, site, "Slack", f"{url}/api", tokens)
        async with asyncio.timeout(PATIENCE):
            await fake.connected.wait()
        await fake.by_socket("events_api", FakeSlack.said("UADA", await code_of(page, site, "Slack")))
        await confirm(page, "Lovelace")
        await page.locator(".reach-row", has_text="Lovelace").get_by_role("button", name="Test").click()
        await until(lambda: [one for one in fake.messages.values() if "reaches you here" in str(one.get("blocks"))])
