"""Answering questions with keys, two people at once, a draft that survives, and without JavaScript."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.looks import found

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def lead(site: Site, board: str) -> dict[str, str]:
    """The headers of a new board's lead."""
    made = await site.make("/agents", name="Atlas", board_id=board, is_board_lead=True)
    return {"X-Agent-Token": made["token"]}


async def ask(site: Site, board: str, headers: dict[str, str], content: str) -> str:
    path = f"/api/v1/agent/boards/{board}/gateway/main/ask-user"
    answer = await site.api.post(path, json={"content": content}, headers=headers)
    return str(answer.json()["question_id"])


async def answered(site: Site, board: str, asked: str) -> Any:
    return (await site.api.get(f"/api/v1/boards/{board}/questions/{asked}")).json()["answer"]


async def live(page: Page) -> None:
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")


async def test_keys_answer_and_move_focus(site: Site, open_page: Open) -> None:
    board = await site.board(name="Asking")
    headers = await lead(site, board)
    first, second = [await ask(site, board, headers, text) for text in ("Which lens?", "When?")]
    page = await open_page(f"/boards/{board}/approvals")
    await live(page)
    await page.keyboard.press("j")
    await expect(page.locator(f"#question-{first}")).to_be_focused()
    await page.keyboard.press("a")
    await expect(page.locator(f"#answer-{first}")).to_be_focused()
    await page.keyboard.type("The wide one.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(f"#question-{second}")).to_be_focused()
    await expect(page.locator(f"#question-{first}")).to_contain_text("Ada answered")
    await expect(page.locator("#toasts")).to_contain_text("Atlas has your answer.")
    assert await answered(site, board, first) == "The wide one."
    await page.keyboard.press("a")
    await page.keyboard.type("Now.")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("heading", name="Nothing needs you")).to_be_visible()
    assert await answered(site, board, second) == "Now."


async def test_number_key_answers_with_an_option(site: Site, open_page: Open) -> None:
    board = await site.board(name="Options")
    made = await site.make("/agents", name="Vega", board_id=board)
    options = [{"label": "The wide one", "recommended": True}, {"label": "The long one", "outcome": "A week."}]
    path = f"/api/v1/agent/boards/{board}/questions"
    new = {"content": "Which lens?", "options": options}
    asked = (await site.api.post(path, json=new, headers={"X-Agent-Token": made["token"]})).json()["id"]
    page = await open_page(f"/boards/{board}/approvals")
    await live(page)
    await page.keyboard.press("2")
    await expect(page.locator(f"#question-{asked}")).to_contain_text("Ada answered")
    assert await answered(site, board, asked) == "The long one"


async def test_draft_survives_updates_and_a_late_answer(site: Site, open_page: Open) -> None:
    board = await site.board(name="Drafts")
    headers = await lead(site, board)
    asked = await ask(site, board, headers, "Which lens?")
    page = await open_page(f"/boards/{board}/approvals")
    await live(page)
    field = page.locator(f"#answer-{asked}")
    await field.fill("The long one.")
    other = await ask(site, board, headers, "When?")
    await expect(page.locator(f"#question-{other}")).to_be_visible()
    await expect(field).to_have_value("The long one.")
    path = f"/api/v1/boards/{board}/questions/{asked}/answers"
    assert (await site.api.post(path, json={"answer": "The wide one."})).status_code == 200
    row = page.locator(f"#question-{asked}")
    await expect(row).to_contain_text("Answered")
    await expect(field).to_have_value("The long one.")
    await row.get_by_role("button", name="Answer").click()
    await expect(row).to_contain_text("Somebody answered this question already.")
    await expect(row).to_contain_text("You wrote: The long one.")
    await expect(field).to_have_count(0)
    assert await answered(site, board, asked) == "The wide one."


async def test_questions_work_without_javascript(site: Site, open_page: Open) -> None:
    board = await site.board(name="Plain questions")
    asked = await ask(site, board, await lead(site, board), "Which lens?")
    page = await open_page(f"/boards/{board}/approvals", java_script_enabled=False)
    await page.locator(f"#answer-{asked}").fill("The wide one.")
    await page.get_by_role("button", name="Answer").click()
    await page.wait_for_url(f"**/boards/{board}/approvals#queue")
    assert await answered(site, board, asked) == "The wide one."


async def test_question_page_shows_the_answer(site: Site, open_page: Open) -> None:
    board = await site.board(name="One question")
    asked = await ask(site, board, await lead(site, board), "Which lens?\n\nThe wide one or the long one?")
    page = await open_page(f"/boards/{board}/questions/{asked}")
    await live(page)
    await page.locator(f"#answer-{asked}").fill("The wide one.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(f"#question-{asked}")).to_contain_text("Ada answered")
    await expect(page.locator(f"#answer-{asked}")).to_have_count(0)
    await expect(page.get_by_role("heading", name="What was asked")).to_be_visible()


async def test_axe_finds_nothing_on_a_question_with_long_options(site: Site, walker: Page) -> None:
    board = await site.board(name="Long options")
    labels = ["The wide one, which needs another mount and two days", "The long one"]
    asked = await site.api.post(
        f"/api/v1/agent/boards/{board}/questions",
        json={"content": "Which lens?", "options": [{"label": one, "recommended": one == labels[0]} for one in labels]},
        headers=await lead(site, board),
    )
    assert asked.status_code == 200, asked.text
    await walker.goto(f"{site.url}/boards/{board}/questions/{asked.json()['id']}")
    assert await found(walker) == []
