"""Writing to an agent at work, stopping it, and reading its session, in a browser: keys, live news, no harm by axe."""

import asyncio
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PATIENCE, Open, Site
from tests.browser.looks import found
from tests.browser.test_board import live

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


class Agent:
    """An agent at work on a board, through the API."""

    def __init__(self, site: Site, board: str, made: dict[str, Any]) -> None:
        self.board, self.id, self.name = board, made["id"], made["name"]
        self.api = httpx.AsyncClient(
            base_url=f"{site.url}/api/v1/agent",
            headers={"X-Agent-Token": made["token"]},
            limits=httpx.Limits(max_keepalive_connections=0),  # nobody closes it
        )

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.api.post(path, json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def claim(self, task: str) -> None:
        await self.post(f"/boards/{self.board}/claims", task_id=task)

    async def report(self, *titles: str, **more: Any) -> str:
        """Report what it did; the address of its session."""
        items = [{"title": title, "state": "ok"} for title in titles]
        return f"/boards/{self.board}/sessions/{(await self.post('/reports', items=items, **more))['session_id']}"


async def at_work(site: Site, name: str) -> tuple[Agent, str]:
    """An agent that has begun a task, and the address of the task."""
    board = await site.board(name=f"Loft of {name}")
    agent = Agent(site, board, await site.make("/agents", board_id=board, name=name))
    task = await site.task(board, f"Splice for {name}")
    await agent.claim(task)
    return agent, f"/boards/{board}/tasks/{task}"


PLAN = [{"text": "Measure", "state": "completed"}, {"text": "Splice", "state": "in_progress"}, {"text": "Whip"}]


async def test_card_and_panel_follow_what_an_agent_reports(site: Site, open_page: Open) -> None:
    agent, task = await at_work(site, "Kit")
    page = await open_page(task)
    await live(page)
    await expect(page.locator(".doing")).to_contain_text("Kit works on this")
    await agent.report("Read knots.md", "Read ropes.md", "Ran `make test`", plan=PLAN)
    await expect(page.locator(".card .card-now")).to_contain_text("Kit: ran make test")
    await expect(page.locator(".doing")).to_contain_text("Splice")
    await expect(page.locator(".activities").first).to_contain_text("Read 2 files")
    group = page.locator(".act-group summary").first
    await group.click()
    await agent.report("Changed ropes.md")
    await expect(page.locator(".card .card-now")).to_contain_text("changed ropes.md")
    await expect(page.locator(".act-group details").first).to_have_attribute("open", "")  # it stays as it was left
    assert await found(page) == []


async def test_note_is_written_by_keys_and_says_how_far_it_came(site: Site, open_page: Open) -> None:
    agent, task = await at_work(site, "Juno")
    page = await open_page(task)
    await live(page)
    await page.keyboard.press("n")
    field = page.get_by_label("Note to the agent")
    await expect(field).to_be_focused()
    await page.keyboard.type("The prices changed.")
    await page.keyboard.press("Control+Enter")
    note = page.locator(".moment.note")
    await expect(note).to_contain_text("Ada to Juno")
    await expect(note).to_contain_text("waiting for its next call")
    await expect(field).to_have_value("")
    await agent.report("Read prices.md")
    await expect(note).to_contain_text("sent with an answer")
    await agent.report("Changed prices.md")
    await expect(note.locator(".note-state")).to_have_text("read")
    await page.locator(".composer-kind").get_by_text("Comment", exact=True).click()
    await expect(page.get_by_label("Comment", exact=True)).to_be_focused()
    await page.keyboard.type("Said to all.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".comment")).to_contain_text("Said to all.")


async def test_agent_is_stopped_from_its_panel(site: Site, open_page: Open) -> None:
    agent, task = await at_work(site, "Otto")
    page = await open_page(task)
    await live(page)
    await page.locator(".doing").get_by_role("link", name="Stop").click()
    dialog = page.get_by_role("dialog", name="Stop Otto?")
    await expect(dialog.get_by_label("Why")).to_be_focused()
    assert await found(page) == []
    await page.keyboard.type("The order was withdrawn.")
    await dialog.get_by_role("button", name="Stop Otto").click()
    await expect(dialog).to_be_hidden()
    await expect(page.locator(".doing")).to_have_count(0)
    await expect(page.locator(".timeline")).to_contain_text("Stopped by Ada: The order was withdrawn.")
    await expect(page.locator(".composer-kind")).to_be_hidden()
    await expect(page.get_by_label("Comment", exact=True)).to_be_visible()
    await agent.api.get("/healthz")
    await agent.api.get("/healthz")
    await expect(page.locator(".timeline")).to_contain_text("Otto heard it")


async def _search(page: Page, word: str) -> None:
    await page.keyboard.press("/")
    await expect(page.get_by_label("Search in this session")).to_be_focused()
    await page.keyboard.type(word)
    await page.keyboard.press("Enter")


async def test_session_is_searched_and_followed(site: Site, open_page: Open) -> None:
    agent, _ = await at_work(site, "Vega")
    session = await agent.report(*(f"Read rope {number}.md" for number in range(30)), "Searched for whipping")
    page = await open_page(session)
    await live(page)
    await expect(page.get_by_text("Vega works", exact=False).first).to_be_visible()
    await agent.report("Changed whipping.md")
    await expect(page.locator("#session-newest")).to_contain_text("Changed whipping.md")
    await _search(page, "WHIPPING")
    await expect(page.locator("[data-find-count]")).to_have_text("1 of 2")
    await expect(page.locator("mark[data-current]")).to_be_visible()
    await page.get_by_role("button", name="Next match").click()
    await expect(page.locator("[data-find-count]")).to_have_text("2 of 2")
    assert await found(page) == []
    await page.goto(f"{site.url}/agents/sessions")
    await expect(page.locator(".sess")).to_contain_text(["Splice for Vega"])
    assert await found(page) == []
    await page.get_by_role("link", name="Splice for Vega").click()
    await expect(page).to_have_url(f"{site.url}{session}")


async def test_note_stays_under_the_hands_of_its_writer_when_the_work_ends(site: Site, open_page: Open) -> None:
    _, task = await at_work(site, "Wim")
    page = await open_page(task)
    await live(page)
    await page.keyboard.press("n")
    note = page.locator(".note-composer textarea")
    await page.keyboard.type("Half a n")
    assert (await site.api.post(f"/api/v1{task}/stop", json={})).status_code == 200
    await expect(page.locator(".doing")).to_be_hidden()
    await page.keyboard.type("ote")
    await expect(note).to_have_value("Half a note")
    await expect(page.locator(".composer-hint:visible")).to_have_text("Nobody works on this now. Write a comment.")
    await page.locator(".composer-kind").get_by_text("Comment", exact=True).click()
    comment = page.locator(".composer textarea")
    await expect(comment).to_be_focused()
    await expect(comment).to_have_value("Half a note")
    await expect(page.locator(".composer-kind")).to_be_hidden()
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".moment.comment")).to_contain_text("Half a note")
    await page.reload()
    await expect(comment).to_have_value("")


async def test_session_at_a_keyboard_is_put_to_a_task_and_stopped_by_keys(site: Site, open_page: Open) -> None:
    board = await site.board(name="Loft of keys")
    agent = Agent(site, board, await site.make("/agents", board_id=board, name="Otto of keys"))
    await site.task(board, "Splice the halyard")
    about = {"external_id": "k1", "client": "claude-code", "title": "Look at the halyard", "host_label": "mara-laptop"}
    session = await agent.report("Read ropes.md", session=about, state="working")
    page = await open_page(session)
    await live(page)
    await page.keyboard.press("t")
    dialog = page.get_by_role("dialog", name="On which task does it work?")
    await expect(dialog.get_by_role("searchbox")).to_be_focused()
    assert await found(page) == []
    await page.keyboard.type("halyard")
    await expect(dialog.get_by_role("button", name="Splice the halyard")).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Take it off #1")).to_be_visible()
    assert await found(page) == []
    await page.keyboard.press("t")
    await expect(page.get_by_role("link", name="Attach to a task")).to_be_visible()
    await page.keyboard.press("s")
    stop = page.get_by_role("dialog", name="Stop Otto of keys?")
    await expect(stop).to_contain_text("Every further call of this turn is refused")
    assert await found(page) == []
    await page.keyboard.type("The price is wrong.")
    await stop.get_by_role("button", name="Stop Otto of keys").click()
    await expect(page.locator("#session-steer")).to_contain_text("Stopped by Ada: The price is wrong.")
    assert await found(page) == []
    told = await agent.post("/reports", session=about, items=[])
    assert (told["directive"], told["directive_reason"]) == ("stop", "Stopped by Ada: The price is wrong.")


async def test_what_a_program_asks_is_answered_where_it_works(site: Site, open_page: Open) -> None:
    agent, task = await at_work(site, "Vega of asks")
    ask = {
        "session_id": "p1", "cwd": "/home/mara/shop", "hook_event_name": "PermissionRequest", "tool_name": "Bash",
        "tool_input": {"command": "npm run import", "description": "Bring in the old list."},
    }  # fmt: skip
    async with httpx.AsyncClient(base_url=site.url, headers=agent.api.headers, timeout=PATIENCE) as program:
        asking = asyncio.create_task(program.post("/api/v1/connect/claude-code/hooks", json=ask))
        page = await open_page(task)
        asks = page.get_by_role("region", name="Asks")
        await expect(asks).to_contain_text("npm run import")
        assert await found(page) == []
        await page.get_by_role("link", name="Open session").first.click()
        await live(page)
        row = page.locator("#session-asks")
        await expect(row).to_contain_text("for #1")
        assert await found(page) == []
        await page.keyboard.press("a")
        answer = (await asking).json()
        assert answer["hookSpecificOutput"]["decision"] == {"behavior": "allow"}
        await expect(page.get_by_role("button", name="Allow once")).to_be_hidden()
