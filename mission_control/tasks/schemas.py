"""Shapes of tasks and comments."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, model_validator

from mission_control.agents.schemas import AgentRead
from mission_control.approvals.schemas import ApprovalRead, PersonRef
from mission_control.boards.schemas import BoardRead
from mission_control.boards.statuses import TaskStatus
from mission_control.boards.views import LONGEST_QUERY
from mission_control.core.field_tables import answered, changed, completed, created
from mission_control.core.substance import Seen
from mission_control.core.values import ActorRef, Body, Moment, NonEmptyStr, Paging, Schema, SentBack, example
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.fields import FIELDS, PLAIN, Ids, Surface, shown_at

UNSENT_WHEN_NULL = ("depends_on_task_ids", "tag_ids", "comment")

# The bodies below name the fields that have rules, for the code that reads them. The table declares all of them.


@completed(created(FIELDS))
class TaskCreate(Schema):
    """A task to be made."""

    model_config = example(title="Fix the login on Safari", description="Done when the test passes.", priority="high")

    title: str
    status: TaskStatus = "inbox"
    assigned_agent_id: UUID | None = None
    assigned_user_id: UUID | None = None
    depends_on_task_ids: Ids = Field(default_factory=list)
    tag_ids: Ids = Field(default_factory=list)
    parent_id: UUID | None = None
    custom_field_values: dict[str, Any] = Field(default_factory=dict)


@completed(changed(field for field in FIELDS if field.changed_by))
class TaskUpdate(Schema):
    """What to change on a task; absent leaves."""

    model_config = example(status="review", comment="The login works on Safari again.")

    @classmethod
    def names_in(cls, raw: Mapping[str, object]) -> frozenset[str]:
        """Values do not matter; those that count as not sent are left out."""
        return frozenset(
            name
            for name, value in raw.items()
            if name in cls.model_fields
            and not (value is None and name in UNSENT_WHEN_NULL)
            and not (name == "comment" and isinstance(value, str) and not value.strip())
        )

    def change(self) -> TaskChange:
        """Return what was sent. A null list and a blank comment count as not sent, null values of fields as none."""
        values = {name: getattr(self, name) for name in self.model_fields_set}
        if values.get("custom_field_values", ...) is None:
            values["custom_field_values"] = {}
        sent = {name: value for name, value in values.items() if value is not None or name not in UNSENT_WHEN_NULL}
        plain = {name: sent.pop(name) for name in PLAIN if name in sent}
        return TaskChange(**sent, plain=plain)


@completed(answered(FIELDS))
class TaskRead(Schema):
    """A task."""


class TaskCardRead(TaskRead):
    """A task as a card of a board."""

    assignee: str | None
    approvals_count: int
    approvals_pending_count: int
    comments_count: int


SORTED = shown_at(
    Surface.TABLE, "created_at", "updated_at", "due_at", "priority", "position", "title", "number", "status"
)
if TYPE_CHECKING:
    Sort = str
else:
    Sort = Literal[tuple(f"{way}{field.name}" for field in SORTED for way in ("", "-"))]


class TaskQuery(Paging):
    """Which tasks to list, and in which order."""

    status: str | None = None
    assigned_agent_id: UUID | None = None
    unassigned: bool | None = None
    assigned_user_id: UUID | None = None
    q: Annotated[
        str | None,
        Field(
            max_length=200,
            description="Words of title or description, each in its first 20,000 characters, or a number",
        ),
    ] = None
    tag_id: Annotated[list[UUID] | None, Field(max_length=50, description="Any of these tags")] = None
    priority: Annotated[list[str] | None, Field(max_length=50, description="Any of these priorities")] = None
    due_before: Moment | None = None
    due_after: Annotated[Moment | None, Field(description="Due at this moment or later")] = None
    blocked: Annotated[bool | None, Field(description="Whether it waits for an unfinished task")] = None
    needs_approval: Annotated[bool | None, Field(description="Whether an approval of it is pending")] = None
    needs_review: Annotated[bool | None, Field(description="Whether it is in review and no agent reviews it")] = None
    flagged: Annotated[bool | None, Field(description="Whether a person must look at it before it goes on")] = None
    query: Annotated[
        str | None,
        Field(
            max_length=LONGEST_QUERY,
            description="What people type to filter a board, such as `assignee:kit due:<fri tag:design points:>=3`",
        ),
    ] = None
    updated_since: Moment | None = None
    archived: Annotated[bool, Field(description="Show archived tasks as well")] = False
    deleted: Annotated[bool, Field(description="Show what is in the trash instead")] = False
    include_waiting: Annotated[bool, Field(description="Say of each task what it waits for")] = False
    sort: Annotated[Sort | None, Field(description="The order; with - in front the greatest first")] = None


def _trimmed(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


class TaskCommentCreate(Schema):
    """Something to say about a task."""

    model_config = example(message="Half of the tests are green. @lead shall I go on?")

    message: Annotated[NonEmptyStr, BeforeValidator(_trimmed)]


class TaskCommentEdit(Body):
    """Other words for a comment."""

    message: Annotated[NonEmptyStr, BeforeValidator(_trimmed)]


class TaskDependencyCreate(Body):
    """A task to wait for."""

    task_id: UUID


Place = Literal["top", "up", "down", "bottom"]


class TaskMove(Body):
    """The new place of a card: a column, and there next to another card."""

    status: TaskStatus
    before_task_id: UUID | None = None
    after_task_id: UUID | None = None
    place: Annotated[Place | None, Field(description="Where in the column, when no card is named")] = None
    assigned_agent_id: Annotated[UUID | None, Field(description="Assign it to this agent, too")] = None
    assigned_user_id: Annotated[UUID | None, Field(description="Assign it to this person, too")] = None
    approve: Annotated[
        bool, Field(description="Approve in your own name that it is finished, when it moves to done; only for people")
    ] = False
    substance: Seen = None

    @model_validator(mode="after")
    def _one_neighbour(self) -> Self:
        if self.before_task_id is not None and self.after_task_id is not None:
            raise ValueError("send before_task_id or after_task_id, not both")
        return self


LONGEST_REVIEW = 20_000


class LineComment(Body):
    """What a person says about a line of the diff."""

    path: Annotated[NonEmptyStr, Field(max_length=1000)]
    line: Annotated[int | None, Field(ge=0, lt=2**31, description="Its number; null: the file as a whole")] = None
    is_former: Annotated[bool, Field(description="Whether it is a line as it was before")] = False
    text: Annotated[NonEmptyStr, Field(max_length=4000)]

    def words(self) -> str:
        """Return the comment as a note has it, in Markdown: "`app.py:12`: ..."."""
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"`{place.replace('`', '')}`{' (before)' if self.is_former else ''}: {self.text}"


class TaskReview(Body):
    """What a person says of a task in review."""

    model_config = Body.model_config | example(
        decision="changes_requested",
        note="Shorter, please.",
        lines=[{"path": "app.py", "line": 12, "text": "Why not the one that is there?"}],
    )

    decision: Annotated[Literal["approved", "changes_requested"], SentBack]
    note: Annotated[
        Annotated[NonEmptyStr, Field(max_length=4000)] | None,
        Field(description="A comment; for `changes_requested` it or `lines` are needed"),
    ] = None
    lines: Annotated[
        list[LineComment], Field(max_length=100, description="Comments at lines of the diff; they end the note")
    ] = []
    substance: Seen = None

    @model_validator(mode="after")
    def _note_when_sent_back(self) -> Self:
        if self.decision == "changes_requested" and not self.words():
            raise ValueError("say what should change")
        if len(self.words()) > LONGEST_REVIEW:
            raise ValueError(f"the note and all comments have at most {LONGEST_REVIEW} characters")
        return self

    def words(self) -> str:
        """Return the note with the comments at lines, each a paragraph."""
        return "\n\n".join([*([self.note] if self.note else []), *(line.words() for line in self.lines)])


class TaskCommentRead(Schema):
    """A comment; `agent_id` is null when a person wrote it, whom `author` then names."""

    id: UUID
    message: str | None
    agent_id: UUID | None
    task_id: UUID | None
    created_at: datetime
    author: PersonRef | None
    edited_at: datetime | None


class BoardMemoryRead(Schema):
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


class BoardSnapshot(Schema):
    """Everything that a board's page needs, read at one moment; `seq` is where a stream goes on."""

    board: BoardRead
    tasks: list[TaskCardRead]
    agents: list[AgentRead]
    approvals: list[ApprovalRead]
    chat_messages: list[BoardMemoryRead]
    pending_approvals_count: int
    seq: int


class SnapshotQuery(Schema):
    """What a snapshot holds."""

    archived: Annotated[bool, Field(description="Hold archived tasks as well")] = False


class BlockedTaskDetail(Schema):
    """Why a task cannot change so."""

    message: str
    code: str | None = None
    blocked_by_task_ids: list[str] = Field(default_factory=list)
    fence: Annotated[int | None, Field(description="With `lease_lost`: the fence that was named")] = None
    current_fence: Annotated[int | None, Field(description="With `lease_lost`: the fence of the latest assignment")] = (
        None
    )


class BlockedTaskError(Schema):
    """A rule of the board, or an unfinished dependency, stands against the change; text for every other reason."""

    detail: BlockedTaskDetail | str
    request_id: str | None = None
    code: str | None = None
