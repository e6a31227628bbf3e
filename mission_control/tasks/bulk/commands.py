"""Change many tasks in one transaction, each in its own way; each must pass the rules that hold for it alone."""

from collections.abc import Collection
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator
from tortoise.transactions import in_transaction

from mission_control.boards.models import Board
from mission_control.boards.priorities import Priority
from mission_control.boards.statuses import TaskStatus
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, DomainError, NotFound, existing
from mission_control.core.field_tables import changed, completed
from mission_control.core.substance import Seen
from mission_control.core.values import Body, JsonObject, Moment, Schema, example
from mission_control.database.sql import Row, as_id, as_moment, placeholders, rows
from mission_control.events.commands import command
from mission_control.events.unit_of_work import unit_of_work
from mission_control.tasks.changes import locked_task
from mission_control.tasks.commands import change_task, move_task
from mission_control.tasks.fields import BY_NAME, PLAIN, Ids, Surface, alike_at, shown_at
from mission_control.tasks.models import Task
from mission_control.tasks.queries import tasks_read
from mission_control.tasks.removal import archive_task, delete_task, restore_task, unarchive_task
from mission_control.tasks.schemas import TaskRead, TaskUpdate
from mission_control.tasks.seen import refuse_unseen
from mission_control.tasks.tags.commands import tag_ids_of

MOST = 200
APART = {  # what is done to a task in another way than by its change
    "task_id", "status", "before_task_id", "after_task_id", "archived", "deleted", "add_tag_ids", "remove_tag_ids",
    "substance",
}  # fmt: skip


@completed(changed(alike_at(Surface.BULK)))
class TaskChangeOfOne(Body):
    """What to change on one of many tasks; absent leaves."""

    task_id: UUID
    title: Annotated[str | None, Field(min_length=1)] = None
    status: TaskStatus | None = None
    before_task_id: Annotated[UUID | None, Field(description="Put it above this card of its column")] = None
    after_task_id: Annotated[UUID | None, Field(description="Put it below this card of its column")] = None
    assigned_agent_id: UUID | None = None
    assigned_user_id: UUID | None = None
    priority: Priority | None = None
    due_at: Moment | None = None
    parent_id: Annotated[UUID | None, Field(description="The task of which it becomes a part; null: of none")] = None
    tag_ids: Ids | None = None
    add_tag_ids: Ids = Field(default_factory=list)
    remove_tag_ids: Ids = Field(default_factory=list)
    archived: Annotated[bool | None, Field(description="Archive it, or take it out of the archive")] = None
    deleted: Annotated[bool | None, Field(description="Delete it, or restore it")] = None
    substance: Seen = None

    @model_validator(mode="after")
    def _says_each_once(self) -> Self:
        if self.tag_ids is not None and (self.add_tag_ids or self.remove_tag_ids):
            raise ValueError("send tag_ids, or the tags to add and to remove, not both")
        if self.before_task_id is not None and self.after_task_id is not None:
            raise ValueError("send before_task_id or after_task_id, not both")
        return self

    def fields(self) -> JsonObject:
        sent = self.model_dump(exclude_unset=True, exclude=APART)
        return {name: value for name, value in sent.items() if value is not None or BY_NAME[name].is_nullable}


class TaskChanges(Body):
    """A change for each of up to 200 tasks. `atomic` does all of it or nothing.

    They change in this order, but for tasks that wait for others of them, which change after those.
    """

    model_config = example(
        changes=[{"task_id": "01a20f89-2bd7-774c-8be4-ab89967d70a3", "priority": "high", "due_at": None}]
    )

    changes: list[TaskChangeOfOne] = Field(min_length=1, max_length=MOST)
    atomic: bool = True

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.task_ids)) != len(self.changes):
            raise ValueError("send one change for each task")
        return self

    @property
    def task_ids(self) -> list[UUID]:
        return [change.task_id for change in self.changes]


class TaskBulkResult(Schema):
    """The outcome for one task: its new state, or why it could not change."""

    task_id: UUID
    ok: bool
    status: int
    detail: str | JsonObject | list[Any] | None
    task: TaskRead | None


class TaskBulkRead(Schema):
    """The outcome for each task, in the order in which they were sent."""

    results: list[TaskBulkResult]
    changed: int
    failed: int


class TaskBulkFailure(Schema):
    """Why one task could not change."""

    task_id: UUID
    status: int
    detail: str | JsonObject | list[Any]


class TaskBulkConflict(Schema):
    """Nothing was changed, because some tasks could not."""

    message: str
    failures: list[TaskBulkFailure]


class TaskBulkError(Schema):
    """The refusal of an atomic change."""

    detail: TaskBulkConflict
    request_id: str | None = None


@command("task.bulk")
async def change_tasks(actor: Actor, board: Board, batch: TaskChanges) -> dict[UUID, DomainError | None]:
    """Change many tasks. Return the error of each, or None. Raise Conflict for an error when the change is atomic."""
    changes = {change.task_id: change for change in batch.changes}
    outcome: dict[UUID, DomainError | None] = {}
    for task_id in await _in_order(batch.task_ids):
        outcome[task_id] = await _attempt(actor, board, changes[task_id])
    failures = [
        {"task_id": str(task_id), "status": error.status, "detail": error.detail}
        for task_id in batch.task_ids
        if (error := outcome[task_id]) is not None
    ]
    if batch.atomic and failures:
        message = f"{len(failures)} of {len(outcome)} tasks cannot change so; nothing was changed."
        raise Conflict({"message": message, "failures": failures})
    return outcome


async def _in_order(task_ids: list[UUID]) -> list[UUID]:
    """Sort each task behind those that it waits for, so that all of them can be finished at once."""
    listed = placeholders(len(task_ids))
    edges = await rows(
        f"SELECT task_id, depends_on_task_id FROM task_dependencies WHERE task_id IN ({listed})"
        f" AND depends_on_task_id IN ({listed})",
        *task_ids,
        *task_ids,
    )
    waits_for: dict[UUID, list[UUID]] = {}
    for row in edges:
        waits_for.setdefault(UUID(str(row["task_id"])), []).append(UUID(str(row["depends_on_task_id"])))
    ordered: dict[UUID, None] = {}
    waiting = [iter(task_ids)]
    under: list[UUID] = []  # those whose own turn comes after what they wait for; a circle goes through a deleted task
    while waiting:
        task_id = next(waiting[-1], None)
        if task_id is None:
            waiting.pop()
            if under:
                ordered[under.pop()] = None
        elif task_id not in ordered and task_id not in under:
            under.append(task_id)
            waiting.append(iter(waits_for.get(task_id, [])))
    return list(ordered)


async def _attempt(actor: Actor, board: Board, change: TaskChangeOfOne) -> DomainError | None:
    """Change a task in a savepoint and return the refusal, which undoes all of it, records included."""
    unit = unit_of_work()
    sizes = len(unit.events), len(unit.deliveries), len(unit.signals)
    try:
        async with in_transaction():
            await _change(actor, board, change)
    except DomainError as error:
        del unit.events[sizes[0] :], unit.deliveries[sizes[1] :], unit.signals[sizes[2] :]
        unit.reacted = min(unit.reacted, len(unit.events))
        return error
    return None


async def _change(actor: Actor, board: Board, change: TaskChangeOfOne) -> None:
    task = await existing(Task.get_or_none(id=change.task_id, board_id=board.id))
    task.board = board
    if change.deleted is False:
        task = await restore_task(actor, task)
    if task.deleted_at is not None:
        raise NotFound()
    if change.archived is False:
        task = await unarchive_task(actor, task)
    task = await _moved(actor, task, change)
    if fields := change.fields() | await _changed_tags(task, change):
        task = await change_task(actor, task, TaskUpdate.model_construct(**fields).change())
    if change.archived:
        task = await archive_task(actor, task)
    if change.deleted:
        await delete_task(actor, task)


async def _moved(actor: Actor, task: Task, change: TaskChangeOfOne) -> Task:
    if not (change.status or change.before_task_id or change.after_task_id):
        return task
    status = change.status or task.status
    if status == "done" and change.substance is not None:
        await locked_task(task)
        await refuse_unseen(task.id, change.substance)
    return await move_task(actor, task, status, change.before_task_id, change.after_task_id)


async def _changed_tags(task: Task, change: TaskChangeOfOne) -> JsonObject:
    if not (change.add_tag_ids or change.remove_tag_ids):
        return {}
    await locked_task(task)
    remaining = [tag_id for tag_id in await tag_ids_of(task.id) if tag_id not in change.remove_tag_ids]
    return {"tag_ids": [*remaining, *(tag_id for tag_id in change.add_tag_ids if tag_id not in remaining)]}


async def answer_of(batch: TaskChanges, outcome: dict[UUID, DomainError | None]) -> JsonObject:
    stay = [change.task_id for change in batch.changes if outcome[change.task_id] is None and not change.deleted]
    states = {str(task["id"]): task for task in await tasks_read(stay)}
    results = [
        {
            "task_id": task_id,
            "ok": error is None,
            "status": 200 if error is None else error.status,
            "detail": None if error is None else error.detail,
            "task": states.get(str(task_id)),
        }
        for task_id, error in ((task_id, outcome[task_id]) for task_id in batch.task_ids)
    ]
    changed = sum(error is None for error in outcome.values())
    return {"results": results, "changed": changed, "failed": len(outcome) - changed}


# What the bar of selected tasks sets to a value, by its word.
SETTABLE = {field.word: field for field in shown_at(Surface.BULK) if field.is_plain}
SET = ", ".join(f"t.{name}" for name in PLAIN)
Before = dict[UUID, Row]


async def before_bulk(board: Board, task_ids: Collection[UUID]) -> Before:
    """Read what a bulk change can change, in two statements; those lowest in their columns come first."""
    if not task_ids:
        return {}
    listed = placeholders(len(task_ids))
    tasks = await rows(
        f"SELECT p.* FROM (SELECT t.id, t.status, t.assigned_agent_id, t.assigned_user_id, t.number, {SET},"
        " LEAD(t.id) OVER places AS below, LAG(t.id) OVER places AS above FROM tasks t"
        " WHERE t.board_id = ? AND t.deleted_at IS NULL AND t.archived_at IS NULL"
        " WINDOW places AS (PARTITION BY t.status ORDER BY t.position, t.created_at DESC)) p"
        f" JOIN tasks o ON o.id = p.id WHERE p.id IN ({listed}) ORDER BY o.position DESC, o.created_at",
        board.id,
        *task_ids,
    )
    tags: dict[str, list[UUID | None]] = {}
    for row in await rows(
        f"SELECT a.task_id, a.tag_id FROM tag_assignments a WHERE a.task_id IN ({listed}) ORDER BY a.created_at, a.id",
        *task_ids,
    ):
        tags.setdefault(str(row["task_id"]), []).append(as_id(row["tag_id"]))
    return {UUID(str(row["id"])): {**row, "tag_ids": tags.get(str(row["id"]), [])} for row in tasks}


def undo_of(kind: str, before: Before, changed: Collection[UUID]) -> list[JsonObject]:
    return [{"task_id": task_id, **_undo(kind, state)} for task_id, state in before.items() if task_id in changed]


def _undo(kind: str, state: Row) -> JsonObject:
    match kind:
        case "move":
            was = {"before_task_id": state["below"], "after_task_id": None if state["below"] else state["above"]}
            was |= {name: state[name] for name in ("assigned_agent_id", "assigned_user_id")}
            return {"status": state["status"]} | {name: value for name, value in was.items() if value}
        case "assign":
            names = ("assigned_user_id", "assigned_agent_id")
            return next(({name: state[name]} for name in names if state[name]), dict.fromkeys(names))
        case "tag" | "untag":
            return {"tag_ids": state["tag_ids"]}
        case "archive":
            return {"archived": False}
    if (field := SETTABLE.get(kind)) is not None:
        before = state[field.name]
        return {field.name: as_moment(before) if field.is_moment else before}
    return {"deleted": False}
