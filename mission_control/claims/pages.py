"""The pages of work in progress: what an open panel asks for, and the flag that a person clears."""

from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.claims import agent_tab as agent_tab
from mission_control.claims.panel import waiting_html
from mission_control.tasks.models import Task
from mission_control.tasks.pages import TASK, on_task
from mission_control.tasks.panel_sections import PanelTask
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done

pages = Blueprint("claims_pages", __name__)


@pages.get(f"{TASK}/waiting")
async def waiting(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Show what a task waits for, as its panel does."""
    actor, task = await on_task(board_id, task_id)
    return await waiting_html(PanelTask(task.id, task.board_id, actor.writes(task.board)))


@action(pages, "POST", f"{TASK}/flag/clearance", performs="clear_flag")
async def clear(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Clear the flag of a task, so that it is assigned again."""
    task = outcome.found
    return done(f"/boards/{task.board_id}/tasks/{task.id}", toast=f"Agents can claim #{task.number} again")
