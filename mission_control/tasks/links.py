"""Links between tasks that hold nothing up: where one was found, and of which one it is a duplicate."""

from typing import Literal
from uuid import UUID

from mission_control.boards.commands import locked_board
from mission_control.boards.statuses import TaskStatus
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, NotFound, existing
from mission_control.core.values import Body, Paging, Schema, example
from mission_control.database.sql import Row, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.http.registry import lookup
from mission_control.tasks.changes import locked_task
from mission_control.tasks.models import Task, TaskLink
from mission_control.tasks.queries import part_of_task, visible_task
from mission_control.tasks.waiting import WaitedTask

EVENTS = (
    Kind("task.linked", "A task was linked to another one: found in it, or its duplicate.", "linked"),
    Kind("task.unlinked", "A link between two tasks was removed.", "removed a link of"),
)
LinkKind = Literal["found_in", "duplicate_of"]
CIRCLES: dict[LinkKind, str] = {
    "found_in": "#{other} was found in #{task}",
    "duplicate_of": "#{other} is a duplicate of #{task}",
}
_LEADS_TO = (
    "WITH RECURSIVE chain (id) AS (SELECT id FROM tasks WHERE id = ? UNION SELECT l.other_id FROM chain c"
    " JOIN task_links l ON l.task_id = c.id AND l.kind = ? JOIN tasks t ON t.id = l.other_id"
    " AND t.deleted_at IS NULL) SELECT 1 AS one FROM chain WHERE id = ?"
)


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
    links = await rows(
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
        for row in links
    ]


async def list_links(task: Task, paging: Paging) -> tuple[list[Row], int]:
    links = await links_of(task.id)
    return links[paging.offset : paging.offset + paging.limit], len(links)


@lookup
async def visible_link(actor: Actor, board_id: UUID, task_id: UUID, link_id: UUID) -> TaskLink:
    return await part_of_task(TaskLink, await visible_task(actor, board_id, task_id), link_id)


@command("task.link")
async def link_task(actor: Actor, task: Task, new: TaskLinkCreate) -> TaskLink:
    """Link a task to another one. A link that exists is a no-op; one that closes a circle of its kind: Conflict."""
    await locked_board(task.board)  # two links that are made at once cannot close a circle together
    task = await locked_task(task)
    if new.task_id == task.id:
        raise Invalid("A task cannot be linked to itself.")
    other = await Task.get_or_none(id=new.task_id, board_id=task.board_id, deleted_at=None)
    if other is None:
        raise NotFound("The other task is not on this board.")
    if await rows(_LEADS_TO, other.id, new.kind, task.id):
        way = CIRCLES[new.kind].format(other=other.number, task=task.number)
        raise Conflict(f"{way} already, by itself or through other tasks. Remove that link first.")
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
