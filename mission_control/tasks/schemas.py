"""Shapes of tasks and comments."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from mission_control.agents.schemas import AgentRead
from mission_control.approvals.schemas import ApprovalRead, PersonRef
from mission_control.boards.priorities import Priority
from mission_control.boards.schemas import BoardRead
from mission_control.boards.statuses import TaskStatus
from mission_control.core.paging import Paging
from mission_control.core.schemas import ActorRef, Body, Moment, NonEmptyStr, NotNull, OptionalText, example
from mission_control.tags.schemas import TagRef
from mission_control.tasks.waiting import WaitingReason


def _unique(ids: list[UUID]) -> list[UUID]:
    return list(dict.fromkeys(ids))


UNSENT_WHEN_NULL = ("depends_on_task_ids", "tag_ids", "comment")
Ids = Annotated[list[UUID], AfterValidator(_unique)]


class TaskCreate(BaseModel):
    """A task to be made."""

    model_config = example(title="Fix the login on Safari", description="Done when the test passes.", priority="high")

    title: str
    description: str | None = None
    status: TaskStatus = "inbox"
    priority: Priority = "medium"
    due_at: Moment | None = None
    assigned_agent_id: UUID | None = None
    assigned_user_id: UUID | None = None
    depends_on_task_ids: Ids = Field(default_factory=list)
    tag_ids: Ids = Field(default_factory=list)
    created_by_user_id: UUID | None = None
    custom_field_values: dict[str, Any] = Field(default_factory=dict)


class TaskUpdate(BaseModel):
    """What to change on a task; absent leaves."""

    model_config = example(status="review", comment="The login works on Safari again.")

    title: Annotated[str | None, NotNull] = None
    description: str | None = None
    status: Annotated[TaskStatus | None, NotNull] = None
    priority: Annotated[Priority | None, NotNull] = None
    due_at: Moment | None = None
    assigned_agent_id: UUID | None = None
    assigned_user_id: UUID | None = None
    depends_on_task_ids: Ids | None = None
    tag_ids: Ids | None = None
    custom_field_values: dict[str, Any] | None = None
    comment: OptionalText = None

    @classmethod
    def named_in(cls, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that a body sends, whatever their values are; those that count as not sent are left out."""
        return {
            name: value
            for name, value in raw.items()
            if name in cls.model_fields
            and not (value is None and name in UNSENT_WHEN_NULL)
            and not (name == "comment" and isinstance(value, str) and not value.strip())
        }

    def sent(self) -> dict[str, Any]:
        """The fields that were sent; a null list and a blank comment count as not sent, null values as none."""
        given = self.model_dump(exclude_unset=True)
        if given.get("custom_field_values", ...) is None:
            given["custom_field_values"] = {}
        for name in UNSENT_WHEN_NULL:
            if given.get(name, ...) is None:
                del given[name]
        return given


class TaskRead(BaseModel):
    """A task."""

    title: str
    description: str | None
    status: TaskStatus
    priority: str
    due_at: datetime | None
    assigned_agent_id: UUID | None
    depends_on_task_ids: list[UUID]
    tag_ids: list[UUID]
    id: UUID
    board_id: UUID | None
    created_by_user_id: UUID | None
    in_progress_at: datetime | None
    created_at: datetime
    updated_at: datetime
    blocked_by_task_ids: list[UUID]
    is_blocked: bool
    tags: list[TagRef]
    custom_field_values: dict[str, Any] | None
    number: int
    assigned_user_id: UUID | None
    archived_at: datetime | None
    deleted_at: datetime | None
    fence: int
    flagged_at: datetime | None
    waiting: Annotated[
        list[WaitingReason] | None,
        Field(description="What it waits for, only when asked for", exclude_if=lambda found: found is None),
    ] = None


class TaskCardRead(TaskRead):
    """A task as a card of a board."""

    assignee: str | None
    approvals_count: int
    approvals_pending_count: int
    comments_count: int


Sort = Literal[
    "created_at", "-created_at", "updated_at", "-updated_at", "due_at", "-due_at", "priority", "-priority",
    "position", "-position",
]  # fmt: skip


class TaskQuery(Paging):
    """Which tasks to list, and in which order."""

    status: str | None = None
    assigned_agent_id: UUID | None = None
    unassigned: bool | None = None
    assigned_user_id: UUID | None = None
    q: Annotated[str | None, Field(max_length=200, description="Words of title or description, or a number")] = None
    tag_id: Annotated[list[UUID] | None, Field(max_length=50, description="Any of these tags")] = None
    priority: Annotated[list[str] | None, Field(max_length=50, description="Any of these priorities")] = None
    due_before: Moment | None = None
    due_after: Annotated[Moment | None, Field(description="Due at this moment or later")] = None
    blocked: Annotated[bool | None, Field(description="Whether it waits for an unfinished task")] = None
    updated_since: Moment | None = None
    archived: Annotated[bool, Field(description="Show archived tasks as well")] = False
    deleted: Annotated[bool, Field(description="Show what is in the trash instead")] = False
    include_waiting: Annotated[bool, Field(description="Say of each task what it waits for")] = False
    sort: Annotated[Sort | None, Field(description="The order; with - in front the greatest first")] = None


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


class TaskCommentCreate(BaseModel):
    """Something to say about a task."""

    model_config = example(message="Half of the tests are green. @lead shall I go on?")

    message: Annotated[NonEmptyStr, BeforeValidator(_trimmed)]


class TaskCommentEdit(Body):
    """Other words for a comment."""

    message: Annotated[NonEmptyStr, BeforeValidator(_trimmed)]


class TaskDependencyCreate(Body):
    """A task to wait for."""

    task_id: UUID


class TaskMove(Body):
    """The new place of a card: a column, and there next to another card."""

    status: TaskStatus
    before_task_id: UUID | None = None
    after_task_id: UUID | None = None
    assigned_agent_id: Annotated[UUID | None, Field(description="Assign it to this agent, too")] = None
    assigned_user_id: Annotated[UUID | None, Field(description="Assign it to this person, too")] = None
    approve: Annotated[
        bool, Field(description="Approve in your own name that it is finished, when it moves to done; only for people")
    ] = False

    @model_validator(mode="after")
    def _one_neighbour(self) -> Self:
        if self.before_task_id is not None and self.after_task_id is not None:
            raise ValueError("send before_task_id or after_task_id, not both")
        return self


class TaskCommentRead(BaseModel):
    """A comment; `agent_id` is null when a person wrote it, whom `author` then names."""

    id: UUID
    message: str | None
    agent_id: UUID | None
    task_id: UUID | None
    created_at: datetime
    author: PersonRef | None
    edited_at: datetime | None


class BoardMemoryRead(BaseModel):
    """An entry of a board's memory; who wrote it is `author`, `source` is for display only."""

    id: UUID
    board_id: UUID
    content: str
    tags: list[str] | None
    source: str | None
    is_chat: bool
    created_at: datetime
    author: ActorRef | None
    edited_at: datetime | None


class BoardSnapshot(BaseModel):
    """Everything that a board's page needs, read at one moment; `seq` is where a stream goes on."""

    board: BoardRead
    tasks: list[TaskCardRead]
    agents: list[AgentRead]
    approvals: list[ApprovalRead]
    chat_messages: list[BoardMemoryRead]
    pending_approvals_count: int
    seq: int


class SnapshotQuery(BaseModel):
    """What a snapshot holds."""

    archived: Annotated[bool, Field(description="Hold archived tasks as well")] = False


class BlockedTaskDetail(BaseModel):
    """Why a task cannot change so."""

    message: str
    code: str | None = None
    blocked_by_task_ids: list[str] = Field(default_factory=list)
    fence: Annotated[int | None, Field(description="With `lease_lost`: the fence that was named")] = None
    current_fence: Annotated[int | None, Field(description="With `lease_lost`: the fence of the latest hand-out")] = (
        None
    )


class BlockedTaskError(BaseModel):
    """A rule of the board, or an unfinished dependency, stands against the change; text for every other reason."""

    detail: BlockedTaskDetail | str
    request_id: str | None = None
    code: str | None = None
