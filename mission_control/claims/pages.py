"""The pages of work in progress: the flag that a person clears."""

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.tasks.models import Task
from mission_control.tasks.pages import TASK
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done

pages = Blueprint("claims_pages", __name__)


@action(pages, "POST", f"{TASK}/flag/clearance", performs="clear_flag")
async def clear(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Clear the flag of a task, so that it is assigned again."""
    task = outcome.found
    return done(f"/boards/{task.board_id}/tasks/{task.id}", toast=f"Agents can claim #{task.number} again")
