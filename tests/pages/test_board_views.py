"""Saved views as tabs of a board's page."""

from tests.cast import Cast
from tests.pages.visitor import visitor


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
