"""Nothing for axe to find, and no sideways scrolling, on these pages in both themes and at both ends of widths."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.looks import found

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def hand_in(site: Site, token: str, board: str, task: str) -> None:
    """An agent takes a task, hands it in with everything that can be handed in, and takes another one."""
    path, headers = f"/api/v1/agent/boards/{board}/tasks/{task}", {"X-Agent-Token": token}
    file = {"name": "log.txt", "content_base64": "Y2xlYXI="}
    evidence = [{"title": "Photo", "url": "https://example.org/1"}, {"url": "https://example.org/" + "x" * 80}]
    work = {"fence": 1, "summary": "It **runs**.", "evidence": evidence, "artifacts": [file], "input_tokens": 12}
    for method, where, body in (
        ("PATCH", path, {"status": "in_progress"}),
        ("POST", f"{path}/completions", work | {"status": "review"}),
        ("PATCH", path, {"status": "in_progress"}),
    ):
        answer = await site.api.request(method, where, json=body, headers=headers)
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="session")
async def places(site: Site) -> dict[str, str]:
    """Pages with something on them."""
    board = await site.board(name="Lighthouse")
    waiting = await site.task(board, "Change the lamp", description="With **care**:\n\n- gloves\n- ladder")
    task = await site.task(board, "Polish the lens", priority="critical", depends_on_task_ids=[waiting])
    await site.task(board, "Written down", due_at="2026-01-01T00:00:00")
    await site.make(f"/boards/{board}/tasks/{task}/comments", message="Ask @Keeper about `brass`.")
    asked = {"action_type": "buy.lamp", "task_ids": [waiting], "confidence": 70, "lead_reasoning": "It is dark."}
    await site.make(f"/boards/{board}/approvals", **asked)
    await site.make(f"/boards/{board}/tasks/{waiting}/checklist", text="Fetch the ladder")
    await site.make(f"/boards/{board}/tasks/{waiting}/checklist", text="Order the lamp", is_done=True)
    keeper = await site.make("/agents", name="Keeper", board_id=board)
    tried = await site.task(board, "Wind the clockwork")
    await hand_in(site, keeper["token"], board, tried)
    for kind in ("text", "integer", "boolean", "date_time", "url", "json"):
        field = {"field_key": f"lamp_{kind}", "label": f"Lamp {kind}", "field_type": kind, "board_ids": [board]}
        await site.make("/organizations/me/custom-fields", **field)
    await site.api.post(
        f"/api/v1/boards/{board}/tasks/{task}/attachments", files={"file": ("lens.csv", b"a,b\n1,2\n", "text/csv")}
    )
    gone, done = await site.task(board, "Broken lamp"), await site.task(board, "Spare lamp", status="done")
    await site.api.delete(f"/api/v1/boards/{board}/tasks/{gone}")
    await site.make(f"/boards/{board}/tasks/{done}/archivals")
    empty = await site.board(name="Empty")
    home = f"/boards/{board}"
    return {
        "boards": "/boards",
        "new board": "/boards/new",
        "board": home,
        "empty board": f"/boards/{empty}",
        "nothing matches": f"{home}?q=zzz",
        "table": f"{home}?view=table&sort=-due",
        "new task": f"{home}/tasks/new",
        "task": f"{home}/tasks/{waiting}",
        "task with fields and files": f"{home}/tasks/{task}",
        "tasks to link": f"{home}/tasks/{task}/links",
        "task being edited": f"{home}/tasks/{task}?edit=text",
        "task with runs": f"{home}/tasks/{tried}",
        "archived task": f"{home}/tasks/{done}",
        "deleted tasks": f"{home}/trash",
        "archived tasks": f"{home}/archive",
        "settings": f"{home}/settings",
        "who decides": f"{home}/deciding",
        "activity": "/activity",
        "activity of a board": f"{home}/activity",
    }


NAMES = (
    "boards", "new board", "board", "empty board", "nothing matches", "table", "task", "task with fields and files",
    "tasks to link", "task being edited", "task with runs", "archived task", "deleted tasks", "archived tasks",
    "settings", "who decides", "activity", "activity of a board",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_axe_finds_nothing(places: dict[str, str], site: Site, walker: Page, name: str) -> None:
    await walker.goto(site.url + places[name])
    assert await found(walker) == []


async def test_long_names_stay_inside(site: Site, open_page: Open) -> None:
    board = await site.board(name="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft")
    lens = await site.task(board, "Grind the lens")
    for word in ("Supercalifragilisticexpialidocious" * 5, "many words " * 18):
        await site.task(board, word, depends_on_task_ids=[lens])
    await site.make("/agents", name="Io", board_id=board)
    for width in (320, 1440):
        page = await open_page(f"/boards/{board}/tasks/{lens}", width=width)
        await expect(page.locator(".linked")).to_have_count(2)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await page.evaluate("panel.scrollWidth <= panel.clientWidth")
        await page.goto(f"{site.url}/agents")
        assert await page.evaluate("agents.parentElement.scrollWidth <= agents.parentElement.clientWidth")


async def test_columns_have_their_width_before_all_arrived(site: Site, open_page: Open) -> None:
    page = await open_page(f"/boards/{await site.board(name='Steady')}")
    first = page.locator("#column-inbox")
    whole = await first.bounding_box()
    await page.evaluate("for (const name of ['review', 'done']) document.getElementById(`column-${name}`).remove()")
    assert whole == await first.bounding_box()
