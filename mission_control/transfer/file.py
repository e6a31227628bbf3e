"""The format of a board's file: its parts, which have no ids, and the checks that they fit together."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from typing import Annotated, Any, Literal, Self, cast
from uuid import UUID

from pydantic import Field, model_validator

from mission_control.boards.priorities import Priority
from mission_control.boards.schemas import BoardFields, BoardRead
from mission_control.boards.statuses import TaskStatus
from mission_control.core.field_tables import completed
from mission_control.core.values import Body, JsonObject, Moment, NonEmptyStr, Schema
from mission_control.tasks.custom_fields.queries import FieldType, Pattern, Visibility
from mission_control.tasks.custom_fields.values import WITH_PATTERN, mismatch
from mission_control.tasks.fields import to_export
from mission_control.tasks.links import LinkKind
from mission_control.tasks.proposals.commands import State
from mission_control.tasks.tags.commands import SLUG_LENGTH, Color
from mission_control.transfer.history_file import Email, NotePart, Number, RunPart, SessionPart

Slug = Annotated[NonEmptyStr, Field(max_length=SLUG_LENGTH)]


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
    default_value: object = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.validation_regex is not None and self.field_type not in WITH_PATTERN:
            raise ValueError("only text, date and address fields take a pattern")
        if reason := self.mismatch(self.default_value):
            raise ValueError(f"the default value does not fit: {reason}")
        return self

    def mismatch(self, value: object) -> str | None:
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
    is_criterion: bool = False


class LinkPart(Body):
    """What a task is to another."""

    kind: LinkKind
    task: Number


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
    parent: Number | None = None
    links: list[LinkPart] = Field(default_factory=list)
    tags: list[Slug] = Field(default_factory=list)
    custom_fields: JsonObject = Field(default_factory=dict)
    checklist: list[StepPart] = Field(default_factory=list, max_length=200)
    comments: list[CommentPart] = Field(default_factory=list)
    runs: list[RunPart] = Field(default_factory=list)

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
    payload: JsonObject | None = None
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


class ProposalPart(Body):
    """Work that an agent proposed."""

    title: NonEmptyStr
    reason: NonEmptyStr
    description: str | None = None
    priority: Priority = "medium"
    state: State = "open"
    agent_name: str
    found_in: Number | None = None
    task: Number | None = None
    decided_by: Email | None = None
    decided_at: Moment | None = None
    note: str | None = None
    created_at: Moment


class MemoryPart(Body):
    """An entry of the board's memory."""

    content: NonEmptyStr
    tags: list[str] | None = None
    is_chat: bool = False
    source: str | None = None
    author: AuthorPart
    created_at: Moment
    edited_at: Moment | None = None


FORMAT: Literal["mission-control/board"] = "mission-control/board"
VERSION: Literal[1] = 1


class BoardFile(Body):
    """A board with its tasks, comments, approvals, proposals, memory and the work of its agents.

    Attached files and the trash are left out, and so is what goes on: leases, open waits, tokens. Of sessions there are
    the newest 2,000, of the activities in them at most 10,000.
    """

    format: Literal["mission-control/board"]
    version: Literal[1]
    exported_at: Moment | None = None
    board: BoardPart
    tags: list[TagPart] = Field(default_factory=list)
    custom_fields: list[FieldPart] = Field(default_factory=list)
    tasks: list[TaskPart] = Field(default_factory=list)
    approvals: list[ApprovalPart] = Field(default_factory=list)
    proposals: list[ProposalPart] = Field(default_factory=list)
    memory: list[MemoryPart] = Field(default_factory=list)
    sessions: list[SessionPart] = Field(default_factory=list)
    notes: list[NotePart] = Field(default_factory=list)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _each_once("tag", (tag.slug for tag in self.tags))
        _each_once("custom field", (field.field_key for field in self.custom_fields))
        _each_once("task number", (task.number for task in self.tasks))
        numbers = {task.number for task in self.tasks}
        self._check_tasks(numbers)
        for position, approval in enumerate(self.approvals):
            _in_file(f"approval {position}", "task", approval.tasks, numbers)
        for position, proposal in enumerate(self.proposals):
            _in_file(f"proposal {position}", "task", [proposal.found_in, proposal.task], numbers)
        self._check_history(numbers)
        _without_cycle("tasks wait for each other", {task.number: task.depends_on for task in self.tasks})
        _without_cycle("tasks are parts of each other", _parents(self.tasks))
        _without_cycle("sessions started each other", _parents(self.sessions))
        waiting = (approval.tasks for approval in self.approvals if approval.status == "pending")
        _each_once("pending approval of task", chain.from_iterable(waiting))
        return self

    def _check_tasks(self, numbers: set[int]) -> None:
        slugs = {tag.slug for tag in self.tags}
        for task in self.tasks:
            place = f"task {task.number}"
            others = [*task.depends_on, task.parent, *(link.task for link in task.links)]
            _in_file(place, "task", others, numbers)
            _in_file(place, "tag", task.tags, slugs)
            self._check_values(task)
            _each_once(f"fence of {place}", (run.fence for run in task.runs))

    def _check_history(self, numbers: set[int]) -> None:
        sessions = {session.number for session in self.sessions}
        _each_once("session number", (session.number for session in self.sessions))
        runs = {(task.number, run.fence) for task in self.tasks for run in task.runs}
        for session in self.sessions:
            place = f"session {session.number}"
            _in_file(place, "session", [session.parent or None], sessions)
            for part in (session, *session.activities):
                part.check_run(place, numbers, runs)
        for position, note in enumerate(self.notes):
            _in_file(f"note {position}", "session", [note.session or None], sessions)
            note.check_run(f"note {position}", numbers, runs)

    def _check_values(self, task: TaskPart) -> None:
        fields = {field.field_key: field for field in self.custom_fields}
        _in_file(f"task {task.number}", "custom field", task.custom_fields, set(fields))
        for key, value in task.custom_fields.items():
            if reason := fields[key].mismatch(value):
                raise ValueError(f"task {task.number} has a value in {key} that does not fit: {reason}")


def _parents(parts: Sequence[TaskPart | SessionPart]) -> dict[int, list[int]]:
    return {part.number: [part.parent] for part in parts if part.parent}


def _without_cycle(what: str, edges: dict[int, list[int]]) -> None:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError:
        raise ValueError(f"some {what} in a cycle") from None


def _each_once(what: str, values: Iterable[object]) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise ValueError(f"the {what} {value} is there twice")
        seen.add(value)


def _in_file(place: str, what: str, values: Iterable[object], listed: Collection[object]) -> None:
    for value in values:
        if value is not None and value not in listed:
            raise ValueError(f"{place} names the {what} {value}, which is not in the file")


class Dropped(Schema):
    """A part of the file that could not be imported, and where it was."""

    what: str
    name: str
    where: str


class ImportCounts(Schema):
    """How much a file has, or was imported."""

    tasks: int
    comments: int
    approvals: int
    memory: int
    runs: int = 0
    sessions: int = 0

    @classmethod
    def of(cls, file: BoardFile) -> "ImportCounts":
        comments = sum(len(part.comments) for part in file.tasks)
        return cls(
            tasks=len(file.tasks),
            comments=comments,
            approvals=len(file.approvals),
            memory=len(file.memory),
            runs=sum(len(part.runs) for part in file.tasks),
            sessions=len(file.sessions),
        )

    @property
    def sentence(self) -> str:
        words = [f"{self.tasks} {'task' if self.tasks == 1 else 'tasks'}"]
        words.append(f"{self.comments} {'comment' if self.comments == 1 else 'comments'}")
        words.append(f"{self.approvals} {'approval' if self.approvals == 1 else 'approvals'}")
        return f"{', '.join(words)} and {self.memory} memory {'entry' if self.memory == 1 else 'entries'}"


class ImportPreview(Schema):
    """What the import of a file would bring, and what it would leave out; at most 200 of those are listed."""

    name: str
    exported_at: datetime | None
    is_name_taken: bool
    counts: ImportCounts
    new_tags: list[str]
    new_custom_fields: list[str]
    dropped: list[Dropped]
    dropped_total: int


class BoardImportRead(ImportPreview):
    """A board's file that waits for its import, and the job that imports it."""

    id: UUID
    job_id: UUID | None
    created_at: datetime


class BoardImported(Schema):
    """The new board, and what was dropped."""

    board: BoardRead
    counts: ImportCounts
    dropped: list[Dropped]
