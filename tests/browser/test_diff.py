"""Comments at the lines of a diff, in a browser: keys, what is kept while the page changes, a phone, no harm by axe."""

import hmac
import re
from typing import Any

import orjson
import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open, Site
from tests.browser.looks import found
from tests.browser.test_board import live
from tests.browser.test_steering import Agent, at_work
from tests.forges import REPOSITORY
from tests.runs.test_code_handed_in import CODE
from tests.webhooks.test_forge_webhooks import CODE as OF_FORGE
from tests.webhooks.test_forge_webhooks import OPENED, PUSHED, RUN

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def handed_in(site: Site, name: str) -> tuple[Agent, str]:
    """An agent that handed in code, and the address of its task."""
    agent, task = await at_work(site, name)
    await site.api.patch(f"/api/v1/boards/{agent.board}", json={"require_review_before_done": True})
    await agent.post(f"{task}/completions", fence=1, summary="It is kept longer.", code=CODE)
    return agent, task


async def test_comments_are_written_by_keys_kept_and_sent(site: Site, open_page: Open) -> None:
    agent, task = await handed_in(site, "Vega")
    page = await open_page(task)
    await live(page)
    lines = page.locator("form[data-diff] .diff-lines .diff-at")
    await lines.first.focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(lines.nth(2)).to_be_focused()
    await page.keyboard.press("Enter")
    field = page.get_by_role("textbox", name="Comment on line 12", exact=True)
    await expect(field).to_be_focused()
    await page.keyboard.type("Why 300")
    send = page.locator("[data-diff-send]")
    await expect(send).to_have_text("Request changes with 1 comment")
    assert await found(page) == []

    await site.api.patch(f"/api/v1{task}", json={"description": "Keep it longer."})  # the section is another one now
    await expect(page.locator(".need-changed")).to_contain_text("description")
    await expect(field).to_be_focused()
    await page.keyboard.type("?")
    await expect(field).to_have_value("Why 300?")
    await page.keyboard.press("Control+Enter")  # it is kept, and nothing is sent yet
    await expect(lines.nth(2)).to_be_focused()
    await expect(send).to_have_text("Request changes with 1 comment")
    await page.reload()
    await expect(field).to_have_value("Why 300?")

    await lines.first.click()
    await page.keyboard.press("Escape")  # nothing was written: it is gone again
    await expect(page.locator("form[data-diff] .line-comment")).to_have_count(1)
    await page.get_by_label("What should change").fill("Almost.")
    await live(page)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".toast", has_text="sent back")).to_be_visible()
    await expect(page.locator("form[data-diff]")).to_have_count(0)
    assert await page.evaluate("Object.keys(sessionStorage).filter((name) => name.startsWith('diff:')).length") == 0
    told = await agent.post("/next", wait_seconds=0)
    assert told["comments"][-1]["message"] == "Almost.\n\n`app.py:12`: Why 300?"


async def test_comment_at_a_line_that_is_gone_stays_to_be_read(site: Site, open_page: Open) -> None:
    agent, task = await handed_in(site, "Rigel")
    page = await open_page(task)
    await live(page)
    await page.get_by_role("button", name="Comment on line 13", exact=True).click()
    await page.keyboard.type("Too many.")
    await site.api.post(f"/api/v1{task}/reviews", json={"decision": "send_back", "note": "Fewer."})
    told = await agent.post("/next", wait_seconds=0)
    shorter = CODE["diff"].replace('+SIZE = "<b>10</b>"\n', "").replace("+11,3", "+11,2")
    code = CODE | {"diff": shorter, "head": "5e" * 20}
    await agent.post(f"{task}/completions", fence=told["lease"]["fence"], summary="Fewer.", code=code)
    await expect(page.locator("[data-line-rest]")).to_contain_text("app.py:13, as it was when you wrote")
    await expect(page.locator("[data-line-rest] textarea")).to_have_value("Too many.")


async def test_page_of_the_changes_fits_a_phone(site: Site, open_page: Open) -> None:
    _, task = await handed_in(site, "Nova")
    page = await open_page(f"{task}/diff", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    await page.get_by_role("button", name="Comment on line 12", exact=True).tap()
    await expect(page.get_by_role("textbox", name="Comment on line 12", exact=True)).to_be_focused()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert await found(page) == []


async def test_what_a_forge_tells_appears_while_one_looks(site: Site, open_page: Open) -> None:
    agent, task = await at_work(site, "Rigel")
    await site.api.patch(f"/api/v1/boards/{agent.board}", json={"require_review_before_done": True})
    await agent.post(f"{task}/completions", fence=1, summary="It is kept longer.", code=CODE | OF_FORGE)
    where = f"/boards/{agent.board}/webhooks"
    hook = await site.make(where, description="The code", forge="github", repository=REPOSITORY)

    async def call(payload: dict[str, Any]) -> None:
        body = orjson.dumps(payload)
        signature = hmac.new(hook["secret"].encode(), body, "sha256").hexdigest()
        sent = {"X-Hub-Signature-256": f"sha256={signature}", "Content-Type": "application/json"}
        (await site.api.post(f"/api/v1{where}/{hook['id']}", content=body, headers=sent)).raise_for_status()

    page, home = await open_page(task), await open_page("/")
    await live(page)
    await live(home)
    for payload in (OPENED, RUN):
        await call(payload)
    await expect(home.get_by_role("link", name="PR 2 open, checks failed")).to_be_visible()
    await expect(page.get_by_role("link", name="PR 2 open, checks failed")).to_be_visible()
    await call(PUSHED)
    await expect(page.get_by_text("Changed since the hand-in: ec26c3e → 5e5e5e5.")).to_be_visible()
    await expect(page.locator("form[data-diff] > .need-changed")).to_contain_text("code")
    assert await found(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    await page.goto(site.url + f"/boards/{agent.board}")
    await live(page)
    card = page.locator(".card", has_text="Changed since the hand-in")
    await card.get_by_role("button", name=re.compile("^Move")).click()
    async with page.expect_request("**/moves") as sent:
        await page.locator("#card-menu").get_by_role("button", name="Done").click()
    assert "substance=title" in ((await sent.value).post_data or "")
    await expect(card).to_have_count(0)  # it is in the folded column


async def test_key_of_approving_opens_code_before_it_approves(site: Site, open_page: Open) -> None:
    _, task = await handed_in(site, "Lyra")
    page = await open_page("/?all=1&view=roomy")
    await live(page)
    row = page.locator(".need", has_text="Lyra").last
    await row.focus()
    await page.keyboard.press("a")
    peek = page.locator("#panel [data-peek]")
    await expect(peek.locator("#changes .diff-path")).to_have_text("app.py")
    assert (await site.api.get(f"/api/v1{task}")).json()["status"] == "review"
    assert await found(page) == []
    await page.keyboard.press("a")
    await expect(page.locator("#toasts")).to_contain_text("Approved")
