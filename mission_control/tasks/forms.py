"""What the forms of the task pages send."""

from datetime import date, datetime, time
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.boards.priorities import Priority
from mission_control.core.errors import Invalid
from mission_control.core.ids import parse_id
from mission_control.core.schemas import BlankToNone, NonEmptyStr
from mission_control.tasks.schemas import TaskStatus

Title = Annotated[NonEmptyStr, Field(max_length=500)]


class NewTaskForm(BaseModel):
    """A title is enough."""

    title: Title
    status: TaskStatus = "inbox"


class MoveForm(BaseModel):
    """Where a card goes; `assignee` gives it back to somebody when a move is taken back.

    `approve` also approves that the task is finished.
    """

    status: TaskStatus
    before_task_id: UUID | None = None
    after_task_id: UUID | None = None
    assignee: str | None = None
    approve: bool = False

    def hidden(self) -> dict[str, str]:
        """The fields of the form that repeats this move."""
        return {name: str(value) for name, value in self.model_dump(exclude={"approve"}, exclude_none=True).items()}


class TextForm(BaseModel):
    """Title and description; `version` marks what they were when the form was opened."""

    title: Title
    description: Annotated[Annotated[str, Field(max_length=100_000)] | None, BlankToNone] = None
    version: str = ""


class ChangeForm(BaseModel):
    """One or more facts of a task; absent leaves."""

    priority: Priority = "medium"
    due: date | None = None
    assignee: str | None = None

    def sent(self) -> dict[str, Any]:
        """What the command changes."""
        changes: dict[str, Any] = {}
        if "priority" in self.model_fields_set:
            changes["priority"] = self.priority
        if "due" in self.model_fields_set:
            changes["due_at"] = datetime.combine(self.due, time(23, 59)) if self.due else None
        if "assignee" in self.model_fields_set:
            changes |= assignee_fields(self.assignee)
        return changes


class CommentForm(BaseModel):
    """Something to say."""

    message: Annotated[NonEmptyStr, Field(max_length=100_000)]


class DependencyForm(BaseModel):
    """A task to wait for, or no longer."""

    task_id: UUID


def assignee_fields(value: str | None) -> dict[str, Any]:
    """`agent:<id>`, `user:<id>` or nobody as fields of a task."""
    kind, _, name = (value or "").partition(":")
    if not kind:
        return {"assigned_agent_id": None, "assigned_user_id": None}
    found = parse_id(name)
    if kind not in ("agent", "user") or found is None:
        raise Invalid("Choose an agent or a person of this board.")
    return {f"assigned_{kind}_id": found}


def assignee_value(agent_id: UUID | None, user_id: UUID | None) -> str:
    """The same, the other way round."""
    return f"agent:{agent_id}" if agent_id else f"user:{user_id}" if user_id else ""
