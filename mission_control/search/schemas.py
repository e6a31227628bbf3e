"""Shapes of search."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.core.paging import Paging

SearchKind = Literal["task", "comment", "memory", "approval"]


class SearchQuery(Paging):
    """The words to find. Every one must occur; the last may be the beginning of a word.

    Of a longer text the first 100,000 characters are searched.
    """

    q: str = Field(min_length=1, max_length=500)
    kind: list[SearchKind] = Field(default_factory=list)
    board_id: UUID | None = None
    limit: int = Field(20, ge=1, le=100)


class SearchHit(BaseModel):
    """A hit. `snippet` is plain text around the first word found."""

    kind: SearchKind
    id: UUID
    board_id: UUID
    board_name: str
    task_id: UUID | None
    title: str
    snippet: str
    changed_at: datetime
