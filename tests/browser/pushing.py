"""A phone that takes pushes, in Chromium: it subscribes at a push service on the loopback, and gets what that read.

Chromium subscribes at its maker's service alone, which tests cannot have, so `subscribe` is replaced; everything else
is its own: the worker, the notifications, the debugging protocol that delivers a push.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Worker

from tests.browser.conftest import PATIENCE, becomes_true
from tests.channels.push_service import PushService, Received

SUBSCRIBES = """
(() => {
  const KEY = "subscription of the test";
  const made = (one) => one && {
    endpoint: one.endpoint,
    options: { applicationServerKey: null },
    toJSON: () => ({ endpoint: one.endpoint, keys: { p256dh: one.p256dh, auth: one.auth } }),
    unsubscribe: async () => { localStorage.removeItem(KEY); return true; },
  };
  PushManager.prototype.getSubscription = async () => made(JSON.parse(localStorage.getItem(KEY)));
  PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
    const key = btoa(String.fromCharCode(...new Uint8Array(applicationServerKey)));
    const one = await subscribeAt(key.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
    localStorage.setItem(KEY, JSON.stringify(one));
    return made(one);
  };
  globalThis.badges = [];
  navigator.setAppBadge = async (count) => { badges.push(count); };
  navigator.clearAppBadge = async () => { badges.push(0); };
})();
"""
WATCHED = """() => {
  self.badges = [];
  navigator.setAppBadge = async (count) => { badges.push(count); };
  navigator.clearAppBadge = async () => { badges.push(0); };
  self.came = 0;
  const show = ServiceWorkerRegistration.prototype.showNotification;
  // Chromium forgets a notification that is asked for between its writing and its showing.
  ServiceWorkerRegistration.prototype.showNotification = async function (...sent) {
    await show.apply(this, sent);
    came++;
  };
  self.opened = [];
  self.clients.openWindow = async (url) => { opened.push(url); };
  WindowClient.prototype.focus = async function () { opened.push("focus " + new URL(this.url).pathname); return this; };
  WindowClient.prototype.navigate = async function (url) { opened.push("go " + url); return this; };
}"""
SHOWN = """navigator.serviceWorker.ready.then((one) => one.getNotifications()).then((all) => all.map(
  ({ title, body, tag, silent, data, actions }) => ({ title, body, tag, silent, data, actions })))"""
TRIES = 4
CLICK = """async (action) => {
  const [notification] = await self.registration.getNotifications();
  const event = new NotificationEvent("notificationclick", { notification, action });
  Object.defineProperty(event, "waitUntil", { value: () => {} }); // Chromium keeps it for presses of its own
  self.dispatchEvent(event);
}"""


@dataclass
class Phone:
    """A browser of 390 pixels in which somebody is signed in."""

    context: BrowserContext
    page: Page
    url: str
    cdp: CDPSession
    registrations: list[dict[str, Any]] = field(default_factory=list)

    async def worker(self) -> Worker:
        """Return the service worker of the site, watched."""
        # A push before that reaches nobody.
        await self.page_has("navigator.serviceWorker.ready.then((one) => one.active?.state === 'activated')")
        async with asyncio.timeout(PATIENCE):
            while not self.context.service_workers or not self.registrations:
                await asyncio.sleep(0.05)
        for worker in self.context.service_workers:
            if not await worker.evaluate("'opened' in self"):
                await worker.evaluate(WATCHED)
        return self.context.service_workers[-1]

    async def came(self) -> int:
        """Return how many pushes have been shown, by whichever worker the browser gave them to."""
        await self.worker()
        return sum([await one.evaluate("came") for one in self.context.service_workers])

    async def deliver(self, payload: str | Received) -> None:
        """Give the worker a push, as the browser does after it decrypted it."""
        before = await self.came()
        about = {"origin": self.url, "registrationId": self.registrations[-1]["registrationId"]}
        text = payload if isinstance(payload, str) else payload.text
        for _ in range(TRIES):  # the protocol loses one now and then, which a push service would send again
            await self.cdp.send("ServiceWorker.deliverPushMessage", {**about, "data": text})
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE / TRIES):
                    while await self.came() == before:
                        await asyncio.sleep(0.05)
                    return
        raise AssertionError("no push reaches the worker")

    async def shown(self) -> list[dict[str, Any]]:
        """What stands on the lock screen."""
        found: list[dict[str, Any]] = await self.page.evaluate(SHOWN)
        return found

    async def shows(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many notifications stand there."""
        async with asyncio.timeout(PATIENCE):
            while len(found := await self.shown()) != count:
                await asyncio.sleep(0.05)
        return found

    async def shows_one_without_answers(self) -> dict[str, Any]:
        """Wait until the only notification offers nothing to press."""
        async with asyncio.timeout(PATIENCE):
            while len(found := await self.shown()) != 1 or found[0]["actions"]:
                await asyncio.sleep(0.05)
        return found[0]

    async def click(self, action: str = "") -> None:
        """Press a notification or one of its buttons."""
        await (await self.worker()).evaluate(CLICK, action)

    async def worker_has(self, expression: str) -> None:
        """Wait until this is true in the worker."""
        worker = await self.worker()
        async with asyncio.timeout(PATIENCE):
            while not await worker.evaluate(expression):
                await asyncio.sleep(0.05)

    async def page_has(self, expression: str) -> None:
        """Wait until this is true in the page."""
        await becomes_true(self.page, expression)


def _keep(phone: Phone, event: dict[str, Any]) -> None:
    phone.registrations.extend(one for one in event["registrations"] if not one["isDeleted"])


@asynccontextmanager
async def phone_of(
    chromium: Browser, url: str, cookie: str, service: PushService, *, allows: bool = True, name: str = "phone"
) -> AsyncIterator[Phone]:
    """Open a phone, whose browser lets the site notify when it is asked, or does not."""
    context = await chromium.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, reduced_motion="reduce"
    )
    context.set_default_timeout(1000 * PATIENCE)
    await context.add_cookies([{"name": "mission_control", "value": cookie, "url": url}])
    if allows:
        await context.grant_permissions(["notifications"], origin=url)
    count = 0

    def subscribe(key: str) -> dict[str, str]:
        nonlocal count
        count += 1
        return service.subscribe(f"{name}-{count}", key).subscription

    await context.expose_function("subscribeAt", subscribe)
    await context.add_init_script(SUBSCRIBES)
    # What somebody does on a page would hold back pushes for two minutes.
    await context.route("**/reach/looking", lambda route: route.fulfill(json={"is_reached": True}))
    page = await context.new_page()
    phone = Phone(context, page, url, await context.new_cdp_session(page))
    phone.cdp.on("ServiceWorker.workerRegistrationUpdated", lambda event: _keep(phone, event))
    await phone.cdp.send("ServiceWorker.enable")
    yield phone
    await context.close()
