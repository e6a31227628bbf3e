"""From a press on a phone to a notification, an answer and its end, in a real Chromium with its service worker."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace

import pytest
from playwright.async_api import Browser, Page, expect

from mission_control.channels.channel import Button, Message
from mission_control.channels.providers.push.provider import payload_of
from tests.browser.conftest import PATIENCE, Site, becomes_true, served, set_up
from tests.browser.pushing import phone_of
from tests.channels.push_service import PushService, push_service

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
NEED = Message("Approve: deploy to production", ("Payments, #4 Ship it",), url="/reach/01a2", key="01a2", badge=3)


@pytest.fixture(scope="module")
async def pushes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, PushService]]:
    """A fresh installation that may push to a service on the loopback."""
    async with push_service() as service:
        folder = tmp_path_factory.mktemp("pushes")
        with served(folder, PUSH_HOSTS=service.host, OUTBOUND_ALLOW_PRIVATE="true") as found:
            async with set_up(*found) as site:
                yield site, service


def asked_before(site: Site, approval: str) -> None:
    """Let an approval wait for a while already, so that nobody is waited for who might answer at once."""
    with closing(sqlite3.connect(site.database)) as database, database:
        database.execute("UPDATE approvals SET created_at = '2026-01-05T09:00:00' WHERE id = ?", [approval])


async def test_first_push_after_three_presses(pushes: tuple[Site, PushService], chromium: Browser) -> None:
    site, service = pushes
    async with phone_of(chromium, site.url, site.cookie, service, name="first") as phone:
        page = phone.page
        await page.goto(site.url)
        await page.get_by_role("link", name="Be notified on this device").tap()  # the first press
        await page.get_by_role("button", name="Add this device").tap()  # the second; the third allows it in the browser
        await expect(page.locator("[data-push-state]")).to_have_text("This browser is one of your devices.")
        await phone.deliver(await service.arrival("first-1"))
        [shown] = await phone.shows(1)
        assert shown["title"] == "Mission Control reaches you here"
        await page.goto(site.url)
        await phone.shows(0)  # what waits is in view
        await expect(
            page.get_by_text("Nothing needs you").or_(page.get_by_text("Create your first board"))
        ).to_be_visible()
        await expect(page.get_by_role("link", name="Be notified on this device")).to_be_hidden()


async def test_need_is_pushed_answered_there_and_withdrawn(pushes: tuple[Site, PushService], chromium: Browser) -> None:
    site, service = pushes
    async with phone_of(chromium, site.url, site.cookie, service, name="need") as phone:
        page = phone.page
        await page.goto(f"{site.url}/settings/notifications")
        await page.get_by_role("button", name="Add this device").tap()
        await service.arrival("need-1")
        board = await site.board(name="Payments", session_detail="all")
        asked = {"action_type": "deploy", "confidence": 80, "lead_reasoning": "The key is hunter2."}
        approval = (await site.make(f"/boards/{board}/approvals", **asked))["id"]
        asked_before(site, approval)
        sent = await service.arrival("need-1", 1)
        assert "hunter2" not in sent.text
        await phone.deliver(sent)
        [shown] = await phone.shows(1)
        assert (shown["title"], shown["body"]) == ("Approve: Deploy", "Payments")
        assert [one["title"] for one in shown["actions"]] == ["Approve", "Reject"]
        await phone.worker_has("badges.at(-1) === 1")
        await phone.page_has("badges.at(-1) === 1")
        await phone.click(shown["actions"][0]["action"])
        assert "Deploy" in (await phone.shows_one_without_answers())["title"]
        answer = (await site.api.get(f"/api/v1/boards/{board}/approvals/{approval}")).json()
        assert answer["decision"] == "approved"
        await phone.deliver(await service.arrival("need-1", 2))
        await phone.shows(0)
        await phone.worker_has("badges.at(-1) === 0")
        await phone.page_has("badges.at(-1) === 0")


async def test_worker_shows_withdraws_and_opens(pushes: tuple[Site, PushService], chromium: Browser) -> None:
    site, service = pushes
    async with phone_of(chromium, site.url, site.cookie, service) as phone:
        await phone.page.goto(f"{site.url}/settings/notifications")
        await phone.deliver(payload_of(NEED, "a").decode())
        await phone.deliver(payload_of(NEED, "a").decode())
        [shown] = await phone.shows(1)
        assert shown["silent"] is False and shown["body"] == "Payments, #4 Ship it"
        await phone.worker_has("badges.at(-1) === 3")
        await phone.click()
        await phone.worker_has("opened.at(-1) === '/reach/01a2'")
        assert await phone.shows(0) == []
        ended = replace(NEED, title="Approved by Ada", has_ended=True, badge=0)
        await phone.deliver(payload_of(NEED, "a").decode())
        await phone.shows(1)
        await phone.deliver(payload_of(ended, "a").decode())
        await phone.shows(0)
        await phone.worker_has("badges.at(-1) === 0")
        await phone.deliver("this is no JSON")
        assert (await phone.shows(1))[0]["title"] == "Mission Control"
        await phone.click()
        await phone.worker_has("opened.at(-1) === '/'")


async def test_click_brings_a_page_that_is_open(pushes: tuple[Site, PushService], chromium: Browser) -> None:
    site, service = pushes
    async with phone_of(chromium, site.url, site.cookie, service) as phone:
        await phone.page.goto(f"{site.url}/settings/notifications")
        there = replace(NEED, url="https://elsewhere.example/settings/notifications?shown=1")
        await phone.deliver(payload_of(there, "a").decode())
        await phone.shows(1)
        await phone.click()
        await phone.worker_has("opened.at(-1) === 'focus /settings/notifications'")
        await phone.page.goto(site.url)  # at Home nothing is lost by going on to a need
        await phone.deliver(payload_of(NEED, "a").decode())
        await phone.shows(1)
        await phone.click()
        await phone.worker_has("opened.at(-2) === 'focus /' && opened.at(-1) === 'go /reach/01a2'")


async def test_answer_that_is_not_taken_opens_its_page(pushes: tuple[Site, PushService], chromium: Browser) -> None:
    site, service = pushes
    async with phone_of(chromium, site.url, site.cookie, service) as phone:
        await phone.page.goto(f"{site.url}/settings/notifications")
        await phone.deliver(payload_of(replace(NEED, buttons=(Button("Approve", "nothing"),)), "a").decode())
        [shown] = await phone.shows(1)
        assert [(one["action"], one["title"]) for one in shown["actions"]] == [("nothing", "Approve")]
        await phone.click("nothing")
        await phone.worker_has("opened.at(-1) === '/reach/01a2'")


async def test_page_says_why_a_browser_cannot_be_a_device(pushes: tuple[Site, PushService], chromium: Browser) -> None:
    site, service = pushes
    async with phone_of(chromium, site.url, site.cookie, service) as phone:
        state = phone.page.locator("[data-push-state]")
        button = phone.page.get_by_role("button", name="Add this device")
        for words, trouble in (
            (
                "does not let this site notify you",
                "Object.defineProperty(Notification, 'permission', { value: 'denied' })",
            ),
            ("over https only", "Object.defineProperty(globalThis, 'isSecureContext', { value: false })"),
            ("takes no pushes", "delete globalThis.PushManager"),
        ):
            page = await phone.context.new_page()
            await page.add_init_script(trouble)
            await page.goto(f"{site.url}/settings/notifications")
            await expect(page.locator("[data-push-state]")).to_contain_text(words)
            await expect(page.get_by_role("button", name="Add this device")).to_be_hidden()
            await page.close()
        await phone.page.add_init_script(
            "PushManager.prototype.subscribe = async () => { throw new Error('no network'); }"
        )
        await phone.page.goto(f"{site.url}/settings/notifications")
        await button.tap()
        await expect(state).to_contain_text("In its own words: no network")
        await expect(button).to_be_visible()


async def test_device_is_found_again_after_another_subscription(
    pushes: tuple[Site, PushService], chromium: Browser
) -> None:
    site, service = pushes
    async with phone_of(chromium, site.url, site.cookie, service, name="again") as phone:
        page = phone.page
        await page.goto(f"{site.url}/settings/notifications")
        await page.get_by_role("button", name="Add this device").tap()
        await expect(page.locator("[data-push-state]")).to_have_text("This browser is one of your devices.")
        for lost in ("clear", "change"):
            before = await page.evaluate("localStorage.getItem('push')")
            await page.evaluate("localStorage.removeItem('subscription of the test')")
            if lost == "change":
                await page.evaluate(
                    "navigator.serviceWorker.ready.then((one) => one.pushManager.subscribe("
                    "{ applicationServerKey: new Uint8Array([1]) })).then(() => 1)"
                )
            await page.goto(f"{site.url}/boards")
            await becomes_true(page, "(before) => localStorage.getItem('push') !== before", before)
            async with asyncio.timeout(PATIENCE):
                while await state_of_device(site, page) != "on":
                    await asyncio.sleep(0.1)


async def test_list_of_devices_names_this_browser(pushes: tuple[Site, PushService], chromium: Browser) -> None:
    site, service = pushes
    async with phone_of(chromium, site.url, site.cookie, service, name="listed") as phone:
        page = phone.page
        await page.goto(f"{site.url}/settings/notifications")
        await page.get_by_role("button", name="Add this device").tap()
        row = page.locator("li:has([data-push-here]:not([hidden]))")
        for _ in range(2):  # also after the list changed
            await expect(row.get_by_text("This browser")).to_be_visible()
            await row.get_by_role("button", name="Test").tap()
        await service.arrival("listed-1", 2)
        await row.get_by_role("button", name="Remove").tap()
        await expect(page.get_by_role("button", name="Add this device")).to_be_visible()
        await expect(row).to_have_count(0)


async def state_of_device(site: Site, page: Page) -> str:
    """What the settings say of this browser, once they know."""
    await page.goto(f"{site.url}/settings/notifications")
    state = page.locator("[data-push-state]")
    await expect(state).not_to_have_attribute("data-push-state", "")
    return await state.get_attribute("data-push-state") or ""


async def test_browser_of_somebody_else_is_a_device_no_longer(
    pushes: tuple[Site, PushService], chromium: Browser
) -> None:
    """Their session ended by itself: whoever is signed in there now does not read what is meant for them."""
    site, service = pushes
    async with phone_of(chromium, site.url, site.cookie, service, name="lent") as phone:
        page = phone.page
        await page.goto(f"{site.url}/settings/notifications")
        await page.get_by_role("button", name="Add this device").tap()
        await expect(page.locator("[data-push-state]")).to_have_text("This browser is one of your devices.")
        await page.goto(f"{site.url}/boards")
        assert await page.evaluate("localStorage.getItem('subscription of the test') !== null")
        await page.evaluate(
            "localStorage.setItem('push', localStorage.getItem('push').replace(/ [^ ]+$/, ' somebody'))"
        )
        await page.goto(f"{site.url}/boards")
        await phone.page_has("!Object.keys(localStorage).some((one) => /push|subscription/.test(one))")


async def test_signing_out_ends_the_subscription(pushes: tuple[Site, PushService], chromium: Browser) -> None:
    site, service = pushes
    answer = await site.api.post("/sign-in", data={"email": "ada@example.org", "password": "a long enough password"})
    cookie = answer.cookies["mission_control"]
    async with phone_of(chromium, site.url, cookie, service, name="shared") as phone:
        page = phone.page
        await page.goto(f"{site.url}/settings/notifications")
        await page.get_by_role("button", name="Add this device").tap()
        await expect(page.locator("[data-push-state]")).to_have_text("This browser is one of your devices.")
        await page.get_by_role("button", name="More").tap()
        await page.get_by_role("button", name="Sign out").tap()
        await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert await page.evaluate("Object.keys(localStorage).filter((one) => /push|subscription/.test(one))") == []
