"""What the forms of the task pages send."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, JsonValue
from quart import request

from mission_control.boards.models import Board
from mission_control.boards.statuses import TaskStatus
from mission_control.core.errors import Invalid
from mission_control.core.field_tables import completed
from mission_control.core.values import BlankToNone, JsonObject, NonEmptyStr, parse_id
from mission_control.database.sql import select
from mission_control.tasks.custom_fields.queries import IN_ORDER, values_of_tasks
from mission_control.tasks.fields import from_form, in_form, to_form
from mission_control.tasks.models import Task
from mission_control.tasks.quick_add import PARENT, QuickTask
from mission_control.tasks.schemas import Place
from mission_control.tasks.tags.commands import slug_from, tag_ids_of
from mission_control.web.forms import (
    EditConflict,
    Fields,
    Form,
    FormInvalid,
    FormValues,
    VersionedForm,
    merge,
    read_form,
    version_of,
)

FIELDS = f"""
    SELECT f.id, f.field_key AS key, f.label, f.field_type AS kind, COALESCE(f.description, '') AS description,
        f.required AS is_required, f.ui_visibility = 'if_set' AS only_if_set,
        CASE WHEN v.id IS NULL THEN f.default_value ELSE v.value END AS value
    FROM board_task_custom_fields b
    JOIN task_custom_field_definitions f ON f.id = b.field_id
    LEFT JOIN task_custom_field_values v ON v.field_id = f.id AND v.task_id = ?
    WHERE b.board_id = ? AND f.ui_visibility <> 'hidden'{IN_ORDER}
"""


@dataclass(frozen=True, slots=True)
class FieldShown:
    """A custom field of a task. `value` is the default while nothing was stored."""

    id: UUID
    key: str
    label: str
    kind: str
    description: str
    is_required: bool
    only_if_set: bool
    value: JsonValue

    @property
    def name(self) -> str:
        return f"field:{self.kind}:{self.key}"

    @property
    def text(self) -> str:
        return shown(self.kind, self.value)

    @property
    def version(self) -> str:
        return version_of({self.key: self.text})

    @property
    def is_missing(self) -> bool:
        return self.is_required and self.value is None

    @property
    def is_offered(self) -> bool:
        return self.only_if_set and self.value is None and not self.is_required


async def fields_of(board_id: UUID, task_id: UUID | None) -> list[FieldShown]:
    return await select(FieldShown, FIELDS, task_id, board_id)


def shown(kind: str, value: Any) -> str:
    if value is None:
        return ""
    if kind == "json":
        return json.dumps(value, indent=2, ensure_ascii=False)
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "date_time":
        moment = datetime.fromisoformat(value)
        return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime("%Y-%m-%dT%H:%M")
    return str(value)


def _number(text: str) -> int | float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return int(text) if text.lstrip("+-").isdigit() else number


def _moment(text: str) -> str:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat().replace("+00:00", "Z")


# What reads the text of an input, and what to type when it cannot. Moments are typed in UTC.
_READ: dict[str, tuple[Callable[[str], Any], str]] = {
    "integer": (int, "Enter a whole number."),
    "decimal": (_number, "Enter a number."),
    "boolean": (lambda text: text == "true", "Choose yes or no."),
    "date_time": (_moment, "Enter a date and time such as 2026-03-14 15:00."),
    "json": (json.loads, 'Enter JSON: an object such as {"size": 3}, or a list.'),
}


def typed(kind: str, text: str) -> object:
    """Return what was typed into the input of a type; None for nothing. ValueError says what to type instead."""
    text = text.replace("\r\n", "\n")
    if not text.strip():
        return None
    if kind not in _READ:
        return text if kind == "text_long" else text.strip()
    read, sentence = _READ[kind]
    try:
        return read(text.strip())
    except (ValueError, RecursionError):
        raise ValueError(sentence) from None


Title = Annotated[NonEmptyStr, Field(max_length=500)]


class MoveForm(VersionedForm):
    """The new place of a card. `assignee` returns the task to somebody when a move is undone, `version` to what it was.

    `approve` also approves that the task is finished.
    """

    status: TaskStatus | None = None
    place: Place | None = None
    before_task_id: UUID | None = None
    after_task_id: UUID | None = None
    assignee: str | None = None
    approve: bool = False
    substance: str | None = None

    def body(self, task: Task) -> Fields:
        moved = self.model_dump(exclude_none=True, exclude={"version", "assignee"})
        return {"status": task.status, **moved, **(assignee_fields(self.assignee) if self.assignee else {})}

    @classmethod
    def values_of(cls, task: Task) -> FormValues:
        return {"status": task.status}

    async def merged(self, task: Task) -> Self:
        if self.version != self.version_of(task):
            raise EditConflict(self.model_dump(), self.values_of(task))
        return self

    def hidden(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.model_dump(exclude={"approve"}, exclude_defaults=True).items()}


class TextForm(VersionedForm):
    title: Title
    description: Annotated[Annotated[str, Field(max_length=100_000)] | None, BlankToNone] = None


@completed(to_form())
class ChangeForm(VersionedForm):
    """One or more facts of a task; absent fields stay as they are. The table of fields adds its inputs."""

    assignee: str | None = None

    def body(self, task: Task) -> Fields:
        sent = self.model_dump(exclude_unset=True, exclude=self._untouched)
        changes = from_form(sent)
        if "assignee" in sent:
            assignee = assignee_fields(self.assignee)
            changes |= {
                name: value for name, value in assignee.items() if value is not None or getattr(task, name) != value
            }
        return changes

    @classmethod
    def values_of(cls, task: Any) -> FormValues:
        assignee = assignee_value(task.assigned_agent_id, task.assigned_user_id)
        return in_form(partial(getattr, task)) | {"assignee": assignee}


class FieldsForm(VersionedForm):
    """Values of custom fields, each with its key and its type: one, or all that must be filled in together."""

    key: Annotated[list[str], Field(min_length=1)]
    kind: list[str]
    value: list[str] = []

    def body(self, task: Task) -> Fields:
        try:
            values = {
                key: typed(kind, text)
                for key, kind, text in zip(self.key, self.kind, self._texts(), strict=True)
                if key not in self._untouched
            }
        except ValueError as error:
            raise FormInvalid(self.model_dump(), {"": str(error)}) from None
        return {"custom_field_values": values}

    def _texts(self) -> list[str]:
        texts = self.value or ([""] if len(self.key) == 1 else [])
        if not len(self.key) == len(self.kind) == len(texts):
            raise FormInvalid(self.model_dump(), {"": "Fill in every field, or none of them can be saved."})
        return texts

    async def merged(self, task: Task) -> Self:
        values = (await values_of_tasks(task.board_id, [task.id])).of(task.id)
        present = {key: shown(kind, values.get(key)) for key, kind in zip(self.key, self.kind, strict=False)}
        _, theirs, untouched = merge(self.version, dict(zip(self.key, self._texts(), strict=True)), present)
        if theirs:
            raise EditConflict(self.model_dump() | {"version": version_of(present)}, theirs)
        form = self.model_copy()
        form._untouched = untouched
        return form


class TagsForm(VersionedForm):
    """The tags that a task was shown with, and one that is put on it or taken off. Others' tags stay."""

    tag_ids: list[UUID] = []
    toggle: UUID | None = None

    @property
    def is_versioned(self) -> bool:
        return True

    async def merged(self, task: Task) -> Self:
        added = [self.toggle] if self.toggle and self.toggle not in self.tag_ids else []
        remaining = [tag_id for tag_id in await tag_ids_of(task.id) if tag_id != self.toggle]
        return self.model_copy(update={"tag_ids": remaining + added})


class ParentForm(Form):
    """Of which task another one is a part, and whether that cannot be done before; absent fields stay as they are."""

    parent_id: Annotated[UUID | None, BlankToNone] = None
    blocks_parent: bool | None = None

    def body(self, task: Task) -> Fields:
        return self.model_dump(exclude_unset=True)


class NewTagForm(Form):
    name: Annotated[NonEmptyStr, Field(max_length=100)]

    def body(self, subject: None) -> Fields:
        return {"name": self.name, "slug": slug_from(self.name) or None}


class CommentForm(Form):
    message: Annotated[NonEmptyStr, Field(max_length=100_000)]


class CommentEditForm(VersionedForm, CommentForm):
    """Other words for a comment."""


class TickForm(Form):
    is_done: bool


class TitleForm(VersionedForm):
    title: Title


def assignee_fields(value: str | None) -> FormValues:
    kind, _, name = (value or "").partition(":")
    if not kind:
        return {"assigned_agent_id": None, "assigned_user_id": None}
    id_ = parse_id(name)
    if kind not in ("agent", "user") or id_ is None:
        raise Invalid("Choose an agent or a person of this board.")
    return {f"assigned_{kind}_id": id_}


def assignee_value(agent_id: UUID | None, user_id: UUID | None) -> str:
    """Invert `assignee_fields`."""
    return f"agent:{agent_id}" if agent_id else f"user:{user_id}" if user_id else ""


FIELD = "field:"  # begins the name of the input of a custom field


class NewTaskForm(Form):
    title: Title
    status: TaskStatus = "inbox"
    after: UUID | None = None
    parent: Annotated[int | None, BlankToNone] = None  # its number

    def body(self, board: Board) -> QuickTask:
        text = self.title if self.parent is None else f"{self.title} {PARENT}{self.parent}"
        return QuickTask(text=text, status=self.status, after_task_id=self.after)


class OwnFieldsForm(Form):
    """What a new task needs, with the values of custom fields, each in an input named `field:<type>:<key>`."""

    fields: Annotated[dict[str, str], Field(exclude=True)] = {}

    @classmethod
    async def read(cls) -> Self:
        fields = {name: text for name, text in (await request.form).items() if name.startswith(FIELD)}
        try:
            form = await read_form(cls)
        except FormInvalid as error:
            error.values["fields"] = fields
            raise
        form.fields = fields
        return form

    def own(self) -> FormValues:
        values: JsonObject = {}
        for name, text in self.fields.items():
            _, kind, key = name.split(":", 2)
            try:
                values[key] = typed(kind, text)
            except ValueError as error:
                raise FormInvalid({**self.model_dump(), "fields": self.fields}, {name: str(error)}) from None
        return {key: value for key, value in values.items() if value is not None}


@completed(to_form())
class FullTaskForm(OwnFieldsForm):
    """A new task with everything that can be said of it at once. The table of fields adds its inputs."""

    title: Title
    description: Annotated[Annotated[str, Field(max_length=100_000)] | None, BlankToNone] = None
    status: TaskStatus = "inbox"
    assignee: str = ""
    tag_ids: list[UUID] = []
    parent_id: Annotated[UUID | None, BlankToNone] = None
    depends_on_task_ids: list[UUID] = []

    def body(self, board: Board) -> Fields:
        fields = self.model_dump(exclude={"assignee", *to_form()}) | from_form(self.model_dump())
        return {**fields, "custom_field_values": self.own(), **assignee_fields(self.assignee)}
