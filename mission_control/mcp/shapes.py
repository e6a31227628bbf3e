"""What tools answer: what a model needs, and less than the API says."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from mission_control.boards.models import Board
from mission_control.boards.priorities import canonical
from mission_control.boards.statuses import TaskStatus
from mission_control.core.declared import completed
from mission_control.core.schemas import ActorRef
from mission_control.questions.schemas import OptionRead
from mission_control.tasks.fields import answer_fields

Ref = Annotated[UUID, Field(description="An id, as another tool answered it")]


def _part(name: str) -> BeforeValidator:
    """Of a list of objects, one field of each; what is no list is left to the type."""

    def pick(found: Any) -> Any:
        return [one.get(name) if isinstance(one, dict) else one for one in found] if isinstance(found, list) else found

    return BeforeValidator(pick)


def status_text(task: Any) -> str:
    """Say where a task is, such as `Task #3 is in review`."""
    where = {"inbox": "in the inbox", "in_progress": "in progress", "review": "in review", "done": "done"}
    return f"Task #{task['number']} is {where[task['status']]}"


def counted(count: int, noun: str) -> str:
    """A count with its noun: `1 question`, `3 questions`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


Sentences = Annotated[list[str], _part("text")]


class TaskLine(BaseModel):
    """A task in a list. Nobody has it when both assignees are null; is_blocked: it waits for other tasks."""

    id: UUID
    number: int
    title: str
    status: TaskStatus
    priority: str
    due_at: datetime | None
    assigned_agent_id: UUID | None
    assigned_user_id: UUID | None
    is_blocked: bool
    tags: Annotated[list[str], _part("name")]


class WaitingTaskLine(TaskLine):
    """A task in a list, with what it waits for when that was asked."""

    waiting: Sentences = []


@completed(answer_fields())
class TaskDetail(TaskLine):
    """A task with what it is about."""

    depends_on_task_ids: list[UUID]
    blocked_by_task_ids: list[UUID]
    custom_field_values: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


def _meant(value: Any) -> Any:
    return canonical(value) if isinstance(value, str) else value


Priority = Annotated[
    Literal["low", "medium", "high", "critical"], BeforeValidator(_meant), Field(description="How soon")
]


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


class FileLine(BaseModel):
    """A file that is attached to a task; read_file reads it."""

    id: UUID
    name: str
    content_type: str
    size: int


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
    """A question to people, and its outcome. changes_requested: do it again, as the note says. closed: it is moot."""

    id: UUID
    action_type: str
    task_ids: list[UUID]
    status: Literal["pending", "approved", "rejected"]
    decision: Literal["approved", "rejected", "changes_requested", "closed"] | None
    note: str | None
    resolved_by: Annotated[str | None, BeforeValidator(lambda one: one.get("name") if isinstance(one, dict) else one)]
    resolved_at: datetime | None


RULES = {
    "require_approval_for_done": "A task is done only after a person approved it; handing it in asks for that.",
    "require_review_before_done": "A task passes review before it is done.",
    "comment_required_for_review": "A task goes to review only with a comment that says what was done.",
    "block_status_changes_with_pending_approval": "A task with a pending approval does not move.",
    "only_lead_can_change_status": "Only the lead moves tasks; nothing can be claimed.",
}


class BoardDetails(BaseModel):
    """A board and the rules that hold there."""

    id: UUID
    name: str
    description: str
    objective: str | None
    success_metrics: dict[str, Any] | None
    rules: list[str]


def board_details(board: Board) -> dict[str, Any]:
    """Return a board as `BoardDetails` has it."""
    values = {name: getattr(board, name) for name in BoardDetails.model_fields if name != "rules"}
    return {**values, "rules": [sentence for name, sentence in RULES.items() if getattr(board, name)]}


class Colleague(BaseModel):
    """An agent of the board."""

    id: UUID
    name: str
    status: str
    is_board_lead: bool


class RequestLine(BaseModel):
    """What an agent asks people; text is the question, with options to choose from, or the reason to approve."""

    kind: Literal["approval", "question"]
    id: UUID
    board_id: Annotated[UUID | None, Field(description="Null: of an agent on no board, asked by gateway_name")] = None
    board_name: str | None = None
    gateway_name: str | None = None
    asked_by: str | None
    text: str
    action_type: str | None = None
    task_ids: list[UUID] = []
    task_titles: list[str] = []
    confidence: float | None = None
    allows_always: Annotated[bool, Field(description="decide_approval takes always")] = False
    options: list[OptionRead] = []
    allows_text: bool = True
    created_at: datetime
    expires_at: datetime | None = None
    substance: Annotated[str, Field(description="Mark of what is asked; send it with the answer")]
