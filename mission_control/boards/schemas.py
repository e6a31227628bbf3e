"""Shapes of boards."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, model_validator

from mission_control.boards.models import Board
from mission_control.core.paging import Paging
from mission_control.core.schemas import Moment, NonEmptyStr, NotNull, example
from mission_control.organizations.work_state import State

GOAL_RULE = "a confirmed goal needs an objective and success metrics"


def _set_limits(limits: dict[str, int | None] | None) -> dict[str, int] | None:
    """The limits that are set; none set is null."""
    return {name: limit for name, limit in (limits or {}).items() if limit is not None} or None


WipLimits = Annotated[
    dict[Literal["in_progress", "review"], Annotated[int | None, Field(ge=1, lt=2**31)]] | None,
    AfterValidator(_set_limits),
    Field(description="How many tasks a column takes; while one is full nothing is handed out to agents"),
]


class BoardFields(BaseModel):
    """What a board has of its own, whatever it belongs to."""

    name: str
    slug: str
    description: NonEmptyStr
    board_type: str = Field("goal", max_length=64)
    objective: str | None = None
    success_metrics: dict[str, Any] | None = None
    target_date: Moment | None = None
    goal_confirmed: bool = False
    goal_source: str | None = None
    require_approval_for_done: bool = True
    require_review_before_done: bool = False
    comment_required_for_review: bool = False
    block_status_changes_with_pending_approval: bool = False
    only_lead_can_change_status: bool = False
    max_agents: int = Field(1, ge=0, lt=2**31)
    wip_limits: WipLimits = None

    @model_validator(mode="after")
    def _goal_is_complete(self) -> Self:
        if self.board_type == "goal" and self.goal_confirmed and not (self.objective and self.success_metrics):
            raise ValueError(GOAL_RULE)
        return self


class BoardCreate(BoardFields):
    """A board to be made."""

    model_config = example(name="Website", slug="website", description="All that people see of us.")

    gateway_id: UUID | None = None
    board_group_id: UUID | None = None


class BoardUpdate(BaseModel):
    """What to change on a board; absent leaves."""

    model_config = example(require_review_before_done=True)

    name: Annotated[str | None, NotNull] = None
    slug: Annotated[str | None, NotNull] = None
    description: Annotated[NonEmptyStr | None, NotNull] = None
    gateway_id: UUID | None = None
    board_group_id: UUID | None = None
    board_type: Annotated[str | None, Field(max_length=64), NotNull] = None
    objective: str | None = None
    success_metrics: dict[str, Any] | None = None
    target_date: Moment | None = None
    goal_confirmed: Annotated[bool | None, NotNull] = None
    goal_source: str | None = None
    require_approval_for_done: Annotated[bool | None, NotNull] = None
    require_review_before_done: Annotated[bool | None, NotNull] = None
    comment_required_for_review: Annotated[bool | None, NotNull] = None
    block_status_changes_with_pending_approval: Annotated[bool | None, NotNull] = None
    only_lead_can_change_status: Annotated[bool | None, NotNull] = None
    max_agents: Annotated[int | None, Field(ge=0, lt=2**31), NotNull] = None
    wip_limits: WipLimits = None


class BoardRead(BaseModel):
    """A board."""

    name: str
    slug: str
    description: str
    gateway_id: UUID | None
    board_group_id: UUID | None
    board_type: str
    objective: str | None
    success_metrics: dict[str, Any] | None
    target_date: datetime | None
    goal_confirmed: bool
    goal_source: str | None
    require_approval_for_done: bool
    require_review_before_done: bool
    comment_required_for_review: bool
    block_status_changes_with_pending_approval: bool
    only_lead_can_change_status: bool
    max_agents: int
    wip_limits: dict[str, int] | None
    work_state: State
    work_state_reason: str | None
    work_state_at: datetime | None
    id: UUID
    organization_id: UUID
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, board: Board) -> Self:
        """The answer for a board."""
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
