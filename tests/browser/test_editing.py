"""Text, focus, caret and draft of a form stay while others change the page."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.test_board import live

pytestmark = pytest.mark.browser

AT_CARET = "(field) => [field.selectionStart, field.selectionEnd]"


@pytest.fixture
async def agent(site: Site) -> AsyncIterator[tuple[str, dict[str, Any], httpx.AsyncClient]]:
    """A board, its agent, and a client with the agent's token."""
    board = await site.board()
    made = await site.make("/agents", board_id=board, name="Vega")
    async with httpx.AsyncClient(base_url=site.url, headers={"X-Agent-Token": made["token"]}, timeout=60) as client:
        yield board, made, client


async def change(client: httpx.AsyncClient, board: str, task: str, **fields: Any) -> None:
    answer = await client.patch(f"/api/v1/agent/boards/{board}/tasks/{task}", json=fields)
    assert answer.status_code == 200, answer.text


async def change_for_people(site: Site, board: str, task: str, **fields: Any) -> None:
    """The same by a script that acts for a person, for what agents may not change."""
    answer = await site.api.patch(f"/api/v1/boards/{board}/tasks/{task}", json=fields)
    assert answer.status_code == 200, answer.text


async def say(client: httpx.AsyncClient, board: str, task: str, message: str) -> None:
    answer = await client.post(f"/api/v1/agent/boards/{board}/tasks/{task}/comments", json={"message": message})
    assert answer.status_code == 200, answer.text


async def ask_people(site: Site, board: str, content: str) -> None:
    lead = await site.make("/agents", board_id=board, name="Lyra", is_board_lead=True)
    path = f"/api/v1/agent/boards/{board}/gateway/main/ask-user"
    answer = await site.api.post(
        path, json={"content": content}, headers={"X-Agent-Token": lead["token"], "Cookie": ""}
    )
    assert answer.status_code == 200, answer.text


async def heard(page: Page, site: Site, board: str) -> None:
    """Everything that was changed so far has reached the page: a later task is on its board."""
    mark = await site.task(board, "A later task")
    await expect(page.locator(f"#task-{mark}")).to_be_attached()


async def undisturbed(field: Locator, text: str, caret: int) -> None:
    await expect(field).to_be_focused()
    await expect(field).to_have_value(text)
    assert await field.evaluate(AT_CARET) == [caret, caret]


@pytest.mark.parametrize("kind", ["comment", "rename", "move", "priority", "assign"])
async def test_edit_form_survives_changes_by_an_agent(
    site: Site, open_page: Open, agent: tuple[str, dict[str, Any], httpx.AsyncClient], kind: str
) -> None:
    board, vega, client = agent
    task = await site.task(board, "Paint the hull", description="Two coats.")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    await page.keyboard.press("e")
    field = page.locator("#field-description")
    await field.focus()
    await page.keyboard.press("Control+End")
    await page.keyboard.type(" Then wax, cen")
    for _ in range(3):
        await page.keyboard.press("ArrowLeft")
    caret = len("Two coats. Then wax, ")
    if kind == "comment":
        await say(client, board, task, "I looked at it.")
    elif kind == "rename":
        await change_for_people(site, board, task, title="Paint the whole hull", description="Three coats.")
    elif kind == "move":
        await change(client, board, task, status="in_progress")
    elif kind == "priority":
        await change_for_people(site, board, task, priority="critical")
    else:
        await change_for_people(site, board, task, assigned_agent_id=vega["id"])
    await heard(page, site, board)
    await undisturbed(field, "Two coats. Then wax, cen", caret)
    await page.keyboard.type("slowly, cmez jk")
    await undisturbed(field, "Two coats. Then wax, slowly, cmez jkcen", caret + len("slowly, cmez jk"))
    await expect(page.locator("#field-title")).to_have_value("Paint the hull")
    await expect(page.locator("dialog[open], .menu:popover-open")).to_have_count(0)
    await page.goto(f"{site.url}/boards")
    await page.goto(f"{site.url}/boards/{board}/tasks/{task}?edit=text")
    await expect(page.locator("#field-description")).to_have_value("Two coats. Then wax, slowly, cmez jkcen")
    changed = page.locator("[data-draft-changed]")
    if kind == "rename":
        await expect(changed).to_contain_text("The task has changed since you wrote this draft")
        await expect(changed).to_contain_text("Three coats.")
        await expect(page.locator("#field-title")).to_have_value("Paint the whole hull")
    else:
        await expect(changed).to_be_hidden()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#field-description")).to_have_count(0)
    await expect(page.locator("[data-panel-title]")).to_be_visible()
    wanted = "Two coats. Then wax, slowly, cmez jkcen"
    assert (await site.read(board, task))["description"] == wanted


async def test_keys_typed_into_a_removed_field_trigger_nothing(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Mend the nets")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    await page.locator(".composer textarea").press("H")
    await page.evaluate("document.querySelector('.composer').remove()")
    for key in ("e", "c", "j", "m", "g", "b", "?", " ", "Enter"):
        await page.keyboard.press(key)
    await expect(page.locator("#toasts")).to_contain_text("The field you typed in is gone")
    await expect(page.locator("#field-title, dialog[open], .menu:popover-open")).to_have_count(0)
    await expect(page.locator("#new-task-inbox")).not_to_be_focused()
    await expect(page).to_have_url(f"{site.url}/boards/{board}/tasks/{task}")
    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    await expect(page.locator("#field-title")).to_be_focused()


async def test_focus_does_not_jump_to_another_field(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Mend the nets")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    step = page.get_by_role("textbox", name="New step")
    await step.press("H")
    await page.evaluate(
        "htmx.swap({text: '<input>', target: document.querySelector('[id$=-new-step]'), swap: 'innerHTML'})"
    )
    await expect(page.locator("input:focus, textarea:focus")).to_have_count(0)
    await expect(step).to_have_count(0)


async def test_all_other_task_forms_survive_updates(
    site: Site, open_page: Open, agent: tuple[str, dict[str, Any], httpx.AsyncClient]
) -> None:
    board, _, client = agent
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    await page.locator("#add-inbox > summary").click()
    await page.locator("#new-task-inbox").fill("half a task")
    await page.locator(".composer textarea").fill("half a comment")
    step = page.get_by_role("textbox", name="New step")
    await step.press_sequentially("half a step")
    await say(client, board, task, "I looked at it.")
    await change_for_people(site, board, task, title="Paint the whole hull", priority="critical")
    await change(client, board, task, status="in_progress")
    await expect(page.locator("[data-panel-title]")).to_have_text("Paint the whole hull")
    await expect(page.locator(".comment")).to_contain_text("I looked at it.")
    await undisturbed(step, "half a step", len("half a step"))
    await expect(page.locator("#new-task-inbox")).to_have_value("half a task")
    await expect(page.locator(".composer textarea")).to_have_value("half a comment")
    await page.reload()
    await expect(page.locator(".composer textarea")).to_have_value("half a comment")
    await expect(step).to_have_value("half a step")


async def test_half_typed_date_stays_while_other_facts_update(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    due = page.locator(f"#due-{task}")
    await due.focus()
    await page.keyboard.type("1")
    await site.api.patch(f"/api/v1/boards/{board}/tasks/{task}", json={"priority": "low", "status": "review"})
    await expect(page.locator(f"#priority-{task}")).to_have_value("low")
    await expect(page.locator(f"#status-{task}")).to_have_value("review")
    await expect(due).to_be_focused()


async def test_submitted_fact_updates_with_later_changes(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    priority = page.locator(f"#priority-{task}")
    async with page.expect_response(lambda answer: answer.request.method == "POST"):
        await priority.select_option("high")
    await expect(priority).to_have_value("high")
    await heard(page, site, board)
    await site.api.patch(f"/api/v1/boards/{board}/tasks/{task}", json={"priority": "critical"})
    await expect(priority).to_have_value("critical")


async def test_resync_keeps_edited_board_settings(site: Site, open_page: Open) -> None:
    board = await site.board()
    page = await open_page(f"/boards/{board}/settings")
    await live(page)
    description = page.locator("#field-description")
    await description.press("End")
    await description.press_sequentially(" And boats.")
    await page.locator("#field-require_review_before_done").check()
    answer = await site.api.patch(f"/api/v1/boards/{board}", json={"description": "Tugs.", "objective": "Dry feet"})
    assert answer.status_code == 200, answer.text
    async with page.expect_response(f"{site.url}/boards/{board}/settings"):
        await page.evaluate("document.getElementById('live').dispatchEvent(new CustomEvent('resync', {bubbles: true}))")
    await expect(page.locator("#field-objective")).to_have_value("Dry feet")
    await expect(description).to_have_value("Ships. And boats.")
    await expect(page.locator("#field-require_review_before_done")).to_be_checked()


async def test_agent_forms_survive_changes_to_the_agent(
    site: Site, open_page: Open, agent: tuple[str, dict[str, Any], httpx.AsyncClient]
) -> None:
    _, vega, client = agent
    page = await open_page(f"/agents/{vega['id']}/soul")
    await live(page)
    await page.get_by_role("link", name="Write a soul").click()
    soul = page.locator("#field-soul")
    await soul.press_sequentially("Calm and ex")
    await site.api.patch(f"/api/v1/agents/{vega['id']}", json={"name": "Vega Two"})
    await client.post("/api/v1/agent/heartbeat", json={"name": "Vega Two"})
    await expect(page.locator("h1")).to_contain_text("Vega Two")
    await undisturbed(soul, "Calm and ex", len("Calm and ex"))


async def test_answers_and_notes_survive_updates_by_others(
    site: Site, open_page: Open, agent: tuple[str, dict[str, Any], httpx.AsyncClient]
) -> None:
    board, _, client = agent
    task = await site.task(board, "Launch")
    asked = {"task_id": task, "action_type": "ship.launch", "confidence": 80, "lead_reasoning": "Ready."}
    assert (await client.post(f"/api/v1/agent/boards/{board}/approvals", json=asked)).status_code == 200
    await ask_people(site, board, "Which paint?")
    page = await open_page(f"/boards/{board}/approvals")
    await live(page)
    text = page.locator("[id^=answer-]")
    await text.press_sequentially("The red o")
    await say(client, board, task, "Waiting.")
    await site.task(board, "Another")
    more = {**asked, "task_id": await site.task(board, "Christen")}
    assert (await client.post(f"/api/v1/agent/boards/{board}/approvals", json=more)).status_code == 200
    await expect(page.locator("#queue > .approval")).to_have_count(3)
    await undisturbed(text, "The red o", len("The red o"))
    await page.get_by_role("link", name="Request changes").first.click()
    note = page.locator("#field-note")
    await note.press_sequentially("Check the b")
    third = {**asked, "task_id": await site.task(board, "Toast")}
    assert (await client.post(f"/api/v1/agent/boards/{board}/approvals", json=third)).status_code == 200
    await expect(page.locator("#queue > .approval")).to_have_count(4)
    await undisturbed(note, "Check the b", len("Check the b"))
    await expect(text).to_have_value("The red o")
    assert "Check the b" in json.dumps(await page.evaluate("({...sessionStorage})"))


async def test_quick_add_survives_when_the_columns_are_sent_whole(
    site: Site, open_page: Open, agent: tuple[str, dict[str, Any], httpx.AsyncClient]
) -> None:
    board, vega, _ = agent
    task = await site.task(board, "Paint the hull", assigned_agent_id=vega["id"])
    page = await open_page(f"/boards/{board}")
    await live(page)
    await page.locator("#add-review > summary").click()
    title = page.locator("#new-task-review")
    await title.press_sequentially("half a tsk")
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await site.api.patch(f"/api/v1/agents/{vega['id']}", json={"name": "Vega Two"})
    await expect(page.locator(f"#task-{task}")).to_contain_text("Vega Two")
    await undisturbed(title, "half a tsk", len("half a t"))
    await page.keyboard.type("a")
    await undisturbed(title, "half a task", len("half a ta"))


async def test_answer_on_the_page_of_a_question_survives(
    site: Site, open_page: Open, agent: tuple[str, dict[str, Any], httpx.AsyncClient]
) -> None:
    board, _, _ = agent
    await ask_people(site, board, "Which paint?")
    page = await open_page(f"/boards/{board}/approvals")
    question = (await page.locator("[id^=question-]").first.get_attribute("id") or "").removeprefix("question-")
    await page.goto(f"{site.url}/boards/{board}/questions/{question}")
    await live(page)
    text = page.locator("[id^=answer-]")
    await text.press_sequentially("The red o")
    async with page.expect_event("console", lambda said: said.text == "heard"):
        await page.evaluate("document.addEventListener('htmx:sse:after:message', () => console.log('heard'))")
        answer = await site.api.patch(f"/api/v1/boards/{board}", json={"name": "Harbour wall"})
        assert answer.status_code == 200, answer.text
    await undisturbed(text, "The red o", len("The red o"))


async def test_limit_of_a_budget_survives_what_agents_use_up(
    site: Site, open_page: Open, agent: tuple[str, dict[str, Any], httpx.AsyncClient]
) -> None:
    board, vega, client = agent
    budget = await site.make("/budgets", agent_id=vega["id"], unit="tokens", period="total", limit=20_000)
    page = await open_page("/settings/budgets")
    await live(page)
    limit = page.locator("input[name=limit]").first
    await limit.press_sequentially("12")
    await client.post("/api/v1/agent/usage", json={"input_tokens": 12_000, "output_tokens": 345})
    await expect(page.locator("#budgets")).to_contain_text("12,345")
    await expect(limit).to_have_value("12")
    await expect(limit).to_be_focused()
    assert (await site.api.delete(f"/api/v1/budgets/{budget['id']}")).status_code == 200  # other tests count budgets
    assert board and vega
