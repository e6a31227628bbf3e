"""Deciding with keys, two people at once, and without JavaScript."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Open, Site

pytestmark = pytest.mark.browser


async def ask(site: Site, board: str, action: str, **fields: Any) -> str:
    wanted = {"action_type": action, "confidence": 80, "lead_reasoning": "It is ready.", **fields}
    return str((await site.make(f"/boards/{board}/approvals", **wanted))["id"])


async def decision(site: Site, board: str, approval: str) -> tuple[str | None, str | None]:
    answer = (await site.api.get(f"/api/v1/boards/{board}/approvals/{approval}")).json()
    return answer["decision"], answer["note"]


async def live(page: Page) -> None:
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")


async def test_keys_approve_and_send_back_and_focus_moves_on(site: Site, open_page: Open) -> None:
    board = await site.board(name="Keys")
    first, second, third = [await ask(site, board, name) for name in ("first", "second", "third")]
    page = await open_page(f"/boards/{board}/approvals")
    await live(page)
    await page.keyboard.press("j")
    await expect(page.locator(f"#approval-{first}")).to_be_focused()
    await page.keyboard.press("a")
    await expect(page.locator(f"#approval-{second}")).to_be_focused()
    await expect(page.locator(f"#approval-{first}")).to_have_attribute("data-state", "decided")
    await expect(page.locator("#toasts")).to_contain_text("First approved.")
    await page.keyboard.press("r")
    note = page.get_by_role("dialog").get_by_label("What should change")
    await expect(note).to_be_focused()
    await note.fill("Name the zone.")
    await page.keyboard.press("Escape")
    await expect(page.locator(f"#approval-{second}")).to_be_focused()
    await page.keyboard.press("r")
    await expect(note).to_have_value("Name the zone.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(f"#approval-{third}")).to_be_focused()
    await expect(page.locator(f"#approval-{second}")).to_contain_text("Name the zone.")
    assert await decision(site, board, first) == ("approved", None)
    assert await decision(site, board, second) == ("changes_requested", "Name the zone.")
    await page.keyboard.press("a")
    await expect(page.get_by_role("heading", name="Nothing needs you")).to_be_visible()
    await expect(page.locator(f"#approval-{third}")).to_contain_text("Ada approved")


async def test_focus_moves_on_when_the_stream_is_faster_than_the_answer(site: Site, open_page: Open) -> None:
    board = await site.board(name="Late answers")
    first, second = await ask(site, board, "first"), await ask(site, board, "second")
    page = await open_page(f"/boards/{board}/approvals")
    await live(page)

    async def late(route: Route) -> None:
        answer = await route.fetch()
        await expect(page.locator(f"#approval-{first}")).to_have_attribute("data-state", "decided")
        await route.fulfill(response=answer)

    await page.route("**/decisions", late)
    await page.locator(f"#approval-{first}").focus()
    await page.keyboard.press("a")
    await expect(page.locator(f"#approval-{second}")).to_be_focused()


async def test_rows_chosen_by_key_are_decided_together_whatever_arrives(site: Site, open_page: Open) -> None:
    board = await site.board(name="Many")
    first, second = await ask(site, board, "first"), await ask(site, board, "second")
    page = await open_page(f"/boards/{board}/approvals")
    await live(page)
    bar = page.get_by_role("form", name="Decide the selected")
    await expect(bar).to_be_hidden()
    for _ in range(2):
        await page.keyboard.press("j")
        await page.keyboard.press("x")
    await expect(bar).to_be_visible()
    third = await ask(site, board, "third")
    await expect(page.locator(f"#approval-{third}")).to_be_visible()
    for one in (first, second):
        await expect(page.locator(f"#approval-{one} input[name=need]")).to_be_checked()
    await bar.get_by_role("button", name="Decide the selected").click()
    listed = page.get_by_role("dialog", name="Decide together")
    await expect(listed.locator(".bulk-list > li")).to_have_count(2)
    await listed.get_by_role("button", name="Approve 2").click()
    await expect(page.locator("#toasts")).to_contain_text("Approved: 2.")
    await expect(listed).to_have_count(0)
    for one in (first, second):
        await expect(page.locator(f"#approval-{one}")).to_have_attribute("data-state", "decided")
        await expect(page.locator(f"#approval-{one} input[name=need]")).to_have_count(0)
    await expect(bar).to_be_hidden()
    assert await decision(site, board, third) == (None, None)
    await page.keyboard.press("z")
    await expect(page.locator(f"#approval-{first}")).to_have_attribute("data-pending", "")


async def test_undo_makes_the_approval_pending_again(site: Site, open_page: Open) -> None:
    board = await site.board(name="Undo")
    approval = await ask(site, board, "deploy")
    page = await open_page(f"/boards/{board}/approvals")
    await live(page)
    await page.keyboard.press("a")
    await expect(page.locator(f"#approval-{approval}")).to_have_attribute("data-state", "decided")
    await expect(page.locator("#toasts")).to_contain_text("Deploy approved.")  # the news may come before the answer
    await page.keyboard.press("z")
    await expect(page.locator(f"#approval-{approval}")).to_have_attribute("data-pending", "")
    assert await decision(site, board, approval) == (None, None)


async def test_two_people_decide_one_approval(site: Site, open_page: Open) -> None:
    board = await site.board(name="Two")
    approval = await ask(site, board, "deploy")
    slow, fast = await open_page(f"/boards/{board}/approvals"), await open_page(f"/boards/{board}/approvals")
    await live(slow)
    await live(fast)
    await slow.route("**/approvals/live*", lambda route: route.abort())
    await slow.evaluate("document.getElementById('live').remove()")  # this page gets no more events
    await fast.keyboard.press("a")
    await expect(fast.locator(f"#approval-{approval}")).to_have_attribute("data-state", "decided")
    await slow.get_by_role("button", name="Approve").click()
    row = slow.locator(f"#approval-{approval}")
    await expect(row).to_contain_text("Ada approved this")
    await expect(row).to_have_attribute("data-state", "decided")
    await expect(row.get_by_role("button", name="Approve")).to_have_count(0)


async def test_new_request_appears_with_title_and_favicon(site: Site, open_page: Open) -> None:
    board = await site.board(name="Appearing")
    page = await open_page(f"/boards/{board}/approvals")
    await live(page)
    await expect(page.get_by_role("heading", name="Nothing needs you")).to_be_visible()
    before = int((await page.locator(".sidebar [data-queue-count]").inner_text()) or 0)
    approval = await ask(site, board, "deploy")
    await expect(page.locator(f"#approval-{approval}")).to_be_visible()
    await expect(page.locator(".sidebar [data-queue-count]")).to_have_text(str(before + 1))
    await expect(page).to_have_title(re.compile(rf"^\({before + 1}\) "))
    await expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("alert"))


async def test_approvals_work_without_javascript(site: Site, open_page: Open) -> None:
    board = await site.board(name="Plain")
    first, second = await ask(site, board, "first"), await ask(site, board, "second")
    page = await open_page(f"/boards/{board}/approvals", java_script_enabled=False)
    await page.locator(f"#approval-{first}").get_by_role("button", name="Approve").click()
    await expect(page.locator(f"#decided-{first}")).to_be_visible()
    await page.locator(f"#approval-{second}").get_by_role("link", name="Request changes").click()
    await page.get_by_label("What should change").fill("Say why.")
    await page.get_by_role("button", name="Request changes").click()
    await expect(page.locator(f"#decided-{second}")).to_be_visible()
    assert await decision(site, board, first) == ("approved", None)
    assert await decision(site, board, second) == ("changes_requested", "Say why.")
    await page.locator(f"#decided-{first}").get_by_role("button", name="Re-open").click()
    await expect(page.locator(f"#decided-{first}")).to_have_count(0)
    assert await decision(site, board, first) == (None, None)


async def test_approval_page_shows_the_decision(site: Site, open_page: Open) -> None:
    board = await site.board(name="Alone")
    mine, theirs = await ask(site, board, "deploy"), await ask(site, board, "publish")
    page = await open_page(f"/boards/{board}/approvals/{mine}")
    await live(page)
    await page.keyboard.press("a")
    await expect(page.locator(f"#approval-{mine}")).to_contain_text("Ada approved")
    await expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    await expect(page.get_by_role("heading", name="What was asked")).to_be_visible()
    await page.goto(f"{site.url}/boards/{board}/approvals/{theirs}")
    await live(page)
    await site.api.patch(f"/api/v1/boards/{board}/approvals/{theirs}", json={"decision": "rejected"})
    await expect(page.locator(f"#approval-{theirs}")).to_contain_text("Ada rejected")
