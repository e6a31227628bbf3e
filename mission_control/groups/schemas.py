"""Shapes of board groups."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from mission_control.agents.fields import EVERY
from mission_control.boards.schemas import BoardRead
from mission_control.core.schemas import NotNull, example
from mission_control.groups.models import BoardGroup
from mission_control.tags.schemas import TagRef

BoardIds = Annotated[
    list[UUID],
    Field(max_length=200, description="The boards of the group. Boards that you cannot change stay where they are"),
]


class BoardGroupCreate(BaseModel):
    """A group to create. A blank slug is derived from the name."""

    name: str
    slug: str
    description: str | None = None
    board_ids: BoardIds = []


class BoardGroupUpdate(BaseModel):
    """Changes of a group. Absent fields stay as they are."""

    name: Annotated[str | None, NotNull] = None
    slug: Annotated[str | None, NotNull] = None
    description: str | None = None
    board_ids: Annotated[BoardIds | None, NotNull] = None


class BoardGroupRead(BaseModel):
    """A group of boards."""

    name: str
    slug: str
    description: str | None
    id: UUID
    organization_id: UUID
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, group: BoardGroup) -> "BoardGroupRead":
        """Return the answer for a group."""
        return cls.model_construct(**{name: getattr(group, name) for name in cls.model_fields})


class BoardGroupTaskSummary(BaseModel):
    """A task in short."""

    id: UUID
    board_id: UUID
    board_name: str
    title: str
    status: str
    priority: str
    assigned_agent_id: UUID | None
    assignee: str | None
    due_at: datetime | None
    in_progress_at: datetime | None
    tags: list[TagRef]
    created_at: datetime
    updated_at: datetime


class BoardGroupBoardSnapshot(BaseModel):
    """A board of a group. `task_counts` leaves out statuses without tasks."""

    board: BoardRead
    task_counts: dict[str, int]
    tasks: list[BoardGroupTaskSummary]


class BoardGroupSnapshot(BaseModel):
    """The state of a group's boards."""

    group: BoardGroupRead | None
    boards: list[BoardGroupBoardSnapshot]


MOST_TASKS = 200


class GroupSnapshotQuery(BaseModel):
    """How many tasks of each board to return, 200 at most."""

    include_done: bool = False
    per_board_task_limit: int = Field(5, ge=0)


class BoardGroupSnapshotQuery(GroupSnapshotQuery):
    """The same, and whether to include the board that asks."""

    per_board_task_limit: int = Field(5, ge=0, le=100)
    include_self: bool = False


class BoardGroupHeartbeatApply(BaseModel):
    """How often the server looks after the agents of a group: a number and s, m, h or d, such as `10m`; `0m` is off."""

    model_config = example(every="15m")

    every: Annotated[str, StringConstraints(strip_whitespace=True, pattern=EVERY)]
    include_board_leads: bool = False


class BoardGroupHeartbeatApplyResult(BaseModel):
    """Which agents have the new interval."""

    board_group_id: UUID
    requested: dict[str, Any]
    updated_agent_ids: list[UUID]
    failed_agent_ids: list[UUID]
