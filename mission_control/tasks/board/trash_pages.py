"""The deleted and the archived tasks of a board, which can be restored."""

from functools import partial
from uuid import UUID

from quart import request
from quart.typing import ResponseReturnValue

from mission_control.boards.pages import TRASH, TRASH_PAGE, on_board
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor, can
from mission_control.core.values import Paging
from mission_control.tasks.models import Task
from mission_control.tasks.panel.pages import TASK
from mission_control.tasks.queries import gone_tasks
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, go
from mission_control.web.fragments import PageContext
from mission_control.web.lists import Asked, LiveList, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import settings_page, shell_page

pages = Pages("tasks_trash_pages", __name__)
SIZE = 50


@pages.get("/boards/<uuid:board_id>/<any(trash, archive):kind>")
async def show(board_id: UUID, kind: str) -> ResponseReturnValue:
    """Show the deleted or the archived tasks of a board, newest first."""
    actor, board = await on_board(board_id)
    first = max(0, min(request.args.get("from", 0, type=int), 10**6))
    found, total = await gone_tasks([board], kind, Paging(limit=SIZE, offset=first))
    return await shell_page(
        actor, "tasks/trash.html", active=f"board-{board.id}", board=board, kind=kind, tasks=found, total=total,
        first=first, size=SIZE, may_write=actor.writes(board),
    )  # fmt: skip


async def _erasure(actor: Actor, task: Task, values: Fields, errors: dict[str, str]) -> str:
    problem = " ".join(errors.values())
    return await settings_page(actor, "tasks/erase.html", TRASH_PAGE.key, task=task, board=task.board, problem=problem)


@action(pages, f"{TASK}/erasures", page=f"{TASK}/erase", shows=_erasure)
async def erase_task(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Delete a task for good."""
    return go("/settings/trash/tasks")


KINDS = {"tasks": "trash", "archive": "archive"}


async def _listed(which: str, actor: Actor, asked: Asked) -> PageContext:
    found, total = await gone_tasks(await boards_of(actor), KINDS[which], Paging(limit=SIZE, offset=asked.first))
    return {
        "which": which, "tasks": found, "total": total, "first": asked.first, "size": SIZE,
        "writable": {task["board_id"] for task in found if actor.writes(task["board"])},
        "may_erase": can(actor, "board.create", actor.organization_id),
    }  # fmt: skip


for _which in KINDS:
    LiveList(
        pages=pages, place=TRASH_PAGE, path=f"{TRASH}/{_which}", template="tasks/gone_everywhere.html",
        read=partial(_listed, _which), news=Concerns[View](("task.", "board.")),
    )  # fmt: skip
