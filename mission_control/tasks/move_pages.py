"""What the menu of a card holds, as a page for browsers without JavaScript."""

from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.boards.statuses import LABELS
from mission_control.core.policy import can, require
from mission_control.tasks.pages import TASK, on_task
from mission_control.web.shell import shell_page

pages = Blueprint("tasks_move_pages", __name__)


@pages.get(f"{TASK}/moves")
async def moves(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Show where a task can be moved."""
    actor, task = await on_task(board_id, task_id)
    require(actor, "task.move", task)
    context = {"task": task, "column": LABELS[task.status], "may_copy": can(actor, "task.duplicate", task)}
    return await shell_page(actor, "tasks/move.html", active=f"board-{board_id}", **context)
