"""Shapes of boards."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from mission_control.boards.fields import CHANGED, FIELDS, OWN
from mission_control.boards.models import Board
from mission_control.core.declared import answered, changed, completed, created
from mission_control.core.paging import Paging
from mission_control.core.schemas import NonEmptyStr, example

GOAL_RULE = "a confirmed goal needs an objective and success metrics"


@completed(created(OWN))
class BoardFields(BaseModel):
    """What a board has of its own, whatever it belongs to."""

    name: str
    slug: str
    description: NonEmptyStr
    board_type: str = "goal"
    objective: str | None = None
    success_metrics: dict[str, Any] | None = None
    goal_confirmed: bool = False

    @model_validator(mode="after")
    def _goal_is_complete(self) -> Self:
        if self.board_type == "goal" and self.goal_confirmed and not (self.objective and self.success_metrics):
            raise ValueError(GOAL_RULE)
        return self


@completed(created(FIELDS))
class BoardCreate(BoardFields):
    """A board to be made."""

    model_config = example(name="Website", slug="website", description="All that people see of us.")


@completed(changed(CHANGED))
class BoardUpdate(BaseModel):
    """What to change on a board; absent leaves."""

    model_config = example(require_review_before_done=True)


@completed(answered(FIELDS))
class BoardRead(BaseModel):
    """A board."""

    @classmethod
    def of(cls, board: Board) -> Self:
        """Return the answer for a board."""
        return cls.model_construct(**{name: getattr(board, name) for name in cls.model_fields})


class DeletedBoardRead(BoardRead):
    """A board in the trash."""

    deleted_at: datetime | None


class BoardDeletion(BaseModel):
    """How a board is deleted."""

    permanent: Annotated[bool, Field(description="Delete it for good, with everything on it")] = False


class BoardQuery(Paging):
    """Which boards to list."""

    gateway_id: UUID | None = None
    board_group_id: UUID | None = None
