"""What stands beside a board and a group in a browser, with keys, and several people and an agent at once."""

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PATIENCE, Open, Site
from tests.browser.looks import found

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


INSIDE = """(inner, outer) => {
  const [a, b] = [inner.getBoundingClientRect(), outer.getBoundingClientRect()];
  return a.top > b.top && a.bottom < b.bottom && a.left > b.left;
}"""
BESIDE = "(one, other) => one.getBoundingClientRect().right <= other.getBoundingClientRect().left"


async def live(page: Page) -> Page:
    """A page whose stream is connected."""
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    return page


async def test_two_people_and_an_agent_write_at_once_and_typing_stays(site: Site, open_page: Open) -> None:
    board = await site.board(name="Quay")
    agent = await site.make("/agents", name="Polaris", board_id=board)
    token = await site.make(f"/agents/{agent['id']}/tokens", name="chat")
    ada, other = await live(await open_page(f"/boards/{board}?panel=chat")), await open_page(f"/boards/{board}")
    await live(other)
    await other.keyboard.press("b")
    await other.keyboard.press("c")
    await expect(other).to_have_url(f"{site.url}/boards/{board}?panel=chat")
    field, others = ada.get_by_role("textbox", name="Message"), other.get_by_role("textbox", name="Message")
    await field.click()
    await field.press_sequentially("Half a sent")
    headers = {"Authorization": f"Bearer {token['token']}"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=PATIENCE) as polaris:
        said = {"content": "Moored at **pier 3**", "tags": ["chat"]}
        answer = await polaris.post(f"/api/v1/agent/boards/{board}/memory", json=said)
        assert answer.status_code == 200, answer.text
    await others.fill("From the other window")
    await others.press("Enter")
    for page in (ada, other):
        await expect(page.locator(".chat-message")).to_have_count(2)
        await expect(page.locator(".chat-message").first).to_contain_text("Polaris")
        await expect(page.locator(".chat-message").last).to_contain_text("From the other window")
    await expect(others).to_have_value("")
    await expect(field).to_be_focused()
    await field.press_sequentially("ence")
    await field.press("Shift+Enter")
    await field.press_sequentially("and a line")
    await expect(field).to_have_value("Half a sentence\nand a line")
    await field.press("Enter")
    await expect(field).to_have_value("")
    await expect(other.locator(".chat-message").last).to_contain_text("and a line")
    ids = [await page.eval_on_selector_all(".chat-message", "all => all.map(one => one.id)") for page in (ada, other)]
    assert ids[0] == ids[1] and len(set(ids[0])) == 3


async def test_names_are_offered_and_nothing_is_sent_while_composing(site: Site, open_page: Open) -> None:
    board = await site.board(name="Mole")
    await site.make("/agents", name="Rigel", board_id=board)
    page = await live(await open_page(f"/boards/{board}?panel=chat"))
    field = page.get_by_role("textbox", name="Message")
    await field.click()
    await field.press_sequentially("@ri")
    await expect(page.get_by_role("option")).to_have_count(1)
    await field.press("Enter")
    await expect(field).to_have_value("@Rigel ")
    await field.evaluate("f => f.dispatchEvent(new KeyboardEvent('keydown',"
                         " {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))")  # fmt: skip
    await expect(field).to_have_value("@Rigel ")
    assert await page.locator(".chat-message").count() == 0


async def test_draft_survives_closing_and_back_opens_it_again(site: Site, open_page: Open) -> None:
    board = await site.board(name="Pier")
    await site.task(board, "Tar the planks")
    page = await live(await open_page(f"/boards/{board}"))
    await page.get_by_role("button", name="More about the board").click()
    await page.get_by_role("link", name="Chat").click()
    field = page.get_by_role("textbox", name="Message")
    await field.fill("Not sent yet")
    await field.press("Escape")
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(f"{site.url}/boards/{board}")
    await expect(field).to_have_count(0)
    await page.go_back()
    await expect(field).to_have_value("Not sent yet")
    await page.reload()
    await expect(page.locator("#aside-chat")).to_be_visible()


async def test_notes_are_searched_as_one_types(site: Site, open_page: Open) -> None:
    board = await site.board(name="Wharf")
    for text in ("Ropes are checked on Mondays", "Tides are in the blue book"):
        await site.make(f"/boards/{board}/memory", content=text, tags=["rules"])
    page = await live(await open_page(f"/boards/{board}?panel=memory"))
    await expect(page.locator(".note")).to_have_count(2)
    assert await page.locator(".note").first.evaluate(f"(note) => ({BESIDE})(...note.children)"), "who wrote it"
    search = page.get_by_role("searchbox", name="Search the notes")
    assert await search.evaluate(f"(field) => ({INSIDE})(field.previousElementSibling, field)"), "the icon"
    await search.click()
    await search.press_sequentially("blue")
    await expect(page.locator(".note")).to_have_count(1)
    await expect(search).to_be_focused()
    await expect(search).to_have_value("blue")
    await site.make(f"/boards/{board}/memory", content="The blue boat leaks", tags=["boats"])
    await expect(page.locator(".note")).to_have_count(2)


async def test_test_call_of_a_webhook_appears_live(site: Site, open_page: Open) -> None:
    board = await site.board(name="Buoy")
    webhook = await site.make(f"/boards/{board}/webhooks", description="Weather")
    page = await live(await open_page(f"/boards/{board}/webhooks/{webhook['id']}"))
    await page.get_by_text("Send a test call", exact=True).click()
    await page.get_by_role("textbox", name="Text of the call").fill('{"wind": 7}')
    await page.get_by_role("button", name="Send the test call").click()
    await expect(page.locator(".payload")).to_have_count(1)
    await expect(page.locator(".payload")).to_contain_text('"wind": 7')
    await site.make(f"/boards/{board}/webhooks/{webhook['id']}/tests", content='{"wind": 9}')
    await expect(page.locator(".payload")).to_have_count(2)
    await expect(page.locator(".payload").first).to_contain_text("Test")


async def test_group_page_is_live_and_has_its_chat(site: Site, open_page: Open) -> None:
    board = await site.board(name="Lighthouse")
    group = await site.make("/board-groups", name="Coast", slug="", board_ids=[board])
    page = await live(await open_page(f"/groups/{group['id']}", width=390))
    await site.task(board, "Clean the lens")
    await expect(page.locator("#group-boards")).to_contain_text("Clean the lens")
    await page.get_by_role("link", name="Group chat").first.click()
    await page.get_by_role("textbox", name="Message").fill("Fog tonight")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".chat-message")).to_contain_text("Fog tonight")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture(scope="session")
async def places(site: Site) -> dict[str, str]:
    """Pages with something on them."""
    board = await site.board(name="Harbour office", objective="No ship waits.", success_metrics={"minutes": 5})
    await site.task(board, "Answer the radio")
    await site.make("/agents", name="Vega", board_id=board)
    for tags in (["chat"], ["radio"]):
        await site.make(f"/boards/{board}/memory", content="Channel **16**, see @Vega", tags=tags)
    webhook = await site.make(f"/boards/{board}/webhooks", description="Weather")
    await site.make(f"/boards/{board}/webhooks/{webhook['id']}/tests", content='{"wind": 7}')
    at = {"forge": "gitlab", "repository": "https://gitlab.example.org/harbour/office"}
    forge = await site.make(f"/boards/{board}/webhooks", description="The code", **at)
    group = await site.make("/board-groups", name="All of the harbour", slug="", board_ids=[board])
    here, hook, groups = f"/boards/{board}", f"/boards/{board}/webhooks/{webhook['id']}", f"/groups/{group['id']}"
    asides = {name: f"{here}?panel={name}" for name in ("chat", "memory", "feed", "goal")}
    return asides | {
        "settings": f"{here}/settings", "webhooks": f"{here}/webhooks", "webhook": hook, "edit webhook": f"{hook}/edit",
        "delete webhook": f"{hook}/delete", "new webhook": f"{here}/webhooks/new",
        "webhook of a forge": f"{here}/webhooks/{forge['id']}",
        "edit its repository": f"{here}/webhooks/{forge['id']}/edit",
        "groups": "/groups", "group": groups, "group chat": f"{groups}?panel=chat",
        "edit group": f"{groups}/edit", "pace": f"{groups}/pace", "delete group": f"{groups}/delete",
        "boards": "/boards", "new board": "/boards/new", "activity": "/activity",
    }  # fmt: skip


async def test_axe_finds_nothing(places: dict[str, str], site: Site, walker: Page) -> None:
    broken = {}
    for name, path in places.items():
        await walker.goto(site.url + path)
        await live(walker)
        broken[name] = await found(walker)
    assert not any(broken.values()), broken
