"""A window that is left, notifications, a new version, the page without a server, and paper."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Open, Site, becomes_true
from tests.browser.test_things import imported

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

LEAVE = """
globalThis.answers = 0;
document.addEventListener("htmx:after:swap", (event) => { answers += event.target.closest?.("#away") ? 1 : 0; });
Object.defineProperty(document, "hasFocus", { value: () => false });
dispatchEvent(new Event("blur"));
"""
SHOWN = """
globalThis.shown = [];
globalThis.Notification = class { static permission = 'granted'; constructor(title) { shown.push(title); } };
"""


async def live(page: Page) -> None:
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")


async def test_list_counts_live_and_is_read_by_keys(site: Site, open_page: Open) -> None:
    board = await site.board(name="Mentions")
    task = await site.task(board, "Look here")
    agent = await site.make("/agents", name="Vega", board_id=board)
    page = await open_page("/notifications")
    await live(page)
    headers = {"X-Agent-Token": agent["token"]}
    path = f"/api/v1/agent/boards/{board}/tasks/{task}/comments"
    answer = await site.api.post(path, json={"message": "@Ada, is this right?"}, headers=headers)
    assert answer.status_code == 200, answer.text
    await expect(page.locator("#notifications")).to_contain_text("Vega mentioned you on #1 Look here")
    await expect(page.locator(".sidebar [data-unread-count]")).to_have_text("1")
    await page.keyboard.press("j")
    await page.keyboard.press("e")
    await expect(page.get_by_role("heading", name="You have read everything")).to_be_visible()
    await expect(page.locator(".sidebar [data-unread-count]")).to_have_text("")


async def test_left_window_counts_and_notifies_by_choice(site: Site, open_page: Open) -> None:
    board = await site.board(name="Away")
    agent = await site.make("/agents", name="Rigel", board_id=board)
    page = await open_page("/settings/notifications")
    await page.add_init_script(SHOWN)
    await page.reload()
    await page.get_by_role("button", name="Notify me").click()
    await expect(page.locator("[data-notify-state]")).to_contain_text("On:")
    await page.evaluate(LEAVE)
    await becomes_true(page, "answers === 1")  # what comes from now on is new
    task = await site.task(board, "Far away")
    path = f"/api/v1/agent/boards/{board}/tasks/{task}/comments"
    await site.api.post(path, json={"message": "@Ada, come back"}, headers={"X-Agent-Token": agent["token"]})
    await page.evaluate("document.getElementById('away').dispatchEvent(new CustomEvent('look'))")
    # Things of other tests may begin to wait in the same moment, which is said besides.
    await becomes_true(page, "shown.includes('Rigel mentioned you on #1 Far away')")
    await page.get_by_role("button", name="Stop notifying me").click()
    await expect(page.locator("[data-notify-state]")).to_contain_text("Not on")


@pytest.mark.parametrize("is_device", [False, True], ids=["no device", "device"])
async def test_left_window_of_a_device_leaves_what_waits_to_pushes(
    site: Site, open_page: Open, is_device: bool
) -> None:
    page = await open_page("/settings/notifications")
    await page.add_init_script(SHOWN)
    await page.reload()
    await page.get_by_role("button", name="Notify me").click()
    if is_device:
        await page.evaluate("localStorage.setItem('push', 'key endpoint')")
    await page.evaluate(LEAVE)
    await becomes_true(page, "answers === 1")
    board = await site.board(name=f"Waits {is_device}")
    await site.make(f"/boards/{board}/approvals", action_type="deploy", confidence=80, lead_reasoning="It is ready.")
    await page.evaluate("document.getElementById('away').dispatchEvent(new CustomEvent('look'))")
    await becomes_true(page, "answers === 2")
    assert await page.evaluate("shown.some((title) => /waits? for you/.test(title))") is not is_device


async def test_left_window_hears_once_that_long_work_ended(site: Site, open_page: Open) -> None:
    page = await open_page("/settings/notifications")
    await page.add_init_script(SHOWN)
    await page.reload()
    await page.get_by_role("button", name="Notify me").click()
    await page.evaluate(LEAVE)
    await becomes_true(page, "answers === 1")
    await imported(site, "Jetty")
    ended = "[...document.querySelectorAll('#ended-work template')].map((one) => one.content.textContent)"
    await becomes_true(page, f"{ended}.some((text) => text.includes('Jetty'))")
    for number in (2, 3):
        await page.evaluate("document.getElementById('away').dispatchEvent(new CustomEvent('look'))")
        await becomes_true(page, f"answers >= {number}")
    assert await page.evaluate("shown.filter((title) => title === 'Import Jetty: done').length") == 1
    await page.evaluate("document.hasFocus = () => true; dispatchEvent(new Event('focus'))")
    await expect(page.locator("#toasts")).to_be_hidden()


async def test_another_build_offers_to_reload(site: Site, open_page: Open) -> None:
    page = await open_page("/settings")
    await live(page)
    await expect(page.locator("#new-version")).not_to_be_visible()
    await page.evaluate("htmx.trigger(document.getElementById('live'), 'build', { data: 'abc123' })")
    await expect(page.locator("#new-version")).to_be_visible()
    await page.get_by_role("button", name="Reload the page").click()
    await expect(page.locator("#new-version")).not_to_be_visible()


async def test_page_without_a_server_says_so(site: Site, chromium: Browser) -> None:
    context = await chromium.new_context()  # not watched: the browser itself complains of being offline
    await context.add_cookies([{"name": "mission_control", "value": site.cookie, "url": site.url}])
    page = await context.new_page()
    await page.goto(f"{site.url}/settings")
    await page.evaluate("navigator.serviceWorker.ready")
    await live(page)
    kept = "caches.keys().then((names) => caches.open(names[0])).then((one) => one.keys()).then((all) => all.length)"
    await becomes_true(page, f"{kept}.then((n) => n === 5)")
    await page.reload()
    await live(page)
    await context.set_offline(True)
    await page.goto(f"{site.url}/boards")
    await expect(page.get_by_role("heading", name="Mission Control cannot be reached")).to_be_visible()
    await context.set_offline(False)  # it comes back by itself
    await expect(page.get_by_role("heading", name="Boards").first).to_be_visible()
    await context.close()


async def test_page_prints_without_its_frame(site: Site, open_page: Open) -> None:
    board = await site.board(name="Paper")
    for number in range(40):
        await site.task(board, f"Sheet {number}")
    page = await open_page(f"/boards/{board}")
    await page.emulate_media(media="print")
    await expect(page.locator(".sidebar")).not_to_be_visible()
    assert await page.evaluate("document.documentElement.scrollHeight > 2000"), "all of it, not one screen"
