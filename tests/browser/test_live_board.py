"""An open board follows what agents and other people do, card by card, and keeps what somebody does on it."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, Request, expect

from tests.browser.conftest import Open, Site, becomes_true
from tests.browser.test_board import live

pytestmark = pytest.mark.browser


async def patch(site: Site, board: str, task: str, **fields: Any) -> None:
    answer = await site.api.patch(f"/api/v1/boards/{board}/tasks/{task}", json=fields)
    assert answer.status_code == 200, answer.text


def streams_of(page: Page) -> Callable[[], str]:
    """Note the streams that a page opens; returns how to ask for the address of the newest."""
    opened: list[str] = []

    def note(request: Request) -> None:
        if "/live?" in request.url:
            opened.append(request.url)

    page.on("request", note)
    return lambda: opened[-1]


async def titles(page: Page, status: str) -> list[str]:
    return await page.locator(f"#list-{status} .card-title").all_inner_texts()


async def after_news(page: Page, change: Awaitable[httpx.Response]) -> None:
    """Make a change, and wait until the page has applied what it is told of it."""
    heard = await page.evaluate("window.heard")
    (await change).raise_for_status()
    await becomes_true(page, "(heard) => window.heard > heard", arg=heard)


async def test_card_stays_in_its_column_through_signs_of_life_of_its_agent(site: Site, open_page: Open) -> None:
    board = await site.board()
    made = await site.make("/agents", board_id=board, name="Vega")
    task = await site.task(board, "Paint the hull")
    pages = [await open_page(f"/boards/{board}") for _ in range(2)]
    for page in pages:
        await live(page)
        await page.evaluate(
            "window.heard = 0; document.addEventListener('htmx:sse:after:message', () => { window.heard += 1; })"
        )
    path, mine = f"/api/v1/agent/boards/{board}", pages[0]
    async with httpx.AsyncClient(base_url=site.url, headers={"X-Agent-Token": made["token"]}, timeout=60) as vega:
        await after_news(mine, vega.post("/api/v1/agent/heartbeat", json={"name": "Vega"}))
        claimed = (await vega.post(f"{path}/claims", json={})).raise_for_status().json()
        for page in pages:
            await expect(page.locator(f"#list-in_progress #task-{task}")).to_be_visible()
        for _ in range(2):
            lease = vega.post(f"{path}/tasks/{task}/lease", json={"fence": claimed["lease"]["fence"]})
            await after_news(mine, lease)
            await after_news(mine, vega.post("/api/v1/agent/heartbeat", json={"name": "Vega"}))
            assert await mine.locator(f"#list-in_progress #task-{task}").count() == 1
            assert await mine.locator("#list-inbox .card").count() == 0
    await expect(pages[1].locator(f"#list-in_progress #task-{task}")).to_be_visible()


async def test_moved_card_keeps_its_node_and_the_focus(site: Site, open_page: Open) -> None:
    board = await site.board()
    ids = [await site.task(board, f"Plank {number}") for number in range(4)]
    page = await open_page(f"/boards/{board}")
    await live(page)
    card = page.locator(f"#task-{ids[1]}")
    await card.evaluate("(node) => { node.isTheSame = true; }")
    await card.locator("[data-nav-item]").focus()
    await patch(site, board, ids[1], status="review", title="Plank of oak")
    await expect(page.locator(f"#list-review #task-{ids[1]}")).to_contain_text("Plank of oak")
    assert await card.evaluate("(node) => node.isTheSame")
    await expect(card.locator("[data-nav-item]")).to_be_focused()
    assert await titles(page, "inbox") == ["Plank 3", "Plank 2", "Plank 0"]
    await expect(page.locator("#count-inbox")).to_have_text("3")
    await expect(page.locator("#count-review")).to_have_text("1")


async def test_card_moved_without_movebefore_keeps_focus_and_scroll(site: Site, open_page: Open) -> None:
    board = await site.board()
    ids = [await site.task(board, f"Plank {number}") for number in range(30)]
    page = await open_page(f"/boards/{board}")
    await page.evaluate("delete Element.prototype.moveBefore")
    await live(page)
    await page.locator("#list-inbox").evaluate("(list) => { list.scrollTop = 300; }")
    link = page.locator(f"#task-{ids[15]} [data-nav-item]")
    await link.evaluate("(node) => node.focus({ preventScroll: true })")
    await patch(site, board, ids[15], status="review")
    await expect(page.locator(f"#list-review #task-{ids[15]}")).to_be_attached()
    await expect(link).to_be_focused()
    assert await page.locator("#list-inbox").evaluate("(list) => list.scrollTop") > 0


async def test_cards_enter_and_leave_a_filtered_board(site: Site, open_page: Open) -> None:
    board = await site.board()
    first, second = await site.task(board, "Red buoy"), await site.task(board, "Green buoy")
    page = await open_page(f"/boards/{board}?q=red")
    await live(page)
    await expect(page.locator(".card")).to_have_count(1)
    await patch(site, board, second, title="Red buoy too")
    await expect(page.locator(f"#task-{second}")).to_contain_text("Red buoy too")
    await patch(site, board, first, title="Blue buoy")
    await expect(page.locator(f"#task-{first}")).to_have_count(0)
    await expect(page.locator("#count-inbox")).to_have_text("1")
    await patch(site, board, second, title="Blue buoy too")
    await expect(page.locator("#board-note")).to_contain_text("No task matches")


async def test_next_card_comes_into_sight_when_one_leaves_a_long_column(site: Site, open_page: Open) -> None:
    board = await site.board()
    ids = [await site.task(board, f"Plank {number}") for number in range(52)]
    page = await open_page(f"/boards/{board}")
    await live(page)
    await expect(page.locator("#list-inbox .card")).to_have_count(50)
    await patch(site, board, ids[30], status="review")
    await expect(page.locator(f"#list-review #task-{ids[30]}")).to_be_attached()
    await expect(page.locator(f"#list-inbox #task-{ids[1]}")).to_be_attached()
    await expect(page.locator("#list-inbox .card")).to_have_count(50)
    await expect(page.locator("#more-inbox")).to_contain_text("Show all 51")
    await patch(site, board, ids[30], status="inbox")
    await expect(page.locator(f"#list-inbox #task-{ids[1]}")).to_have_count(0)
    assert (await titles(page, "inbox"))[0] == "Plank 30"
    answer = await site.api.delete(f"/api/v1/boards/{board}/tasks/{ids[0]}")
    assert answer.status_code == 200
    await expect(page.locator("#more-inbox")).to_contain_text("Show all 51")


async def test_only_the_open_panel_is_part_of_the_stream(site: Site, open_page: Open) -> None:
    board = await site.board()
    first, second = await site.task(board, "Grind"), await site.task(board, "Polish")
    page = await open_page("/boards")
    newest = streams_of(page)
    await page.goto(f"{site.url}/boards/{board}")
    await live(page)
    assert "panel=" not in newest()
    await page.locator(f"#task-{first} [data-nav-item]").click()
    await expect(page.locator("[data-panel-title]")).to_have_text("Grind")
    await patch(site, board, first, title="Grind the mirror", priority="critical")
    await expect(page.locator("[data-panel-title]")).to_have_text("Grind the mirror")
    assert newest().endswith(f"panel=task%3A{first}")
    await page.locator(f"#task-{second} [data-nav-item]").click()
    await expect(page.locator("[data-panel-title]")).to_have_text("Polish")
    await patch(site, board, second, status="review")
    await expect(page.locator(f"#status-{second}")).to_have_value("review")
    assert newest().endswith(f"panel=task%3A{second}")
    await page.keyboard.press("Escape")
    await expect(page.locator(".panel")).to_have_count(0)
    await patch(site, board, first, title="Grind it again")
    await expect(page.locator(f"#task-{first}")).to_contain_text("Grind it again")
    assert "panel=" not in newest()


async def test_link_lines_follow_the_tasks_that_they_name(site: Site, open_page: Open) -> None:
    board = await site.board()
    first = await site.task(board, "Grind")
    second = await site.task(board, "Polish", depends_on_task_ids=[first])
    page = await open_page(f"/boards/{board}/tasks/{second}")
    await live(page)
    await page.locator(".composer textarea").fill("half a comment")
    await patch(site, board, first, title="Grind the mirror")
    links = page.locator("[id$=-panel-facts]")
    await expect(links).to_contain_text("Grind the mirror")
    await patch(site, board, first, status="done")
    await expect(links).to_contain_text(", Done")
    await site.api.delete(f"/api/v1/boards/{board}/tasks/{first}")
    await expect(links).not_to_contain_text("Grind the mirror")
    await expect(page.locator(".composer textarea")).to_have_value("half a comment")


async def test_deleted_task_says_so_in_its_panel_and_comes_back(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Grind")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    await site.api.delete(f"/api/v1/boards/{board}/tasks/{task}")
    await expect(page.locator("[data-panel-title]")).to_have_text("This task was deleted")
    await expect(page.locator(f"#task-{task}")).to_have_count(0)
    await page.get_by_role("button", name="Restore").click()
    await expect(page.locator("[data-panel-title]")).to_have_text("Grind")
    await expect(page.locator(f"#list-inbox #task-{task}")).to_be_attached()


async def test_open_menu_of_a_card_stays_open_when_the_card_changes(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Mend the nets")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await page.get_by_role("button", name="Move #1").click()
    await patch(site, board, task, title="Mend all nets", priority="critical")
    await expect(page.locator(f"#task-{task} .card-title")).to_have_text("Mend all nets")
    await expect(page.locator("#card-menu")).to_be_visible()
    await page.locator("#card-menu").get_by_role("button", name="Done").click()
    await expect(page.locator(f"#list-done #task-{task}")).to_be_visible()


async def test_news_waits_while_a_card_is_dragged(site: Site, open_page: Open) -> None:
    board = await site.board()
    first, second = await site.task(board, "Lower card"), await site.task(board, "Upper card")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await becomes_true(page, "Boolean(document.querySelector('[data-sortable]').sortable && window.Sortable)")
    start, end = [await page.locator(at).bounding_box() for at in (f"#task-{first}", "#list-review")]
    assert start and end
    await page.mouse.move(start["x"] + 60, start["y"] + start["height"] - 8)
    await page.mouse.down()
    await page.mouse.move(start["x"] + 90, start["y"] + 40, steps=4)
    await page.mouse.move(end["x"] + 80, end["y"] + 30, steps=8)
    await patch(site, board, second, status="done")
    await page.wait_for_timeout(500)
    await expect(page.locator(f"#list-inbox #task-{second}")).to_be_attached()
    await page.mouse.up()
    await expect(page.locator(f"#list-review #task-{first}")).to_be_visible()
    await expect(page.locator(f"#list-done #task-{second}")).to_be_visible()
    await expect(page.locator("#count-inbox")).to_have_text("0")
    await expect(page.locator(".card")).to_have_count(2)
