"""The format of a board's file, and the checks that its parts fit together."""

from collections.abc import Iterable
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from mission_control.boards.schemas import BoardRead
from mission_control.core.schemas import Body, Moment
from mission_control.exports.parts import ApprovalPart, BoardPart, FieldPart, MemoryPart, TagPart, TaskPart

FORMAT: Literal["mission-control/board"] = "mission-control/board"
VERSION: Literal[1] = 1


class BoardFile(Body):
    """A board with its tasks, comments, approvals and memory, without attached files and the trash."""

    format: Literal["mission-control/board"]
    version: Literal[1]
    exported_at: Moment | None = None
    board: BoardPart
    tags: list[TagPart] = Field(default_factory=list)
    custom_fields: list[FieldPart] = Field(default_factory=list)
    tasks: list[TaskPart] = Field(default_factory=list)
    approvals: list[ApprovalPart] = Field(default_factory=list)
    memory: list[MemoryPart] = Field(default_factory=list)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _each_once("tag", (tag.slug for tag in self.tags))
        _each_once("custom field", (field.field_key for field in self.custom_fields))
        _each_once("task number", (task.number for task in self.tasks))
        numbers, slugs = {task.number for task in self.tasks}, {tag.slug for tag in self.tags}
        for task in self.tasks:
            place = f"task {task.number}"
            _known(place, "task", task.depends_on, numbers)
            _known(place, "tag", task.tags, slugs)
            self._check_values(task)
        for position, approval in enumerate(self.approvals):
            _known(f"approval {position}", "task", approval.tasks, numbers)
        _no_circle(self.tasks)
        waiting = (number for one in self.approvals if one.status == "pending" for number in one.tasks)
        _each_once("pending approval of task", waiting)
        return self

    def _check_values(self, task: TaskPart) -> None:
        fields = {field.field_key: field for field in self.custom_fields}
        _known(f"task {task.number}", "custom field", task.custom_fields, set(fields))
        for key, value in task.custom_fields.items():
            if reason := fields[key].mismatch(value):
                raise ValueError(f"task {task.number} has a value in {key} that does not fit: {reason}")


def _each_once(what: str, values: Iterable[Any]) -> None:
    seen = set()
    for one in values:
        if one in seen:
            raise ValueError(f"the {what} {one} is there twice")
        seen.add(one)


def _known(place: str, what: str, values: Iterable[Any], known: set[Any]) -> None:
    for one in values:
        if one not in known:
            raise ValueError(f"{place} names the {what} {one}, which is not in the file")


def _no_circle(tasks: list[TaskPart]) -> None:
    try:
        TopologicalSorter({task.number: task.depends_on for task in tasks}).prepare()
    except CycleError:
        raise ValueError("some tasks wait for each other in a cycle") from None


class Dropped(BaseModel):
    """A part of the file that could not be imported, and where it was."""

    what: str
    name: str
    where: str


class ImportCounts(BaseModel):
    """How much a file has, or was imported."""

    tasks: int
    comments: int
    approvals: int
    memory: int

    @classmethod
    def of(cls, file: BoardFile) -> "ImportCounts":
        """Count what a file has."""
        comments = sum(len(part.comments) for part in file.tasks)
        return cls(tasks=len(file.tasks), comments=comments, approvals=len(file.approvals), memory=len(file.memory))

    @property
    def sentence(self) -> str:
        """The counts in words."""
        words = [f"{self.tasks} {'task' if self.tasks == 1 else 'tasks'}"]
        words.append(f"{self.comments} {'comment' if self.comments == 1 else 'comments'}")
        words.append(f"{self.approvals} {'approval' if self.approvals == 1 else 'approvals'}")
        return f"{', '.join(words)} and {self.memory} memory {'entry' if self.memory == 1 else 'entries'}"


class ImportPreview(BaseModel):
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


class BoardImported(BaseModel):
    """The new board, and what was dropped."""

    board: BoardRead
    counts: ImportCounts
    dropped: list[Dropped]
