"""How pages look where there is little room, with the system's own colours, and by the reader's clock."""

from datetime import datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site, becomes_true

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
TOP = """(one) => {
  const box = one.getBoundingClientRect();
  return document.elementFromPoint(box.x + 9, box.y + 9) === one;
}"""
CUT = """(crew) => [...crew.children].map((one) => one.getBoundingClientRect()).filter((one) => {
  const room = crew.getBoundingClientRect();
  return one.top < room.bottom && (one.right > room.right + 1 || one.bottom > room.bottom + 1);
}).length"""
SET_OFF = """(all) => all.map((one) => {
  const style = getComputedStyle(one);
  return [style.outlineStyle, style.outlineWidth, style.borderBottomColor];
})"""


async def outlines(page: Page, selector: str) -> list[tuple[str, str, str]]:
    """How these elements are set off, in forced colours."""
    return [tuple(one) for one in await page.locator(selector).evaluate_all(SET_OFF)]


async def test_short_screen_scrolls_to_the_columns(site: Site, open_page: Open) -> None:
    board = await site.board(name="Low bridge")
    page = await open_page(f"/boards/{board}", width=320)
    await page.set_viewport_size({"width": 320, "height": 480})
    await page.locator("#add-inbox > summary").click()
    add = page.locator("#new-task-inbox")
    await page.mouse.move(160, 200)
    await page.mouse.wheel(0, 2000)
    await becomes_true(page, TOP, arg=await add.element_handle())
    await add.fill("Fits below the bridge")
    await add.press("Enter")
    await expect(page.locator("#list-inbox .card")).to_have_count(1)


async def test_board_header_cuts_no_avatar(site: Site, open_page: Open) -> None:
    board = await site.board(name="Crowded quay")
    for name in ("Ann", "Bernadette of the long and winding name that nobody can remember", "Cy", "Di", "Eb", "Flo"):
        agent = await site.make("/agents", name=name, board_id=board)
        await site.api.post("/api/v1/agent/heartbeat", headers={"X-Agent-Token": agent["token"]})
    page = await open_page(f"/boards/{board}")
    for width in range(1440, 760, -80):
        await page.set_viewport_size({"width": width, "height": 700})
        assert (width, await page.locator(".crew").evaluate(CUT)) == (width, 0)
    assert await page.locator(".crew > li").first.is_visible()


async def test_selection_is_visible_in_forced_colours(site: Site, open_page: Open) -> None:
    board = await site.board(name="High contrast")
    first, other = await site.task(board, "Tar the ropes"), await site.task(board, "Splice the ropes")
    agent = await site.make("/agents", name="Rope", board_id=board)
    page = await open_page(f"/boards/{board}/tasks/{first}", forced_colors="active")
    await expect(page.locator(f"#task-{first}")).to_have_attribute("data-state", "open")
    assert (await outlines(page, f"#task-{first}")) != (await outlines(page, f"#task-{other}"))
    await page.goto(f"{site.url}/agents/{agent['id']}/runs")
    [chosen] = await outlines(page, ".tabs > a[aria-current]")
    assert chosen not in await outlines(page, ".tabs > a:not([aria-current])")


async def test_key_sheet_lists_undo(site: Site, open_page: Open) -> None:
    page = await open_page(f"/boards/{await site.board(name='Keys')}")
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    await page.keyboard.press("?")
    sheet = page.locator("#keys-sheet")
    for words in ("Undo", "Close, or leave a field", "New task", "Search or jump to"):
        await expect(sheet.locator("dt", has_text=words)).to_be_visible()


async def test_key_sheet_says_each_key_once_and_those_of_home(site: Site, open_page: Open) -> None:
    board = await site.board(name="Keys of Home")
    wanted = {"action_type": "hoist", "confidence": 70, "lead_reasoning": "It is windy."}
    await site.make(f"/boards/{board}/approvals", **wanted)
    page = await open_page("/")
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    await page.keyboard.press("?")
    here = page.locator("#keys-sheet section").first
    for words in ("Snooze", "Look at it beside the list", "Select"):
        await expect(here.locator("dt", has_text=words)).to_be_visible()
    keys = await here.locator("dd").all_inner_texts()
    assert len(keys) == len(set(keys)), keys


async def test_card_waiting_for_a_person_shows_only_that(site: Site, open_page: Open) -> None:
    board = await site.board(name="Signal mast")
    task = await site.task(board, "Hoist the flag")
    agent = await site.make("/agents", name="Bosun", board_id=board)
    headers = {"X-Agent-Token": agent["token"]}
    await site.api.post(f"/api/v1/agent/boards/{board}/claims", headers=headers, json={"lease_seconds": 900})
    page = await open_page(f"/boards/{board}")
    lease = page.locator(f"#task-{task} .card-lease")
    await expect(lease).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    asked = {"action_type": "hoist", "task_ids": [task], "confidence": 70, "lead_reasoning": "It is windy."}
    await site.make(f"/boards/{board}/approvals", **asked)
    await expect(page.locator(f"#task-{task}").get_by_role("link", name="Review")).to_be_visible()
    await expect(lease).to_be_hidden()


async def test_times_read_well_in_a_sentence(site: Site, open_page: Open) -> None:
    board = await site.board(name="Bell buoy")
    task = await site.make(f"/boards/{board}/tasks", title="Ring it")
    page, made = await open_page("/boards"), datetime.fromisoformat(task["created_at"])
    for seconds, words in ((30, "Made just now by Ada"), (150, "Made 2 min ago by Ada"), (-90, "Made in 1 min by Ada")):
        await page.clock.set_fixed_time(made + timedelta(seconds=seconds))
        await page.goto(f"{site.url}/boards/{board}/tasks/{task['id']}")
        await expect(page.locator(".props-foot")).to_contain_text(words)


async def test_words_of_a_query_stay_whole_on_a_phone(site: Site, open_page: Open) -> None:
    board = await site.board(name="Narrow table")
    for width in (320, 390):
        page = await open_page(f"/boards/{board}?view=table&q=is:open+assignee:me", width=width)
        tokens = page.locator("#query-tokens > .token")
        await expect(tokens).to_have_count(2)
        field = await page.locator(".query-field").bounding_box()
        for at in range(2):
            words = await tokens.nth(at).locator(".truncate").bounding_box()
            drop = await tokens.nth(at).locator("[data-token-drop]").bounding_box()
            assert field and words and drop
            assert words["width"] > 40 and drop["x"] >= words["x"] + words["width"], "the cross stands beside the words"
            assert drop["x"] + drop["width"] <= field["x"] + field["width"]
