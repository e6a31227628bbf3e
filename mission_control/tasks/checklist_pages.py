"""The steps of a task in its panel: added, ticked, taken away."""

from uuid import UUID

from pydantic import BaseModel
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.tasks import panel_parts as panel_parts
from mission_control.tasks.checklist import ChecklistItemCreate, Text, add_item, change_item, remove_item, visible_item
from mission_control.tasks.pages import TASK, on_task
from mission_control.web.forms import done, read_form

pages = Blueprint("tasks_checklist_pages", __name__)
STEP = f"{TASK}/checklist/<uuid:item_id>"


class StepForm(BaseModel):
    """A step that is added; `is_done` when it comes back after it was taken away."""

    text: Text
    is_done: bool = False


class TickForm(BaseModel):
    """Whether a step is done."""

    is_done: bool


@pages.post(f"{TASK}/checklist")
async def add(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    """Add a step at the end."""
    actor, task = await on_task(board_id, task_id)
    form = await read_form(StepForm)
    await add_item(actor, task, ChecklistItemCreate(text=form.text, is_done=form.is_done))
    return done(_url(board_id, task_id))


@pages.post(f"{STEP}/ticks")
async def tick(board_id: UUID, task_id: UUID, item_id: UUID) -> ResponseReturnValue:
    """Tick a step, or open it again."""
    actor, _ = await on_task(board_id, task_id)
    task, item = await visible_item(actor, board_id, task_id, item_id)
    await change_item(actor, task, item, {"is_done": (await read_form(TickForm)).is_done})
    return done(_url(board_id, task_id))


@pages.post(f"{STEP}/removals")
async def remove(board_id: UUID, task_id: UUID, item_id: UUID) -> ResponseReturnValue:
    """Take a step away."""
    actor, _ = await on_task(board_id, task_id)
    task, item = await visible_item(actor, board_id, task_id, item_id)
    await remove_item(actor, task, item)
    undo = {"text": item.text, "is_done": str(item.is_done).lower()}
    url = _url(board_id, task_id)
    return done(url, toast="Step removed", undo_action=f"{url}/checklist", undo=undo)


def _url(board_id: UUID, task_id: UUID) -> str:
    return f"/boards/{board_id}/tasks/{task_id}"
