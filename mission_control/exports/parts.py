"""The parts of a board's file. They have no ids: tasks go by number, people by e-mail, agents by name."""

from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, model_validator

from mission_control.boards.schemas import BoardFields
from mission_control.boards.statuses import TaskStatus
from mission_control.core.declared import completed
from mission_control.core.schemas import Body, Moment, NonEmptyStr
from mission_control.custom_fields.schemas import FieldType, Pattern, Visibility
from mission_control.custom_fields.values import WITH_PATTERN, mismatch
from mission_control.tags.schemas import Color
from mission_control.tags.slugs import SLUG_LENGTH
from mission_control.tasks.fields import to_export

Number = Annotated[int, Field(ge=1, lt=2**31)]
Slug = Annotated[NonEmptyStr, Field(max_length=SLUG_LENGTH)]
Email = Annotated[str, Field(max_length=320)]


class BoardPart(BoardFields, extra="forbid"):
    """The board itself. Its group is found by name."""

    description: str = ""  # a board made on a page has none
    board_group: str | None = None


class TagPart(Body):
    """A tag of the board's tasks."""

    slug: Slug
    name: NonEmptyStr
    color: Color = "9e9e9e"
    description: str | None = None


class FieldPart(Body):
    """A custom field of the board."""

    field_key: Annotated[NonEmptyStr, Field(max_length=255)]
    label: NonEmptyStr
    field_type: FieldType = "text"
    ui_visibility: Visibility = "always"
    validation_regex: Pattern = None
    description: str | None = None
    required: bool = False
    default_value: Any = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.validation_regex is not None and self.field_type not in WITH_PATTERN:
            raise ValueError("only text, date and address fields take a pattern")
        if reason := self.mismatch(self.default_value):
            raise ValueError(f"the default value does not fit: {reason}")
        return self

    def mismatch(self, value: Any) -> str | None:
        """Return why a value does not fit this field, None when it does."""
        return mismatch(cast(Any, self), value)


class AuthorPart(Body):
    """An author."""

    kind: Literal["person", "agent", "other"]
    email: Email | None = None
    name: str | None = None


class StepPart(Body):
    """A checklist item of a task."""

    text: Annotated[NonEmptyStr, Field(max_length=2000)]
    is_done: bool = False


class CommentPart(Body):
    """A comment on a task."""

    author: AuthorPart
    message: NonEmptyStr
    created_at: Moment
    edited_at: Moment | None = None


@completed(to_export())
class TaskPart(Body):
    """A task, known by its number."""

    number: Number
    status: TaskStatus = "inbox"
    assigned_agent: str | None = None
    assigned_person: Email | None = None
    created_by: Email | None = None
    archived_at: Moment | None = None
    depends_on: list[Number] = Field(default_factory=list)
    tags: list[Slug] = Field(default_factory=list)
    custom_fields: dict[str, Any] = Field(default_factory=dict)
    checklist: list[StepPart] = Field(default_factory=list, max_length=200)
    comments: list[CommentPart] = Field(default_factory=list)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.assigned_agent is not None and self.assigned_person is not None:
            raise ValueError("a task has one assignee: an agent or a person")
        if self.archived_at is not None and self.status != "done":
            raise ValueError("only done tasks can be archived")
        for name in ("depends_on", "tags"):
            setattr(self, name, list(dict.fromkeys(getattr(self, name))))
        return self


class ApprovalPart(Body):
    """An approval."""

    action_type: str
    tasks: list[Number] = Field(default_factory=list)
    payload: dict[str, Any] | None = None
    confidence: float = Field(ge=0, le=100)
    rubric_scores: dict[str, int] | None = None
    status: Literal["pending", "approved", "rejected"]
    decision: Literal["approved", "rejected", "changes_requested", "closed"] | None = None
    note: str | None = None
    requested_by: AuthorPart
    resolved_by: Email | None = None
    resolved_at: Moment | None = None
    created_at: Moment
    updated_at: Moment

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.status == "pending") != (self.resolved_at is None):
            raise ValueError("an approval has a resolved_at exactly when it is not pending")
        if (self.decision == "approved") != (self.status == "approved") and self.decision is not None:
            raise ValueError(f"the decision {self.decision} does not go with the status {self.status}")
        self.tasks = list(dict.fromkeys(self.tasks))
        return self


class MemoryPart(Body):
    """An entry of the board's memory."""

    content: NonEmptyStr
    tags: list[str] | None = None
    is_chat: bool = False
    source: str | None = None
    author: AuthorPart
    created_at: Moment
    edited_at: Moment | None = None
