"""Shapes of custom fields."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from mission_control.core.values import Body, NonEmptyStr, NotNull
from mission_control.tasks.values import ALIASES, WITH_PATTERN, compiled

NO_PATTERN = "only text, date and address fields take a pattern"


def _word(value: object) -> object:
    if not isinstance(value, str):
        return value
    word = value.strip().lower()
    return {**ALIASES, "if set": "if_set"}.get(word, word)


def _pattern(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    compiled(value.strip())
    return value.strip()


def _given_pattern(value: str) -> str:
    if not value.strip():
        raise ValueError("write a pattern to try")
    compiled(value.strip())
    return value.strip()


def _unique(ids: list[UUID] | None) -> list[UUID] | None:
    return None if ids is None else list(dict.fromkeys(ids))


FieldType = Literal["text", "text_long", "integer", "decimal", "boolean", "date", "date_time", "url", "json"]
Visibility = Literal["always", "if_set", "hidden"]
Pattern = Annotated[str | None, AfterValidator(_pattern)]
BoardIds = Annotated[list[UUID], Field(min_length=1), AfterValidator(_unique)]


class TaskCustomFieldDefinitionCreate(BaseModel):
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


class TaskCustomFieldDefinitionUpdate(BaseModel):
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

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("send at least one field to change")
        return self


class FieldDeletion(BaseModel):
    """How a field is deleted. `with_values` also deletes the values that tasks have in it."""

    with_values: bool = False


class FieldOrder(Body):
    """All fields of the organization, in their new order."""

    field_ids: Annotated[list[UUID], Field(max_length=500)]


class PatternTrial(Body):
    """A pattern, and an example to try it with."""

    pattern: Annotated[str, AfterValidator(_given_pattern)]
    example: str = Field("", max_length=10_000)


class PatternTrialRead(BaseModel):
    """Whether the example would be accepted, and why not."""

    matches: bool
    reason: str | None


class TaskCustomFieldDefinitionRead(BaseModel):
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
