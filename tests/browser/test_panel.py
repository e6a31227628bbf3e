"""An open task in a browser: fields by keyboard, files, mentions, its room beside the board, edits by others."""

import re
from typing import Any

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.test_board import drag, live

pytestmark = pytest.mark.browser

FILES = """(names) => {
    const data = new DataTransfer();
    for (const name of names) data.items.add(new File(["name,size\\nteak,2\\n"], name, {type: "text/csv"}));
    return data;
}"""
NO_SECOND_SCROLLBAR = (
    "document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth"
)


async def add_field(site: Site, board: str, kind: str, label: str, **more: Any) -> None:
    body = {"field_key": label.lower(), "label": label, "field_type": kind, "board_ids": [board], **more}
    await site.make("/organizations/me/custom-fields", **body)


async def width_of(page: Page, selector: str) -> float:
    box = await page.locator(selector).bounding_box()
    assert box
    return box["width"]


async def test_properties_are_changed_by_keyboard_alone(site: Site, open_page: Open) -> None:
    board = await site.board(name="Slipway")
    await add_field(site, board, "integer", "Knots")
    await add_field(site, board, "text", "Wood")
    await add_field(site, board, "boolean", "Paid")
    await site.make("/tags", name="slipway")
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    await page.locator("[data-panel-title]").focus()
    await page.keyboard.press("d")
    due = page.get_by_label("Due", exact=True)
    await expect(due).to_be_focused()
    await page.keyboard.type("2030-05-06")
    await page.keyboard.press("Enter")
    await page.get_by_label("Knots").focus()
    await page.keyboard.type("12")
    await page.keyboard.press("Tab")
    await page.get_by_label("Wood").focus()
    await page.keyboard.type("Oak")
    await page.keyboard.press("Escape")
    await expect(page.get_by_label("Wood")).to_have_value("")
    await page.get_by_label("Wood").focus()
    await page.keyboard.type("Teak")
    await page.keyboard.press("Enter")
    await page.get_by_label("Paid").focus()
    await page.keyboard.press("ArrowDown")
    await page.locator("[data-panel-title]").focus()
    await page.keyboard.press("t")
    await page.get_by_role("button", name="slipway", exact=True).focus()
    await page.keyboard.press("Enter")
    tag = page.locator("[id^=tag-][aria-pressed=true]")
    await expect(tag).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator(".prop .tags > .tag")).to_have_text("slipway")
    await expect(page.locator(".refusal")).to_have_count(0)
    found = await site.read(board, task)
    assert found["custom_field_values"] == {"knots": 12, "wood": "Teak", "paid": True}
    assert found["due_at"].startswith("2030-05-06")


async def test_field_that_is_typed_in_survives_the_work_of_others(site: Site, open_page: Open) -> None:
    board = await site.board(name="Boathouse")
    await add_field(site, board, "text", "Resin")
    task = await site.task(board, "Seal the deck")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    field = page.get_by_label("Resin")
    await field.focus()
    await page.keyboard.type("Two coats")
    api = f"/api/v1/boards/{board}/tasks/{task}"
    await site.api.patch(api, json={"custom_field_values": {"resin": "One coat"}, "priority": "high"})
    await expect(page.locator(f"#priority-{task}")).to_have_value("high")
    await expect(field).to_have_value("Two coats")
    await expect(field).to_be_focused()
    await page.keyboard.press("Enter")
    said = page.locator(".prop .refusal")
    await expect(said).to_contain_text(
        "Somebody changed this to “One coat” while you were writing. Save again to use yours."
    )
    await expect(field).to_have_value("Two coats")
    await page.keyboard.type(" of tar")
    async with page.expect_response(lambda answer: answer.request.method == "POST"):
        await page.keyboard.press("Enter")
    await expect(said).to_have_count(0)
    await expect(page.locator(".timeline")).to_contain_text("changes by Ada")
    assert (await site.read(board, task))["custom_field_values"]["resin"] == "Two coats of tar"


async def test_files_are_dropped_pasted_shown_and_deleted(site: Site, open_page: Open) -> None:
    board = await site.board(name="Chandlery")
    task = await site.task(board, "Count the rope")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    await expect(page.locator("form[data-attach] input[type=file]")).to_have_attribute("multiple", "")
    data = await page.evaluate_handle(FILES, ["rope.csv", "sail.csv"])
    await page.locator(".panel-body").dispatch_event("dragover", {"dataTransfer": data})
    await expect(page.locator(".task")).to_have_attribute("data-dropping", "")
    await page.locator(".panel-body").dispatch_event("drop", {"dataTransfer": data})
    for name in ("rope.csv", "sail.csv"):
        await expect(page.locator(".proof", has_text=name)).to_be_visible()
    await page.evaluate(
        f"""() => document.querySelector('.composer textarea').dispatchEvent(new ClipboardEvent('paste',
        {{bubbles: true, cancelable: true, clipboardData: ({FILES})(['pasted.csv'])}}))"""
    )
    await expect(page.locator(".proof", has_text="pasted.csv")).to_be_visible()
    await page.evaluate("document.querySelector('form[data-attach]').dataset.limit = 3")
    await page.locator("form[data-attach] input").set_input_files(
        FilePayload(name="large.csv", mimeType="text/csv", buffer=b"too large")
    )
    await expect(page.locator(".uploads")).to_contain_text("are allowed")
    await page.get_by_role("link", name="rope.csv").click()
    await expect(page.locator("dialog[open] td").first).to_have_text("teak")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Delete sail.csv").first.click()
    await page.locator(".menu:popover-open").get_by_role("button", name="Delete sail.csv").click()
    await expect(page.locator(".proof", has_text="sail.csv")).to_have_count(0)


async def test_mentions_are_chosen_by_keys_and_say_what_agents_do(site: Site, open_page: Open) -> None:
    board = await site.board(name="Rigging loft")
    await site.make("/agents", board_id=board, name="Vega")
    task = await site.task(board, "Splice")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    comment = page.get_by_label("Comment", exact=True)
    await comment.press_sequentially("Ask @")
    await expect(page.locator("#caret-menu")).to_contain_text("agent, ")
    await comment.press_sequentially("ve")
    await page.keyboard.press("Tab")
    await expect(comment).to_have_value("Ask @Vega ")
    await comment.press_sequentially("please")
    await page.keyboard.press("Control+Enter")
    said = page.locator(".comment")
    await expect(said).to_contain_text("Vega has not read it yet")
    await said.hover()
    await page.get_by_role("button", name="Change the comment by Ada").click()
    await page.get_by_role("link", name="Edit", exact=True).last.click()
    form = page.locator("form[id^=edit-comment-] textarea")
    await expect(form).to_be_focused()
    await page.keyboard.press("Control+End")
    await page.keyboard.type(" today")
    await page.keyboard.press("Control+Enter")
    await expect(said).to_contain_text("please today")
    await expect(said).to_contain_text("edited")


@pytest.mark.parametrize(
    ("width", "folded"), [(1440, ["done"]), (1280, ["review", "done"]), (1024, ["review", "done"])]
)
async def test_columns_fold_beside_an_open_task(site: Site, open_page: Open, width: int, folded: list[str]) -> None:
    board = await site.board(name="Narrows")
    task, asks = await site.task(board, "Sound the depth"), await site.task(board, "Ask", status="review")
    asked: dict[str, Any] = {"action_type": "pass", "confidence": 80, "lead_reasoning": "x", "task_ids": [asks]}
    await site.make(f"/boards/{board}/approvals", **asked)
    page = await open_page(f"/boards/{board}/tasks/{task}", width=width)
    await live(page)
    for status in ("inbox", "in_progress", "review", "done"):
        wide = await width_of(page, f"#column-{status}")
        assert (wide == 40) if status in folded else (wide >= 199), status
    if "review" in folded:
        tree = await (await page.context.new_cdp_session(page)).send("Accessibility.getFullAXTree")
        names = [one["name"]["value"] for one in tree["nodes"] if "name" in one]
        assert [name for name in names if re.fullmatch("Show Review ?1 wait for you", name)], names
    for height in (360, 900):  # the sidebar is higher than the window, as with many boards
        await page.set_viewport_size({"width": width, "height": height})
        await page.wait_for_timeout(300)
        assert await page.evaluate(NO_SECOND_SCROLLBAR)
    assert (await width_of(page, ".sidebar") < 60) is (width < 1152)
    rail = page.get_by_role("link", name="Show Done")
    await rail.click()
    await expect(page).to_have_url(re.compile("open=done"))
    await expect(page.locator("#column-done .card-list")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(page.locator("#panel > *")).to_have_count(0)
    assert await width_of(page, "#column-review") > 199
    await page.goto(f"{site.url}/boards/{board}/tasks/{asks}")
    assert await width_of(page, "#column-review") > 199
    assert await page.locator("#columns").evaluate("one => one.scrollWidth - one.clientWidth") == 0


async def test_rail_takes_a_dropped_card(site: Site, open_page: Open) -> None:
    board = await site.board(name="Dry dock")
    task = await site.task(board, "Scrape the keel")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    await drag(page, f"#task-{task}", "#column-done")
    await expect(page.locator(f"#list-done #task-{task}")).to_be_attached()
    await expect(page.locator(f"#status-{task}")).to_have_value("done")


async def test_next_and_previous_task_by_keys(site: Site, open_page: Open) -> None:
    board = await site.board(name="Line")
    first, second = await site.task(board, "First made"), await site.task(board, "Second made")
    page = await open_page(f"/boards/{board}?q=first")
    await page.goto(f"{site.url}/boards/{board}/tasks/{second}?q=first")  # its card is not shown
    await live(page)
    await page.keyboard.press("j")
    await expect(page.locator("[data-panel-title]")).to_have_text("First made")
    await page.goto(f"{site.url}/boards/{board}")
    await live(page)
    await page.locator(f"#task-{second} [data-panel-link]").click()
    await expect(page.locator("#panel [data-panel-title]")).to_have_text("Second made")
    await expect(page.locator("#panel [data-panel-title]")).to_be_focused()
    await page.get_by_role("link", name="Next task").click()
    await expect(page.locator("#panel [data-panel-title]")).to_have_text("First made")
    await expect(page).to_have_url(f"{site.url}/boards/{board}/tasks/{first}")
    await expect(page.locator("#panel [data-panel-title]")).to_be_focused()
    await page.keyboard.press("k")
    await expect(page.locator("#panel [data-panel-title]")).to_have_text("Second made")


async def test_panel_in_forced_colours_is_whole(site: Site, open_page: Open) -> None:
    board = await site.board(name="Lamp room")
    task = await site.task(board, "Trim the wick")
    page = await open_page(f"/boards/{board}/tasks/{task}", width=320, forced_colors="active")
    await live(page)
    await expect(page.locator(".composer textarea")).to_be_visible()
    assert await page.evaluate(
        "document.documentElement.scrollWidth <= innerWidth && panel.scrollWidth <= panel.clientWidth"
    )
