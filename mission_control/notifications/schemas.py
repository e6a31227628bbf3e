"""Shapes of notifications."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from mission_control.core.paging import Paging
from mission_control.core.schemas import ActorRef, Body, Moment, NotNull, example

NotificationKind = Literal["mention", "assignment"]


class NotificationQuery(Paging):
    """Which notifications to list."""

    limit: int = Field(50, ge=1, le=200)
    unread: Annotated[bool, Field(description="Only those that are not read")] = False


class NotificationReading(Body):
    """What was read: some notifications, or all until a moment."""

    model_config = Body.model_config | example(until="2026-11-26T12:00:00Z")

    ids: Annotated[list[UUID] | None, NotNull, Field(min_length=1, max_length=200)] = None
    until: Annotated[Moment | None, NotNull, Field(description="`created_at` of the newest that was seen")] = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if (self.ids is None) == (self.until is None):
            raise ValueError("send ids or until")
        return self


class NotificationRead(BaseModel):
    """Something that concerns the caller by name. `text` is the beginning of what was written, null once deleted."""

    id: UUID
    kind: NotificationKind
    by: ActorRef
    board_id: UUID
    board_name: str
    task_id: UUID | None
    task_number: int | None
    task_title: str | None
    comment_id: UUID | None
    memory_id: UUID | None
    text: str | None
    created_at: datetime
    read_at: datetime | None


class UnreadCount(BaseModel):
    """How many notifications are not read."""

    unread: int
