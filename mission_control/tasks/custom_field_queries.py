"""Read custom fields and their values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound
from mission_control.core.values import new_id, to_json
from mission_control.database.sql import as_json, is_postgres, placeholders, rows, wire_moment
from mission_control.tasks.models import CustomField
from mission_control.tasks.values import mismatch

COLUMNS = (
    "f.id, f.organization_id, f.field_key, f.label, f.field_type, f.ui_visibility, f.validation_regex, f.description,"
    " f.required, f.default_value, f.created_at, f.updated_at"
)
IN_ORDER = " ORDER BY CASE WHEN f.position IS NULL THEN 1 ELSE 0 END, f.position, LOWER(f.label), f.created_at, f.id"


async def visible_field(actor: Actor, task_custom_field_definition_id: UUID) -> CustomField:
    """Return a field of the active organization. Otherwise: NotFound."""
    field = await CustomField.get_or_none(id=task_custom_field_definition_id, organization_id=actor.organization_id)
    if field is None:
        raise NotFound()
    return field


async def list_fields(organization_id: UUID) -> list[dict[str, object]]:
    """Return all fields of an organization: those that were put in order, then the others by label."""
    found = await rows(
        f"SELECT {COLUMNS} FROM task_custom_field_definitions f WHERE f.organization_id = ?{IN_ORDER}", organization_id
    )
    bound = await rows(
        "SELECT b.field_id, b.board_id FROM board_task_custom_fields b JOIN task_custom_field_definitions f"
        " ON f.id = b.field_id JOIN boards o ON o.id = b.board_id"
        " WHERE f.organization_id = ? AND o.deleted_at IS NULL",
        organization_id,
    )
    return [_serialize(row, _boards_of(row["id"], bound)) for row in found]


async def fields_of_board(board_id: UUID) -> list[dict[str, object]]:
    return await rows(
        "SELECT f.id, f.field_key, f.label, f.field_type, f.ui_visibility, f.default_value"
        " FROM board_task_custom_fields b JOIN task_custom_field_definitions f ON f.id = b.field_id"
        " WHERE b.board_id = ? ORDER BY LOWER(f.label), f.created_at, f.id",
        board_id,
    )


async def number_of_values(field_id: UUID) -> int:
    [row] = await rows("SELECT COUNT(*) AS n FROM task_custom_field_values WHERE field_id = ?", field_id)
    return int(row["n"])


async def field_read(field_id: UUID, board_ids: list[UUID] | None = None) -> dict[str, object]:
    """Serialize one field, with its boards as the caller named them or sorted."""
    found = await rows(f"SELECT {COLUMNS} FROM task_custom_field_definitions f WHERE f.id = ?", field_id)
    if not found:
        raise NotFound()
    bound = await rows(
        "SELECT b.field_id, b.board_id FROM board_task_custom_fields b JOIN boards o ON o.id = b.board_id"
        " WHERE b.field_id = ? AND o.deleted_at IS NULL",
        field_id,
    )
    boards = [str(one) for one in board_ids] if board_ids else _boards_of(field_id, bound)
    return _serialize(found[0], boards)


def _boards_of(field_id: object, bound: list[dict[str, object]]) -> list[str]:
    return sorted(str(row["board_id"]) for row in bound if str(row["field_id"]) == str(field_id))


def _serialize(row: dict[str, object], board_ids: list[str]) -> dict[str, object]:
    return {
        "field_key": row["field_key"],
        "label": row["label"],
        "field_type": row["field_type"],
        "ui_visibility": row["ui_visibility"],
        "validation_regex": row["validation_regex"],
        "description": row["description"],
        "required": bool(row["required"]),
        "default_value": as_json(row["default_value"]),
        "id": row["id"],
        "organization_id": row["organization_id"],
        "board_ids": board_ids,
        "created_at": wire_moment(row["created_at"]),
        "updated_at": wire_moment(row["updated_at"]),
    }


class Values:
    """Field values of the tasks of one board: stored values or defaults."""

    def __init__(self, fields: list[dict[str, Any]], stored: list[dict[str, Any]]) -> None:
        self._defaults = {str(row["id"]): (row["field_key"], as_json(row["default_value"])) for row in fields}
        self._stored: dict[str, dict[str, Any]] = {}
        for row in stored:
            of_task = self._stored.setdefault(str(row["task_id"]), {})
            of_task[str(row["field_id"])] = as_json(row["value"])

    def of(self, task_id: object) -> dict[str, Any]:
        stored = self._stored.get(str(task_id), {})
        return {key: stored.get(one, default) for one, (key, default) in self._defaults.items()}


async def values_of_tasks(board_id: object, task_ids: Sequence[Any]) -> Values:
    if not task_ids:
        return Values([], [])
    return await _values(board_id, f"v.task_id IN ({placeholders(len(task_ids))})", task_ids)


async def values_of_board(board_id: object) -> Values:
    return await _values(board_id, "t.board_id = ?", [board_id])


async def _values(board_id: object, where: str, parameters: Sequence[Any]) -> Values:
    fields = await rows(
        "SELECT f.id, f.field_key, f.default_value FROM board_task_custom_fields b"
        f" JOIN task_custom_field_definitions f ON f.id = b.field_id WHERE b.board_id = ?{IN_ORDER}",
        board_id,
    )
    if not fields:
        return Values([], [])
    stored = await rows(
        "SELECT v.task_id, v.field_id, v.value FROM task_custom_field_values v JOIN tasks t ON t.id = v.task_id"
        f" WHERE {where}",
        *parameters,
    )
    return Values(fields, stored)


Change = tuple[dict[str, Any], dict[str, Any]]


@dataclass(slots=True)
class BoundField:
    id: Any
    field_key: str
    field_type: str
    validation_regex: str | None
    required: bool
    default: Any


async def check_new_values(board_id: UUID, given: Mapping[str, object]) -> dict[str, object]:
    """Return the effective values of a new task by field id. Unknown, invalid or missing values: Invalid."""
    fields = await _fields_of(board_id)
    _check(fields, given)
    effective = {field.field_key: given.get(field.field_key, field.default) for field in fields}
    _refuse_missing(fields, effective)
    return {str(field.id): effective[field.field_key] for field in fields}


async def store_new_values(task_id: UUID, effective: dict[str, object]) -> None:
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


def _refuse_missing(fields: list[BoundField], effective: dict[str, object]) -> None:
    missing = sorted(field.field_key for field in fields if field.required and effective[field.field_key] is None)
    if missing:
        raise Invalid({"message": "Required custom fields have no value.", "missing_field_keys": missing})


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and bool(one == other)


async def _stored_of(task_id: UUID) -> dict[str, object]:
    found = await rows("SELECT field_id, value FROM task_custom_field_values WHERE task_id = ?", task_id)
    return {str(row["field_id"]): as_json(row["value"]) for row in found}


async def _store(task_id: UUID, field_id: object, value: object) -> None:
    field_id = UUID(str(field_id))
    if value is None:
        await rows("DELETE FROM task_custom_field_values WHERE task_id = ? AND field_id = ?", task_id, field_id)
        return
    moment = times.clock_now()
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
