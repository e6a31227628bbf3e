"""Links between tasks that hold nothing up: where one was found, and of which one it is a duplicate."""

from typing import Literal
from uuid import UUID

from mission_control.boards.words import TaskStatus
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound, existing
from mission_control.core.values import Body, Paging, Schema, example
from mission_control.database.sql import Row, rows
from mission_control.http.registry import lookup
from mission_control.log.commands import command
from mission_control.log.event_log import Kind
from mission_control.log.unit_of_work import record
from mission_control.tasks.changes import locked_task
from mission_control.tasks.models import Task, TaskLink
from mission_control.tasks.queries import part_of_task, visible_task
from mission_control.tasks.waiting import WaitedTask

EVENTS = (
    Kind("task.linked", "A task was linked to another one: found in it, or its duplicate.", "linked"),
    Kind("task.unlinked", "A link between two tasks was removed.", "removed a link of"),
)
LinkKind = Literal["found_in", "duplicate_of"]


class TaskLinkCreate(Body):
    """What a task is to another one of its board."""

    model_config = Body.model_config | example(kind="duplicate_of", task_id="01a20f89-2bd7-774c-8be4-ab89967d70a3")

    kind: LinkKind
    task_id: UUID


class LinkedTask(WaitedTask):
    """A task to which another one is linked."""

    status: TaskStatus


class TaskLinkRead(Schema):
    """A link of a task; `is_reverse`: the other task has it, so that one was found in this, or is its duplicate."""

    id: UUID
    kind: LinkKind
    is_reverse: bool
    task: LinkedTask


async def links_of(task_id: UUID) -> list[Row]:
    """Return the links of a task in both directions, the oldest first, without those of deleted tasks."""
    found = await rows(
        "SELECT l.id, l.kind, CASE WHEN l.task_id = ? THEN 0 ELSE 1 END AS is_reverse, t.id AS task_id, t.number,"
        " t.title, t.status FROM task_links l JOIN tasks t ON t.id = CASE WHEN l.task_id = ? THEN l.other_id"
        " ELSE l.task_id END WHERE (l.task_id = ? OR l.other_id = ?) AND t.deleted_at IS NULL"
        " ORDER BY l.created_at, l.id",
        *[task_id] * 4,
    )
    return [
        {
            "id": row["id"],
            "kind": row["kind"],
            "is_reverse": bool(row["is_reverse"]),
            "task": {"id": row["task_id"]} | {name: row[name] for name in ("number", "title", "status")},
        }
        for row in found
    ]


async def list_links(task: Task, paging: Paging) -> tuple[list[Row], int]:
    found = await links_of(task.id)
    return found[paging.offset : paging.offset + paging.limit], len(found)


@lookup
async def visible_link(actor: Actor, board_id: UUID, task_id: UUID, link_id: UUID) -> TaskLink:
    """Return a link that a visible task has, with the task. Raise NotFound otherwise."""
    return await part_of_task(TaskLink, await visible_task(actor, board_id, task_id), link_id)


@command("task.link")
async def link_task(actor: Actor, task: Task, new: TaskLinkCreate) -> TaskLink:
    """Link a task to another one. A link that exists is a no-op."""
    task = await locked_task(task)
    if new.task_id == task.id:
        raise Invalid("A task cannot be linked to itself.")
    other = await Task.get_or_none(id=new.task_id, board_id=task.board_id, deleted_at=None)
    if other is None:
        raise NotFound("The other task is not on this board.")
    return await put_link(task, other, new.kind)


async def put_link(task: Task, other: Task, kind: LinkKind) -> TaskLink:
    """Store and record a link. The calling command holds the task."""
    link, is_new = await TaskLink.get_or_create(task_id=task.id, other_id=other.id, kind=kind)
    if is_new:
        words = f"Task linked: {task.title}. {kind.replace('_', ' ').capitalize()} #{other.number}."
        record("task.linked", task, words, link=kind, other_task_id=other.id)
    return link


@command("task.link")
async def unlink_task(actor: Actor, link: TaskLink) -> None:
    """Remove a link."""
    task = await locked_task(link.task)
    link = await existing(TaskLink.get_or_none(id=link.id))
    await link.delete()
    record("task.unlinked", task, f"Link removed: {task.title}.", link=link.kind, other_task_id=link.other_id)
