"""Shapes of memory entries and of their queries."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.core.paging import Paging
from mission_control.core.schemas import ActorRef, Body, NonEmptyStr, NotNull, example


class BoardMemoryCreate(BaseModel):
    """Something to write down; with the tag `chat` it is a message of the chat."""

    model_config = example(content="Releases are made on Tuesdays.", tags=["release"])

    content: NonEmptyStr
    tags: list[str] | None = None
    source: str | None = None


class BoardGroupMemoryCreate(BoardMemoryCreate):
    """The same for every board of a group; the tag `broadcast` notifies all of its agents."""


class MemoryUpdate(Body):
    """What to change on an entry; absent leaves. Nobody is notified again."""

    content: Annotated[NonEmptyStr | None, NotNull] = None
    tags: list[str] | None = None


class BoardGroupMemoryRead(BaseModel):
    """An entry of a group's memory; who wrote it is `author`, `source` is for display only."""

    id: UUID
    board_group_id: UUID
    content: str
    tags: list[str] | None
    source: str | None
    is_chat: bool
    created_at: datetime
    author: ActorRef | None
    edited_at: datetime | None


class MemoryQuery(Paging):
    """Which entries to list: chat or notes, those that contain a text, those with all of the tags."""

    is_chat: bool | None = None
    q: str | None = Field(None, max_length=500, description="A text in the entry's first 20,000 characters")
    tag: list[str] = Field(default_factory=list, max_length=20)


class MemoryStreamQuery(BaseModel):
    """Which entries to follow, and from where."""

    since: str | None = None
    after: str | None = None
    is_chat: bool | None = None
