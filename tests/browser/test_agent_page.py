"""An agent's page in a browser: it follows what happens, keeps the focus and what is typed, and shows secrets once."""

from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Open, Site, Watched

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
TABS = ("inbox", "runs", "usage", "tokens", "soul", "activity")


async def hired(site: Site, board: str, name: str, **fields: Any) -> tuple[str, dict[str, str]]:
    """An agent's id, and the headers with which it calls."""
    made = await site.make("/agents", name=name, board_id=board, **fields)
    return made["id"], {"X-Agent-Token": made["token"]}


async def opened(open_page: Open, path: str, **options: Any) -> Page:
    page = await open_page(path, **options)
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    return page


async def test_pause_takes_one_key_and_updates_other_viewers(site: Site, open_page: Open) -> None:
    agent, _ = await hired(site, await site.board(name="Moon"), "Io")
    page, other = await opened(open_page, f"/agents/{agent}"), await opened(open_page, f"/agents/{agent}/tokens")
    await page.get_by_role("button", name="Pause Io").focus()
    await page.keyboard.press("Enter")
    for one in (page, other):
        await expect(one.locator("#agent-banner")).to_contain_text("Io is paused")
    await expect(page.get_by_role("button", name="Resume Io")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#agent-banner")).to_be_empty()
    await expect(page.get_by_role("button", name="Pause Io")).to_be_focused()
    await page.keyboard.press("s")
    await page.get_by_role("dialog", name="Stop Io?").get_by_role("button", name="Stop Io").click()
    await expect(other.locator("#agent-banner")).to_contain_text("Io is stopped")
    await expect(page.get_by_role("button", name="Resume Io")).to_be_focused()
    await page.keyboard.press("z")
    await expect(other.locator("#agent-banner")).to_be_empty()
    await other.keyboard.press("p")
    await other.get_by_role("link", name="Say why").click()
    await other.get_by_label("Reason").fill("Eclipse")
    await other.keyboard.press("Enter")
    await expect(page.locator("#agent-banner")).to_contain_text("Eclipse")
    await expect(other.locator("#agent-reason")).to_be_focused()


async def test_tabs_have_keys_and_addresses(site: Site, open_page: Open) -> None:
    agent, _ = await hired(site, await site.board(name="Tabs"), "Europa")
    page = await opened(open_page, f"/agents/{agent}")
    for key, end in enumerate(TABS, start=2):
        await page.keyboard.press(str(key))
        await page.wait_for_url(f"**/agents/{agent}/{end}")
        await expect(page.locator(".tabs [aria-current=page]")).to_have_attribute("href", f"/agents/{agent}/{end}")
        await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    await page.keyboard.press("?")
    await expect(page.locator("#keys-sheet")).to_contain_text("Pause Europa")
    await expect(page.locator("#keys-sheet")).to_contain_text("Inbox")


async def test_inbox_is_live_and_a_notice_can_be_sent_again(site: Site, open_page: Open) -> None:
    board = await site.board(name="Mail")
    agent, headers = await hired(site, board, "Ganymede")
    page = await opened(open_page, f"/agents/{agent}/inbox")
    await expect(page.locator("#agent-tab")).to_contain_text("Nothing yet")
    await site.task(board, "Write a letter", assigned_agent_id=agent)
    notice = page.locator(".notices > .row").first
    await expect(notice).to_contain_text("Task assigned")
    await expect(page.locator("#agent-tab-inbox")).to_contain_text("1")
    await notice.locator("summary").press("Enter")
    await expect(notice).to_contain_text("Write a letter")
    await site.task(board, "Write another", assigned_agent_id=agent)
    await expect(page.locator(".notices > .row")).to_have_count(2)
    await expect(page.locator(".notices details[open]")).to_have_count(1)  # stays open while the list grows
    found = await site.api.get("/api/v1/agent/inbox", headers={**headers, "Cookie": ""})
    await site.api.get(f"/api/v1/agent/inbox?after={found.json()['next']}", headers={**headers, "Cookie": ""})
    await expect(page.locator(".notices > .row").first).to_contain_text("Received")
    await expect(page.locator("#agent-tab-inbox .count")).to_have_count(0)


async def test_token_replaces_its_form_and_is_shown_once(site: Site, open_page: Open) -> None:
    agent, headers = await hired(site, await site.board(name="Keys"), "Callisto")
    page = await opened(open_page, f"/agents/{agent}/tokens", permissions=["clipboard-read", "clipboard-write"])
    await page.keyboard.press("c")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("crane")
    await dialog.get_by_label("Requests per minute").fill("60")
    await page.keyboard.press("Enter")
    await expect(dialog.locator("#token")).to_be_visible()
    secret = (await dialog.locator("#token").inner_text()).strip()
    await dialog.locator(".copy-block[data-once]").get_by_role("button").click()
    await expect(page.locator("#status-region")).to_have_text("Copied")  # the button says so for a moment only
    assert await page.evaluate("navigator.clipboard.readText()") == secret
    await expect(dialog).to_contain_text(f'/mcp --header "Authorization: Bearer {secret}')
    await page.mouse.click(5, 5)
    await expect(dialog).to_be_visible()  # a secret is not lost by a slip
    await expect(page.locator("#live-tokens")).to_contain_text("crane")
    await dialog.get_by_role("button", name="Done").click()
    await expect(dialog).to_have_count(0)
    await expect(page.locator("#new-token")).to_be_focused()
    assert secret not in await page.content()
    answer = await site.api.get("/api/v1/agent/healthz", headers={"X-Agent-Token": secret, "Cookie": ""})
    assert answer.status_code == 200
    await page.get_by_role("link", name="Revoke").last.click()
    await page.get_by_role("button", name="Revoke the token").click()
    await expect(page.locator("#live-tokens > li")).to_have_count(1)
    await expect(page.locator(":focus")).to_have_count(1)
    answer = await site.api.get("/api/v1/agent/healthz", headers={**headers, "Cookie": ""})
    assert answer.status_code == 401


async def test_focus_stays_on_the_page_when_the_stream_is_faster_than_the_answer(site: Site, open_page: Open) -> None:
    agent, _ = await hired(site, await site.board(name="Late keys"), "Amalthea")
    await site.make(f"/agents/{agent}/tokens", name="crane")
    page = await opened(open_page, f"/agents/{agent}/tokens")

    async def late(route: Route) -> None:
        if route.request.method == "GET":
            return await route.continue_()
        answer = await route.fetch()
        await expect(page.locator("#live-tokens > li")).to_have_count(1)
        await route.fulfill(response=answer)

    await page.route("**/revocations", late)
    await page.get_by_role("link", name="Revoke").last.click()
    await page.get_by_role("button", name="Revoke the token").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator("#live-tokens :focus")).to_have_count(1)


async def test_typed_text_survives_updates_and_refusals(site: Site, open_page: Open, watched: Watched) -> None:
    board = await site.board(name="Typing")
    agent, headers = await hired(site, board, "Titan")
    page = await opened(open_page, f"/agents/{agent}/soul")
    await page.keyboard.press("c")
    soul = page.get_by_role("textbox", name="Soul")
    await soul.fill("Be patient.")
    await site.api.post("/api/v1/agent/heartbeat", headers={**headers, "Cookie": ""})
    await site.api.patch(f"/api/v1/agents/{agent}", json={"soul_template": "Be quick."})
    await expect(page.locator("#agent-tab .soul").first).to_contain_text("Be quick.")
    await expect(soul).to_be_focused()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("dialog")).to_contain_text("Somebody changed it to “Be quick.”. Saving replaces")
    await expect(soul).to_have_value("Be patient.")
    await site.api.delete(f"/api/v1/agents/{agent}")
    await expect(page.locator("#agent-banner")).to_contain_text("This agent is gone")
    watched.forgiven = "status of 404"
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("dialog")).to_contain_text("was deleted while the page was open. Nothing was saved.")
    await expect(soul).to_have_value("Be patient.")
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")


async def test_pause_key_acts_on_the_focused_row(site: Site, open_page: Open) -> None:
    board = await site.board(name="Rows")
    first, _ = await hired(site, board, "Aa Rhea")
    second, _ = await hired(site, board, "Ab Dione")
    page = await opened(open_page, "/agents")
    await page.locator(f"#agent-{first} [data-nav-item]").focus()
    await page.keyboard.press("j")
    await page.keyboard.press("p")
    await expect(page.locator(f"#agent-{second}")).to_contain_text("Paused")
    await expect(page.locator(f"#agent-{second} [data-nav-item]")).to_be_focused()
    await expect(page.locator(f"#agent-{first}")).not_to_contain_text("Paused")
    await page.get_by_role("link", name="Stop Ab Dione").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Stop Ab Dione").click()
    await expect(page.locator(f"#agent-{second}")).to_contain_text("Stopped")
    await expect(page.locator(f"#agent-{second} :focus")).to_have_count(1)


async def test_agent_page_works_without_javascript(site: Site, open_page: Open) -> None:
    agent, _ = await hired(site, await site.board(name="Plain"), "Mimas")
    page = await open_page(f"/agents/{agent}", java_script_enabled=False)
    await page.get_by_role("button", name="Pause Mimas").click()
    await expect(page.locator("#agent-banner")).to_contain_text("Mimas is paused")
    await page.get_by_role("link", name="Limits").click()
    await page.get_by_label("Tasks in progress").fill("4")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#agent-tab")).to_contain_text("0 of 4 tasks")
    await page.get_by_role("link", name="Tokens", exact=True).click()
    await page.get_by_role("link", name="New token").click()
    await page.get_by_role("button", name="Create the token").click()
    await expect(page.locator("#token")).to_be_visible()
    await page.get_by_role("link", name="Done").click()
    await expect(page.locator("#live-tokens > li")).to_have_count(2)
