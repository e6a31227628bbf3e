"""Work on a board in a browser: quick add, several tasks at once, the table, saved views, while agents change it."""

import asyncio
from typing import Any

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.test_board import drag, live

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def numbers(page: Page, rows: str) -> list[str]:
    """The numbers of the cards or rows that a page shows, from the top."""
    shown = "(nodes) => nodes.map((one) => one.dataset.number)"
    found: list[str] = await page.locator(f"{rows} [data-number]").evaluate_all(shown)
    return found


async def points(site: Site, board: str) -> None:
    """Give a board a field of numbers."""
    body = {"field_key": "points", "label": "Points", "field_type": "integer", "board_ids": [board]}
    found = (await site.api.get("/api/v1/organizations/me/custom-fields")).json()
    for one in found:
        if one["field_key"] == "points":
            await site.api.patch(f"/api/v1/organizations/me/custom-fields/{one['id']}", json={"board_ids": [board]})
            return
    await site.make("/organizations/me/custom-fields", **body)


async def test_quick_add_keeps_what_is_typed_and_stays_open(site: Site, open_page: Open) -> None:
    board = await site.board()
    await site.make("/agents", board_id=board, name="Kit")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await page.keyboard.press("c")
    await page.keyboard.type("Renew it @K")
    await expect(page.locator("#caret-menu")).to_contain_text("@Kit")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.type("!high ")
    await site.task(board, "From elsewhere")
    await expect(page.locator("#list-inbox .card")).to_have_count(1)
    await expect(page.locator("#new-task-inbox")).to_have_value("Renew it @Kit !high ")
    await expect(page.locator("#quick-add-inbox .token")).to_have_text(["@Kit", "!high"])
    await page.keyboard.press("Enter")
    await expect(page.locator("#list-inbox .card").first).to_contain_text("Renew it")
    await expect(page.locator("#list-inbox .card").first).to_contain_text("Kit")
    await expect(page.locator("#new-task-inbox")).to_be_focused()
    for number, key in ((3, "Enter"), (4, "Control+Enter")):
        await page.keyboard.type("Another")
        await page.keyboard.press(key)
        await expect(page.locator("#list-inbox .card")).to_have_count(number)


async def test_tokens_come_and_go_in_the_query(site: Site, open_page: Open) -> None:
    board = await site.board()
    await site.task(board, "Red buoy", priority="high")
    await site.task(board, "Green buoy", priority="low")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await page.keyboard.press("f")
    await page.keyboard.type("priority:high buoy")
    await expect(page.locator("#query-tokens .token")).to_have_count(1)
    await expect(page.locator("#query")).to_have_value("buoy")
    await expect(page.locator("#query-count")).to_have_text("1 of 2")
    await expect(page).to_have_url(f"{site.url}/boards/{board}?q=priority:high+buoy")
    await page.locator("[data-token-drop]").click()
    await expect(page.locator(".card")).to_have_count(2)
    await page.reload()
    await expect(page.locator("#query")).to_have_value("buoy")


async def test_several_tasks_move_and_come_back(site: Site, open_page: Open) -> None:
    board = await site.board()
    for number in range(5):
        await site.task(board, f"Plank {number}")
    page = await open_page(f"/boards/{board}")
    await live(page)
    before = await numbers(page, "#list-inbox")
    await page.locator("#list-inbox [data-nav-item]").nth(1).focus()
    await page.keyboard.press("x")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("Shift+X")
    await expect(page.locator("[data-bulk-count]")).to_have_text("3 selected")
    await expect(page.locator("[data-bulk-names]")).to_have_text(", ".join(f"#{one}" for one in before[1:4]))
    await site.task(board, "From elsewhere")
    await expect(page.locator("#list-inbox .card")).to_have_count(6)
    await expect(page.locator("[data-bulk-count]")).to_have_text("3 selected")
    await page.keyboard.press("s")
    await page.get_by_role("button", name="Review", exact=True).click()
    await expect(page.locator("#list-review .card")).to_have_count(3)
    await expect(page.locator("#toasts")).to_contain_text("3 tasks moved to Review")
    await expect(page.locator("#bulk")).to_be_hidden()
    await page.keyboard.press("z")
    await expect(page.locator("#list-review .card")).to_have_count(0)
    assert [one for one in await numbers(page, "#list-inbox") if one in before] == before


async def test_card_moves_by_key_and_back(site: Site, open_page: Open) -> None:
    board = await site.board()
    ids = [await site.task(board, f"Plank {number}") for number in range(3)]
    page = await open_page(f"/boards/{board}")
    await live(page)
    link = page.locator(f"#task-{ids[2]} [data-nav-item]")
    await link.focus()
    await page.keyboard.press("Alt+ArrowDown")
    await expect(page.locator("#list-inbox .card").nth(1)).to_have_id(f"task-{ids[2]}")
    await expect(link).to_be_focused()
    await page.keyboard.press("z")
    await expect(page.locator("#list-inbox .card").first).to_have_id(f"task-{ids[2]}")
    await link.focus()
    await page.keyboard.press("Alt+ArrowRight")
    await expect(page.locator(f"#list-in_progress #task-{ids[2]}")).to_be_visible()


async def test_table_sorts_chooses_columns_and_follows(site: Site, open_page: Open) -> None:
    board = await site.board(name="Table")
    await points(site, board)
    first = await site.task(board, "Beta", custom_field_values={"points": 3})
    await site.task(board, "Alpha", custom_field_values={"points": 5})
    page = await open_page(f"/boards/{board}")
    await live(page)
    await page.keyboard.press("v")
    await expect(page.locator("#rows > tr")).to_have_count(2)
    await live(page)
    await page.locator("#sort-title").click()
    await expect(page).to_have_url(f"{site.url}/boards/{board}?view=table&q=is:open&sort=title")
    await expect(page.locator("#rows > tr").first).to_contain_text("Alpha")
    await expect(page.locator("[id^=sum-]")).to_have_text("8")
    answer = await site.api.patch(f"/api/v1/boards/{board}/tasks/{first}", json={"title": "Aaa"})
    assert answer.status_code == 200
    await expect(page.locator("#rows > tr").first).to_contain_text("Aaa")
    await site.task(board, "Gamma", custom_field_values={"points": 1})
    await expect(page.locator("#rows > tr")).to_have_count(3)
    await expect(page.locator("[id^=sum-]")).to_have_text("9")
    await page.get_by_role("button", name="Columns").click()
    await page.get_by_label("Priority", exact=True).check()
    await expect(page.locator("#sort-priority")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-panel-title]")).to_have_text("Aaa")
    for options in ({"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]},):
        found = await Axe().run(page, options=options)
        assert [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]] == []


async def test_view_is_saved_and_opened_again(site: Site, open_page: Open) -> None:
    board = await site.board(name="Views")
    await site.task(board, "Red buoy")
    await site.task(board, "Green buoy")
    page = await open_page(f"/boards/{board}?view=table&q=red")
    await page.get_by_role("button", name="Save this view").click()
    await page.get_by_label("Name of the view").fill("Red ones")
    await page.get_by_label("Everybody on the board sees it").check()
    await page.get_by_role("button", name="Save view").click()
    await expect(page.locator(".views > a[aria-current]")).to_have_text("Red ones 1")
    other = await open_page(f"/boards/{board}")
    await live(other)
    await expect(other.locator(".card")).to_have_count(2)
    await other.get_by_role("link", name="Red ones").click()
    await expect(other.locator("#rows > tr")).to_have_count(1)
    await page.get_by_role("button", name="Change the view Red ones").click()
    await page.get_by_label("Name", exact=True).fill("Reds")
    await page.get_by_role("button", name="Rename view").click()
    await expect(other.locator(".views > a[aria-current]")).to_have_text("Reds 1")


async def test_drag_is_not_broken_while_three_agents_work(site: Site, open_page: Open) -> None:
    board = await site.board(max_agents=3)
    made = [await site.make("/agents", board_id=board, name=name) for name in ("Vega", "Rigel", "Deneb")]
    ids = [await site.task(board, f"Plank {number}") for number in range(8)]
    pages = [await open_page(f"/boards/{board}") for _ in range(2)]
    for page in pages:
        await live(page)

    async def work(token: str, task: str) -> None:
        async with httpx.AsyncClient(base_url=site.url, headers={"X-Agent-Token": token}, timeout=60) as agent:
            path = f"/api/v1/agent/boards/{board}/tasks/{task}"
            for body in ({"status": "in_progress"}, {"status": "review", "comment": "Done."}):
                answer = await agent.patch(path, json=body)
                assert answer.status_code == 200, answer.text

    works: list[Any] = [work(one["token"], ids[at]) for at, one in enumerate(made)]
    _, *_ = await asyncio.gather(drag(pages[0], f"#task-{ids[7]}", "#list-done"), *works)
    await expect(pages[0].locator(f"#list-done #task-{ids[7]}")).to_be_visible()
    for page in pages:
        await expect(page.locator("#list-review .card")).to_have_count(3)
        await expect(page.locator("#list-done .card")).to_have_count(1)
    for status in ("inbox", "in_progress", "review", "done"):
        assert await numbers(pages[0], f"#list-{status}") == await numbers(pages[1], f"#list-{status}"), status
