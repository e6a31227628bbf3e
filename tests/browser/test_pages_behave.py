"""How pages behave under the hands: one scrollbar, focus that returns, refusals where they happened, calm queues."""

import re
from typing import Any

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site, becomes_true
from tests.browser.test_board import live

pytestmark = pytest.mark.browser

SCROLLBARS = "[document.documentElement.scrollHeight - innerHeight, document.documentElement.scrollWidth - innerWidth]"
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shifted += one.value; })
  .observe({ type: "layout-shift", buffered: true });
"""


async def can_drag(page: Page) -> None:
    """Wait until the library is there."""
    await becomes_true(page, "Boolean(document.querySelector('[data-sortable]').sortable && window.Sortable)")


@pytest.fixture(scope="module")
async def harbour(site: Site) -> dict[str, str]:
    """A board with much on it: tasks, an agent with runs, comments, approvals, decisions."""
    board = await site.board(name="Busy harbour")
    made = await site.make("/agents", board_id=board, name="Altair")
    headers = {"X-Agent-Token": made["token"]}
    async with httpx.AsyncClient(
        base_url=f"{site.url}/api/v1/agent/boards/{board}", headers=headers, timeout=60
    ) as agent:
        for number in range(14):
            task = await site.task(board, f"Plank {number}", description="Sand it.\n\n# A heading\n\n" + "Long. " * 200)
            claim = (await agent.post("/claims", json={"task_id": task})).json()
            await agent.post(f"/tasks/{task}/comments", json={"message": "Half done."})
            await agent.post(f"/tasks/{task}/completions", json={"fence": claim["lease"]["fence"], "summary": "Done."})
            asked = {"action_type": "plank.paint", "confidence": 80, "lead_reasoning": "Ready. " * 30, "task_id": task}
            await agent.post("/approvals", json=asked)
    return {"board": board, "agent": made["id"], "task": task}


@pytest.mark.parametrize("width", [1440, 390])
async def test_pages_have_one_scrollbar(site: Site, open_page: Open, harbour: dict[str, str], width: int) -> None:
    board, agent = f"/boards/{harbour['board']}", f"/agents/{harbour['agent']}"
    paths = [
        *(board + tail for tail in ("", f"/tasks/{harbour['task']}", "/approvals", "/activity", "/settings", "/trash")),
        *(agent + tail for tail in ("", "/inbox", "/runs", "/usage", "/tokens", "/soul", "/activity")),
        *("/boards", "/approvals", "/activity", "/agents", "/settings", "/palette?q=plank"),
        *(f"/settings/{name}" for name in ("profile", "sign-in", "appearance", "people", "budgets")),
    ]
    page = await open_page("/boards", width=width)
    for path in paths:
        await page.goto(site.url + path)
        assert await page.evaluate(SCROLLBARS) == [0, 0], path


async def test_stop_asks_first_and_lists_returned_tasks(site: Site, open_page: Open) -> None:
    board = await site.board(name="Mole")
    tokens = [(await site.make("/agents", board_id=board, name=name))["token"] for name in ("Bo", "Cy", "Di")]
    for token in tokens[:2]:
        task = await site.task(board, "Row")
        await site.api.patch(
            f"/api/v1/agent/boards/{board}/tasks/{task}",
            json={"status": "in_progress"},
            headers={"X-Agent-Token": token, "Cookie": ""},
        )
    page = await open_page(f"/boards/{board}")
    await live(page)
    menu = page.get_by_role("button", name="More about the board")
    await menu.focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Stop Mole").press("Enter")
    dialog = page.get_by_role("dialog", name="Stop 3 agents?")
    await expect(dialog).to_contain_text("#2 and #1 go back to the inbox.")
    await page.keyboard.press("Escape")
    await expect(menu).to_be_focused()
    await expect(page.locator("#list-in_progress .card")).to_have_count(2)
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Stop Mole").press("Enter")
    await dialog.get_by_label("Reason").fill("High tide")
    await dialog.get_by_role("button", name="Stop 3 agents").click()
    await expect(dialog).to_have_count(0)
    await expect(page.locator("#board-work")).to_contain_text("High tide")
    await expect(page.locator("#list-inbox .card")).to_have_count(2)
    await expect(page.locator("#toasts").get_by_role("button", name="Resume")).to_be_visible()


async def drags_at_once(page: Page, card: str, target: str) -> None:
    """Move, press, drag and let go without waiting for anything between."""
    start, end = await page.locator(card).bounding_box(), await page.locator(target).bounding_box()
    assert start and end
    await page.mouse.move(start["x"] + 60, start["y"] + start["height"] - 8)
    await page.mouse.down()
    await page.mouse.move(start["x"] + 90, start["y"] + 40, steps=4)
    await page.mouse.move(end["x"] + 80, end["y"] + 30, steps=12)
    await page.mouse.up()


async def test_the_first_drag_works(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await can_drag(page)
    await drags_at_once(page, f"#task-{task}", "#list-review")
    await expect(page.locator(f"#list-review #task-{task}")).to_be_visible()


async def test_first_long_press_on_a_phone_works(site: Site, open_page: Open) -> None:
    board = await site.board()
    lower, upper = await site.task(board, "Lower card"), await site.task(board, "Upper card")
    page = await open_page(f"/boards/{board}", width=390, has_touch=True, is_mobile=True)
    await live(page)
    await can_drag(page)
    assert await page.evaluate("getComputedStyle(document.documentElement).overscrollBehaviorX") == "none"
    start, end = (
        await page.locator(f"#task-{lower}").bounding_box(),
        await page.locator(f"#task-{upper}").bounding_box(),
    )
    assert start and end
    session = await page.context.new_cdp_session(page)
    x, y = start["x"] + 80, start["y"] + start["height"] - 10

    async def touch(kind: str, *points: dict[str, float]) -> None:
        await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    async with page.expect_response(lambda answer: answer.request.method == "POST"):
        await touch("touchStart", {"x": x, "y": y})
        await page.wait_for_timeout(400)
        for step in range(1, 13):
            await touch("touchMove", {"x": x, "y": y + (end["y"] + 10 - y) * step / 12})
            await page.wait_for_timeout(30)
        await touch("touchEnd")
    await expect(page.locator("#list-inbox .card-title").first).to_have_text("Lower card")


async def test_focus_follows_the_card_and_returns_from_a_field(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}")
    await live(page)
    card = page.locator(f"#task-{task} [data-nav-item]")
    await page.keyboard.press("j")
    await expect(card).to_be_focused()
    await page.keyboard.press("m")
    await expect(page.locator(".menu:popover-open .menu-item").first).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator(f"#list-in_progress #task-{task}")).to_be_visible()
    await expect(card).to_be_focused()
    await page.keyboard.press("c")
    await expect(page.locator("#new-task-inbox")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(card).to_be_focused()
    await page.goto(f"{site.url}/boards/{board}/tasks/{task}")
    await page.locator(".composer textarea").click()
    await page.keyboard.type("cj")
    await page.keyboard.press("Escape")
    await expect(page.locator("[data-panel-title]")).to_be_focused()


async def test_closing_a_task_returns_focus_to_its_card(site: Site, open_page: Open) -> None:
    board = await site.board()
    agent = await site.make("/agents", board_id=board, name="Vega")
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}")
    await live(page)
    card = page.locator(f"#task-{task} [data-nav-item]")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-panel-title]")).to_be_focused()
    claim, token = f"/api/v1/agent/boards/{board}/claims", {"X-Agent-Token": agent["token"], "Cookie": ""}
    assert (await site.api.post(claim, json={"task_id": task}, headers=token)).status_code == 200
    await expect(page.locator(".crew-item")).to_have_attribute("href", f"/boards/{board}/tasks/{task}")
    await expect(page.locator(f"#list-in_progress #task-{task}")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(card).to_be_focused()
    await page.locator(".crew-item").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-panel-title]")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator(".crew-item")).to_be_focused()
    await page.goto(f"{site.url}/boards/{board}/tasks/{task}")
    await live(page)
    await page.keyboard.press("Escape")
    await expect(card).to_be_focused()


async def test_queue_updates_do_not_shift_the_page(site: Site, open_page: Open) -> None:
    board = await site.board()
    made = await site.make("/agents", board_id=board, name="Deneb")
    headers = {"X-Agent-Token": made["token"], "Cookie": ""}

    async def ask() -> str:
        asked = {"action_type": "mast.raise", "confidence": 80, "lead_reasoning": "Ready. " * 60}
        answer = await site.api.post(f"/api/v1/agent/boards/{board}/approvals", json=asked, headers=headers)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return str(made["id"])

    first = await ask()
    await ask()
    page = await open_page("/boards")
    await page.add_init_script(SHIFTS)
    await page.goto(f"{site.url}/boards/{board}/approvals")
    await live(page)
    await page.evaluate("document.fonts.ready")
    await page.wait_for_timeout(300)
    await page.evaluate("window.shifted = 0")
    third = await ask()
    await expect(page.locator(f"#approval-{third}")).to_be_attached()
    await site.api.patch(f"/api/v1/boards/{board}/approvals/{first}", json={"status": "approved"})
    await expect(page.locator(f"#approval-{first}")).to_have_attribute("data-state", "decided")
    await page.wait_for_timeout(300)
    assert await page.evaluate("window.shifted") < 0.02


async def test_disconnected_page_keeps_its_contrast(site: Site, open_page: Open) -> None:
    board = await site.board()
    page = await open_page(f"/boards/{board}")
    await live(page)
    await page.evaluate("dispatchEvent(new Event('offline'))")
    await expect(page.locator("html")).to_have_attribute("data-connection", "offline")
    seen = "[...document.querySelectorAll('.page-header, .sidebar nav')].map((one) => getComputedStyle(one).opacity)"
    assert await page.evaluate(seen) == ["1", "1"]
    await page.evaluate("dispatchEvent(new Event('online'))")
    await live(page)


async def test_refusal_is_shown_where_it_happened(site: Site, open_page: Open) -> None:
    board = await site.board()
    first = await site.task(board, "Buy paint")
    task = await site.task(board, "Launch", depends_on_task_ids=[first])
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    await page.locator(f"#status-{task}").select_option("in_progress")
    await expect(page.locator(f"#fact-status-{task} .refusal")).to_contain_text("unfinished tasks")
    await expect(page.locator(f"#status-{task}")).to_have_value("inbox")
    await can_drag(page)
    await drags_at_once(page, f"#task-{task}", "#list-in_progress")
    await expect(page.locator(f"#list-inbox #task-{task} .refusal")).to_contain_text("unfinished tasks")
    await expect(page.locator(f"#fact-status-{task} .refusal")).to_have_count(0)
    await expect(page.locator("#toasts")).to_be_empty()


async def test_filter_offers_a_new_agent(site: Site, open_page: Open) -> None:
    board = await site.board()
    page = await open_page(f"/boards/{board}?assignee=none")
    await live(page)
    await site.make("/agents", board_id=board, name="Newcomer")
    await expect(page.locator('#query-options option[value="assignee:Newcomer"]')).to_have_attribute("label", "agent")
    await expect(page.locator("#query-tokens .token")).to_contain_text("assignee:none")


async def test_board_takes_few_requests(site: Site, open_page: Open) -> None:
    board = await site.board()
    await site.task(board, "Paint the hull")
    page, asked = await open_page("/settings"), []
    # Not those of the page before, nor the tab's icon: Chromium asks for it once or twice, when it likes.
    passed_over = re.compile("/settings|favicon")
    page.on("request", lambda one: None if passed_over.search(one.url) else asked.append(one.url))
    await page.goto(f"{site.url}/boards/{board}")
    await live(page)
    await can_drag(page)
    assert len(asked) <= 11, [one.rpartition("/")[2] for one in asked]


async def test_open_panel_leaves_room_for_the_board(site: Site, open_page: Open) -> None:
    board = await site.board(name="Platform")
    task = await site.task(board, "Paint the hull", description="Long. " * 300)
    page = await open_page(f"/boards/{board}/tasks/{task}", width=1024)
    await live(page)
    box = "(selector) => { const one = document.querySelector(selector).getBoundingClientRect(); return one; }"
    name, header = await page.evaluate(box, "#board-name"), await page.evaluate(box, ".board-header")
    assert await page.evaluate("(one => one.scrollWidth <= one.clientWidth)(document.querySelector('#board-name'))"), (
        name
    )
    assert header["height"] < 60
    panel, view = await page.evaluate(box, "#panel"), await page.evaluate(box, ".view")
    assert view["width"] > panel["width"] > 300
    await page.get_by_role("button", name="More about the board").click()
    await expect(page.locator("#board-menu").get_by_role("link", name="Settings")).to_be_visible()
    await page.keyboard.press("Escape")
    order = "[...document.querySelectorAll('.panel-body > *')].map((one) => one.id.split('-panel-')[1]).filter(Boolean)"
    first = ["work", "asks", "start", "waiting", "approvals", "code", "text"]
    assert (await page.evaluate(order))[: len(first)] == first
    assert await page.evaluate(
        "document.querySelector('.panel-body').firstElementChild.matches('.panel-top:has(.props)')"
    )


async def test_names_are_suggested_after_an_at_sign(site: Site, open_page: Open) -> None:
    board = await site.board()
    for name in ("Mara Reyes", "Marvin"):
        await site.make("/agents", board_id=board, name=name)
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    text, menu = page.locator(".composer textarea"), page.get_by_role("listbox", name="Whom to mention")
    await text.press_sequentially("Hello @mar")
    await expect(menu.get_by_role("option")).to_have_count(2)
    await page.keyboard.press("ArrowDown")
    await expect(menu.get_by_role("option", selected=True)).to_contain_text("Marvin")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(text).to_have_value("Hello @Mara Reyes ")
    await expect(menu).to_have_count(0)
    await text.press_sequentially("and @rey")
    await page.keyboard.press("Tab")
    await expect(text).to_have_value("Hello @Mara Reyes and @Mara Reyes ")
    await expect(text).to_be_focused()
    await text.press_sequentially("@m")
    await page.keyboard.press("Escape")
    await expect(menu).to_have_count(0)
    await expect(text).to_be_focused()
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".comment .mention")).to_have_text(["@Mara Reyes", "@Mara Reyes"])


async def test_key_sheet_is_grouped_and_starts_with_this_page(site: Site, open_page: Open) -> None:
    board = await site.board()
    await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await page.keyboard.press("?")
    titles = page.locator("#keys-sheet h3")
    await expect(titles).to_have_text(["On this page", "Go to", "Everywhere"])
    await expect(page.locator("#keys-sheet section").first).to_contain_text("New task")


async def test_accessible_names_contain_visible_labels(site: Site, open_page: Open, harbour: dict[str, str]) -> None:
    """Who speaks to the browser says what stands on a button; a printed key is no part of it."""
    board = f"/boards/{harbour['board']}"
    page = await open_page("/agents")
    rules = {"runOnly": {"type": "rule", "values": ["label-content-name-mismatch", "heading-order"]}}
    for path in (
        "/agents",
        f"/agents/{harbour['agent']}",
        board,
        f"{board}/tasks/{harbour['task']}",
        f"{board}/approvals",
    ):
        await page.goto(site.url + path)
        results: Any = await Axe().run(page, options=rules)
        assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in results.response["violations"]] == []


async def test_draft_that_comes_back_opens_no_menu(site: Site, open_page: Open) -> None:
    board = await site.board()
    await site.make("/agents", board_id=board, name="Marvin")
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    text = page.locator(".composer textarea")
    await text.press_sequentially("Hello @mar")
    await page.reload()
    await live(page)
    await expect(text).to_have_value("Hello @mar")
    await expect(page.get_by_role("listbox", name="Whom to mention")).to_have_count(0)
    assert await page.locator("h1:visible").count() == 1


async def test_tasks_that_are_added_one_after_the_other_stand_in_that_order(site: Site, open_page: Open) -> None:
    board = await site.board()
    await site.task(board, "Before")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await page.locator("#add-inbox > summary").click()
    field = page.get_by_role("combobox", name="New task in Inbox")
    for title in ("One", "Two #nothing", "Three due:next friday"):
        await field.fill(title)
        await field.press("Enter")
        await expect(page.locator("#list-inbox .card", has_text=title.split()[0])).to_have_count(1)
        await expect(field).to_have_value("")
    titles = page.locator("#list-inbox .card-title")
    await expect(titles).to_have_text(["One", "Two #nothing", "Three", "Before"])
    await expect(page.locator("#list-inbox .card", has_text="Three").locator(".due")).to_contain_text("Fri")


async def test_table_of_many_tasks_has_one_scrollbar(site: Site, open_page: Open) -> None:
    board = await site.board(name="Fleet")
    for number in range(40):
        await site.task(board, f"Paint plank {number}", due_at="2030-12-04T12:00:00Z")
    page = await open_page(f"/boards/{board}?view=table")
    await expect(page.locator(".grid tbody tr")).to_have_count(40)
    tall = """[...document.querySelectorAll("main, main *")].filter((one) => one.scrollHeight > one.clientHeight + 1
        && /auto|scroll/.test(getComputedStyle(one).overflowY)).map((one) => one.className)"""
    assert await page.evaluate(tall) == ["grid-wrap"]
    wide = "[...document.querySelectorAll('.grid-wrap')].map((one) => one.scrollWidth - one.clientWidth)"
    assert await page.evaluate(wide) == [0]


async def test_phone_shows_filters_and_the_account_log_whole(site: Site, open_page: Open) -> None:
    page = await open_page("/activity", width=390)
    cut = """[...document.querySelectorAll(".filters > *")].filter((one) =>
        one.checkVisibility() && one.getBoundingClientRect().right > innerWidth).length"""
    assert await page.evaluate(cut) == 0
    await page.goto(f"{site.url}/settings/audit/accounts")
    narrow = "Math.min(...[...document.querySelectorAll('.table tbody td:not(:empty)')].map((one) => one.offsetWidth))"
    assert await page.evaluate(narrow) > 300


async def test_zoomed_panel_leaves_room_for_its_task(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}/tasks/{task}", viewport={"width": 720, "height": 450})
    held = """[...document.querySelectorAll(".panel-foot, .bottom-bar")].filter((one) =>
        /sticky|fixed/.test(getComputedStyle(one).position) || one.matches(".bottom-bar"))
        .reduce((sum, one) => sum + one.offsetHeight, 0) / innerHeight"""
    assert await page.evaluate(held) < 0.2


async def test_invitation_begins_in_its_first_field(site: Site, open_page: Open) -> None:
    page = await open_page("/settings/people/invitations/new")
    await expect(page.get_by_label("E-mail")).to_be_focused()
