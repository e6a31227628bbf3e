"""What tools answer: what a model needs, and less than the API says."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from mission_control.core.schemas import ActorRef

Ref = Annotated[UUID, Field(description="An id, as another tool answered it")]


def _part(name: str) -> BeforeValidator:
    """Of a list of objects, one field of each; what is no list is left to the type."""

    def pick(found: Any) -> Any:
        return [one.get(name) if isinstance(one, dict) else one for one in found] if isinstance(found, list) else found

    return BeforeValidator(pick)


Sentences = Annotated[list[str], _part("text")]


class TaskLine(BaseModel):
    """A task in a list. Nobody has it when both assignees are null; is_blocked: it waits for other tasks."""

    id: UUID
    number: int
    title: str
    status: Literal["inbox", "in_progress", "review", "done"]
    priority: str
    due_at: datetime | None
    assigned_agent_id: UUID | None
    assigned_user_id: UUID | None
    is_blocked: bool
    tags: Annotated[list[str], _part("name")]


class WaitingTaskLine(TaskLine):
    """A task in a list, with what it waits for when that was asked."""

    waiting: Sentences = []


class TaskDetail(TaskLine):
    """A task with what it is about."""

    description: str | None
    depends_on_task_ids: list[UUID]
    blocked_by_task_ids: list[UUID]
    custom_field_values: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


class CommentLine(BaseModel):
    """Something said about a task: by an agent, or by the person in author."""

    id: UUID
    message: str | None
    agent_id: UUID | None
    author: Annotated[str | None, BeforeValidator(lambda one: one.get("name") if isinstance(one, dict) else one)]
    created_at: datetime


class StepLine(BaseModel):
    """A step of a task's checklist."""

    id: UUID
    text: str
    is_done: bool


class AttemptLine(BaseModel):
    """An attempt at a task, by whom and how it ended."""

    fence: int
    agent_name: str
    state: Literal["running", "completed", "released", "expired", "superseded"]
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    summary: str | None


class MemoryLine(BaseModel):
    """Something written down on the board."""

    id: UUID
    content: str
    tags: list[str] | None
    is_chat: bool
    author: ActorRef | None
    created_at: datetime


class ApprovalState(BaseModel):
    """A question to people, and what became of it. changes_requested: do it again, as the note says."""

    id: UUID
    action_type: str
    task_ids: list[UUID]
    status: Literal["pending", "approved", "rejected"]
    decision: Literal["approved", "rejected", "changes_requested"] | None
    note: str | None
    resolved_by: Annotated[str | None, BeforeValidator(lambda one: one.get("name") if isinstance(one, dict) else one)]
    resolved_at: datetime | None
