"""What people type about custom fields."""

import json
from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, ValidationError

from mission_control.core.values import NonEmptyStr
from mission_control.tasks.custom_field_queries import field_read
from mission_control.tasks.custom_field_schemas import FieldType, PatternTrial, Visibility
from mission_control.tasks.models import CustomField
from mission_control.web.forms import Fields, Form, FormInvalid, VersionedForm

LABELS = {
    "field_key": "Key",
    "label": "Label",
    "field_type": "Type",
    "ui_visibility": "Shown on a task",
    "required": "Required",
    "validation_regex": "Pattern",
    "example": "Example",
    "description": "Description",
    "default_value": "Default",
    "board_ids": "Boards",
}
TYPE_NAMES = {
    "text": "Text, one line",
    "text_long": "Text, several lines",
    "integer": "Whole number",
    "decimal": "Number",
    "boolean": "Yes or no",
    "date": "Date",
    "date_time": "Date and time",
    "url": "Web address",
    "json": "JSON",
}
VISIBILITY_NAMES = {
    "always": "Always",
    "if_set": "Only when it has a value",
    "hidden": "Never; agents and the API see it",
}
NO_BOARD = "Choose at least one board."


def value_of(field_type: str, text: str | None) -> object:
    """Return what was typed as a value of a type. What cannot be read stays text, which the operation refuses."""
    if text is None or not text.strip():
        return None
    if field_type in ("text", "text_long", "date", "date_time", "url"):
        return text if field_type == "text_long" else text.strip()
    if field_type == "boolean":
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.strip().lower(), text)
    try:
        return json.loads(text)
    except ValueError:
        return text


def text_of(value: object) -> str:
    """Return a value as somebody types it."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


class _Fields(Form):
    label: str | None = None
    field_type: FieldType = "text"
    ui_visibility: Visibility = "always"
    required: bool = False
    validation_regex: str | None = None
    example: str | None = None
    description: str | None = None
    default_value: str | None = None
    board_ids: list[UUID] = Field(default_factory=list)

    def _given(self) -> dict[str, object]:
        if not self.board_ids:
            raise FormInvalid(self.model_dump(), {"board_ids": NO_BOARD})
        given = self.model_dump(include=set(LABELS) - {"example", "field_key"})
        return given | {"default_value": value_of(self.field_type, self.default_value)}


class NewFieldForm(_Fields):
    """A new custom field."""

    field_key: NonEmptyStr = Field(max_length=255)

    def body(self, found: None) -> Fields:
        return self._given() | {"field_key": self.field_key}


class FieldForm(_Fields, VersionedForm):
    """The attributes of a custom field."""

    def body(self, found: CustomField) -> Fields:
        given = self._given()
        return given | {"label": given["label"] or found.field_key}

    @classmethod
    def values_of(cls, read: Mapping[str, Any]) -> dict[str, object]:
        shown = {name: read[name] for name in LABELS if name in cls.model_fields and name != "example"}
        boards = [UUID(str(one)) for one in read["board_ids"]]
        return shown | {"default_value": text_of(read["default_value"]), "board_ids": boards}

    async def newest(self, field: CustomField) -> dict[str, object]:
        """Return the field as it is read now, with its boards."""
        return await field_read(field.id)


class TrialForm(_Fields):
    """A pattern, tried with an example; the other fields come back as they were typed."""

    field_key: str | None = None

    def body(self, found: None) -> PatternTrial:
        try:
            return PatternTrial(pattern=self.validation_regex or "", example=self.example or "")
        except ValidationError as error:
            reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
            raise FormInvalid(self.model_dump(), {"validation_regex": f"{reason[:1].upper()}{reason[1:]}."}) from None


class MoveForm(Form):
    """Which way a field moves in the list."""

    by: Literal["-1", "1"]
    ids: list[UUID] = Field(default_factory=list)
    field_id: UUID

    def body(self, found: None) -> Fields:
        at = self.ids.index(self.field_id) if self.field_id in self.ids else 0
        to = max(0, min(len(self.ids) - 1, at + int(self.by)))
        ids = [one for one in self.ids if one != self.field_id]
        ids.insert(to, self.field_id)
        return {"field_ids": ids}
