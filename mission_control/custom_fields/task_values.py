"""Check and store the custom field values of a task, inside a command."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mission_control.core import clock
from mission_control.core.errors import Invalid
from mission_control.core.ids import new_id
from mission_control.core.json import to_json
from mission_control.custom_fields.values import mismatch
from mission_control.database.sql import as_json, is_postgres, rows

Change = tuple[dict[str, Any], dict[str, Any]]


@dataclass(slots=True)
class BoundField:
    """A field bound to one board."""

    id: Any
    field_key: str
    field_type: str
    validation_regex: str | None
    required: bool
    default: Any


async def check_new_values(board_id: UUID, given: Mapping[str, object]) -> dict[str, Any]:
    """Return the effective values of a new task by field id. Unknown, invalid or missing values: Invalid."""
    fields = await _fields_of(board_id)
    _check(fields, given)
    effective = {field.field_key: given.get(field.field_key, field.default) for field in fields}
    _refuse_missing(fields, effective)
    return {str(field.id): effective[field.field_key] for field in fields}


async def store_new_values(task_id: UUID, effective: dict[str, Any]) -> None:
    """Store the values of a new task."""
    for field_id, value in effective.items():
        if value is not None:
            await _store(task_id, field_id, value)


async def merge_values(board_id: UUID, task_id: UUID, given: Mapping[str, object]) -> Change | None:
    """Change the given values; null clears. Return old and new values by key, or None for a no-op."""
    fields = await _fields_of(board_id)
    _check(fields, given)
    stored = await _stored_of(task_id)
    present = {field.field_key: stored.get(str(field.id)) for field in fields}
    defaulted = {field.field_key: stored.get(str(field.id), field.default) for field in fields}
    _refuse_missing(fields, {**defaulted, **given})
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for field in fields:
        key = field.field_key
        if key in given and not _same(given[key], present[key]):
            before[key], after[key] = present[key], given[key]
            await _store(task_id, field.id, given[key])
    return (before, after) if after else None


async def _fields_of(board_id: UUID) -> list[BoundField]:
    hold = " FOR KEY SHARE OF f" if is_postgres() else ""
    found = await rows(
        "SELECT f.id, f.field_key, f.field_type, f.validation_regex, f.required, f.default_value"
        " FROM board_task_custom_fields b JOIN task_custom_field_definitions f ON f.id = b.field_id"
        f" WHERE b.board_id = ? ORDER BY f.id{hold}",
        board_id,
    )
    return [
        BoundField(
            row["id"],
            row["field_key"],
            row["field_type"],
            row["validation_regex"],
            bool(row["required"]),
            as_json(row["default_value"]),
        )
        for row in found
    ]


def _check(fields: list[BoundField], given: Mapping[str, object]) -> None:
    by_key = {field.field_key: field for field in fields}
    if unknown := sorted(key for key in given if key not in by_key):
        raise Invalid({"message": "This board has no such custom fields.", "unknown_field_keys": unknown})
    for key, value in given.items():
        field = by_key[key]
        if reason := mismatch(field, value):
            raise Invalid(
                {
                    "message": "A value does not fit its custom field.",
                    "field_key": key,
                    "field_type": field.field_type,
                    "reason": reason,
                }
            )


def _refuse_missing(fields: list[BoundField], effective: dict[str, Any]) -> None:
    missing = sorted(field.field_key for field in fields if field.required and effective[field.field_key] is None)
    if missing:
        raise Invalid({"message": "Required custom fields have no value.", "missing_field_keys": missing})


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


async def _stored_of(task_id: UUID) -> dict[str, Any]:
    found = await rows("SELECT field_id, value FROM task_custom_field_values WHERE task_id = ?", task_id)
    return {str(row["field_id"]): as_json(row["value"]) for row in found}


async def _store(task_id: UUID, field_id: Any, value: Any) -> None:
    field_id = UUID(str(field_id))
    if value is None:
        await rows("DELETE FROM task_custom_field_values WHERE task_id = ? AND field_id = ?", task_id, field_id)
        return
    moment = clock.now()
    await rows(
        "INSERT INTO task_custom_field_values (id, task_id, field_id, value, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (task_id, field_id)"
        " DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        new_id(),
        task_id,
        field_id,
        to_json(value).decode(),
        moment,
        moment,
    )
