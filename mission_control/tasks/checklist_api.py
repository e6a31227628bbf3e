"""The small steps of a task over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import OK, ErrorResponse, OkResponse
from mission_control.operations.api import Api
from mission_control.tasks import checklist
from mission_control.tasks.api import TASK
from mission_control.tasks.models import ChecklistItem, Task

api = Api(__name__, "tasks", who="actor")
ITEMS = f"{TASK}/checklist"
FULL = {409: ErrorResponse}


async def task_of_item(actor: Actor, **ids: Any) -> tuple[Task, ChecklistItem]:
    """A step with its task; the task's rule is asked by the command."""
    return await checklist.visible_item(actor, **ids)


@api.get(ITEMS, Page[checklist.ChecklistItemRead])
async def list_checklist(actor: Actor, task: Task, query: Paging) -> dict[str, Any]:
    """List a task's steps in order."""
    found, total = await checklist.list_items(task, query)
    return page(found, total, query)


@api.post(ITEMS, checklist.ChecklistItemRead, rule="task.edit_checklist", errors=FULL)
async def add_checklist_item(actor: Actor, task: Task, data: checklist.ChecklistItemCreate) -> dict[str, Any]:
    """Add a step at the end."""
    return checklist.item_read(await checklist.add_item(actor, task, data))


@api.put(ITEMS, Page[checklist.ChecklistItemRead], rule="task.edit_checklist", errors=FULL)
async def order_checklist(actor: Actor, task: Task, data: checklist.ChecklistOrder) -> dict[str, Any]:
    """Put all steps of a task into a new order."""
    await checklist.order_items(actor, task, data.item_ids)
    paging = Paging(limit=checklist.MOST, offset=0)
    found, total = await checklist.list_items(task, paging)
    return page(found, total, paging)


@api.get(f"{ITEMS}/<item_id>", checklist.ChecklistItemRead)
async def get_checklist_item(actor: Actor, found: tuple[Task, ChecklistItem]) -> dict[str, Any]:
    """Read a step."""
    return checklist.item_read(found[1])


@api.patch(f"{ITEMS}/<item_id>", checklist.ChecklistItemRead, rule="task.edit_checklist")
async def change_checklist_item(
    actor: Actor, found: tuple[Task, ChecklistItem], data: checklist.ChecklistItemUpdate
) -> dict[str, Any]:
    """Change a step, or tick it."""
    task, item = found
    return checklist.item_read(await checklist.change_item(actor, task, item, data.model_dump(exclude_unset=True)))


@api.delete(f"{ITEMS}/<item_id>", rule="task.edit_checklist")
async def remove_checklist_item(actor: Actor, found: tuple[Task, ChecklistItem]) -> OkResponse:
    """Take a step away."""
    await checklist.remove_item(actor, *found)
    return OK
