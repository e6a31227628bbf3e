"""Shapes of saved views of boards."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.boards.models import SavedView
from mission_control.core.schemas import Body, NonEmptyStr, example

LONGEST_QUERY = 500
MOST_COLUMNS = 20
LONGEST_NAME = 300  # of a column
Name = Annotated[NonEmptyStr, Field(max_length=80)]
Kind = Literal["board", "table"]
Query = Annotated[str, Field(max_length=LONGEST_QUERY, description="What people type to filter a board")]
Sort = Annotated[str, Field(max_length=LONGEST_NAME, description="A column; with - in front the greatest first")]
Column = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^,]+$")]
Columns = Annotated[list[Column], Field(max_length=MOST_COLUMNS, description="Columns of the table; none: the usual")]


class ViewCreate(Body):
    """A view to save."""

    model_config = example(name="Due this week", kind="table", query="due:week is:open", sort="due", is_shared=True)

    name: Name
    kind: Kind = "board"
    query: Query = ""
    sort: Sort = ""
    columns: Columns = []
    is_shared: Annotated[bool, Field(description="Everybody who reads the board sees it, not you alone")] = False
    is_default: Annotated[bool, Field(description="The board opens with it; only a shared one can")] = False


class ViewUpdate(Body):
    """What to change on a view; absent leaves."""

    model_config = example(name="Due soon", move="left")

    name: Name | None = None
    kind: Kind | None = None
    query: Query | None = None
    sort: Sort | None = None
    columns: Columns | None = None
    is_shared: bool | None = None
    is_default: bool | None = None
    move: Annotated[Literal["left", "right"] | None, Field(description="Change places with the next one there")] = None

    def changes(self) -> dict[str, Any]:
        """Return the columns that were sent."""
        return self.model_dump(exclude_none=True, exclude={"move"})


class ViewRead(BaseModel):
    """A saved view of a board: a query and how its tasks are shown."""

    id: UUID
    board_id: UUID
    user_id: UUID | None
    name: str
    kind: Kind
    query: str
    sort: str
    columns: list[str]
    is_shared: bool
    is_default: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, view: SavedView) -> "ViewRead":
        """Return the answer for a view."""
        return cls.model_construct(**{name: getattr(view, name) for name in cls.model_fields})
