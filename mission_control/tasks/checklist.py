"""The small steps of a task."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.core.values import Body, JsonObject, NonEmptyStr, NotNull, Paging, Schema
from mission_control.database.records import find_all
from mission_control.database.sql import rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.http.registry import lookup
from mission_control.tasks.changes import locked_task
from mission_control.tasks.fields import Ids
from mission_control.tasks.models import ChecklistItem, Task
from mission_control.tasks.queries import part_of_task, visible_task

EVENTS = (
    Kind("task.checklist_item_added", "A step was added to a task.", "added a step to"),
    Kind(
        "task.checklist_item_changed", "A step of a task was ticked, opened again or worded anew.", "changed a step of"
    ),
    Kind("task.checklist_item_removed", "A step of a task was removed.", "removed a step of"),
    Kind("task.checklist_reordered", "The steps of a task were put into another order.", "reordered the steps of"),
)

MOST = 200
Text = Annotated[NonEmptyStr, Field(max_length=2000)]


class ChecklistItemCreate(Body):
    """A step to be added at the end."""

    text: Text
    is_done: bool = False
    is_criterion: bool = False


class ChecklistItemUpdate(Body):
    """What to change on a step; absent leaves."""

    text: Annotated[Text | None, NotNull] = None
    is_done: Annotated[bool | None, NotNull] = None
    is_criterion: Annotated[bool | None, NotNull] = None


class ChecklistOrder(Body):
    """All steps of the task in their new order."""

    item_ids: Ids = Field(max_length=MOST)


class ChecklistItemRead(Schema):
    """A step of a task."""

    id: UUID
    task_id: UUID
    text: str
    is_done: bool
    is_criterion: bool
    created_at: datetime
    updated_at: datetime


@lookup
async def visible_item(actor: Actor, board_id: UUID, task_id: UUID, item_id: UUID) -> tuple[Task, ChecklistItem]:
    task = await visible_task(actor, board_id, task_id)
    return task, await part_of_task(ChecklistItem, task, item_id)


async def list_items(task: Task, paging: Paging) -> tuple[list[JsonObject], int]:
    page = "task_id = ? ORDER BY position, id LIMIT ? OFFSET ?"
    items = await find_all(ChecklistItem, page, task.id, paging.limit, paging.offset)
    return [item_read(item) for item in items], await ChecklistItem.filter(task_id=task.id).count()


def item_read(item: ChecklistItem) -> JsonObject:
    return {name: getattr(item, name) for name in ChecklistItemRead.model_fields}


@command("task.edit_checklist")
async def add_item(actor: Actor, task: Task, new: ChecklistItemCreate) -> ChecklistItem:
    task = await locked_task(task)
    [last] = await rows(
        "SELECT COUNT(*) AS n, MAX(position) AS position FROM task_checklist_items WHERE task_id = ?", task.id
    )
    if int(last["n"]) >= MOST:
        raise Conflict(f"A task has at most {MOST} steps.")
    position = float(last["position"] or 0) + 1
    item = await ChecklistItem.create(task_id=task.id, position=position, **new.model_dump())
    record("task.checklist_item_added", task, f"Step added: {item.text}.", item_id=item.id, is_done=item.is_done)
    return item


@command("task.edit_checklist")
async def change_item(actor: Actor, task: Task, item: ChecklistItem, change: ChecklistItemUpdate) -> ChecklistItem:
    task = await locked_task(task)
    item = await part_of_task(ChecklistItem, task, item.id)
    sent = change.model_dump(exclude_unset=True)
    after = {name: value for name, value in sent.items() if getattr(item, name) != value}
    if not after:
        return item
    before = {name: getattr(item, name) for name in after}
    item.update_from_dict(after)
    item.updated_at = times.clock_now()
    await item.save(update_fields=[*after, "updated_at"])
    happened = {True: "done", False: "open again"}[item.is_done] if "is_done" in after else "changed"
    message = f"Step {happened}: {item.text}."
    record("task.checklist_item_changed", task, message, item_id=item.id, before=before, after=after)
    return item


@command("task.edit_checklist")
async def remove_item(actor: Actor, task: Task, item: ChecklistItem) -> None:
    task = await locked_task(task)
    item = await part_of_task(ChecklistItem, task, item.id)
    await item.delete()
    record("task.checklist_item_removed", task, f"Step removed: {item.text}.", item_id=item.id, text=item.text)


@command("task.edit_checklist")
async def order_items(actor: Actor, task: Task, item_ids: list[UUID]) -> None:
    """Reorder the steps. Raise Conflict unless exactly the existing steps are named."""
    task = await locked_task(task)
    items = await ChecklistItem.filter(task_id=task.id).order_by("position", "id")
    before = [item.id for item in items]
    if set(before) != set(item_ids):
        raise Conflict("The steps have changed. Read them again, then order them.")
    if before == item_ids:
        return
    for item in items:
        item.position = float(item_ids.index(item.id) + 1)
    await ChecklistItem.bulk_update(items, fields=["position"])
    record("task.checklist_reordered", task, f"Steps reordered: {task.title}.", before=before, after=item_ids)
