"""Home with keys, with two people, while somebody writes, and on a phone."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Open, Site, becomes_true
from tests.browser.looks import found

pytestmark = pytest.mark.browser
OPTIONS = [
    {"id": "wide", "label": "The wide one", "outcome": "Atlas orders it.", "recommended": True},
    {"id": "long", "label": "The long one", "outcome": "Atlas waits for stock.", "recommended": False},
]


async def ask(site: Site, board: str, action: str, **fields: Any) -> str:
    """An approval; the id of its row."""
    wanted = {"action_type": action, "confidence": 80, "lead_reasoning": "It is ready.", **fields}
    return f"need-approval-{(await site.make(f'/boards/{board}/approvals', **wanted))['id']}"


async def question(site: Site, board: str) -> str:
    """A question of the board's lead with two options; the id of its row."""
    body = {"name": "Atlas", "board_id": board, "is_board_lead": True}
    token = (await site.make("/agents", **body))["token"]
    path = f"/api/v1/agent/boards/{board}/gateway/main/ask-user"
    async with httpx.AsyncClient(base_url=site.url, headers={"X-Agent-Token": token}) as atlas:
        asked = (await atlas.post(path, json={"content": "Which lens?"})).json()["question_id"]
    with closing(sqlite3.connect(site.database, timeout=30)) as database, database:
        change = "UPDATE agent_questions SET options = ? WHERE id IN (?, ?)"
        database.execute(change, (json.dumps(OPTIONS), str(UUID(asked)), UUID(asked).hex))
    return f"need-question-{asked}"


async def overdue(site: Site, board: str, title: str) -> str:
    """A task of Ada's that was due yesterday; the id of its row."""
    me = (await site.api.get("/api/v1/users/me")).json()["id"]
    due = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    return f"need-overdue-{await site.task(board, title, assigned_user_id=me, due_at=due)}"


async def home(open_page: Open, **options: Any) -> Page:
    page = await open_page("/?all=1&view=roomy", **options)
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    return page


def row(page: Page, name: str) -> Locator:
    return page.locator(f"#{name}")


async def focused(page: Page) -> str:
    """The id of the row that has the focus."""
    return str(await page.evaluate("document.activeElement.closest('.need')?.id ?? ''"))


async def next_of(page: Page, name: str) -> str:
    """The row that waits after another one, as the list stands."""
    return str(
        await page.evaluate(
            """(id) => {
              const rows = [...document.querySelectorAll('#queue .need[data-pending]:not([data-sent])')];
              const at = rows.findIndex((row) => row.id === id);
              return (rows[at + 1] ?? rows[at - 1])?.id ?? 'queue';
            }""",
            name,
        )
    )


async def test_every_kind_is_answered_by_one_key_and_focus_goes_on(site: Site, open_page: Open) -> None:
    board = await site.board(name="Every kind")
    approvals = [await ask(site, board, name) for name in ("first", "second")]
    review = f"need-review-{await site.task(board, 'Read the log', status='review')}"
    late = await overdue(site, board, "Send the list")
    keys = {approvals[0]: "a", approvals[1]: "a", await question(site, board): "1", review: "a", late: "1"}
    page = await home(open_page)
    for name, key in keys.items():
        await row(page, name).focus()
        wanted = await next_of(page, name)
        await page.keyboard.press(key)
        await becomes_true(page, "(id) => document.activeElement.id === id", arg=wanted)
        await expect(row(page, name)).to_have_count(0)
        assert await page.evaluate("document.activeElement.id") == wanted
    left = (await site.api.get(f"/api/v1/needs?board_id={board}")).json()
    assert left["total"] == 0


async def test_undo_brings_a_row_back(site: Site, open_page: Open) -> None:
    name = await ask(site, await site.board(name="Back again"), "deploy")
    page = await home(open_page)
    await row(page, name).focus()
    await page.keyboard.press("a")
    await expect(page.locator("#toasts")).to_contain_text("Approved: Deploy")
    await expect(row(page, name)).to_have_count(0)
    await page.keyboard.press("z")
    await expect(row(page, name)).to_have_attribute("data-pending", "")


async def test_words_are_kept_and_sent(site: Site, open_page: Open) -> None:
    board = await site.board(name="Words")
    name, other = await ask(site, board, "publish"), await ask(site, board, "deploy")
    page = await home(open_page)
    await row(page, name).focus()
    await page.keyboard.press("r")
    note = row(page, name).get_by_label("What should change?")
    await expect(note).to_be_focused()
    await note.type("Name the zone. ar1xh ")
    await page.keyboard.press("Escape")
    assert await focused(page) == name
    await page.keyboard.press("r")
    await expect(note).to_have_value("Name the zone. ar1xh ")
    await page.keyboard.press("Control+Enter")
    await expect(row(page, name)).to_have_count(0)
    assert await focused(page) == other
    answer = (await site.api.get(f"/api/v1/boards/{board}/approvals/{name.removeprefix('need-approval-')}")).json()
    assert (answer["decision"], answer["note"]) == ("changes_requested", "Name the zone. ar1xh")


async def test_changes_wait_while_somebody_writes(site: Site, open_page: Open) -> None:
    board = await site.board(name="Writing")
    name = await ask(site, board, "publish")
    page = await home(open_page)
    await row(page, name).focus()
    await page.keyboard.press("r")
    note = row(page, name).get_by_label("What should change?")
    await note.type("Half a sen")
    new = [await ask(site, board, action) for action in ("one", "two", "three")]
    await expect(page.locator("#needs-held")).to_have_text("3 changes")
    await expect(row(page, new[0])).to_have_count(0)
    await note.type("tence")
    await expect(note).to_be_focused()
    await expect(note).to_have_value("Half a sentence")
    await page.keyboard.press("Escape")
    for one in new:
        await expect(row(page, one)).to_have_attribute("data-pending", "")
    assert await focused(page) == name
    await expect(page.locator("#needs-held")).to_be_hidden()


async def test_two_people_decide_at_once(site: Site, open_page: Open) -> None:
    board = await site.board(name="Two at Home")
    name = await ask(site, board, "deploy")
    slow, fast = await home(open_page), await home(open_page)
    await slow.evaluate("document.getElementById('live').remove()")  # this page gets no more events
    await row(fast, name).focus()
    await fast.keyboard.press("a")
    await expect(row(fast, name)).to_have_count(0)
    await row(slow, name).get_by_role("button", name="Approve").click()
    await expect(slow.get_by_text("Ada approved this").first).to_be_visible()
    approval = name.removeprefix("need-approval-")
    assert (await site.api.get(f"/api/v1/boards/{board}/approvals/{approval}")).json()["decision"] == "approved"


async def test_space_peeks_and_a_selection_is_decided_together(site: Site, open_page: Open) -> None:
    board = await site.board(name="Together")
    task = await site.task(board, "Paint the dome", description="In white.")
    names = [
        await ask(site, board, "paint", task_ids=[task]),
        await ask(site, board, "wash"),
        await ask(site, board, "dry"),
    ]
    page = await home(open_page)
    await row(page, names[0]).focus()
    await page.keyboard.press("Space")
    await expect(page.locator("#panel").get_by_role("heading", name="Paint the dome")).to_be_visible()
    await expect(page.locator("#panel")).to_contain_text("In white.")
    assert await focused(page) == names[0]
    await page.keyboard.press("j")
    await expect(page.locator("#panel [data-peek]")).to_have_attribute(
        "data-peek", names[1].replace("need-approval-", "approval:")
    )
    await page.keyboard.press("Space")
    await expect(page.locator("#panel > *")).to_have_count(0)
    assert await focused(page) == names[1]
    await row(page, names[0]).focus()
    await page.keyboard.press("x")
    await row(page, names[2]).focus()
    await page.keyboard.press("Shift+X")
    bar = page.locator("#selection")
    await expect(bar).to_contain_text("3 selected: this is what you decide")
    await expect(bar.get_by_role("button", name="Approve 3")).to_be_visible()
    await page.keyboard.press("h")
    await expect(page.locator("#bulk-snooze .menu-item").first).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("a")
    for name in names:
        await expect(row(page, name)).to_have_count(0)
    await expect(page.locator("#toasts")).to_contain_text("Approved: 3.")
    await expect(bar.locator("> *")).to_have_count(0)


async def test_a_phone_has_the_answers_in_the_dock(site: Site, open_page: Open) -> None:
    board = await site.board(name="Phone")
    name, other = await ask(site, board, "publish"), await ask(site, board, "deploy")
    page = await home(open_page, width=360, has_touch=True, is_mobile=True)
    await row(page, name).locator(".need-facts").tap()
    dock = page.locator("#dock")
    approve = dock.get_by_role("button", name="Approve")
    box = await approve.bounding_box()
    assert box is not None and box["height"] >= 60 and box["x"] > 160  # under the right thumb
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await approve.tap()
    await expect(row(page, name)).to_have_count(0)
    await expect(row(page, other)).to_have_attribute("data-current", "")
    toast, answers = await page.locator(".toast").last.bounding_box(), await dock.bounding_box()
    assert toast is not None and answers is not None and toast["y"] + toast["height"] <= answers["y"]
    await dock.get_by_role("button", name="Request changes").tap()
    note = row(page, other).get_by_label("What should change?")
    await expect(note).to_be_focused()
    await expect(dock).to_be_hidden()
    await note.fill("Later.")
    await row(page, other).get_by_role("button", name="Request changes").last.tap()
    await expect(row(page, other)).to_have_count(0)


@pytest.mark.thorough
async def test_axe_finds_nothing(site: Site, open_page: Open, walker: Page) -> None:
    board = await site.board(name="Axe")
    names = [await ask(site, board, "publish", rubric_scores={"risk": 90}), await question(site, board)]
    await overdue(site, board, "Write to the harbour")
    paths = ("/?view=roomy&all=1", "/?view=dense", "/metrics")
    broken = {}
    for path in paths:
        await walker.goto(site.url + path)
        broken[path] = await found(walker)
    assert not any(broken.values()), broken
    page = await home(open_page)
    await row(page, names[0]).focus()
    for key in ("Space", "x", "r"):
        await page.keyboard.press(key)
    await expect(page.locator("#selection .bulk")).to_be_visible()
    await expect(page.locator("#panel > *")).to_have_count(1)
    assert await found(page) == []


async def test_row_that_somebody_else_decides_takes_no_note(site: Site, open_page: Open) -> None:
    board = await site.board(name="Faster")
    name = await ask(site, board, "publish")
    page = await home(open_page)
    await row(page, name).focus()
    await page.keyboard.press("r")
    note = row(page, name).get_by_label("What should change?")
    await note.type("Half a sen")
    approval = name.removeprefix("need-approval-")
    answer = await site.api.patch(f"/api/v1/boards/{board}/approvals/{approval}", json={"status": "approved"})
    assert answer.status_code == 200, answer.text
    await expect(row(page, name).locator("[data-note-title]")).to_contain_text("Your words were not sent.")
    await expect(row(page, name).locator("[data-note-send]")).to_be_disabled()
    await expect(row(page, name).get_by_role("button", name="Approve")).to_be_disabled()
    await page.keyboard.press("Escape")
    await expect(page.locator(f"#{name}[data-pending]")).to_have_count(0)
