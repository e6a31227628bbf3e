"""The thin bar at the top: what a person asked for takes longer than a moment."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Open, Site, Watched, becomes_true
from tests.browser.looks import found

pytestmark = pytest.mark.browser
# Go to a page that does not come, wait for the bar, stop, and wait until it is gone; what was seen both times. It is
# one script in the page, because Playwright waits until a page has come.
LEAVE = """async () => {
    const bar = document.getElementById("loader");
    const isShown = () => bar.matches(":popover-open");
    const state = () => [isShown(), document.getElementById("main").ariaBusy];
    const until = async (wanted) => { while (isShown() !== wanted) await new Promise((done) => setTimeout(done, 20)); };
    location.assign("/activity");
    await until(true);
    const during = state();
    stop();
    await until(false);
    return [during, state()];
}"""


async def hold(page: Page, pattern: str) -> Callable[[], Awaitable[None]]:
    """Keep requests to an address waiting until what this returns is called."""
    gate = asyncio.Event()

    async def wait(route: Route) -> None:
        await gate.wait()
        await route.fallback()

    await page.route(pattern, wait)

    async def let_go() -> None:
        gate.set()

    return let_go


async def test_slow_panel_and_form_show_a_bar_that_moves_nothing(site: Site, open_page: Open) -> None:
    board = await site.board(name="Slow")
    await site.task(board, "Paint the dome")
    page = await open_page(f"/boards/{board}")
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    bar, heading = page.locator("#loader"), page.locator("h1").first
    await expect(bar).to_be_hidden()
    before = await heading.bounding_box()
    let_go = await hold(page, "**/tasks/*")
    await page.locator(".card a").first.click()
    await expect(bar).to_be_visible()
    box = await bar.bounding_box()
    assert box is not None and (box["y"], box["height"]) == (0, 2) and await heading.bounding_box() == before
    await expect(page.locator("#panel")).to_have_attribute("aria-busy", "true")
    await expect(bar).to_have_attribute("aria-hidden", "true")
    assert await found(page) == []
    await let_go()
    await expect(page.locator("#panel .panel-title")).to_be_visible()
    await expect(bar).to_be_hidden()
    await expect(page.locator("#panel")).not_to_have_attribute("aria-busy", "true")
    let_go = await hold(page, "**/comments")
    await page.locator("#panel .composer textarea").fill("It is white.")
    await page.keyboard.press("Control+Enter")
    await expect(bar).to_be_visible()
    await let_go()
    await expect(page.locator("#panel").get_by_text("It is white.").first).to_be_visible()
    await expect(bar).to_be_hidden()


async def test_slow_page_shows_a_bar_and_one_that_never_comes_lets_go(
    site: Site, open_page: Open, watched: Watched
) -> None:
    watched.forgiven = "htmx:sse:error"  # what stops a page stops its stream
    page = await open_page("/boards")
    let_go = await hold(page, "**/activity")
    during, after = await page.evaluate(LEAVE)
    assert (during, after) == ([True, "true"], [False, None])
    await let_go()


async def test_what_a_page_asks_for_by_itself_shows_no_bar(site: Site, open_page: Open) -> None:
    page = await open_page("/boards")
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    let_go = await hold(page, "**/palette*")
    await page.evaluate(
        """() => { window.shown = 0; document.getElementById("loader")
            .addEventListener("toggle", (event) => { window.shown += event.newState === "open"; }); }"""
    )
    await page.keyboard.press("Control+k")
    await page.keyboard.type("act")
    await page.evaluate("htmx.trigger('#live', 'resync')")  # the page fetches itself
    waited = "(at) => performance.now() > at + 500"
    await becomes_true(page, waited, arg=await page.evaluate("performance.now()"))
    await let_go()
    assert await page.evaluate("window.shown") == 0
