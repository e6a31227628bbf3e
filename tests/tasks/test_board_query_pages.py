"""The query of a board's page, and the board as a table."""

from urllib.parse import quote

import pytest

from mission_control.tasks.board import cards
from mission_control.tasks.board import regions as board_regions
from tests.cast import Cast
from tests.visitor import visitor

pytestmark = pytest.mark.dialect


async def points(cast: Cast, kind: str = "integer") -> None:
    """Give the board a field of numbers."""
    body = {"field_key": "points", "label": "Points", "field_type": kind, "board_ids": [str(cast.board.id)]}
    (await cast.ada.post("/organizations/me/custom-fields", body)).ok()


async def test_understood_words_are_tokens_and_the_rest_is_text(cast: Cast) -> None:
    await cast.add_task(title="Polish the mirror", assigned_agent_id=str(cast.vega.id))
    ada = await visitor(cast.app, cast.ada)
    seen = await ada.get(f"{cast.home}?q={quote('assignee:vega mirror key:x')}")
    seen.has('value="assignee:vega"', 'value="mirror key:x"', f"Remove {'assignee:vega'}", "0 of 1")
    seen.has(f'href="{cast.home}?q=mirror+key:x"')
    (await ada.get(f"{cast.home}?q=assignee:vega&q=mirror")).has("1 of 1", "Polish the mirror")
    (await ada.get(f"{cast.home}?q=points:3")).has('value="points:3"').lacks("Remove points:3")
    await points(cast)
    (await ada.get(f"{cast.home}?q=points:3")).has("Remove points:3")


async def test_old_addresses_of_filters_still_narrow(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    seen = await ada.get(f"{cast.home}?assignee=none&priority=high&blocked=1&approval=1")
    seen.has(*(f"Remove {one}" for one in ("assignee:none", "priority:high", "is:blocked", "needs:approval")))


async def test_odd_queries_show_a_page(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    for odd in ("%00", "%22%22%22", "due:%3C", "x" * 3000, "assignee:user:nobody", "%3Cscript%3E", "is:", "tag:%2C"):
        (await ada.get(f"{cast.home}?q={odd}&view=table&sort=-nothing&columns=nothing,%00")).is_status(200)


async def test_table_shows_columns_sums_and_order(cast: Cast) -> None:
    await points(cast)
    for title, value in (("B", 2), ("a", 5), ("C", None)):
        await cast.add_task(title=title, custom_field_values={"points": value} if value else {})
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.get(f"{cast.home}?view=table&sort=title")).is_status(200)
    seen.has('aria-sort="ascending"', "Points", '<span id="sum-4">7</span>', "page", "sort=-title")
    assert [seen.text.index(f">{one}</a>") for one in "aBC"] == sorted(seen.text.index(f">{one}</a>") for one in "aBC")
    by_points = (await ada.get(f"{cast.home}?view=table&sort=-field:points")).text
    assert by_points.index(">a</a>") < by_points.index(">B</a>") < by_points.index(">C</a>")
    chosen = await ada.get(f"{cast.home}?view=table&columns=title&columns=priority&columns=field:points")
    chosen.has('id="sort-priority"', 'id="sort-field:points"').lacks('id="sort-due"', 'id="sort-status"')
    (await ada.get(f"{cast.home}?view=table&q=points:5")).has('<span id="sum-4">5</span>', "1 of 3")


async def test_table_of_many_rows_is_truncated_and_expandable(cast: Cast) -> None:
    for number in range(103):
        await cast.add_task(title=f"Plate {number}")
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.get(f"{cast.home}?view=table")).has("Show all 103", "q=is:open&amp;all=table")
    assert seen.text.count("<tr id=") == 100
    assert (await ada.get(f"{cast.home}?view=table&q=is:open&all=table")).text.count("<tr id=") == 103


async def test_changed_query_answers_with_table_state_and_stream(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    ada = await visitor(cast.app, cast.ada)
    seen = await ada.get(f"{cast.home}/cards?view=table&q=polish&sort=title")
    seen.has('hx-target="#table"', 'hx-target="#query-state"', 'name="sort" value="title"', "view=table&amp;q=polish")
    seen.lacks('hx-target="#columns"')
    assert seen.headers["HX-Replace-Url"] == f"{cast.home}?view=table&q=polish&sort=title"


async def test_reader_sees_the_table_and_nothing_to_change(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    dan = await visitor(cast.app, cast.dan)
    seen = (await dan.get(f"{cast.home}?view=table")).has("Polish", "not change it")
    seen.lacks("quick-add", "cell-pick", 'form="bulk"')


async def test_table_opens_with_open_tasks_and_all_are_a_click_away(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"{cast.home}?view=table")).has("Make the first task").lacks("No task matches", "No task is open")
    await cast.add_task(title="Polished", status="done")
    seen = (await ada.get(f"{cast.home}?view=table")).has("No task is open.", "Show 1 done", "Remove is:open")
    seen.lacks(">Polished<", "Make the first task")
    seen.has(f'href="{cast.home}?view=table&amp;q=is:open" id="view-open" aria-current="page"', "0 of 1")
    every = f'href="{cast.home}?view=table&amp;q="'
    seen.has(f'{every} id="view-all"')
    (await ada.get(f"{cast.home}?view=table&q=")).has(">Polished<", f'{every} id="view-all" aria-current="page"')


async def test_address_of_a_table_says_what_it_shows(cast: Cast) -> None:
    await cast.add_task(title="Polished", status="done")
    ada = await visitor(cast.app, cast.ada)
    for said, shown in (
        ("view=table", "view=table&q=is:open"),
        ("view=table&q=", "view=table&q="),
        ("view=table&sort=title", "view=table&q=&sort=title"),
        ("view=table&priority=high", "view=table&q=priority:high"),
        ("q=", "q="),
    ):
        address = (await ada.get(f"{cast.home}/cards?{said}")).headers["HX-Replace-Url"]
        assert address == f"{cast.home}?{shown}"
        assert (await ada.get(address.replace("?", "/cards?"))).headers["HX-Replace-Url"] == address


async def test_switch_leads_from_the_whole_board_to_open_rows_and_back(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(cast.home)).has(f'href="{cast.home}?view=table&amp;q=is:open" title="Table"')
    for shown, board in (("is:open", "?q="), ("", "?q="), ("is:open red", "?q=is:open+red")):
        seen = await ada.get(f"{cast.home}?view=table&q={quote(shown)}")
        seen.has(f'href="{cast.home}{board}" title="Board"')


async def test_cleared_filter_does_not_open_the_default_view_again(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    ada = await visitor(cast.app, cast.ada)
    view = {"name": "Red", "query": "red", "is_shared": True, "is_default": True}
    (await cast.ada.post(f"{cast.home}/views", view)).ok()
    seen = (await ada.get(cast.home)).has("No task matches this filter.")
    assert seen.text.count(f'href="{cast.home}?q="') >= 3, "the tab, the link in the notice and Clear"


async def test_whole_column_has_an_end(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (cards, board_regions):
        monkeypatch.setattr(module, "MOST", 2)
    monkeypatch.setattr(cards, "FIRST", 1)
    for title in ("One", "Two", "Three"):
        await cast.add_task(title=title)
    ada = await visitor(cast.app, cast.ada)
    first = await ada.get(f"{cast.home}?q=")
    assert first.text.count('id="task-') == 1
    assert "Show 2 of 3" in first.text
    whole = await ada.get(f"{cast.home}?q=&all=inbox")
    assert whole.text.count('id="task-') == 2
    assert "The first 2 are shown. Filter to find others." in whole.text
