"""Copying a task from its panel, its card and a page."""

import json

from tests.cast import Cast
from tests.visitor import visitor


async def test_copy_opens_beside_the_board_with_its_title_to_be_changed(cast: Cast) -> None:
    task = await cast.add_task(title="Polish")
    ada = await visitor(cast.app, cast.ada)
    url = cast.task(task).removeprefix("/api/v1")
    (await ada.get(url)).has(f'action="{url}/duplicates"', "Duplicate task")
    made = await ada.with_htmx.post(f"{url}/duplicates")
    look, told = json.loads(made.headers["HX-Location"]), json.loads(made.headers["HX-Trigger"])["toast"]
    assert told["message"] == "#1 copied as #2"
    assert look["path"] == f"{look['push']}?edit=title" and told["undo"]["action"] == f"{look['push']}/deletion"
    (await ada.get(look["path"])).has('class="title-form"', 'value="Polish"', "data-autofocus")
    (await ada.post(told["undo"]["action"])).is_status(303)
    assert (await cast.ada.get(cast.tasks)).ok()["total"] == 1


async def test_task_is_copied_without_scripts(cast: Cast) -> None:
    task = await cast.add_task(title="Polish", status="done")
    ada = await visitor(cast.app, cast.ada)
    url = cast.task(task).removeprefix("/api/v1")
    (await ada.get(f"{url}/moves")).has(f'action="{url}/duplicates"', "Duplicate task")
    made = await ada.post(f"{url}/duplicates")
    (await ada.get(made.leads_to)).has('class="title-form"', "#2")


async def test_reader_is_offered_no_copy(cast: Cast) -> None:
    task = await cast.add_task(title="Polish")
    dan = await visitor(cast.app, cast.dan)
    url = cast.task(task).removeprefix("/api/v1")
    (await dan.get(url)).lacks("Duplicate")
