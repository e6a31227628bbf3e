"""How people are reached, in a browser: it saves by itself, is used with keys alone, and axe finds nothing."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.looks import found
from tests.channels.filled_pages import fill

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
PATH = "/settings/notifications"
NAMES = ("choices", "sent", "next", "address", "channels", "set up", "edit", "removal", "team")


@pytest.fixture(scope="session")
async def places(site: Site) -> dict[str, str]:
    """The pages, with something on each."""
    board = await site.board(name="Platform")
    fill(site.database)
    channels = (await site.api.get("/api/v1/organizations/me/channels")).json()["items"]
    one = next(one["id"] for one in channels if one["kind"] == "telegram")
    return {
        "choices": PATH, "sent": f"{PATH}/sent", "next": f"{PATH}/next", "address": f"{PATH}/addresses/ntfy",
        "channels": "/settings/channels", "set up": "/settings/channels/new/slack",
        "edit": f"/settings/channels/{one}/edit", "removal": f"/settings/channels/{one}/removal",
        "team": f"/boards/{board}/team",
    }  # fmt: skip


async def chosen(site: Site) -> Any:
    return (await site.api.get("/api/v1/users/me/reach")).json()


async def at(page: Page, site: Site) -> None:
    await page.goto(site.url + PATH)
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")


@pytest.mark.parametrize("name", NAMES)
async def test_axe_finds_nothing(places: dict[str, str], site: Site, walker: Page, name: str) -> None:
    await walker.goto(site.url + places[name])
    await expect(walker.get_by_role("heading", level=1)).to_be_visible()
    assert await found(walker) == []


async def test_choices_save_by_themselves_and_say_so(places: dict[str, str], site: Site, walker: Page) -> None:
    await at(walker, site)
    await walker.get_by_label("Only here on the page").check()
    await expect(walker.locator("[data-saved]")).to_have_text("Saved")
    assert (await chosen(site))["mode"] == "page"
    await walker.get_by_label("Saturday").check(force=True)
    await walker.get_by_label("to", exact=True).fill("07:15")
    await walker.get_by_label("to", exact=True).blur()
    await expect(walker.locator("[data-saved]")).to_have_text("Saved")
    await walker.reload()
    await expect(walker.get_by_label("to", exact=True)).to_have_value("07:15")
    await expect(walker.get_by_label("Saturday")).to_be_checked()
    await expect(walker.get_by_label("Only here on the page")).to_be_checked()
    await walker.get_by_label("On my devices").check()
    await expect(walker.locator("[data-saved]")).to_have_text("Saved")


async def test_refusal_is_said_and_loses_nothing(places: dict[str, str], site: Site, walker: Page) -> None:
    await at(walker, site)
    before = await chosen(site)
    await walker.get_by_label("from", exact=True).fill("07:15")
    await walker.get_by_label("to", exact=True).fill("07:15")
    await walker.get_by_label("to", exact=True).blur()
    said = walker.locator("#quiet-hours > .refusal")
    await expect(said).to_have_text(re.compile("^Quiet to: The quiet hours begin and end at the same time;"))
    await expect(walker.get_by_label("from", exact=True)).to_have_value("07:15")
    assert (await chosen(site))["quiet_to"] != (await chosen(site))["quiet_from"]
    assert (await chosen(site))["mode"] == before["mode"]
    await walker.get_by_label("from", exact=True).fill("22:00")
    await walker.get_by_label("from", exact=True).blur()
    await expect(walker.locator("[data-saved]")).to_have_text("Saved")


async def test_board_that_differs_is_added_with_keys_alone(places: dict[str, str], site: Site, walker: Page) -> None:
    await at(walker, site)
    await walker.get_by_label("Another board").focus()
    await walker.keyboard.type("Platform")
    await walker.keyboard.press("Tab")
    await walker.keyboard.press("Tab")
    await walker.keyboard.press("Enter")
    about = walker.get_by_label("About Platform")
    await expect(about).to_have_value(re.compile(":digest$"))
    await about.select_option(label="as usual")
    await expect(walker.locator("[data-saved]")).to_have_text("Saved")
    assert (await chosen(site))["boards"] == []


async def test_choice_elsewhere_comes_to_an_open_page(places: dict[str, str], site: Site, walker: Page) -> None:
    await at(walker, site)
    await walker.get_by_label("Monday").check(force=True)
    await expect(walker.locator("[data-saved]")).to_have_text("Saved")
    changed = {**await chosen(site), "mode": "page", "days_off": [2], "quiet_to": "06:45"}
    changed.pop("zone")
    (await site.api.put("/api/v1/users/me/reach", json=changed)).raise_for_status()
    await expect(walker.get_by_label("Only here on the page")).to_be_checked()
    await expect(walker.get_by_label("Monday")).not_to_be_checked()
    await expect(walker.get_by_label("Wednesday")).to_be_checked()
    await expect(walker.get_by_label("to", exact=True)).to_have_value("06:45")
    await walker.get_by_label("On my devices").check()
    await expect(walker.locator("[data-saved]")).to_have_text("Saved")
    assert ((await chosen(site))["mode"], (await chosen(site))["days_off"]) == ("devices", [2])


async def test_order_changes_with_keys_and_the_row_follows(places: dict[str, str], site: Site, walker: Page) -> None:
    await at(walker, site)
    rows = walker.locator("#reach-devices ol > li .row-title")
    await expect(rows.nth(0)).to_contain_text("Safari on iPhone")
    await walker.get_by_role("button", name="Move Firefox on Linux up").focus()
    await walker.keyboard.press("Enter")
    await expect(rows.nth(0)).to_contain_text("Firefox on Linux")
    await walker.get_by_role("button", name="Move Safari on iPhone up").press("Enter")
    await expect(rows.nth(0)).to_contain_text("Safari on iPhone")


async def test_removed_device_goes_from_the_open_page(places: dict[str, str], site: Site, walker: Page) -> None:
    await at(walker, site)
    row = walker.get_by_role("listitem").filter(has_text="Telegram, ada")
    await row.get_by_role("button", name="Remove").click()
    await expect(row).to_have_count(0)


async def test_code_page_offers_the_line_and_the_link(places: dict[str, str], site: Site, walker: Page) -> None:
    await at(walker, site)
    await walker.get_by_role("button", name="Link an account of Telegram").click()
    await expect(walker.locator("#code-line")).to_contain_text("/start MC-")
    link = walker.get_by_role("link", name="Open the bot")
    line = await walker.locator("#code-line").inner_text()
    await expect(link).to_have_attribute("href", f"https://t.me/harbour_bot?start={line.split()[-1]}")
    await expect(walker.get_by_text("Nobody sent it yet.")).to_be_visible()
    assert await found(walker) == []


async def test_everything_is_saved_without_javascript(places: dict[str, str], site: Site, open_page: Open) -> None:
    page = await open_page(PATH, java_script_enabled=False)
    await page.get_by_label("Wake me for what ends before that").check()
    await page.get_by_label("Only “Something waits”").check(force=True)
    await page.get_by_role("button", name="Save all choices").click()
    await expect(page.locator("[data-saved]")).to_have_text("Saved")
    now = await chosen(site)
    assert (now["wake"], now["shows"]) == (True, "nothing")


async def test_long_name_of_a_channel_fits_a_phone(places: dict[str, str], site: Site, walker: Page) -> None:
    path = f"/api/v1/organizations/me/channels/{places['edit'].split('/')[3]}"
    (await site.api.patch(path, json={"name": "The one of the harbour " * 5})).raise_for_status()
    await walker.set_viewport_size({"width": 320, "height": 700})
    await at(walker, site)
    await expect(walker.get_by_role("button", name="Link an account of The one of the harbour")).to_be_visible()
    assert await walker.locator(".scroll").evaluate("(one) => one.scrollWidth <= one.clientWidth")
    (await site.api.patch(path, json={"name": "Telegram"})).raise_for_status()
