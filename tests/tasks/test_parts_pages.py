"""The parts and links of a task on pages: its card, its panel, and the forms that change them."""

from mission_control.tasks.panel.related_tasks import WAYS
from tests.cast import Cast
from tests.visitor import visitor


async def test_panel_and_card_show_parts_with_their_roll_up(cast: Cast) -> None:
    parent = await cast.add_task(title="Build")
    part = await cast.add_task(title="Grind", parent_id=parent["id"], blocks_parent=True)
    await cast.add_task(title="Done", parent_id=parent["id"], status="done")
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    (await ada.get(cast.task(parent))).has(
        "1 of 2 done", "Grind", 'aria-pressed="true"', "It cannot be handed in before"
    )
    (await ada.get(cast.home)).has("1 of 2 parts done", f"part of #{parent['number']}")
    (await dan.get(cast.task(part))).has("Part of", "Build").lacks("No longer a part of")


async def test_forms_link_tasks_in_every_way_and_take_that_back(cast: Cast) -> None:
    task, other = await cast.add_task(title="Build"), await cast.add_task(title="Grind")
    ada = (await visitor(cast.app, cast.ada)).with_htmx
    for way, one in WAYS.items():
        if one.adds:
            (await ada.get(f"{cast.task(task)}/links?way={way}&q=grind")).has(one.asks.format(task["number"]), "Grind")
    (await ada.post(f"{cast.task(other)}/parent", {"parent_id": task["id"]})).is_status(204)
    (await ada.post(f"{cast.task(other)}/parent", {"blocks_parent": "true"})).is_status(204)
    found = (await cast.ada.get(cast.task(other))).ok()
    assert (found["parent_id"], found["blocks_parent"]) == (task["id"], True)
    (await ada.get(f"{cast.task(task)}/links?way=part&q=grind")).lacks(f"found-{other['id']}").has("New task: grind")
    (await ada.post(f"{cast.home}/tasks", {"title": "Paint", "parent": str(task["number"])})).is_status(204)
    assert (await cast.ada.get(cast.task(task))).ok()["parts_count"] == 2
    (await ada.post(f"{cast.task(task)}/parent", {"parent_id": other["id"]})).is_status(409).has("own parts")
    gone = (await ada.post(f"{cast.task(other)}/parent", {"parent_id": ""})).is_status(204)
    assert "is a part no longer" in gone.headers["HX-Trigger"]
    new = {"kind": "duplicate_of", "task_id": other["id"]}
    (await ada.post(f"{cast.task(task)}/links", new)).is_status(204)
    [link] = (await cast.ada.get(f"{cast.task(task)}/links")).ok()["items"]
    (await ada.get(cast.task(other))).has("Duplicates", f"/links/{link['id']}/removals")
    (await ada.post(f"{cast.task(task)}/links/{link['id']}/removals", {})).is_status(204)
    assert (await cast.ada.get(f"{cast.task(task)}/links")).ok()["total"] == 0


async def test_table_shows_parts_and_proposals_as_the_board_does(cast: Cast) -> None:
    parent = await cast.add_task(title="Build")
    await cast.add_task(title="Grind", parent_id=parent["id"])
    (await cast.vega.post(f"/agent{cast.home}/proposals", {"title": "Oil it", "reason": "It squeaks."})).ok()
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"{cast.home}?view=table")).has(
        "0 of 1 parts done", f"part of #{parent['number']}", "Proposed by agents", "Accept the proposal Oil it"
    )
    async with ada.watching(f"{cast.home}/live?view=table") as watch:
        (await cast.vega.post(f"/agent{cast.home}/proposals", {"title": "Wash it", "reason": "Dust."})).ok()
        await watch.until("Wash it")


async def test_card_names_no_parent_in_the_trash(cast: Cast) -> None:
    parent = await cast.add_task(title="Build")
    await cast.add_task(title="Grind", parent_id=parent["id"])
    (await cast.ada.delete(cast.task(parent))).ok()
    ada = await visitor(cast.app, cast.ada)
    for view in ("", "?view=table"):
        (await ada.get(f"{cast.home}{view}")).has("Grind").lacks("part of #")
