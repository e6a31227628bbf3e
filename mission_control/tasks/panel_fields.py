"""Custom fields in a task's panel: what each holds, and how its input shows and sends it."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from mission_control.custom_fields.queries import IN_ORDER
from mission_control.database.sql import as_json, rows
from mission_control.web.forms import version_of

FIELDS = f"""
    SELECT f.id, f.field_key, f.label, f.field_type, f.ui_visibility, f.description, f.required, f.default_value,
        v.value, v.id AS value_id
    FROM board_task_custom_fields b
    JOIN task_custom_field_definitions f ON f.id = b.field_id
    LEFT JOIN task_custom_field_values v ON v.field_id = f.id AND v.task_id = ?
    WHERE b.board_id = ? AND f.ui_visibility <> 'hidden'{IN_ORDER}
"""


@dataclass(frozen=True, slots=True)
class FieldShown:
    """A custom field of a task. `value` is the default while nothing was stored."""

    id: Any
    key: str
    label: str
    kind: str
    description: str
    is_required: bool
    only_if_set: bool
    value: Any

    @property
    def name(self) -> str:
        """The name of its input in the form of a new task."""
        return f"field:{self.kind}:{self.key}"

    @property
    def text(self) -> str:
        """The value as its input shows it."""
        return shown(self.kind, self.value)

    @property
    def version(self) -> str:
        """The version of the value, for the form that changes it."""
        return version_of({self.key: self.text})

    @property
    def is_missing(self) -> bool:
        """Whether the task must have a value and has none."""
        return self.is_required and self.value is None

    @property
    def is_offered(self) -> bool:
        """Whether it stands among the fields that are shown once they have a value."""
        return self.only_if_set and self.value is None and not self.is_required


async def fields_of(board_id: UUID, task_id: UUID | None) -> list[FieldShown]:
    """Return the custom fields of a task, or of one to be made, that people see, by label."""
    return [
        FieldShown(
            id=row["id"],
            key=row["field_key"],
            label=row["label"],
            kind=row["field_type"],
            description=row["description"] or "",
            is_required=bool(row["required"]),
            only_if_set=row["ui_visibility"] == "if_set",
            value=as_json(row["value"] if row["value_id"] is not None else row["default_value"]),
        )
        for row in await rows(FIELDS, task_id, board_id)
    ]


def shown(kind: str, value: Any) -> str:
    """Return a value as the input of its type shows it; moments in UTC."""
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


def typed(kind: str, text: str) -> Any:
    """Return what was typed into the input of a type; None for nothing. ValueError says what to type instead."""
    text = text.replace("\r\n", "\n")
    if not text.strip():
        return None
    read = _READ.get(kind)
    return read(text.strip()) if read else text if kind == "text_long" else text.strip()


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("Enter a whole number.") from None


def _number(text: str) -> int | float:
    try:
        found = float(text)
    except ValueError:
        raise ValueError("Enter a number.") from None
    if not math.isfinite(found):
        raise ValueError("Enter a number.")
    return int(text) if text.lstrip("+-").isdigit() else found


def _moment(text: str) -> str:
    """Moments are typed in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("Enter a date and time such as 2026-03-14 15:00.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat().replace("+00:00", "Z")


def _object(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError('Enter JSON: an object such as {"size": 3}, or a list.') from None


_READ: dict[str, Callable[[str], Any]] = {
    "integer": _whole,
    "decimal": _number,
    "boolean": lambda text: text == "true",
    "date_time": _moment,
    "json": _object,
}
