"""Shapes of the activity feed."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.approvals.schemas import PersonRef
from mission_control.core.paging import Paging
from mission_control.core.schemas import ActorRef, Moment


class ActivityEventRead(BaseModel):
    """An event and the page that shows it."""

    id: UUID
    event_type: str
    message: str | None
    agent_id: UUID | None
    task_id: UUID | None
    board_id: UUID | None
    route_name: str | None
    route_params: dict[str, str] | None
    created_at: datetime
    seq: int
    actor: ActorRef


class ActivityQuery(Paging):
    """Which events to list.

    A kind includes the kinds below it: `task` includes `task.created`. `before_seq` continues a list cheaply below
    its last item.
    """

    board_id: UUID | None = None
    kind: list[str] = Field(default_factory=list, max_length=50)
    actor_id: UUID | None = None
    since: Moment | None = None
    until: Moment | None = None
    before_seq: int | None = Field(None, ge=0)


class ActivityTaskCommentFeedItemRead(BaseModel):
    """A comment with its task and board; `agent_id` is null when a person wrote it, whom `author` then names."""

    id: UUID
    created_at: datetime
    message: str | None
    agent_id: UUID | None
    agent_name: str | None
    agent_role: str | None
    task_id: UUID
    task_title: str
    board_id: UUID
    board_name: str
    author: PersonRef | None


class CommentFeedQuery(Paging):
    """The board whose comments to list; all boards if absent."""

    board_id: UUID | None = None


class CommentStreamQuery(BaseModel):
    """The board whose comments to stream, and the position to resume from."""

    board_id: UUID | None = None
    since: str | None = None
    after: str | None = None
