"""What the forms of the task pages send."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from mission_control.boards.models import Board
from mission_control.boards.statuses import TaskStatus
from mission_control.core.declared import completed
from mission_control.core.errors import Invalid
from mission_control.core.ids import parse_id
from mission_control.core.schemas import BlankToNone, NonEmptyStr
from mission_control.tasks.fields import from_form, to_form
from mission_control.tasks.models import Task
from mission_control.tasks.schemas import (
    TaskCommentCreate,
    TaskCreate,
    TaskDependencyCreate,
    TaskMove,
    TaskUpdate,
)
from mission_control.web.actions import Form, VersionedForm

Title = Annotated[NonEmptyStr, Field(max_length=500)]


class NewTaskForm(Form):
    """A new task: a title is enough."""

    title: Title
    status: TaskStatus = "inbox"

    def body(self, found: Board) -> TaskCreate:
        """Return the task to create."""
        return TaskCreate(title=self.title, status=self.status)


class MoveForm(Form):
    """The new place of a card. `assignee` returns the task to somebody when a move is undone.

    `approve` also approves that the task is finished.
    """

    status: TaskStatus
    before_task_id: UUID | None = None
    after_task_id: UUID | None = None
    assignee: str | None = None
    approve: bool = False

    def body(self, found: Task) -> TaskMove:
        """Return the move."""
        place = self.model_dump(include={"status", "before_task_id", "after_task_id", "approve"})
        return TaskMove(**place, **(assignee_fields(self.assignee) if self.assignee else {}))

    def hidden(self) -> dict[str, str]:
        """Return the fields of the form that repeats this move."""
        return {name: str(value) for name, value in self.model_dump(exclude={"approve"}, exclude_none=True).items()}


class TextForm(VersionedForm):
    """Title and description."""

    SHOWN = ("title", "description")
    title: Title
    description: Annotated[Annotated[str, Field(max_length=100_000)] | None, BlankToNone] = None

    def body(self, found: Task) -> TaskUpdate:
        """Return the change."""
        return TaskUpdate.model_validate({"title": self.title, "description": self.description})


@completed(to_form())
class ChangeForm(Form):
    """One or more facts of a task; absent fields stay as they are. The table of fields adds its inputs."""

    assignee: str | None = None

    def body(self, found: Task) -> TaskUpdate:
        """Return the change, without clearing an assignee that the task does not have."""
        changes = from_form(self.model_dump(exclude_unset=True))
        if "assignee" in self.model_fields_set:
            wanted = assignee_fields(self.assignee)
            changes |= {name: one for name, one in wanted.items() if one is not None or getattr(found, name) != one}
        return TaskUpdate(**changes)


class CommentForm(Form):
    """A comment."""

    message: Annotated[NonEmptyStr, Field(max_length=100_000)]

    def body(self, found: Task) -> TaskCommentCreate:
        """Return the comment."""
        return TaskCommentCreate(message=self.message)


class DependencyForm(Form):
    """A task to wait for."""

    task_id: UUID

    def body(self, found: Task) -> TaskDependencyCreate:
        """Return the dependency."""
        return TaskDependencyCreate(task_id=self.task_id)


def assignee_fields(value: str | None) -> dict[str, Any]:
    """Return `agent:<id>`, `user:<id>` or nobody as fields of a task."""
    kind, _, name = (value or "").partition(":")
    if not kind:
        return {"assigned_agent_id": None, "assigned_user_id": None}
    found = parse_id(name)
    if kind not in ("agent", "user") or found is None:
        raise Invalid("Choose an agent or a person of this board.")
    return {f"assigned_{kind}_id": found}


def assignee_value(agent_id: UUID | None, user_id: UUID | None) -> str:
    """Return the assignee of a task as forms send it: the inverse of `assignee_fields`."""
    return f"agent:{agent_id}" if agent_id else f"user:{user_id}" if user_id else ""
