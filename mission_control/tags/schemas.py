"""Shapes of tags."""

import re
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, model_validator

from mission_control.core.schemas import Body, NonEmptyStr, NotNull


def _color(value: str) -> str:
    text = value.strip().removeprefix("#").lower()
    if not re.fullmatch(r"[0-9a-f]{6}", text):
        raise ValueError("a colour is six hexadecimal digits, such as 9e9e9e")
    return text


Color = Annotated[str, AfterValidator(_color)]


class TagCreate(BaseModel):
    """A tag to be made."""

    name: NonEmptyStr
    slug: str | None = None
    color: Color = "9e9e9e"
    description: str | None = None


class TagUpdate(BaseModel):
    """What to change on a tag; absent leaves, a blank slug is made anew from the name."""

    name: Annotated[NonEmptyStr | None, NotNull] = None
    slug: str | None = None
    color: Annotated[Color | None, NotNull] = None
    description: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("send at least one field to change")
        return self


class TagMerge(Body):
    """The tag that stays when another one is merged into it."""

    into: UUID


class TagRef(BaseModel):
    """A tag on a task."""

    id: UUID
    name: str
    slug: str
    color: str


class TagRead(BaseModel):
    """A tag and how many tasks carry it."""

    name: str
    slug: str
    color: str
    description: str | None
    id: UUID
    organization_id: UUID
    task_count: int
    created_at: datetime
    updated_at: datetime


Tags = dict[str, list[dict[str, Any]]]
