"""The page of one need: for a thumb, by keys, without JavaScript, with another person at it, on a line that is lost."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import CHROMIUM, FLAGS, PATIENCE, Open, Site, becomes_true
from tests.browser.looks import found
from tests.browser.test_home import ask, overdue, question
from tests.browser.test_permissions import asking

__all__ = ["asking"]
pytestmark = pytest.mark.browser
DIFF = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-old = 1\n+new = 2\n same"
MOST_BYTES, MOST_REQUESTS = 38_500, 4  # with the icon of the tab


def path_of(row: str) -> str:
    """The page of what has this row on Home."""
    _, kind, subject = row.split("-", 2)
    return f"/needs/{kind}:{subject}"


async def command_of(site: Site) -> str:
    """The id of what a program asks now."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for one in (await site.api.get("/api/v1/needs")).json()["items"]:
                if one["title"].startswith("Capella asks"):
                    return str(one["id"])
            await asyncio.sleep(0.05)


async def opened(open_page: Open, row: str, **options: Any) -> Page:
    page = await open_page(path_of(row), **options)
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    return page


async def test_every_look_of_the_page(site: Site, asking: tuple[str, Any], walker: Page) -> None:
    board = await site.board(name="Looks", slug="looks")
    task = await site.task(board, "Cache the pages", description="**All** of them.\n\n* one\n* two")
    payload = {"reason": "It is ready.", "diff": DIFF, "size": "2 MB"}
    first = await ask(site, board, "publish", task_ids=[task], payload=payload)
    command = await command_of(site)
    rows = [
        path_of(first),
        path_of(await question(site, board)),
        path_of(await overdue(site, board, "Letter")),
        f"/needs/{command}",
    ]
    for path in rows:
        await walker.goto(site.url + path)
        await expect(walker.locator("html")).to_have_attribute("data-connection", "live")
        for fold in await walker.locator("details").all():
            await fold.evaluate("(one) => { one.open = !one.classList.contains('one-later'); }")
        assert await found(walker) == [], path
    await expect(walker.locator("pre.need-exact")).to_contain_text("\\u202e&& echo done")
    await site.api.post(f"/api/v1{rows[0]}/answers", json={"answer": "approve"})
    for path in (rows[0], f"{rows[1]}?after={rows[0].removeprefix('/needs/')}&answer=approve"):
        await walker.goto(site.url + path)
        assert await found(walker) == [], path


async def test_keys_answer_and_the_next_need_follows(site: Site, open_page: Open) -> None:
    board = await site.board(name="Keys", slug="keys")
    rows = [await ask(site, board, action) for action in ("publish", "send_mail", "deploy")]
    page = await opened(open_page, rows[0])
    await page.keyboard.press("j")
    await expect(page).to_have_url(re.compile(re.escape(path_of(rows[1]))))
    await page.keyboard.press("k")
    await expect(page).to_have_url(re.compile(re.escape(path_of(rows[0]))))
    await page.keyboard.press("a")
    await expect(page.locator("#one-after")).to_contain_text("Approved.")
    await expect(page.locator("#one-after")).to_be_focused()
    await expect(page).to_have_url(re.compile(re.escape(path_of(rows[1]))))
    await expect(page).to_have_title(re.compile("Send mail"))
    await page.keyboard.press("r")
    note = page.get_by_label("What should change?")
    await expect(note).to_be_focused()
    await note.fill("Shorter.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#one-after")).to_contain_text("Requested changes.")
    await page.keyboard.press("z")
    await expect(page.get_by_role("heading", name="Send mail")).to_be_visible()
    read = (await site.api.get(f"/api/v1/boards/{board}/approvals")).json()["items"]
    assert sorted(one["status"] for one in read) == ["approved", "pending", "pending"]


async def test_without_javascript(site: Site, open_page: Open) -> None:
    board = await site.board(name="Plain", slug="plain")
    row = await ask(site, board, "publish")
    page = await open_page(path_of(row), java_script_enabled=False, width=390)
    await page.get_by_role("button", name="Request changes").click()
    await page.get_by_label("What should change?").fill("Shorter.")
    await page.get_by_role("button", name="Request changes").click()
    await expect(page.get_by_text("Requested changes.")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("button", name="Approve")).to_be_visible()
    await page.get_by_label("Snooze").click()
    await page.get_by_role("button", name="For 1 hour").click()
    await page.goto(site.url + path_of(row))
    await expect(page.get_by_role("button", name="Show now")).to_be_visible()


async def test_answers_lie_under_the_thumb(site: Site, asking: tuple[str, Any], open_page: Open) -> None:
    command = await command_of(site)
    row = f"need-{command.replace(':', '-')}"
    options = {"has_touch": True, "is_mobile": True, "viewport": {"width": 390, "height": 844}}
    page = await opened(open_page, row, **options)
    for name in ("Allow once", "Deny"):
        box = await page.locator("#one-form").get_by_role("button", name=re.compile(f"^{name} ")).bounding_box()
        assert box and box["height"] >= 60 and 844 / 2 < box["y"] < box["y"] + box["height"] < 844, name
    assert await page.locator("#one-form [data-kind=primary]").count() == 0, "it hides characters: a high risk"
    await page.get_by_role("button", name=re.compile("^Allow once ")).tap()
    await expect(page.locator("#one-after")).to_contain_text("Allowed once.")
    answer = await asking[1]
    assert answer.json()["hookSpecificOutput"]["decision"] == {"behavior": "allow"}


async def test_somebody_else_is_faster(site: Site, open_page: Open) -> None:
    board = await site.board(name="Two", slug="two")
    row = await ask(site, board, "publish")
    page = await opened(open_page, row)
    await site.api.post(f"/api/v1{path_of(row)}/answers", json={"answer": "approve"})
    await expect(page.locator("#one-title s")).to_contain_text("Publish")
    await expect(page.locator(".one-ended")).to_contain_text("Ada approved this")
    await expect(page.locator("#one-form")).to_have_count(0)


async def test_what_changes_under_the_eyes_is_looked_at_again(site: Site, open_page: Open) -> None:
    board = await site.board(name="Change", slug="change")
    task = await site.task(board, "Polish the mirror")
    row = await ask(site, board, "publish", task_ids=[task])
    page = await opened(open_page, row)
    await page.get_by_role("button", name="Request changes").click()
    note = page.locator("#one-note")
    await note.fill("Not so shiny.")
    await site.api.patch(f"/api/v1/boards/{board}/tasks/{task}", json={"title": "Polish both mirrors"})
    await expect(page.locator("#one-title")).to_contain_text("both mirrors")
    await expect(page.locator(".need-changed")).to_contain_text("Changed while you looked: title")
    await expect(note).to_have_value("Not so shiny.")
    await expect(page.locator("#one-form [data-kind=primary]")).to_contain_text("Request changes")
    await becomes_true(
        page, "document.querySelector('[name=substance]').value === document.querySelector('article').dataset.substance"
    )


async def test_lost_line_keeps_what_was_written(site: Site, chromium: Browser) -> None:
    board = await site.board(name="Lost", slug="lost")
    row = await ask(site, board, "publish")
    context = await chromium.new_context()  # not watched: the browser itself complains of being offline
    await context.add_cookies([{"name": "mission_control", "value": site.cookie, "url": site.url}])
    page = await context.new_page()
    await page.goto(site.url + path_of(row))
    await page.evaluate("navigator.serviceWorker.ready")
    await page.keyboard.press("n")
    await page.locator("#one-note").fill("Shorter.")
    await context.set_offline(True)
    await page.get_by_role("button", name="Request changes").click()
    await expect(page.locator("#alert-region")).to_contain_text("Not sent")
    await expect(page.locator("#one-note")).to_have_value("Shorter.")
    await context.set_offline(False)
    await expect(page.locator("#alert-region")).to_be_empty()
    await page.get_by_role("button", name="Request changes").click()
    await expect(page.locator("#one-after")).to_contain_text("Requested changes.")
    await context.set_offline(True)
    await page.goto(site.url + path_of(row))
    await expect(page.get_by_role("heading", name="Mission Control cannot be reached")).to_be_visible()
    await context.set_offline(False)
    await expect(page.locator(".one-ended")).to_be_visible(timeout=1000 * PATIENCE)
    await context.close()


async def test_page_is_small_and_drawn_by_its_first_answer(site: Site, open_page: Open) -> None:
    board = await site.board(name="Slow", slug="slow")
    row = await ask(site, board, "publish", payload={"reason": "It is ready.", "diff": DIFF})
    page = await open_page("/offline")
    await page.goto("about:blank")
    line = await page.context.new_cdp_session(page)
    await line.send("Network.enable")
    await line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: dict[str, float] = {}
    names: dict[str, str] = {}
    line.on("Network.requestWillBeSent", lambda one: names.update({one["requestId"]: one["request"]["url"]}))
    line.on("Network.loadingFinished", lambda one: sizes.update({one["requestId"]: one["encodedDataLength"]}))
    await page.goto(site.url + path_of(row))
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    sizes = {one: size for one, size in sizes.items() if not names[one].endswith(".woff2")}  # nothing waits for it
    assert len(sizes) <= MOST_REQUESTS and sum(sizes.values()) <= MOST_BYTES, [
        (names.get(one), size) for one, size in sizes.items()
    ]
    blocking = (
        "performance.getEntriesByType('resource').filter((one) => one.renderBlockingStatus === 'blocking').length"
    )
    assert await page.evaluate(blocking) == 0


async def test_chromium_would_install_it(site: Site, chromium: Browser, tmp_path: Path) -> None:
    context = await chromium.browser_type.launch_persistent_context(
        str(tmp_path), executable_path=CHROMIUM, args=FLAGS, timeout=1000 * PATIENCE
    )
    await context.add_cookies([{"name": "mission_control", "value": site.cookie, "url": site.url}])
    page = context.pages[0]
    await page.goto(f"{site.url}/notifications")
    line = await context.new_cdp_session(page)
    assert (await line.send("Page.getInstallabilityErrors"))["installabilityErrors"] == []
    await context.close()
