"""Saved views as tabs of a board's page."""

import re

from tests.cast import Cast
from tests.statements import counted
from tests.visitor import Seen, Visitor, visitor


def tabs(seen: Seen) -> list[tuple[str, int]]:
    """The tabs of a board in their order, with how many tasks each says it finds."""
    [row] = re.findall(r'<nav class="tabs views".*?</nav>', seen.text, re.S)
    found = re.findall(r'<a href="[^"]*" id="view-[^>]*>(.*?) <span class="count">(\d+)</span></a>', row, re.S)
    return [(re.sub("<[^>]+>", "", name), int(count)) for name, count in found]


async def saved(by: Visitor, cast: Cast, name: str, query: str, **more: str) -> str:
    """Save a view and return where it leads."""
    form = {"name": name, "kind": "board", "text": query, **more}
    return (await by.post(f"{cast.home}/views", form)).leads_to


async def test_view_is_saved_opened_and_deleted(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    ada = await visitor(cast.app, cast.ada)
    form = {
        "name": "Polishing",
        "kind": "table",
        "text": "polish",
        "sort": "due",
        "columns": "due",
        "is_shared": "true",
    }
    made = await ada.post(f"{cast.home}/views", form)
    assert made.leads_to == f"{cast.home}?view=table&q=polish&sort=due&columns=due"
    seen = (await ada.get(made.leads_to)).has("<span>Polishing</span>", "Rename view", "Delete view")
    assert "Not saved" not in seen.text
    (await ada.get(f"{cast.home}?q=other")).has("Not saved", "Or let a view show this").lacks("Rename view")
    dan = await visitor(cast.app, cast.dan)
    (await dan.get(made.leads_to)).has("Polishing").lacks("Rename view", "is_shared")
    view = (await cast.ada.get(f"{cast.home}/views")).ok()["items"][0]["id"]
    deleted = await ada.with_htmx.post(f"{cast.home}/views/{view}/deletion")
    assert "Polishing" in deleted.headers["HX-Trigger"] and "undo" in deleted.headers["HX-Trigger"]
    (await ada.get(cast.home)).lacks("<span>Polishing</span>")


async def test_view_is_renamed_shared_and_opens_the_board(cast: Cast) -> None:
    await cast.add_task(title="Polish")
    await cast.add_task(title="Grind")
    ada = await visitor(cast.app, cast.ada)
    await ada.post(f"{cast.home}/views", {"name": "Mine", "kind": "board", "text": "polish"})
    view = (await cast.ada.get(f"{cast.home}/views")).ok()["items"][0]["id"]
    url = f"{cast.home}/views/{view}"
    for change in ({"name": "Ours"}, {"is_shared": "yes"}, {"is_default": "yes"}):
        assert (await ada.post(url, change)).leads_to == f"{cast.home}?q=polish"
    (await ada.get(cast.home)).has("Ours", "Polish", "1 of 2").lacks(">Grind<")
    (await ada.get(f"{cast.home}?q=")).has("Grind", "Polish")
    (await ada.post(url, {"kind": "table", "text": "grind"})).is_status(303)
    (await ada.get(cast.home)).has('id="table"', "1 of 2")
    (await ada.post(url, {"is_default": "no"})).is_status(303)
    (await ada.get(cast.home)).has('id="columns"')
    (await ada.post(url, {"is_default": "perhaps"})).is_status(422)
    (await (await visitor(cast.app, cast.dan)).post(url, {"name": "x"})).is_status(403)


async def test_tabs_say_how_many_tasks_each_finds_for_its_reader(cast: Cast) -> None:
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    for title, status in (("Red buoy", "inbox"), ("Green buoy", "review"), ("Red lamp", "done")):
        await cast.add_task(title=title, status=status)
    await cast.add_task(title="Mine", assigned_user_id=str(cast.ada.id))
    await saved(ada, cast, "Red", "red", is_shared="true")
    await saved(ada, cast, "Of the reader", "assignee:me", is_shared="true")
    await saved(ada, cast, "Nothing", "status:done buoy")
    fixed = [("All open", 3), ("All", 4), ("Stands still", 0)]
    assert tabs(await ada.get(cast.home)) == [*fixed, ("Red", 2), ("Of the reader", 1), ("Nothing", 0)]
    assert tabs(await dan.get(f"{cast.home}?view=table")) == [*fixed, ("Red", 2), ("Of the reader", 0)]


async def test_numbers_in_tabs_follow_what_others_do(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    task = await cast.add_task(title="Red buoy")
    await saved(ada, cast, "Red", "red is:open", is_shared="true")
    view = (await cast.ada.get(f"{cast.home}/views")).ok()["items"][0]["id"]
    async with ada.watching(f"{cast.home}/live?view=table") as page:
        await cast.ada.patch(cast.task(task), {"status": "done"})
        told = await page.until(f"#view-{view} > .count")
        for target, count in (("open", 0), ("all", 1), (view, 0)):
            assert f'hx-target="#view-{target} > .count" hx-swap="innerHTML">{count}<' in told
        await cast.add_task(title="Red lamp")
        await page.until(f'hx-target="#view-{view} > .count" hx-swap="innerHTML">1<')
        await saved(ada, cast, "Lamps", "lamp")
        await page.until('<span>Lamps</span> <span class="count">1</span>')


async def test_twenty_views_are_counted_by_as_many_statements_as_two(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    await cast.add_task(title="Red buoy")
    costs = []
    for number in range(20):
        await saved(ada, cast, f"View {number}", f"assignee:me red {number}" if number % 2 else f"red {number}")
        if number in (1, 19):
            with counted() as found:
                await ada.get(f"{cast.home}?view=table")
            costs.append([one for one in found if one.startswith("SELECT (SELECT COUNT(*) FROM tasks")])
    assert [len(one) for one in costs] == [2, 2]
