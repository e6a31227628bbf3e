"""The conversation about a board in a browser: keys answer, and what is typed stays while questions arrive."""

import sqlite3
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

QUESTION = {
    "question": "What for?",
    "options": [{"id": "1", "label": "Stars"}, {"id": "other", "label": "I'll type it"}],
}
LIMITS = {
    "question": "Which limits? (choose all that apply)",
    "options": [{"id": "1", "label": "No nights"}, {"id": "2", "label": "No money"}, {"id": "3", "label": "No wind"}],
}
PROPOSAL = {
    "status": "complete", "board_type": "goal", "objective": "Map the sky.", "success_metrics": {"Stars": 900},
    "lead_agent": {"name": "Cetus", "autonomy_level": "balanced"},
}  # fmt: skip


class Agent:
    """The main agent of a gateway that nobody reaches; it calls back over HTTP."""

    def __init__(self, site: Site, board: str, token: str) -> None:
        self._site, self._path = site, f"/api/v1/agent/boards/{board}/onboarding"
        self._headers = {"X-Agent-Token": token}

    async def say(self, said: dict[str, Any]) -> None:
        answer = await self._site.api.post(self._path, json=said, headers=self._headers)
        assert answer.status_code == 200, answer.text


def gateway_of(site: Site, board: str) -> str:
    """Give a board a gateway that nobody reaches; return the id of its main agent."""
    gateway, agent, now = str(uuid4()), str(uuid4()), "2026-11-26 12:00:00.000000"
    with closing(sqlite3.connect(site.database, timeout=30)) as database, database:
        [[organization]] = database.execute("SELECT organization_id FROM boards WHERE id = ?", (board,))
        row = (gateway, organization, "Dock", "ws://127.0.0.1:9", "~/work", False, False, "connecting", now, now, now)
        database.execute(
            "INSERT INTO gateways (id, organization_id, name, url, workspace_root, allow_insecure_tls,"
            f" disable_device_pairing, state, state_at, created_at, updated_at) VALUES ({', '.join('?' * len(row))})",
            row,
        )
        main = (
            agent,
            organization,
            gateway,
            "Dock Main",
            "online",
            False,
            "running",
            f"agent:{gateway}:main",
            now,
            now,
        )
        database.execute(
            "INSERT INTO agents (id, organization_id, gateway_id, name, status, is_board_lead, work_state,"
            f" openclaw_session_id, created_at, updated_at) VALUES ({', '.join('?' * len(main))})",
            main,
        )
        database.execute("UPDATE boards SET gateway_id = ? WHERE id = ?", (gateway, board))
    return agent


async def begun(site: Site, name: str) -> tuple[str, Agent]:
    """A board on a gateway, with a conversation that was started."""
    board = await site.board(name=name)
    token = (await site.make(f"/agents/{gateway_of(site, board)}/tokens", name="test"))["token"]
    await site.make(f"/boards/{board}/onboarding/start")
    return board, Agent(site, board, token)


async def messages(site: Site, board: str) -> list[str]:
    """What people said after the request."""
    read = (await site.api.get(f"/api/v1/boards/{board}/onboarding")).json()
    return [one["content"] for one in read["messages"][1:] if one["role"] == "user"]


async def live(page: Page) -> None:
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")


async def test_what_is_typed_stays_while_a_question_arrives(site: Site, open_page: Open) -> None:
    board, agent = await begun(site, "Typing")
    page = await open_page(f"/boards/{board}/onboarding")
    await live(page)
    await page.keyboard.press("a")
    await page.keyboard.type("Only the northern")
    await agent.say(QUESTION)
    await expect(page.get_by_role("button", name="Stars")).to_be_visible()
    field = page.get_by_label("Your answer")
    await expect(field).to_be_focused()
    await page.keyboard.type(" sky")
    await expect(field).to_have_value("Only the northern sky")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".talk")).to_contain_text("I'll type it: Only the northern sky")
    await expect(field).to_have_value("")
    assert await messages(site, board) == ["I'll type it: Only the northern sky"]


async def test_numbers_answer(site: Site, open_page: Open) -> None:
    board, agent = await begun(site, "Numbers")
    page = await open_page(f"/boards/{board}/onboarding")
    await live(page)
    await agent.say(QUESTION)
    await expect(page.get_by_role("button", name="Stars")).to_be_visible()
    await page.keyboard.press("2")
    await expect(page.get_by_label("Your answer")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("1")
    await expect(page.locator(".talk")).to_contain_text("Stars")
    await expect(page.get_by_role("button", name="Stars")).to_have_count(0)
    await agent.say(LIMITS)
    await expect(page.get_by_label("No nights")).to_be_visible()
    await page.keyboard.press("1")
    await page.keyboard.press("3")
    await expect(page.get_by_label("No wind")).to_be_checked()
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".talk")).to_contain_text("No nights, No wind")
    assert await messages(site, board) == ["Stars", "No nights, No wind"]


async def test_a_changed_proposal_stays_while_another_arrives(site: Site, open_page: Open) -> None:
    board, agent = await begun(site, "Proposals")
    page = await open_page(f"/boards/{board}/onboarding")
    await live(page)
    await agent.say(PROPOSAL)
    objective = page.get_by_label("Objective")
    await expect(objective).to_have_value("Map the sky.")
    await objective.fill("Map the whole sky.")
    await agent.say(PROPOSAL | {"objective": "Map half of it."})
    await expect(page.locator(".talk")).to_contain_text("Map half of it.")
    await expect(objective).to_have_value("Map the whole sky.")
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("link", name="Open the board")).to_be_visible()
    read = (await site.api.get(f"/api/v1/boards/{board}")).json()
    assert (read["objective"], read["goal_confirmed"]) == ("Map the whole sky.", True)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_conversation_fits_narrow_screens(site: Site, open_page: Open, theme: str) -> None:
    board, agent = await begun(site, f"Narrow {theme}")
    await agent.say(LIMITS)
    page = await open_page(f"/boards/{board}/onboarding", width=320, theme=theme)
    await expect(page.get_by_label("No nights")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("button", name="Cancel the conversation").click()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel the conversation").click()
    await expect(page.get_by_role("button", name="Start the conversation")).to_be_visible()
