"""The pages of boards: listed, made, shown, filtered, changed, deleted, and live; by whom."""

import re
from html import unescape
from typing import Any

from mission_control.boards.models import Board
from tests.cast import Cast
from tests.visitor import Visitor, visitor


async def test_boards_are_listed_with_counts(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.ask(None, task)
    seen = (await (await visitor(cast.app, cast.ada)).get("/boards")).is_status(200)
    seen.has("Telescope", "Dome", "1 needs approval").lacks("Cellar")


async def test_board_needs_only_a_name(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/boards/new")).is_status(200).has('name="name"')
    made = (await ada.post("/boards", {"name": "Night Sky"})).is_status(303)
    board = await Board.get(name="Night Sky")
    assert made.leads_to == f"/boards/{board.id}"
    assert (board.slug, board.require_approval_for_done) == ("night-sky", False)


async def test_board_without_a_name_returns_the_form(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.post("/boards", {"name": " ", "description": "Kept words"})).is_status(422)
    seen.has("Kept words", 'aria-invalid="true"', "Fill this in.")


async def test_members_cannot_create_boards(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get("/boards/new")).is_status(403)
    (await cleo.get("/boards")).is_status(200).lacks("New board")


async def test_strangers_find_nothing(cast: Cast) -> None:
    eve = await visitor(cast.app, cast.eve)
    for path in ("", "/live", "/cards", "/settings", "/activity", "/activity/live"):
        (await eve.get(cast.home + path)).is_status(404)


async def test_new_board_shows_first_steps(cast: Cast) -> None:
    (await (await visitor(cast.app, cast.ada)).get(cast.home)).is_status(200).has("Make the first task")


async def test_board_that_is_hardly_begun_lacks_an_agent(cast: Cast) -> None:
    board = (await cast.ada.post("/boards", {"name": "Dome", "slug": "dome", "description": "Roof."})).ok()["id"]
    (await cast.ada.post(f"/boards/{board}/tasks", {"title": "Oil it"})).ok()
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    (await ada.get(f"/boards/{board}")).has("Bring in the first agent", f"/agents/connect?board={board}")
    (await ada.get(f"/boards/{board}?q=oil")).lacks("Bring in the first agent")
    await cast.add_task()
    (await ada.get(cast.home)).lacks("Bring in the first agent")
    (await dan.get(cast.home)).lacks("Bring in the first agent")


async def test_page_is_sent_complete(cast: Cast) -> None:
    task = await cast.add_task()
    seen = await (await visitor(cast.app, cast.ada)).get(f"{cast.home}/tasks/{task['id']}")
    expected = seen.has('<link rel="expect" href="#status-region" blocking="render">').text.index('id="status-region"')
    assert expected > seen.text.index("data-panel-task")


async def test_readers_get_no_controls(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.ask(None, task)
    dan = await visitor(cast.app, cast.dan)
    seen = (await dan.get(cast.home)).is_status(200).has("Write the report", "Needs approval")
    seen.lacks("quick-add", "card-menu", "/decisions", f"{cast.home}/settings")
    (await dan.get(f"{cast.home}/settings")).is_status(403)
    panel = (await dan.get(cast.task(task))).is_status(200)
    panel.lacks("composer", "/changes", "/text", "/deletion", "/decisions")


async def test_filters_narrow_the_board(cast: Cast) -> None:
    first = await cast.add_task(title="Polish the mirror", priority="high")
    await cast.add_task(title="Oil the dome_motor", depends_on_task_ids=[first["id"]])
    await cast.add_task(title="Assigned one", assigned_agent_id=str(cast.vega.id))
    ada = await visitor(cast.app, cast.ada)
    expected = {
        "q=mirror": "Polish the mirror", "q=dome_": "Oil the dome_motor", "q=%232": "Oil the dome_motor",
        "priority=high": "Polish the mirror", "blocked=1": "Oil the dome_motor",
        f"assignee=agent:{cast.vega.id}": "Assigned one",
    }  # fmt: skip
    for query, title in expected.items():
        seen = (await ada.get(f"{cast.home}/cards?{query}")).is_status(200)
        assert seen.text.count('class="card"') == 1, query
        seen.has(title)
    assert (await ada.get(f"{cast.home}/cards?q=mirror")).headers["HX-Replace-Url"] == f"{cast.home}?q=mirror"
    (await ada.get(f"{cast.home}?assignee=me")).has("No task matches this filter.")


async def test_filter_ignores_case_of_non_ascii_letters(cast: Cast) -> None:
    await cast.add_task(title="ÖL prüfen")
    ada = await visitor(cast.app, cast.ada)
    for query in ("%C3%B6l", "PR%C3%9CFEN"):
        (await ada.get(f"{cast.home}/cards?q={query}")).has("ÖL prüfen")


async def test_long_columns_are_truncated_and_expandable(cast: Cast) -> None:
    for number in range(52):
        await cast.add_task(title=f"Plate {number}")
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.get(cast.home)).has("Show all 52", "?all=inbox")
    assert seen.text.count('class="card"') == 50
    assert (await ada.get(f"{cast.home}?all=inbox")).text.count('class="card"') == 52


async def test_settings_are_saved_or_returned_with_errors(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get(f"{cast.home}/settings")).is_status(200).has("Approval before done").lacks("delete-board")
    form = {"name": "Telescope 2", "max_agents": "5", "require_review_before_done": "true"}
    (await cleo.post(f"{cast.home}/settings", form)).is_status(303)
    board = await Board.get(id=cast.board.id)
    assert (board.name, board.max_agents, board.require_review_before_done) == ("Telescope 2", 5, True)
    seen = (await cleo.post(f"{cast.home}/settings", {**form, "name": "", "max_agents": "-1"})).is_status(422)
    seen.has("Enter 0 or more.", 'value="-1"')


async def test_concurrently_changed_settings_are_not_overwritten(cast: Cast) -> None:
    cleo, ada, page = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.ada), f"{cast.home}/settings"

    async def shown(by: Visitor) -> dict[str, Any]:
        return (await by.get(page)).is_status(200).form(page)

    hers, mine = await shown(ada), await shown(cleo)
    (await ada.post(page, {**hers, "name": "Telescope II", "require_review_before_done": "true"})).is_status(303)
    seen = (await cleo.post(page, {**mine, "name": "Telescope III", "objective": "See far."})).is_status(409)
    seen.has("Somebody changed it to “Telescope II”", "See far.", "Telescope III").lacks("Review before done</a>")
    kept = await Board.get(id=cast.board.id)
    assert (kept.name, kept.require_review_before_done) == ("Telescope II", True) and not kept.objective
    (await cleo.post(page, seen.form(f"{page}"))).is_status(303)
    board = await Board.get(id=cast.board.id)
    assert (board.name, board.require_review_before_done, board.objective) == ("Telescope III", True, "See far.")


async def test_equal_concurrent_settings_are_no_conflict(cast: Cast) -> None:
    ada, page = await visitor(cast.app, cast.ada), f"{cast.home}/settings"
    [version] = re.findall(r'name="version" value="([^"]+)"', (await ada.get(page)).text)
    (await cast.ada.patch(cast.home, {"name": "Telescope II", "max_agents": 7})).ok()
    form = {"name": "Telescope II", "max_agents": "7", "version": unescape(version)}
    (await ada.post(page, form)).is_status(303)


async def test_column_limits_are_set_and_removed(cast: Cast) -> None:
    cleo, form = await visitor(cast.app, cast.cleo), {"name": "Telescope", "max_agents": "1"}
    page = f"{cast.home}/settings"
    (await cleo.post(page, {**form, "wip_in_progress": "4", "wip_review": ""})).is_status(303)
    assert (await Board.get(id=cast.board.id)).wip_limits == {"in_progress": 4}
    (await cleo.get(page)).has('name="wip_in_progress" value="4"', 'name="wip_review" value=""')
    wrong = {**form, "wip_in_progress": "0", "wip_review": "a few", "objective": "Kept words"}
    seen = (await cleo.post(page, wrong)).is_status(422).has("Enter 1 or more.", "Enter a whole number.", "Kept words")
    seen.has('name="wip_in_progress" value="0"', 'name="wip_review" value="a few"', ">Limit of Review</a>")
    (await cleo.post(page, {**form, "wip_in_progress": "", "wip_review": ""})).is_status(303)
    assert (await Board.get(id=cast.board.id)).wip_limits is None


async def test_column_shows_its_wip_usage(cast: Cast) -> None:
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    await cast.put(await cast.add_task(), status="in_progress")
    (await dan.get(cast.home)).lacks('class="wip"')
    async with dan.watching(f"{cast.home}/live") as watch:
        (await cast.ada.patch(cast.home, {"wip_limits": {"in_progress": 2}})).ok()
        assert "data-state" not in (await watch.until("1 of 2</span>")).rpartition('class="wip"')[2].partition(">")[0]
        polish = await cast.add_task(title="Polish the mirror")
        (await cast.ada.patch(cast.task(polish), {"status": "in_progress"})).ok()
        await watch.until("2 of 2 full</span>")
    await cast.put(await cast.add_task(), status="in_progress")
    assert (await ada.get(cast.home)).has('data-state="over"', "3 of 2 over").text.count('class="wip"') == 1
    (await ada.get(f"{cast.home}?q=mirror")).has('id="count-in_progress">1</span>', "3 of 2 over")


async def test_board_deletion_needs_its_typed_name(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.post(f"{cast.home}/deletion", {"name": "telescop"})).is_status(422).has("exactly as it is written")
    assert (await ada.post(f"{cast.home}/deletion", {"name": "Telescope"})).leads_to == "/boards"
    (await ada.get(cast.home)).is_status(404)
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.post(f"/boards/{cast.other_board.id}/deletion", {"name": "Dome"})).is_status(404)


async def test_open_board_is_live(cast: Cast) -> None:
    task = await cast.add_task()
    dan = await visitor(cast.app, cast.dan)
    async with dan.watching(f"{cast.home}/live?panel=task:{task['id']}") as watch:
        await cast.ada.patch(cast.task(task), {"status": "review"})
        text = await watch.until("-panel-timeline")
    assert 'hx-target="#columns"' in text and "Write the report moved to Review" in text
    assert 'data-list="list-review" data-order="1"><li class="card"' in text
    assert f'hx-target="#task-{task["id"]}-panel-facts"' in text
    assert "quick-add" not in text


async def test_list_of_boards_is_live(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    async with ada.watching("/boards/live") as watch:
        await cast.add_task()
        assert 'hx-target="#boards"' in await watch.until("#boards")


async def test_readers_are_told_that_they_can_only_read(cast: Cast) -> None:
    await cast.add_task()
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    seen = (await dan.get(cast.home)).has("You can read this board but not change it", "An owner or admin")
    seen.lacks("card-menu", 'name="title"', "New task", f"{cast.home}/settings", f"{cast.home}/work-state")
    (await ada.get(cast.home)).lacks("You can read this board but not change it").has("card-menu")
