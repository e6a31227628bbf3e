"""What left a board and can come back: its deleted and its archived tasks."""

from uuid import UUID

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.live import Rights
from mission_control.boards.pages import on_board
from mission_control.core.paging import Paging
from mission_control.tasks.archive import archive_task, unarchive_task
from mission_control.tasks.pages import TASK, on_task
from mission_control.tasks.queries import archived_tasks, deleted_tasks
from mission_control.web.forms import done
from mission_control.web.shell import shell_page

pages = Blueprint("tasks_trash_pages", __name__)
SIZE = 50
LISTS = {"trash": deleted_tasks, "archive": archived_tasks}


@pages.get("/boards/<uuid:board_id>/<any(trash, archive):kind>")
async def show(board_id: UUID, kind: str) -> ResponseReturnValue:
    """The deleted or the archived tasks of a board, what went last first."""
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


@pages.post(f"{TASK}/archivals")
async def archive(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Put a done task out of sight."""
    actor, task = await on_task(board_id, task_id)
    await archive_task(actor, task)
    url = f"/boards/{board_id}/tasks/{task_id}"
    return done(url, toast=f"#{task.number} archived", undo_action=f"{url}/archivals/removals")


@pages.post(f"{TASK}/archivals/removals")
async def unarchive(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Put an archived task back on its board."""
    actor, task = await on_task(board_id, task_id)
    await unarchive_task(actor, task)
    return done(f"/boards/{board_id}/tasks/{task_id}")
