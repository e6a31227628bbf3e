"""Home shows what is asked, however much waits, and what changed under somebody's eyes before it takes an answer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site, served, set_up
from tests.browser.test_home import ask, home, row
from tests.browser.test_home_keys import put

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
DELETE = "Delete the 4 GB of originals?"
# The reasons of rows that are not wholly in sight.
HIDDEN = """() => [...document.querySelectorAll(".need .need-why")]
  .filter((why) => !why.checkVisibility() || why.getBoundingClientRect().height < 10).length"""


async def state(site: Site, board: str, name: str) -> str:
    path = f"/api/v1/boards/{board}/approvals/{name.removeprefix('need-approval-')}"
    return str((await site.api.get(path)).json()["status"])


@pytest.fixture
async def crowded(tmp_path: Path) -> AsyncIterator[Site]:
    """A server where 200 things wait for the owner."""
    with served(tmp_path) as found:
        async with set_up(*found) as site:
            await put(site, tmp_path, 200)
            yield site


async def test_each_of_200_needs_says_what_is_asked(crowded: Site, open_page: Open) -> None:
    site, board = crowded, await crowded.board(name="Many")
    name = await ask(site, board, "delete.data", lead_reasoning=DELETE)
    risky = await ask(site, board, "send.mail", lead_reasoning="It goes to 14 people.", rubric_scores={"risk": 90})
    for width in (1440, 390):
        page = await open_page("/offline", width=width, base=site.url)
        await page.context.add_cookies([{"name": "mission_control", "value": site.cookie, "url": site.url}])
        await page.goto(f"{site.url}/?all=1")
        await expect(page.locator("#queue")).to_have_attribute("data-layout", "dense")
        assert await page.locator(".need").count() > 200
        assert await page.evaluate(HIDDEN) == 0
        await expect(row(page, name).locator(".need-why")).to_have_text(DELETE)
        await expect(row(page, name).locator(".need-else")).to_be_hidden()
        await expect(row(page, risky).locator(".answer-does").first).to_be_visible()
        await row(page, name).focus()
        await expect(row(page, name).locator(".need-facts")).to_be_visible()
        if width > 1000:  # a phone has the answers and what happens without one in its dock
            await expect(row(page, name).locator(".need-else")).to_be_visible()
            await expect(row(page, name).locator(".answer-does").first).to_be_visible()


async def changed(page: Page, site: Site, board: str, task: str, name: str) -> None:
    """Somebody writes another description under the eyes of who looks at a row."""
    await site.api.patch(f"/api/v1/boards/{board}/tasks/{task}", json={"description": "Drop the database."})
    await expect(row(page, name).locator(".need-changed")).to_have_text(
        "Changed while you looked: description. Look again."
    )


async def test_row_says_what_changed_and_takes_no_key_that_was_meant_for_what_was_there(
    site: Site, open_page: Open
) -> None:
    board = await site.board(name="Seen")
    task = await site.task(board, "Tidy up")
    name = await ask(site, board, "publish", task_id=task)
    page = await home(open_page)
    await row(page, name).focus()
    await page.evaluate("performance.now = () => 1000")  # the moment of the change lasts
    await changed(page, site, board, task, name)
    await page.keyboard.press("a")
    await expect(page.locator("#alert-region")).to_have_text("This changed just now, and nothing was sent. Look again.")
    assert await state(site, board, name) == "pending"
    await page.evaluate("performance.now = () => 5000")
    await page.keyboard.press("a")
    await expect(row(page, name)).to_have_count(0)
    assert await state(site, board, name) == "approved"


async def test_peek_that_is_open_shows_what_changed(site: Site, open_page: Open) -> None:
    board = await site.board(name="Peek")
    task = await site.task(board, "Tidy up")
    name = await ask(site, board, "publish", task_id=task)
    page = await home(open_page)
    await row(page, name).focus()
    await page.keyboard.press("Space")
    await expect(page.locator(".peek")).to_be_visible()
    await changed(page, site, board, task, name)
    await expect(page.locator(".peek")).to_contain_text("Drop the database.")
    await expect(page.locator(".peek > .need-changed, .peek .need-changed")).to_be_visible()


async def test_answer_to_what_is_no_longer_so_says_what_it_is_now(site: Site, open_page: Open) -> None:
    board = await site.board(name="Stale")
    task = await site.task(board, "Tidy up")
    name = await ask(site, board, "publish", task_id=task)
    page = await home(open_page)
    seen = row(page, name).locator("[name=substance]")
    before = await seen.get_attribute("value")
    await changed(page, site, board, task, name)
    await seen.evaluate("(field, value) => { field.value = value; }", before)  # as if the news had not come yet
    await page.evaluate("performance.now = () => 1e9")
    await row(page, name).get_by_role("button", name="Approve").click()
    await expect(page.locator(".refusal")).to_contain_text("The description is now: “Drop the database.”")
    assert await state(site, board, name) == "pending"


# As another person's answer makes a row, so many minutes ago.
STRUCK = """([id, minutes]) => {
  const row = document.getElementById(id), at = new Date(Date.now() - minutes * 60_000).toISOString();
  row.removeAttribute("data-pending");
  row.dataset.state = "decided";
  row.insertAdjacentHTML("beforeend", `<p class="need-outcome"><time datetime="${at}"></time></p>`);
}"""


async def test_row_that_others_answered_leaves_after_two_minutes(site: Site, open_page: Open) -> None:
    board = await site.board(name="Left open")
    old, new = [await ask(site, board, action) for action in ("one", "two")]
    page = await home(open_page)
    await page.evaluate(STRUCK, [old, 3])
    await page.evaluate(STRUCK, [new, 1])
    await expect(row(page, await ask(site, board, "three"))).to_be_visible()
    await expect(row(page, old)).to_have_count(0)
    await expect(row(page, new)).to_be_visible()
