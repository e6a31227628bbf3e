"""People in browsers: the first hour of two of them, the matrix by keyboard, a session ended elsewhere."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, SAME_ORIGIN, Open, Site
from tests.browser.looks import found
from tests.browser.test_agents import shell
from tests.browser.test_entrance import fill, setup_code
from tests.live.servers import installation

pytestmark = [pytest.mark.browser, pytest.mark.database, pytest.mark.thorough]
PASSWORD = "correct horse battery"
PAGES = [
    "/settings", "/settings/profile", "/settings/profile/deletion", "/settings/sign-in", "/settings/appearance",
    "/settings/organization", "/settings/organization/deletion", "/organizations/new", "/settings/people",
    "/settings/people/access", "/settings/people/invitations/new", "/settings/audit", "/settings/audit/accounts",
    "/welcome",
]  # fmt: skip


async def live(page: Page) -> None:
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")


async def invited(site: Site, email: str, **fields: Any) -> str:
    """The link of an invitation."""
    made = await site.make("/organizations/me/invites", invited_email=email, **fields)
    return f"{site.url}/invitations/{made['token']}"


async def run_line(page: Page, number: int, home: Path, token: str) -> None:
    """Run a command as the page shows it, and type the token where it is asked for."""
    await shell(await page.locator(f"#line-{number}").inner_text(), home, f"{token}\n")
    await expect(page.locator(f"#step-{number}")).to_have_text("Done")


async def colleague(chromium: Browser, link: str) -> Page:
    """Somebody on a phone who opens an invitation, and joins."""
    context = await chromium.new_context(timezone_id="Europe/Zurich", viewport={"width": 390, "height": 844})
    context.set_default_timeout(1000 * PATIENCE)
    fay = await context.new_page()
    await fay.goto(link)
    await expect(fay.get_by_text("You can change the board Fitting out.")).to_be_visible()
    await expect(fay.get_by_label("Your name")).to_be_focused()
    await fay.keyboard.type("Fay Brand")
    await fay.get_by_label("Password", exact=True).fill(PASSWORD)
    await fay.keyboard.press("Enter")
    return fay


async def test_first_hour_from_an_empty_database_to_a_colleague_who_decides(tmp_path: Path, chromium: Browser) -> None:
    async with installation(tmp_path) as place, place.served() as server:
        context = await chromium.new_context(base_url=server.url)
        context.set_default_timeout(1000 * PATIENCE)
        owner = await context.new_page()
        await owner.goto("/")
        await fill(owner, {"Setup code": setup_code(server), "Organization": "Harbour", "Your name": "Mara Reyes"})
        await fill(owner, {"E-mail": "mara@example.org", "Password": PASSWORD})
        await owner.get_by_role("button", name="Show password").click()
        await expect(owner.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
        await owner.get_by_role("button", name="Create the organization").click()
        await owner.get_by_label("Name of the board").fill("Fitting out")
        await owner.keyboard.press("Enter")
        await expect(owner.get_by_role("link", name="Invite somebody")).to_be_visible()
        await owner.locator(".first-steps").get_by_role("link", name="New task").click()
        await expect(owner.locator("#new-task-inbox")).to_be_focused()
        await owner.keyboard.type("Caulk the hull")
        await owner.keyboard.press("Enter")
        await owner.get_by_role("link", name="Connect an agent").click()
        await owner.get_by_role("link", name="With a token").click()
        await owner.get_by_label("Name", exact=True).fill("Skipper")
        await owner.keyboard.press("Enter")
        await expect(owner.get_by_role("heading", name="Skipper is ready")).to_be_visible()
        await live(owner)
        token = (await owner.locator("#token code").inner_text()).strip()
        for number in (1, 2, 3):
            await run_line(owner, number, tmp_path, token)
        await expect(owner.locator("#step-2")).to_have_text("Done")
        await owner.get_by_role("link", name="Decide on Home").click()
        await live(owner)
        await owner.keyboard.press("a")
        await expect(owner.get_by_role("heading", name="Nothing needs you")).to_be_visible()
        await expect(owner.get_by_role("note", name="Keys")).to_be_hidden()
        await owner.get_by_role("link", name="Invite a colleague").click()
        await owner.get_by_label("E-mail").fill("fay@example.org")
        await owner.get_by_role("button", name="Make the invitation").click()
        link = (await owner.locator("#invitation-link").inner_text()).strip()
        board = await owner.locator(".sidebar a[href^='/boards/']", has_text="Fitting out").get_attribute("href")
        asked = {"action_type": "boat.launch", "confidence": 80, "lead_reasoning": "The tide is right."}
        answer = await owner.request.post(f"/api/v1{board}/approvals", data=asked, headers=SAME_ORIGIN)
        assert answer.ok
        fay = await colleague(chromium, link)
        await fay.wait_for_url(f"{server.url}/")
        await live(fay)
        await fay.locator("#dock").get_by_role("button", name="Approve").click()
        await expect(fay.get_by_role("heading", name="Nothing needs you")).to_be_visible()
        await owner.goto("/settings/people")
        await expect(owner.locator("#people")).to_contain_text("Fay Brand")
        await fay.goto(f"{server.url}/settings/profile")
        await expect(fay.get_by_label("Time zone")).to_have_value("Europe/Zurich")
        await fay.context.close()
        await context.close()


async def test_access_is_set_by_keyboard(site: Site, open_page: Open, chromium: Browser) -> None:
    board = await site.board(name="A quay", slug="quay")  # the first by name
    link = await invited(site, "gus@example.org")
    context = await chromium.new_context()
    gus = await context.new_page()
    await gus.goto(link)
    await gus.get_by_label("Your name").fill("Gus Hale")
    await gus.get_by_label("Password", exact=True).fill(PASSWORD)
    await gus.keyboard.press("Enter")
    await gus.wait_for_url(re.compile("/(boards.*)?$"))
    page = await open_page("/settings/people/access")
    await live(page)
    await page.get_by_role("button", name="Gus Hale, A quay: None").focus()
    await page.keyboard.press("w")
    cell = page.get_by_role("button", name="Gus Hale, A quay: Change")
    await expect(cell).to_be_focused()
    await gus.goto(f"{site.url}/boards/{board}")
    await expect(gus.get_by_role("heading", name="A quay")).to_be_visible()
    await page.keyboard.press("n")
    await expect(page.get_by_role("button", name="Gus Hale, A quay: None")).to_be_focused()
    refused = await gus.goto(f"{site.url}/boards/{board}")
    assert refused is not None and refused.status == 404
    await page.keyboard.press("ArrowLeft")
    assert await page.evaluate("document.activeElement.closest('tr').textContent.includes('Gus Hale')")
    await context.close()


async def test_session_is_ended_from_another_browser(site: Site, open_page: Open, chromium: Browser) -> None:
    link = await invited(site, "ida@example.org", all_boards_read=True)
    first, second = await chromium.new_context(), await chromium.new_context(user_agent="Elsewhere/1.0")
    here, there = await first.new_page(), await second.new_page()
    await here.goto(link)
    await here.get_by_label("Your name").fill("Ida")
    await here.get_by_label("Password", exact=True).fill(PASSWORD)
    await here.keyboard.press("Enter")
    await here.wait_for_url(re.compile("/(boards.*)?$"))
    await there.goto(f"{site.url}/sign-in?next=/settings/audit")
    await there.get_by_label("E-mail").fill("ida@example.org")
    await there.get_by_label("Password", exact=True).fill(PASSWORD)
    await there.keyboard.press("Enter")
    await expect(there.get_by_role("heading", level=1)).to_contain_text("You may not do that")
    await there.goto(f"{site.url}/boards")
    await live(there)
    await here.goto(f"{site.url}/settings/sign-in")
    await here.get_by_role("button", name=re.compile("Sign out Elsewhere")).click()
    await expect(here.get_by_role("status").first).to_contain_text("The browser is signed out.")
    await expect(there.locator(".sidebar [data-live-text]")).to_have_text("Signed out")
    await first.close()
    await second.close()


async def test_axe_finds_nothing_in_settings(site: Site, walker: Page) -> None:
    await site.board(name="Berth", slug="berth")
    broken = {}
    for path in PAGES:
        await walker.goto(site.url + path)
        broken[path] = await found(walker)
    assert not any(broken.values()), broken
