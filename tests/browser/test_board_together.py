"""Two people with own accounts and three agents on one board: nothing that somebody does is broken by others."""

import asyncio
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, SAME_ORIGIN, Open, Site, Watched
from tests.browser.test_board import drag, live
from tests.browser.test_board_work import numbers

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
STATUSES = ("inbox", "in_progress", "review", "done")
PLANKS = 24
TOP = "one => one.getBoundingClientRect().top"
# How each form is opened that a stream can reach: what is added to the address, what is pressed, and its field.
FORMS = {
    "quick add": ("", ("#add-inbox > summary",), "#new-task-inbox"),
    "new task": ("", ("#add-inbox > summary", "#add-inbox [formmethod=get]"), "#new-task-form [name=description]"),
    "comment": ("/tasks/{task}", (), ".composer textarea"),
    "title": ("/tasks/{task}?edit=title", (), ".panel [name=title]"),
    "description": ("/tasks/{task}?edit=text", (), "#field-description"),
    "chat": ("?panel=chat", (), "#chat-composer textarea"),
    "send-back note": ("", ("#task-{asks} .card-ask a",), "#field-note"),
}


class Crew:
    """Three agents at work over HTTP, each on a task of its own, and one that asks about another task."""

    def __init__(self, site: Site, board: str, tokens: list[str], tasks: list[str]) -> None:
        self.site, self.board, self.tokens, self.tasks = site, board, tokens, tasks

    async def act(self, at: int, method: str, path: str, **body: Any) -> Any:
        """Send a request of one agent."""
        headers = {"X-Agent-Token": self.tokens[at]}
        async with httpx.AsyncClient(base_url=self.site.url, headers=headers, timeout=PATIENCE) as client:
            answer = await client.request(method, f"/api/v1/agent/boards/{self.board}{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def work(self, at: int, task: str) -> None:
        """Take a task, talk about it or about another, and give it back."""
        mine = f"/tasks/{self.tasks[at]}"
        await self.act(at, "PATCH", mine, status="in_progress")
        await self.act(at, "POST", f"{mine if at else f'/tasks/{task}'}/comments", message="I looked at it.")
        await self.act(at, "PATCH", mine, status="inbox", comment="Not mine after all.")

    async def burst(self, task: str) -> None:
        """Let all three work at once."""
        await asyncio.gather(*(self.work(at, task) for at in range(3)))


async def colleague(site: Site, chromium: Browser, watched: Watched, board: str) -> tuple[Page, httpx.AsyncClient]:
    """Somebody with an account of their own: their page of the board, and their session for the API."""
    made = await site.make("/organizations/me/invites", invited_email="bo@example.org", all_boards_write=True)
    context = await chromium.new_context(viewport={"width": 1440, "height": 900}, service_workers="block")
    context.set_default_timeout(1000 * PATIENCE)
    watched.contexts.append(context)
    page = await context.new_page()
    page.on("console", lambda said: watched.hear(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: watched.hear(str(error)))
    await page.goto(f"{site.url}/invitations/{made['token']}")
    await page.get_by_label("Your name").fill("Bo Lind")
    await page.get_by_label("Password", exact=True).fill("a long enough password")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await page.goto(f"{site.url}/boards/{board}")
    await live(page)
    cookie = next(one for one in await context.cookies() if one["name"] == "mission_control")
    headers = {**SAME_ORIGIN, "Cookie": f"mission_control={cookie['value']}"}
    return page, httpx.AsyncClient(base_url=f"{site.url}/api/v1", headers=headers, timeout=PATIENCE)


async def orders(site: Site, board: str, pages: tuple[Page, Page]) -> None:
    """Assert that the cards stand in the same order on both pages and in the API."""
    for status in STATUSES:
        query: dict[str, str | int] = {"sort": "position", "status": status, "limit": 200}
        listed = (await site.api.get(f"/api/v1/boards/{board}/tasks", params=query)).json()["items"]
        wanted = [str(one["number"]) for one in listed]
        for page in pages:
            await expect(page.locator(f"#list-{status} > .card")).to_have_count(len(wanted))
            assert await numbers(page, f"#list-{status}") == wanted, status


async def test_two_people_and_three_agents_on_one_board(
    site: Site, open_page: Open, chromium: Browser, watched: Watched
) -> None:
    board = await site.board(name="Shipyard", max_agents=3)
    agents = [await site.make("/agents", board_id=board, name=name) for name in ("Vega", "Rigel", "Deneb")]
    ids = [await site.task(board, f"Plank {number}") for number in range(PLANKS)]
    read, asks = ids[10], await site.task(board, "Launch it")
    await site.make(f"/boards/{board}/tasks/{asks}/checklist", text="It floats", is_criterion=True)
    crew = Crew(site, board, [one["token"] for one in agents], ids[:3])
    asked = {"action_type": "ship.launch", "confidence": 80, "lead_reasoning": "Ready."}
    approval = (await crew.act(0, "POST", "/approvals", task_id=asks, **asked))["id"]
    ada = await open_page(f"/boards/{board}")
    bo, api = await colleague(site, chromium, watched, board)

    for at, (name, (path, presses, field)) in enumerate(FORMS.items()):
        await ada.goto(f"{site.url}/boards/{board}" + path.format(task=read))
        await live(ada)
        for one in presses:
            await ada.locator(one.format(asks=asks)).click()
        writing = ada.locator(field)
        await writing.fill("")
        await writing.press_sequentially(f"half a {name}")
        await ada.keyboard.press("ArrowLeft")
        await ada.locator("#list-inbox").evaluate("list => { list.scrollTop = 900; }")
        seen = ada.locator(f"#task-{ids[14]}")  # what is in view stays where it is
        stood = await seen.evaluate(TOP)
        title = f"Launch it {at}"
        changed = await asyncio.gather(
            crew.burst(read), api.patch(f"/boards/{board}/tasks/{asks}", json={"title": title})
        )
        assert changed[1].status_code == 200, changed[1].text
        await expect(ada.locator(f"#task-{asks} .card-title")).to_have_text(title)
        await expect(ada.locator("#list-inbox .card")).to_have_count(PLANKS + 1)
        await expect(writing).to_be_focused()
        await expect(writing).to_have_value(f"half a {name}")
        caret = await writing.evaluate("one => one.selectionStart")
        assert caret == len(f"half a {name}") - 1, name
        assert abs(await seen.evaluate(TOP) - stood) <= 1, name

    await ada.goto(f"{site.url}/boards/{board}")
    await live(ada)
    lifted, worked = asyncio.Barrier(3), asyncio.Event()

    async def in_the_air() -> None:
        await lifted.wait()
        await worked.wait()

    async def work() -> None:
        await lifted.wait()
        await crew.burst(read)
        worked.set()

    await asyncio.gather(
        drag(ada, f"#task-{ids[-1]}", "#list-done", in_the_air()),
        drag(bo, f"#task-{ids[-2]}", "#list-done", in_the_air()),
        work(),
    )
    for one in ids[-2:]:
        await expect(ada.locator(f"#list-done #task-{one}")).to_be_visible()
    await orders(site, board, (ada, bo))

    buttons = [page.locator(f"#task-{asks}").get_by_role("button", name="Approve") for page in (ada, bo)]
    handles = [await one.element_handle() for one in buttons]  # the first decision takes the other button away
    await asyncio.gather(*(one.dispatch_event("click") for one in handles))
    for page in (ada, bo):
        await expect(page.locator(f"#task-{asks} .card-ask")).to_have_count(0)
    listed = (await site.api.get(f"/api/v1/boards/{board}/approvals")).json()["items"]
    assert [one["status"] for one in listed if one["id"] == approval] == ["approved"]
    events = (await site.api.get("/api/v1/activity", params={"board_id": board, "limit": 200})).json()["items"]
    assert [one["event_type"] for one in events].count("approval.decided") == 1
    await api.aclose()
