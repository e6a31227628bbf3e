"""Quick add, the form of a new task, limits and places on a board's page, and who has it open."""

import orjson

from mission_control.tasks.board import viewers
from mission_control.tasks.models import Task
from tests.cast import Cast
from tests.visitor import visitor


async def test_quick_add_understands_signs(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.post(f"{cast.home}/tasks", {"title": "Oil it @vega !high", "status": "inbox"})).is_status(303)
    (await ada.get(cast.home)).has("Oil it", "High priority", "Vega").lacks("Oil it @vega")


async def test_new_task_with_everything(cast: Cast) -> None:
    other = await cast.add_task(title="First <b>")
    tag = (await cast.ada.post("/tags", {"name": "sky"})).ok()["id"]
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"{cast.home}/tasks/new?title=Typed&status=review")).has('value="Typed"', "First &lt;b&gt;", "sky")
    (await ada.with_htmx.get(f"{cast.home}/tasks/new")).has("<dialog", "data-auto-open").lacks("<html")
    form = {
        "title": "Second", "description": "How.", "status": "inbox", "priority": "low", "due": "2026-12-24",
        "tag_ids": tag, "depends_on_task_ids": other["id"], "assignee": "",
    }  # fmt: skip
    made = await ada.post(f"{cast.home}/tasks/new", form)
    task = (await cast.ada.get(made.leads_to.replace("/boards", "/boards", 1))).ok()
    assert (task["title"], task["priority"], task["tag_ids"]) == ("Second", "low", [tag])
    assert task["depends_on_task_ids"] == [other["id"]] and task["due_at"].startswith("2026-12-24")
    blocked = await ada.post(f"{cast.home}/tasks/new", {**form, "assignee": f"agent:{cast.vega.id}"})
    blocked.is_status(409).has("How.", 'value="Second"')
    (await ada.post(f"{cast.home}/tasks/new", {"title": " ", "status": "moon"})).is_status(422)
    dan = await visitor(cast.app, cast.dan)
    (await dan.get(f"{cast.home}/tasks/new")).is_status(403)


async def test_limit_is_set_at_the_column_and_keeps_the_other(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    await cast.add_task(status="review")
    for status, limit in (("in_progress", "4"), ("review", "1")):
        (await ada.post(f"{cast.home}/limits", {"status": status, "limit": limit})).is_status(303)
    assert (await cast.ada.get(cast.home)).ok()["wip_limits"] == {"in_progress": 4, "review": 1}
    (await ada.get(cast.home)).has("0 of 4", "1 of 1")
    (await ada.post(f"{cast.home}/limits", {"status": "review", "limit": ""})).is_status(303)
    assert (await cast.ada.get(cast.home)).ok()["wip_limits"] == {"in_progress": 4}
    for wrong in (
        {"status": "done", "limit": "3"},
        {"status": "review", "limit": "0"},
        {"status": "review", "limit": "x"},
    ):
        (await ada.post(f"{cast.home}/limits", wrong)).is_status(422)
    dan = await visitor(cast.app, cast.dan)
    (await dan.get(cast.home)).has("0 of 4").lacks("wip-menu")


async def test_place_of_a_card_is_taken_back(cast: Cast) -> None:
    first = await cast.add_task(title="First")
    await cast.add_task(title="Second")
    ada = await visitor(cast.app, cast.ada)
    moved = await ada.with_htmx.post(f"{cast.task(first)}/moves", {"place": "top"})
    undo = orjson.loads(moved.headers["HX-Trigger"])["toast"]["undo"]
    (await ada.with_htmx.post(undo["action"], undo["fields"])).is_status(204)
    assert (await Task.filter(title="Second").get()).position < (await Task.get(id=first["id"])).position


async def test_undo_leaves_a_card_where_somebody_else_moved_it(cast: Cast) -> None:
    task = await cast.add_task()
    ada = await visitor(cast.app, cast.ada)
    moved = await ada.with_htmx.post(f"{cast.task(task)}/moves", {"status": "in_progress"})
    undo = orjson.loads(moved.headers["HX-Trigger"])["toast"]["undo"]
    (await cast.cleo.patch(cast.task(task), {"status": "review"})).ok()
    (await ada.with_htmx.post(undo["action"], undo["fields"])).is_status(409).has("Somebody moved this card")
    assert (await cast.ada.get(cast.task(task))).ok()["status"] == "review"


async def test_others_who_have_the_board_open_are_shown(cast: Cast) -> None:
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    name = f"{cast.organization.id}:{cast.board.id}:{cast.cleo.id}"
    viewers.PEOPLE.hear(f"board-people:here:{name}")
    (await ada.get(cast.home)).has("Cleo has this board open")
    (await cleo.get(cast.home)).lacks("has this board open")
    viewers.PEOPLE.hear(f"board-people:gone:{name}")
    (await ada.get(cast.home)).lacks("has this board open")


async def test_new_task_has_custom_fields_and_quick_add_asks_for_required_ones(cast: Cast) -> None:
    for key, kind, more in (("points", "integer", {"required": True}), ("link", "url", {"ui_visibility": "if_set"})):
        body = {"field_key": key, "label": key, "field_type": kind, "board_ids": [str(cast.board.id)], **more}
        (await cast.ada.post("/organizations/me/custom-fields", body)).ok()
    ada = await visitor(cast.app, cast.ada)
    page = (await ada.get(f"{cast.home}/tasks/new")).has('name="field:integer:points"', "More fields")
    page.has('name="field:url:link"')
    line = {"title": "Polish @vega !high due:2030-01-02", "status": "review"}
    asked = await ada.with_htmx.post(f"{cast.home}/tasks", line)
    asked.has("data-auto-open", 'value="Polish"', f'value="agent:{cast.vega.id}" selected', 'value="2030-01-02"')
    plain = await ada.post(f"{cast.home}/tasks", line)
    assert plain.leads_to == f"{cast.home}/tasks/new?title=Polish+%40vega+%21high+due%3A2030-01-02&status=review"
    (await ada.get(plain.leads_to)).has('value="Polish"', 'value="high" selected', 'value="review" selected')
    form = {"title": "Polish", "status": "inbox", "priority": "low", "field:url:link": "https://a.example"}
    refused = (await ada.post(f"{cast.home}/tasks/new", form)).is_status(422)
    refused.has("Fill this in.", 'value="https://a.example"')
    wrong = (await ada.post(f"{cast.home}/tasks/new", {**form, "field:integer:points": "many"})).is_status(422)
    wrong.has("Enter a whole number.", 'value="many"', 'value="https://a.example"')
    made = await ada.post(f"{cast.home}/tasks/new", {**form, "field:integer:points": "3"})
    task = (await cast.ada.get(f"/boards/{cast.board.id}/tasks/{made.leads_to.rpartition('/')[2]}")).ok()
    assert task["custom_field_values"] == {"points": 3, "link": "https://a.example"}
