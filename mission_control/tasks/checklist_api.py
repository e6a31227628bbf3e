"""The small steps of a task over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import OK, ErrorResponse, OkResponse
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.tasks import checklist
from mission_control.tasks.api import TAGS, TASK
from mission_control.tasks.models import ChecklistItem, Task
from mission_control.tasks.queries import visible_task

api = Api("tasks_checklist_api", __name__, url_prefix="/api/v1")
ITEMS = f"{TASK}/checklist"
FULL = {409: ErrorResponse}


async def task_of_item(actor: Actor, **ids: Any) -> tuple[Task, ChecklistItem]:
    """A step with its task; the task's rule is asked by the command."""
    return await checklist.visible_item(actor, **ids)


@operation(
    api,
    "GET",
    ITEMS,
    operation_id="list_checklist",
    tags=TAGS,
    who="actor",
    find=visible_task,
    query=Paging,
    returns=Page[checklist.ChecklistItemRead],
)
async def list_checklist(actor: Actor, task: Task, query: Paging) -> dict[str, Any]:
    """List a task's steps in order."""
    found, total = await checklist.list_items(task, query)
    return page(found, total, query)


@operation(
    api,
    "POST",
    ITEMS,
    operation_id="add_checklist_item",
    tags=TAGS,
    who="actor",
    find=visible_task,
    verb="task.edit_checklist",
    body=checklist.ChecklistItemCreate,
    returns=checklist.ChecklistItemRead,
    errors=FULL,
)
async def add_checklist_item(actor: Actor, task: Task, data: checklist.ChecklistItemCreate) -> dict[str, Any]:
    """Add a step at the end."""
    return checklist.item_read(await checklist.add_item(actor, task, data))


@operation(
    api,
    "PUT",
    ITEMS,
    operation_id="order_checklist",
    tags=TAGS,
    who="actor",
    find=visible_task,
    verb="task.edit_checklist",
    body=checklist.ChecklistOrder,
    returns=Page[checklist.ChecklistItemRead],
    errors=FULL,
)
async def order_checklist(actor: Actor, task: Task, data: checklist.ChecklistOrder) -> dict[str, Any]:
    """Put all steps of a task into a new order."""
    await checklist.order_items(actor, task, data.item_ids)
    paging = Paging(limit=checklist.MOST, offset=0)
    found, total = await checklist.list_items(task, paging)
    return page(found, total, paging)


@operation(
    api,
    "GET",
    f"{ITEMS}/<item_id>",
    operation_id="get_checklist_item",
    tags=TAGS,
    who="actor",
    find=task_of_item,
    returns=checklist.ChecklistItemRead,
)
async def get_checklist_item(actor: Actor, found: tuple[Task, ChecklistItem]) -> dict[str, Any]:
    """Read a step."""
    return checklist.item_read(found[1])


@operation(
    api,
    "PATCH",
    f"{ITEMS}/<item_id>",
    operation_id="change_checklist_item",
    tags=TAGS,
    who="actor",
    find=task_of_item,
    verb="task.edit_checklist",
    body=checklist.ChecklistItemUpdate,
    returns=checklist.ChecklistItemRead,
)
async def change_checklist_item(
    actor: Actor, found: tuple[Task, ChecklistItem], data: checklist.ChecklistItemUpdate
) -> dict[str, Any]:
    """Change a step, or tick it."""
    task, item = found
    return checklist.item_read(await checklist.change_item(actor, task, item, data.model_dump(exclude_unset=True)))


@operation(
    api,
    "DELETE",
    f"{ITEMS}/<item_id>",
    operation_id="remove_checklist_item",
    tags=TAGS,
    who="actor",
    find=task_of_item,
    verb="task.edit_checklist",
    returns=OkResponse,
)
async def remove_checklist_item(actor: Actor, found: tuple[Task, ChecklistItem]) -> dict[str, bool]:
    """Take a step away."""
    await checklist.remove_item(actor, *found)
    return OK
