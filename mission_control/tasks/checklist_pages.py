"""The steps of a task in its panel: added, ticked, removed."""

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.tasks.checklist import ChecklistItemCreate
from mission_control.tasks.models import ChecklistItem, Task
from mission_control.tasks.pages import TASK
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Form, done

pages = Blueprint("tasks_checklist_pages", __name__)
STEP = f"{TASK}/checklist/<uuid:item_id>"


class TickForm(Form):
    """Whether a step is done."""

    is_done: bool


@action(pages, "POST", f"{TASK}/checklist", performs="add_checklist_item")
async def add(outcome: Outcome[Task, ChecklistItemCreate]) -> ResponseReturnValue:
    """Add a step at the end."""
    return done(_url(outcome.found))


@action(pages, "POST", f"{STEP}/ticks", performs="change_checklist_item", form=TickForm)
async def tick(outcome: Outcome[tuple[Task, ChecklistItem], TickForm]) -> ResponseReturnValue:
    """Tick a step, or untick it."""
    return done(_url(outcome.found[0]))


@action(pages, "POST", f"{STEP}/removals", performs="remove_checklist_item")
async def remove(outcome: Outcome[tuple[Task, ChecklistItem], None]) -> ResponseReturnValue:
    """Remove a step."""
    task, item = outcome.found
    undo = {"text": item.text, "is_done": str(item.is_done).lower()}
    return done(_url(task), toast="Step removed", undo_action=f"{_url(task)}/checklist", undo=undo)


def _url(task: Task) -> str:
    return f"/boards/{task.board_id}/tasks/{task.id}"
