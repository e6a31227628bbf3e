"""The pages of work in progress: what an open panel asks for, and the flag that a person clears."""

from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.claims import agent_tab as agent_tab
from mission_control.claims.flags import clear_flag
from mission_control.claims.panel import waiting_html
from mission_control.tasks.pages import TASK, on_task
from mission_control.tasks.panel_sections import PanelTask
from mission_control.web.forms import done

pages = Blueprint("claims_pages", __name__)


@pages.get(f"{TASK}/waiting")
async def waiting(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """What a task waits for, as its panel shows it."""
    actor, task = await on_task(board_id, task_id)
    return await waiting_html(PanelTask(task.id, task.board_id, actor.writes(task.board)))


@pages.post(f"{TASK}/flag/clearance")
async def clear(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Let a task be handed out again that was flagged for a person."""
    actor, task = await on_task(board_id, task_id)
    await clear_flag(actor, task)
    return done(f"/boards/{task.board_id}/tasks/{task.id}", toast=f"#{task.number} can be handed out again")
