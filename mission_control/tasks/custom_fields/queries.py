"""Custom fields: their shapes, reading them, and the values that tasks have of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound, existing
from mission_control.core.values import Body, Change, JsonObject, NonEmptyStr, NotNull, Schema, new_id, to_json
from mission_control.database.sql import Row, as_json, is_postgres, placeholders, rows, select
from mission_control.http.registry import lookup
from mission_control.tasks.custom_fields.values import ALIASES, WITH_PATTERN, compiled, mismatch
from mission_control.tasks.models import CustomField

NO_PATTERN = "only text, date and address fields take a pattern"


def _word(value: object) -> object:
    if not isinstance(value, str):
        return value
    word = value.strip().lower()
    return {**ALIASES, "if set": "if_set"}.get(word, word)


def _pattern(value: str | None) -> str | None:
    if not (pattern := (value or "").strip()):
        return None
    compiled(pattern)
    return pattern


def _pattern_to_try(value: str) -> str:
    if (pattern := _pattern(value)) is None:
        raise ValueError("write a pattern to try")
    return pattern


def _unique(ids: list[UUID]) -> list[UUID]:
    return list(dict.fromkeys(ids))


FieldType = Literal["text", "text_long", "integer", "decimal", "boolean", "date", "date_time", "url", "json"]
Visibility = Literal["always", "if_set", "hidden"]
Pattern = Annotated[str | None, AfterValidator(_pattern)]
BoardIds = Annotated[list[UUID], Field(min_length=1), AfterValidator(_unique)]


class TaskCustomFieldDefinitionCreate(Schema):
    """A field to be made."""

    field_key: Annotated[NonEmptyStr, Field(max_length=255)]
    label: NonEmptyStr | None = None
    field_type: Annotated[FieldType, BeforeValidator(_word)] = "text"
    ui_visibility: Annotated[Visibility, BeforeValidator(_word)] = "always"
    validation_regex: Pattern = None
    description: str | None = None
    required: bool = False
    default_value: Any = None
    board_ids: BoardIds

    @model_validator(mode="after")
    def _pattern_fits_type(self) -> Self:
        if self.validation_regex is not None and self.field_type not in WITH_PATTERN:
            raise ValueError(NO_PATTERN)
        return self


class TaskCustomFieldDefinitionUpdate(Change):
    """What to change on a field; absent leaves. The key never changes."""

    label: Annotated[NonEmptyStr | None, NotNull] = None
    field_type: Annotated[FieldType | None, BeforeValidator(_word), NotNull] = None
    ui_visibility: Annotated[Visibility | None, BeforeValidator(_word), NotNull] = None
    validation_regex: Pattern = None
    description: str | None = None
    required: Annotated[bool | None, NotNull] = None
    default_value: Any = None
    board_ids: BoardIds | None = None

    @model_validator(mode="before")
    @classmethod
    def _key_stays(cls, value: object) -> object:
        if isinstance(value, dict) and "field_key" in value:
            raise ValueError("the key of a field cannot be changed")
        return value


class FieldDeletion(Schema):
    """How a field is deleted. `with_values` also deletes the values that tasks have in it."""

    with_values: bool = False


class FieldOrder(Body):
    """All fields of the organization, in their new order."""

    field_ids: Annotated[list[UUID], Field(max_length=500)]


class PatternTrial(Body):
    """A pattern, and an example to try it with."""

    pattern: Annotated[str, AfterValidator(_pattern_to_try)]
    example: str = Field("", max_length=10_000)


class PatternTrialRead(Schema):
    """Whether the example would be accepted, and why not."""

    matches: bool
    reason: str | None


class TaskCustomFieldDefinitionRead(Schema):
    """A field that tasks of some boards have."""

    field_key: str
    label: str
    field_type: FieldType
    ui_visibility: Visibility
    validation_regex: str | None
    description: str | None
    required: bool
    default_value: Any
    id: UUID
    organization_id: UUID
    board_ids: list[UUID]
    created_at: datetime
    updated_at: datetime


COLUMNS = (
    "f.id, f.organization_id, f.field_key, f.label, f.field_type, f.ui_visibility, f.validation_regex, f.description,"
    " f.required, f.default_value, f.created_at, f.updated_at"
)
IN_ORDER = " ORDER BY CASE WHEN f.position IS NULL THEN 1 ELSE 0 END, f.position, LOWER(f.label), f.created_at, f.id"
BY_LABEL = " ORDER BY LOWER(f.label), f.created_at, f.id"


@lookup
async def visible_field(actor: Actor, task_custom_field_definition_id: UUID) -> CustomField:
    mine = CustomField.filter(organization_id=actor.organization_id)
    return await existing(mine.get_or_none(id=task_custom_field_definition_id))


async def list_fields(organization_id: UUID) -> list[TaskCustomFieldDefinitionRead]:
    """Fields that were put in order come first, then the others by label."""
    return await _fields("f.organization_id = ?", organization_id)


async def field_read(field_id: UUID, board_ids: list[UUID] | None = None) -> TaskCustomFieldDefinitionRead:
    if not (fields := await _fields("f.id = ?", field_id)):
        raise NotFound()
    fields[0].board_ids = board_ids or fields[0].board_ids
    return fields[0]


async def _fields(where: str, value: UUID) -> list[TaskCustomFieldDefinitionRead]:
    fields = await select(
        TaskCustomFieldDefinitionRead,
        f"SELECT {COLUMNS}, '[]' AS board_ids FROM task_custom_field_definitions f WHERE {where}{IN_ORDER}",
        value,
    )
    bound = await rows(
        "SELECT b.field_id, b.board_id FROM board_task_custom_fields b JOIN task_custom_field_definitions f"
        f" ON f.id = b.field_id JOIN boards o ON o.id = b.board_id WHERE {where} AND o.deleted_at IS NULL",
        value,
    )
    for field in fields:
        field.default_value = as_json(field.default_value)
        field.board_ids = sorted(UUID(str(row["board_id"])) for row in bound if str(row["field_id"]) == str(field.id))
    return fields


async def number_of_values(field_id: UUID) -> int:
    [row] = await rows("SELECT COUNT(*) AS n FROM task_custom_field_values WHERE field_id = ?", field_id)
    return int(row["n"])


@dataclass(slots=True)
class BoardField:
    """A custom field that the tasks of a board have."""

    id: UUID
    field_key: str
    label: str
    field_type: str
    ui_visibility: str
    validation_regex: str | None
    required: bool
    default_value: JsonValue


async def fields_of_board(board_id: object, order: str = BY_LABEL) -> list[BoardField]:
    return await select(
        BoardField,
        "SELECT f.id, f.field_key, f.label, f.field_type, f.ui_visibility, f.validation_regex, f.required,"
        " f.default_value FROM board_task_custom_fields b JOIN task_custom_field_definitions f ON f.id = b.field_id"
        f" WHERE b.board_id = ?{order}",
        board_id,
    )


class Values:
    """Field values of the tasks of one board: stored values or defaults."""

    def __init__(self, fields: list[BoardField], stored: list[Row]) -> None:
        self._defaults = {str(field.id): (field.field_key, field.default_value) for field in fields}
        self._stored: dict[str, JsonObject] = {}
        for row in stored:
            of_task = self._stored.setdefault(str(row["task_id"]), {})
            of_task[str(row["field_id"])] = as_json(row["value"])

    def of(self, task_id: object) -> JsonObject:
        stored = self._stored.get(str(task_id), {})
        return {key: stored.get(field_id, default) for field_id, (key, default) in self._defaults.items()}


async def values_of_tasks(board_id: object, task_ids: Sequence[object]) -> Values:
    if not task_ids:
        return Values([], [])
    if not (fields := await fields_of_board(board_id, IN_ORDER)):
        return Values([], [])
    stored = await rows(
        "SELECT v.task_id, v.field_id, v.value FROM task_custom_field_values v"
        f" WHERE v.task_id IN ({placeholders(len(task_ids))})",
        *task_ids,
    )
    return Values(fields, stored)


async def check_new_values(board_id: UUID, values: Mapping[str, object]) -> dict[UUID, object]:
    """Results are effective values by field id. Raise Invalid for unknown, invalid or missing ones."""
    fields = await _checked_fields(board_id, values)
    effective = {field.field_key: values.get(field.field_key, field.default_value) for field in fields}
    _refuse_missing(fields, effective)
    return {field.id: effective[field.field_key] for field in fields}


async def store_new_values(task_id: UUID, effective: dict[UUID, object]) -> None:
    for field_id, value in effective.items():
        if value is not None:
            await _store(task_id, field_id, value)


async def merge_values(
    board_id: UUID, task_id: UUID, changes: Mapping[str, object]
) -> tuple[JsonObject, JsonObject] | None:
    """Change the given values; null clears. Return old and new values by key, or None for a no-op."""
    fields = await _checked_fields(board_id, changes)
    stored_rows = await rows("SELECT field_id, value FROM task_custom_field_values WHERE task_id = ?", task_id)
    stored = {str(row["field_id"]): as_json(row["value"]) for row in stored_rows}
    defaulted = {field.field_key: stored.get(str(field.id), field.default_value) for field in fields}
    _refuse_missing(fields, {**defaulted, **changes})
    before: JsonObject = {}
    after: JsonObject = {}
    for field in fields:
        key, present = field.field_key, stored.get(str(field.id))
        if key in changes and (type(changes[key]) is not type(present) or changes[key] != present):
            before[key], after[key] = present, changes[key]
            await _store(task_id, field.id, changes[key])
    return (before, after) if after else None


async def _checked_fields(board_id: UUID, values: Mapping[str, object]) -> list[BoardField]:
    """Lock the fields of a board. Raise Invalid for values that do not fit them."""
    fields = await fields_of_board(board_id, f" ORDER BY f.id{' FOR KEY SHARE OF f' if is_postgres() else ''}")
    by_key = {field.field_key: field for field in fields}
    if unknown := sorted(key for key in values if key not in by_key):
        raise Invalid({"message": "This board has no such custom fields.", "unknown_field_keys": unknown})
    for key, value in values.items():
        if reason := mismatch(by_key[key], value):
            where = {"field_key": key, "field_type": by_key[key].field_type}
            raise Invalid({"message": "A value does not fit its custom field.", **where, "reason": reason})
    return fields


def _refuse_missing(fields: list[BoardField], effective: JsonObject) -> None:
    missing = [field for field in fields if field.required and effective[field.field_key] is None]
    if missing:
        labels = " and ".join(sorted(field.label for field in missing))
        keys = sorted(field.field_key for field in missing)
        raise Invalid({"message": f"{labels}: this board requires a value.", "missing_field_keys": keys})


async def _store(task_id: UUID, field_id: UUID, value: object) -> None:
    if value is None:
        await rows("DELETE FROM task_custom_field_values WHERE task_id = ? AND field_id = ?", task_id, field_id)
        return
    moment = times.clock_now()
    await rows(
        "INSERT INTO task_custom_field_values (id, task_id, field_id, value, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (task_id, field_id)"
        " DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        *(new_id(), task_id, field_id, to_json(value).decode(), moment, moment),
    )
