"""Outgoing webhooks in a browser: made with the keyboard, tested with a key, read live; nothing for axe to find."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.looks import found
from tests.browser.test_beside import live

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
NOWHERE = "https://nobody.invalid/hooks"  # found by nobody, which the receiver's words say
NAMES = ("list", "settings", "new", "webhook", "edit", "delete", "secret")


async def test_webhook_is_made_and_tested_with_the_keyboard(site: Site, open_page: Open) -> None:
    board = await site.board(name="Weather station")
    page = await live(await open_page(f"/boards/{board}/outgoing-webhooks"))
    await page.keyboard.press("c")
    await page.get_by_label("What it is for").fill("Warehouse")
    await page.get_by_label("Address").fill(NOWHERE)
    await expect(page.get_by_role("group", name="Kinds of events")).to_be_hidden()
    await page.get_by_label("Events", exact=True).select_option("some")
    await page.get_by_role("checkbox", name="Tasks and comments").check()
    await page.get_by_label("What it is for").press("Enter")
    await expect(page.locator("#outgoing-secret")).to_contain_text("whsec_")
    await page.get_by_role("link", name="I have kept it").click()
    await expect(page.get_by_text("No messages yet")).to_be_visible()
    await live(page)
    await page.keyboard.press("t")
    row = page.locator("#outgoing-deliveries details").first
    await expect(row).to_contain_text("webhook.test")
    await expect(row).to_contain_text("The receiver could not be found.")
    await site.task(board, "Clean the rain gauge")
    await expect(page.locator("#outgoing-deliveries")).to_contain_text("task.created")
    await page.get_by_role("button", name="Pause it").click()
    await expect(page.get_by_text("Paused: nothing is sent.")).to_be_visible()
    await page.get_by_role("button", name="Resume from now on").click()
    await expect(page.get_by_role("button", name="Pause it")).to_be_visible()


@pytest.fixture(scope="session")
async def places(site: Site) -> dict[str, str]:
    """Pages with something on them."""
    board = await site.board(name="Weather mast")
    hook = await site.make("/outgoing-webhooks", description="Warehouse", url=NOWHERE, board_id=board, kinds=["task.*"])
    await site.make("/outgoing-webhooks", description="Lake", url=NOWHERE)
    one, listed = f"/outgoing-webhooks/{hook['id']}", f"/boards/{board}/outgoing-webhooks"
    await site.make(f"{one}/tests")
    return {
        "list": listed, "settings": "/settings/webhooks", "new": f"{listed}/new", "webhook": one,
        "edit": f"{one}/edit", "delete": f"{one}/delete", "secret": one,
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_axe_finds_nothing(places: dict[str, str], site: Site, walker: Page, name: str) -> None:
    await walker.goto(site.url + places[name])
    if name == "new":
        await walker.get_by_label("Events", exact=True).select_option("some")
    if name == "secret":
        await walker.get_by_role("button", name="Make a new secret").click()
        await expect(walker.locator("#outgoing-secret")).to_be_visible()
    if name == "webhook":
        await walker.get_by_text("Send everything again").click()
    assert await found(walker) == []
