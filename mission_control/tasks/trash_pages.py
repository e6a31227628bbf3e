"""The deleted and the archived tasks of a board, which can be restored."""

from functools import partial
from typing import Any
from uuid import UUID

from quart import request
from quart.typing import ResponseReturnValue

from mission_control.boards.pages import TRASH, TRASH_PAGE, on_board
from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import Conflict
from mission_control.core.values import Paging
from mission_control.tasks.board_view import Rights
from mission_control.tasks.models import Task
from mission_control.tasks.pages import TASK
from mission_control.tasks.queries import any_task, archived_tasks, deleted_tasks, gone_tasks
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import done, go
from mission_control.web.lists import Asked, LiveList, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import settings_page, shell_page

pages = Pages("tasks_trash_pages", __name__)
SIZE = 50
LISTS = {"trash": deleted_tasks, "archive": archived_tasks}


@pages.get("/boards/<uuid:board_id>/<any(trash, archive):kind>")
async def show(board_id: UUID, kind: str) -> ResponseReturnValue:
    """Show the deleted or the archived tasks of a board, newest first."""
    actor, board = await on_board(board_id)
    first = max(0, min(request.args.get("from", 0, type=int), 10**6))
    found, total = await LISTS[kind](board, Paging(limit=SIZE, offset=first))
    return await shell_page(
        actor,
        "tasks/trash.html",
        active=f"board-{board.id}",
        board=board,
        kind=kind,
        tasks=found,
        total=total,
        first=first,
        size=SIZE,
        may_write=Rights.of(actor, board).may_write,
    )


@pages.get(f"{TASK}/erase")
async def ask_erasure(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Say what deleting a task for good does."""
    actor, board = await on_board(board_id)
    task = await any_task(actor, board.id, task_id)
    require(actor, "task.erase", task)
    return await _erasure(actor, task, "")


async def _erasure(actor: Actor, task: Task, problem: str) -> str:
    return await settings_page(actor, "tasks/erase.html", TRASH_PAGE.key, task=task, board=task.board, problem=problem)


async def _not_erased(refusal: Refusal[Task, None]) -> ResponseReturnValue:
    refusal.only(Conflict)
    return await _erasure(refusal.actor, refusal.found, refusal.sentence)


@action(pages, f"{TASK}/erasures", refused=_not_erased)
async def erase_task(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Delete a task for good."""
    return go("/settings/trash/tasks")


@action(pages, f"{TASK}/archivals")
async def archive_task(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Archive a done task."""
    task = outcome.found
    return done(_url(task), toast=f"#{task.number} archived", undo_action=f"{_url(task)}/archivals/removals")


@action(pages, f"{TASK}/archivals/removals")
async def unarchive_task(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Put an archived task back on its board."""
    return done(_url(outcome.found))


def _url(task: Task) -> str:
    return f"/boards/{task.board_id}/tasks/{task.id}"


KINDS = {"tasks": "trash", "archive": "archive"}


async def _listed(which: str, actor: Actor, asked: Asked) -> dict[str, Any]:
    found, total = await gone_tasks(actor, KINDS[which], Paging(limit=SIZE, offset=asked.first))
    return {
        "which": which,
        "tasks": found,
        "total": total,
        "first": asked.first,
        "size": SIZE,
        "writable": {task["board_id"] for task in found if Rights.of(actor, task["board"]).may_write},
        "may_erase": can(actor, "board.create", actor.organization_id),
    }


for _which in KINDS:
    LiveList(
        pages=pages, place=TRASH_PAGE, path=f"{TRASH}/{_which}", template="tasks/gone_everywhere.html",
        read=partial(_listed, _which), news=Concerns[View](("task.", "board.")),
    )  # fmt: skip
