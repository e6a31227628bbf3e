"""What only a browser can show about a board: drag, keys, focus, drafts, networks that come and go."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable

import pytest
from playwright.async_api import Page, Response, expect

from tests.browser.conftest import Open, Site, Watched

pytestmark = pytest.mark.browser


async def live(page: Page) -> None:
    """Wait until the page hears the server."""
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")


async def drag(page: Page, card: str, target: str, meanwhile: Awaitable[None] | None = None) -> None:
    """Drag a card onto something; wait for what happens while it is in the air."""
    await page.locator(card).hover()
    async with asyncio.timeout(60):
        while not await page.evaluate("Boolean(document.querySelector('[data-sortable]').sortable && window.Sortable)"):
            await page.wait_for_timeout(50)
    start = await page.locator(card).bounding_box()
    end = await page.locator(target).bounding_box()
    assert start and end
    await page.mouse.move(start["x"] + 60, start["y"] + start["height"] - 8)
    await page.mouse.down()
    await page.mouse.move(start["x"] + 90, start["y"] + 40, steps=4)
    await page.mouse.move(end["x"] + 80, end["y"] + 30, steps=12)
    if meanwhile is not None:
        await meanwhile
    await page.mouse.up()


async def test_big_board_stays_small_in_bytes(site: Site, open_page: Open) -> None:
    board = await site.board()
    for number in range(200):
        await site.task(board, f"Plank {number}")
    page, weight = await open_page("/offline"), {}  # nothing that a board needs is in the cache

    async def weigh(answer: Response) -> None:
        if re.search(r"\.(js|css)$", answer.url) and "Sortable" not in answer.url:  # comes when the page is idle
            weight[answer.url] = (await answer.request.sizes())["responseBodySize"]

    page.on("response", weigh)
    await page.goto(f"{site.url}/boards/{board}?all=inbox")
    await live(page)
    await expect(page.locator(".card")).to_have_count(200)
    assert sum(weight.values()) < 60_000


async def test_drag_and_undo(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Paint the hull")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await drag(page, f"#task-{task}", "#list-in_progress")
    await expect(page.locator(f"#list-in_progress #task-{task}")).to_be_visible()
    await expect(page.locator("#toasts")).to_contain_text("#1 moved to In progress")
    assert (await site.read(board, task))["status"] == "in_progress"
    await page.locator("#toasts").get_by_role("button", name="Undo").click()
    await expect(page.locator(f"#list-inbox #task-{task}")).to_be_visible()
    assert (await site.read(board, task))["status"] == "inbox"


async def test_drag_reorders_within_a_column(site: Site, open_page: Open) -> None:
    board = await site.board()
    first, second = await site.task(board, "Lower card"), await site.task(board, "Upper card")
    page = await open_page(f"/boards/{board}")
    await live(page)
    async with page.expect_response(lambda answer: answer.request.method == "POST"):
        await drag(page, f"#task-{first}", f"#task-{second}")
    await page.reload()
    titles = await page.locator("#list-inbox .card-title").all_inner_texts()
    assert titles == ["Lower card", "Upper card"]


async def test_refused_move_restores_the_card_and_explains(site: Site, open_page: Open) -> None:
    board = await site.board(require_review_before_done=True)
    task = await site.task(board, "Launch")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await drag(page, f"#task-{task}", "#list-done")
    await expect(page.locator(f"#task-{task} .refusal")).to_contain_text("only after review")
    await expect(page.locator(f"#list-inbox #task-{task}")).to_be_visible()


async def test_drag_to_done_offers_approval(site: Site, open_page: Open) -> None:
    board = await site.board(require_approval_for_done=True)
    task = await site.task(board, "Launch")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await drag(page, f"#task-{task}", "#list-done")
    await expect(page.get_by_role("button", name="Approve and finish")).to_be_focused()
    await expect(page.locator("#toasts")).not_to_contain_text("did not work")
    await page.keyboard.press("Escape")
    await expect(page.locator(f"#list-inbox #task-{task}")).to_be_visible()
    await drag(page, f"#task-{task}", "#list-done")
    await page.get_by_role("button", name="Approve and finish").click()
    await expect(page.locator(f"#list-done #task-{task}")).to_be_visible()
    await expect(page.locator("#dialogs dialog")).to_have_count(0)
    await expect(page.locator("#toasts")).to_contain_text("#1 approved and moved to Done")


async def test_keys_and_panel_offer_approve_and_finish(site: Site, open_page: Open) -> None:
    board = await site.board(require_approval_for_done=True)
    first, second = await site.task(board, "First"), await site.task(board, "Second")
    page = await open_page(f"/boards/{board}")
    await live(page)
    card = page.locator(f"#task-{first} [data-nav-item]")
    await card.focus()
    for answer in ("Escape", "Enter"):
        await page.keyboard.press("m")
        await page.locator("#card-menu").get_by_role("button", name="Done").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Approve and finish")).to_be_focused()
        await page.keyboard.press(answer)
        await expect(card).to_be_focused()
    await expect(page.locator(f"#list-done #task-{first}")).to_be_visible()
    await expect(card).to_be_focused()
    await page.goto(f"{site.url}/boards/{board}/tasks/{second}")
    await live(page)
    await page.locator(f"#status-{second}").select_option("done")
    await page.get_by_role("button", name="Approve and finish").click()
    await expect(page.locator(f"#list-done #task-{second}")).to_be_visible()


async def test_approve_and_finish_without_javascript(site: Site, open_page: Open) -> None:
    board = await site.board(require_approval_for_done=True)
    task = await site.task(board, "Launch")
    page = await open_page(f"/boards/{board}/tasks/{task}", java_script_enabled=False)
    await page.locator(f"#status-{task}").select_option("done")
    await page.locator(f"#fact-status-{task}").get_by_role("button", name="Set").click()
    await page.get_by_role("button", name="Approve and finish").click()
    await expect(page.locator(f"#list-done #task-{task}")).to_be_visible()


async def test_move_menu_moves_a_card(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Mend the nets")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await page.get_by_role("button", name="Move #1").click()
    await page.locator("#card-menu").get_by_role("button", name="Review").click()
    await expect(page.locator(f"#list-review #task-{task}")).to_be_visible()


async def test_keyboard_alone_creates_moves_and_comments(site: Site, open_page: Open) -> None:
    board = await site.board()
    page = await open_page(f"/boards/{board}")
    await live(page)
    await page.keyboard.press("c")
    await page.keyboard.type("Ring the bell")
    await page.keyboard.press("Enter")
    card = page.locator(".card", has_text="Ring the bell")
    await expect(card).to_be_visible()
    await expect(page.locator("#new-task-inbox")).to_be_focused()
    await expect(page.locator("#new-task-inbox")).to_have_value("")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.locator("body").press("j")
    await expect(card.locator("[data-nav-item]")).to_be_focused()
    await page.keyboard.press("m")
    menu = page.locator(".menu:popover-open")
    await expect(menu.get_by_role("button", name="Inbox")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(menu.get_by_role("button", name="In progress")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#list-in_progress .card")).to_contain_text("Ring the bell")
    await page.locator("#list-in_progress [data-nav-item]").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-panel-title]")).to_be_focused()
    await page.locator(".composer textarea").focus()
    await page.keyboard.type("Twice at noon")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".comment")).to_contain_text("Twice at noon")
    await expect(page.locator(".composer textarea")).to_have_value("")


async def test_create_move_and_comment_without_javascript(site: Site, open_page: Open) -> None:
    board = await site.board()
    page = await open_page(f"/boards/{board}", java_script_enabled=False)
    await page.locator("#add-inbox > summary").click()
    await page.locator("#new-task-inbox").fill("Coil the ropes")
    await page.locator("#new-task-inbox").press("Enter")
    await page.get_by_role("button", name="Move #1").click()
    await page.get_by_role("button", name="Review").click()
    await expect(page.locator("#list-review .card")).to_contain_text("Coil the ropes")
    await page.get_by_role("link", name="Coil the ropes").click()
    await page.locator(".composer textarea").fill("All of them")
    await page.get_by_role("button", name="Comment").click()
    await expect(page.locator(".comment")).to_contain_text("All of them")


async def test_updates_by_others_keep_focus_and_drafts(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Watch the tide")
    page = await open_page(f"/boards/{board}/tasks/{task}")
    await live(page)
    await page.locator("#add-inbox > summary").click()
    await page.locator("#new-task-inbox").fill("half a tit")
    await page.locator(".composer textarea").fill("half a comment")
    answer = await site.api.patch(f"/api/v1/boards/{board}/tasks/{task}", json={"status": "review"})
    assert answer.status_code == 200
    await site.make(f"/boards/{board}/tasks/{task}/comments", message="From elsewhere")
    await expect(page.locator(f"#list-review #task-{task}")).to_be_visible()
    await expect(page.locator(".comment")).to_contain_text("From elsewhere")
    await expect(page.locator(f"#status-{task}")).to_have_value("review")
    await expect(page.locator(".composer textarea")).to_be_focused()
    await expect(page.locator(".composer textarea")).to_have_value("half a comment")
    await expect(page.locator("#new-task-inbox")).to_have_value("half a tit")


async def test_filter_is_in_the_address_and_updates_the_stream(site: Site, open_page: Open) -> None:
    board = await site.board()
    await site.task(board, "Red buoy")
    await site.task(board, "Green buoy")
    page = await open_page(f"/boards/{board}")
    await live(page)
    await page.keyboard.press("f")
    async with page.expect_response(lambda answer: "/live?" in answer.url and "q=red&" in f"{answer.url}&"):
        await page.keyboard.type("red")
    await expect(page.locator(".card")).to_have_count(1)
    await expect(page).to_have_url(f"{site.url}/boards/{board}?q=red")
    await site.task(board, "Another green one")
    await site.task(board, "Second red buoy")
    await expect(page.locator(".card")).to_have_count(2)
    await page.locator("#filters input[name=q]").fill("nothing like it")
    await expect(page.locator("#board-note")).to_contain_text("No task matches")
    await page.get_by_role("link", name="Clear the filter").click()
    await expect(page.locator(".card")).to_have_count(4)


class Cable:
    """A TCP proxy that can be cut."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.is_cut = False
        self.writers: set[asyncio.StreamWriter] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.close()
            return
        self.writers.add(writer)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self.writers.add(far_writer)
        if writer.is_closing():  # the connection was cut
            far_writer.close()
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    def cut(self) -> None:
        self.is_cut = True
        for writer in self.writers:
            writer.close()
        self.writers.clear()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
async def cable(site: Site) -> AsyncIterator[tuple[Cable, str]]:
    made = Cable(int(site.url.rsplit(":", 1)[1]))
    server = await asyncio.start_server(made.carry, "127.0.0.1", 0)
    yield made, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    made.cut()
    server.close()


async def test_reconnected_board_shows_missed_changes(
    site: Site, open_page: Open, watched: Watched, cable: tuple[Cable, str]
) -> None:
    watched.forgiven = r"ERR_|Failed to fetch|network error"
    board = await site.board()
    task = await site.task(board, "Drift")
    page = await open_page(f"/boards/{board}", base=cable[1])
    await live(page)
    cable[0].cut()
    await expect(page.locator("html")).not_to_have_attribute("data-connection", "live")
    await site.api.patch(f"/api/v1/boards/{board}/tasks/{task}", json={"status": "done"})
    await site.task(board, "Made meanwhile")
    cable[0].is_cut = False
    await expect(page.locator(f"#list-done #task-{task}")).to_be_visible(timeout=20_000)
    await expect(page.locator(".card", has_text="Made meanwhile")).to_have_count(1)


async def test_drag_library_loads_after_a_network_outage(
    site: Site, open_page: Open, watched: Watched, cable: tuple[Cable, str]
) -> None:
    watched.forgiven = r"ERR_|Failed to fetch|network error"
    board = await site.board()
    task = await site.task(board, "Mend the nets")
    page = await open_page("/boards", base=cable[1])
    await page.route("**/Sortable*", lambda route: route.abort())
    async with page.expect_event("requestfailed", lambda failed: "Sortable" in failed.url):
        await page.goto(f"{cable[1]}/boards/{board}")
        await live(page)
    await page.unroute_all(behavior="wait")
    cable[0].cut()
    await expect(page.locator("html")).not_to_have_attribute("data-connection", "live")
    cable[0].is_cut = False
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    await drag(page, f"#task-{task}", "#list-in_progress")
    await expect(page.locator(f"#list-in_progress #task-{task}")).to_be_visible()


async def test_short_network_outage_recovers(site: Site, open_page: Open, watched: Watched) -> None:
    watched.forgiven = r"ERR_|Failed to fetch|network error"
    board = await site.board()
    page = await open_page(f"/boards/{board}", width=390)
    await live(page)
    await page.evaluate("dispatchEvent(new Event('offline'))")
    await expect(page.locator(".bar-live")).to_contain_text("Offline since")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await live(page)
    await expect(page.locator(".bar-live")).to_be_hidden()
    await site.task(board, "Made later")
    await expect(page.locator(".card", has_text="Made later")).to_have_count(1)
