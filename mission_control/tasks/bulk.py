"""Change many tasks in one transaction; each must pass the rules that hold for it alone."""

from collections.abc import Awaitable, Callable
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from tortoise.transactions import in_transaction

from mission_control.boards.models import Board
from mission_control.boards.priorities import Priority
from mission_control.boards.statuses import TaskStatus
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import unit_of_work
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, DomainError, NotFound
from mission_control.core.schemas import Body, Moment, example
from mission_control.database.sql import placeholders, rows
from mission_control.tags.assignment import tag_ids_of
from mission_control.tasks.archive import archive_task
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.commands import change_task
from mission_control.tasks.fields import Ids
from mission_control.tasks.leaving import delete_task
from mission_control.tasks.locks import locked_task
from mission_control.tasks.models import Task
from mission_control.tasks.queries import tasks_read
from mission_control.tasks.schemas import TaskRead

MOST = 200


class BulkMove(Body):
    """Where the tasks go."""

    status: TaskStatus


class BulkAssign(Body):
    """Who gets the tasks: an agent, a person, or nobody when what is sent is null."""

    assigned_agent_id: UUID | None = None
    assigned_user_id: UUID | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("send assigned_agent_id or assigned_user_id")
        return self


class BulkSet(Body):
    """The facts that the tasks get; absent leaves."""

    priority: Priority | None = None
    due_at: Moment | None = None

    @model_validator(mode="after")
    def _sets_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("send priority or due_at")
        if "priority" in self.model_fields_set and self.priority is None:
            raise ValueError("a task has a priority; send one")
        return self


class TaskBulk(Body):
    """One change for up to 200 tasks. `atomic` does all of it or nothing."""

    model_config = example(task_ids=["01a20f89-2bd7-774c-8be4-ab89967d70a3"], move={"status": "review"})

    task_ids: Ids = Field(min_length=1, max_length=MOST)
    move: BulkMove | None = None
    assign: BulkAssign | None = None
    add_tag_ids: Ids = Field(default_factory=list)
    remove_tag_ids: Ids = Field(default_factory=list)
    set: Annotated[BulkSet | None, Field(description="Priority or due date")] = None
    archive: Annotated[bool, Field(description="Archive them; only done tasks can be")] = False
    delete: bool = False
    atomic: bool = True

    @model_validator(mode="after")
    def _one_change(self) -> Self:
        if len(self._changes()) != 1:
            raise ValueError("send one change: move, assign, tags to add or remove, set, archive, or delete")
        return self

    def _changes(self) -> list[Any]:
        sent = (
            self.move,
            self.assign,
            self.add_tag_ids or self.remove_tag_ids,
            self.set,
            self.archive,
            self.delete,
        )
        return [given for given in sent if given]


class TaskBulkResult(BaseModel):
    """The outcome for one task: its new state, or why it could not change."""

    task_id: UUID
    ok: bool
    status: int
    detail: str | dict[str, Any] | list[Any] | None
    task: TaskRead | None


class TaskBulkRead(BaseModel):
    """The outcome for each task, in the order in which they were sent."""

    results: list[TaskBulkResult]
    changed: int
    failed: int


class TaskBulkFailure(BaseModel):
    """Why one task could not change."""

    task_id: UUID
    status: int
    detail: str | dict[str, Any] | list[Any]


class TaskBulkConflict(BaseModel):
    """Nothing was changed, because some tasks could not."""

    message: str
    failures: list[TaskBulkFailure]


class TaskBulkError(BaseModel):
    """The refusal of an atomic change."""

    detail: TaskBulkConflict
    request_id: str | None = None


@command("task.bulk")
async def change_tasks(actor: Actor, board: Board, wanted: TaskBulk) -> dict[UUID, DomainError | None]:
    """Change many tasks. Return the error of each, or None. Raise Conflict for an error when the change is atomic.

    Tasks are changed after those that they wait for, so that all of them can be finished at once.
    """
    outcome: dict[UUID, DomainError | None] = {}
    for task_id in await in_order(wanted.task_ids):
        outcome[task_id] = await attempt(partial(_change_one, actor, board, task_id, wanted))
    if wanted.atomic:
        refuse_partly(outcome, wanted.task_ids)
    return outcome


def refuse_partly(outcome: dict[UUID, DomainError | None], task_ids: list[UUID]) -> None:
    """Raise Conflict when a part of the changes was refused."""
    failures = [
        {"task_id": str(one), "status": error.status, "detail": error.detail}
        for one in task_ids
        if (error := outcome[one]) is not None
    ]
    if failures:
        message = f"{len(failures)} of {len(outcome)} tasks cannot change so; nothing was changed."
        raise Conflict({"message": message, "failures": failures})


async def in_order(task_ids: list[UUID]) -> list[UUID]:
    """Return tasks after those that they wait for."""
    listed = placeholders(len(task_ids))
    edges = await rows(
        f"SELECT task_id, depends_on_task_id FROM task_dependencies WHERE task_id IN ({listed})"
        f" AND depends_on_task_id IN ({listed})",
        *task_ids,
        *task_ids,
    )
    waits_for: dict[UUID, list[UUID]] = {one: [] for one in sorted(task_ids)}
    for row in edges:
        waits_for[UUID(str(row["task_id"]))].append(UUID(str(row["depends_on_task_id"])))
    try:
        return list(TopologicalSorter(waits_for).static_order())
    except CycleError:  # through a deleted task, which waits for nothing
        return sorted(task_ids)


async def attempt(work: Callable[[], Awaitable[None]]) -> DomainError | None:
    """Run work in a savepoint and return its refusal, which undoes all of it, records included."""
    unit = unit_of_work()
    known = len(unit.events), len(unit.deliveries), len(unit.signals)
    try:
        async with in_transaction():
            await work()
    except DomainError as error:
        del unit.events[known[0] :], unit.deliveries[known[1] :], unit.signals[known[2] :]
        unit.reacted = min(unit.reacted, len(unit.events))
        return error
    return None


async def _change_one(actor: Actor, board: Board, task_id: UUID, wanted: TaskBulk) -> None:
    task = await Task.get_or_none(id=task_id, board_id=board.id, deleted_at=None)
    if task is None:
        raise NotFound()
    task.board = board
    if wanted.delete:
        await delete_task(actor, task)
    elif wanted.archive:
        await archive_task(actor, task)
    else:
        await change_task(actor, task, await _change_of(task, wanted))


async def _change_of(task: Task, wanted: TaskBulk) -> TaskChange:
    if wanted.move is not None:
        return TaskChange(status=wanted.move.status)
    if wanted.assign is not None:
        return TaskChange(**wanted.assign.model_dump(exclude_unset=True))
    if wanted.set is not None:
        return TaskChange.of(wanted.set.model_dump(exclude_unset=True))
    await locked_task(task)
    kept = [one for one in await tag_ids_of(task.id) if one not in wanted.remove_tag_ids]
    return TaskChange(tag_ids=[*kept, *(one for one in wanted.add_tag_ids if one not in kept)])


async def results_of(wanted: TaskBulk, outcome: dict[UUID, DomainError | None]) -> dict[str, Any]:
    """Return the answer to a bulk change."""
    return await answer_of(wanted.task_ids, outcome, are_gone=wanted.delete)


async def answer_of(
    task_ids: list[UUID], outcome: dict[UUID, DomainError | None], *, are_gone: bool = False
) -> dict[str, Any]:
    """Return the outcome for each task."""
    changed = [one for one, error in outcome.items() if error is None]
    states = {str(task["id"]): task for task in ([] if are_gone else await tasks_read(changed))}
    results = [
        {
            "task_id": one,
            "ok": error is None,
            "status": 200 if error is None else error.status,
            "detail": None if error is None else error.detail,
            "task": states.get(str(one)),
        }
        for one, error in ((one, outcome[one]) for one in task_ids)
    ]
    return {"results": results, "changed": len(changed), "failed": len(outcome) - len(changed)}
