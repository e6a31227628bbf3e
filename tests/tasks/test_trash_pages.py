"""Trash and archive of the whole organization: restoring, and erasing for good."""

import asyncio

from mission_control.boards.models import Board
from mission_control.people.models import Job
from mission_control.tasks.models import Comment, Task
from tests.cast import Cast, kinds
from tests.visitor import visitor

TRASH = "/settings/trash"


async def test_board_is_erased_when_its_name_is_typed(cast: Cast) -> None:
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    await cast.add_task()
    (await cast.ada.delete(cast.home)).ok()
    page = f"{TRASH}/boards/{cast.board.id}"
    (await ada.get(TRASH)).has("Telescope", "Erase Telescope")
    (await ada.get(f"{page}/erase")).is_status(200).has("cannot be undone", "Type Telescope")
    (await cleo.get(f"{page}/erase")).is_status(404)
    (await ada.post(f"{page}/erasures", {"name": "Microscope"})).is_status(422).has('id="field-name-error"')
    assert await Board.filter(id=cast.board.id).exists()
    assert (await ada.post(f"{page}/erasures", {"name": "Telescope"})).leads_to == "/work"
    while await Job.filter(state="running").exists():
        await asyncio.sleep(0.02)
    assert not await Board.filter(id=cast.board.id).exists()
    (await ada.get("/work")).has("Erase Telescope", "deleted for good")


async def test_deleted_tasks_of_all_boards_are_restored_or_erased(cast: Cast) -> None:
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    task = await cast.add_task(title="Polish")
    (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "Odd."})).ok()
    (await ada.post(f"{cast.task(task)}/erasures")).is_status(409).has("Delete the task first")
    (await cast.ada.delete(cast.task(task))).ok()
    (await ada.get(f"{TRASH}/tasks")).is_status(200).has("Polish", "Telescope", "Erase #")
    (await dan.get(f"{TRASH}/tasks")).is_status(200).has("Polish").lacks("Erase #", "Restore #")
    (await ada.get(f"{cast.task(task)}/erase")).is_status(200).has("cannot be undone")
    assert (await ada.post(f"{cast.task(task)}/erasures")).leads_to == f"{TRASH}/tasks"
    assert not await Task.filter(id=task["id"]).exists() and not await Comment.filter(task_id=task["id"]).exists()
    assert "task.erased" in {kind for kind, _ in await kinds(cast, 0)}


async def test_archived_tasks_are_put_back(cast: Cast) -> None:
    ada, eve = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.eve)
    task = await cast.add_task(title="Polish", status="done")
    (await cast.ada.post(f"{cast.task(task)}/archivals")).ok()
    (await ada.get(f"{TRASH}/archive")).is_status(200).has("Polish", "Put back #")
    (await eve.get(f"{TRASH}/archive")).is_status(200).lacks("Polish")
    (await ada.get(f"{TRASH}/tasks")).has("No deleted tasks")
