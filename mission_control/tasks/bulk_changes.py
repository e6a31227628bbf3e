"""Change many tasks, each in its own way, in one transaction; a bulk change is taken back so."""

from functools import partial
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from mission_control.boards.models import Board
from mission_control.boards.priorities import Priority
from mission_control.boards.statuses import TaskStatus
from mission_control.commands.command import command
from mission_control.core.actor import Actor
from mission_control.core.errors import DomainError, NotFound
from mission_control.core.schemas import Body, Moment, example
from mission_control.tasks.archive import archive_task, unarchive_task
from mission_control.tasks.bulk import MOST, attempt, refuse_partly
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.commands import change_task, move_task
from mission_control.tasks.fields import Ids
from mission_control.tasks.leaving import delete_task, restore_task
from mission_control.tasks.models import Task

PLACE = ("status", "before_task_id", "after_task_id")
STATES = ("archived", "deleted")


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
    tag_ids: Ids | None = None
    archived: Annotated[bool | None, Field(description="Archive it, or take it out of the archive")] = None
    deleted: Annotated[bool | None, Field(description="Delete it, or restore it")] = None

    @model_validator(mode="after")
    def _one_neighbour(self) -> Self:
        if self.before_task_id is not None and self.after_task_id is not None:
            raise ValueError("send before_task_id or after_task_id, not both")
        return self

    def fields(self) -> dict[str, Any]:
        """Return the fields that were sent, without the place and the states."""
        sent = self.model_dump(exclude_unset=True, exclude={"task_id", *PLACE, *STATES})
        may_be_none = ("assigned_agent_id", "assigned_user_id", "due_at")
        return {name: one for name, one in sent.items() if one is not None or name in may_be_none}


class TaskChanges(Body):
    """A change for each of up to 200 tasks, in this order. `atomic` does all of it or nothing."""

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
        """The tasks that change."""
        return [one.task_id for one in self.changes]


@command("task.bulk")
async def change_each(actor: Actor, board: Board, wanted: TaskChanges) -> dict[UUID, DomainError | None]:
    """Change many tasks. Return the error of each, or None. Raise Conflict for an error when the change is atomic."""
    outcome: dict[UUID, DomainError | None] = {}
    for one in wanted.changes:
        outcome[one.task_id] = await attempt(partial(_change, actor, board, one))
    if wanted.atomic:
        refuse_partly(outcome, wanted.task_ids)
    return outcome


async def _change(actor: Actor, board: Board, wanted: TaskChangeOfOne) -> None:
    task = await Task.get_or_none(id=wanted.task_id, board_id=board.id)
    if task is None:
        raise NotFound()
    task.board = board
    if wanted.deleted is False:
        task = await restore_task(actor, task)
    if task.deleted_at is not None:
        raise NotFound()
    if wanted.archived is False:
        task = await unarchive_task(actor, task)
    if wanted.status or wanted.before_task_id or wanted.after_task_id:
        status = wanted.status or task.status
        task = await move_task(actor, task, status, wanted.before_task_id, wanted.after_task_id)
    if fields := wanted.fields():
        task = await change_task(actor, task, TaskChange.of(fields))
    if wanted.archived:
        task = await archive_task(actor, task)
    if wanted.deleted:
        await delete_task(actor, task)
