"""Tasks as a stream."""

import json
from typing import Any
from uuid import UUID

from quart import Response

from mission_control.authn import lookups
from mission_control.boards.models import Board
from mission_control.boards.queries import still_exists
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.json import to_json
from mission_control.live import broker
from mission_control.live.models import Event
from mission_control.live.shared import Shared
from mission_control.live.stream import json_stream
from mission_control.tasks.queries import comment_read, task_read

STREAMED = {
    "task.created",
    "task.updated",
    "task.status_changed",
    "task.comment",
    "task.deleted",
    "task.restored",
    "task.archived",
    "task.unarchived",
    "task.comment_edited",
    "task.comment_deleted",
    "task.lease_expired",
    "task.flagged",
    "task.unflagged",
}


async def stream_of_tasks(actor: Actor, board: Board) -> Response:
    """One `task` message per event of the board's tasks and comments.

    A task that a person makes over the API comes to that person's own stream after the answer. Clients that add the
    task of the answer to their list without looking would have it twice otherwise.
    """

    async def payload(event: Event) -> bytes | None:
        if event.board_id != board.id or event.kind not in STREAMED:
            return None
        return await _payloads.get(_key(event), lambda: _encoded(event))

    def is_own(event: Event) -> bool:
        is_persons = actor.is_user and (event.actor_kind, event.actor_id) == ("user", actor.id)
        return is_persons and event.surface == "api" and event.kind == "task.created" and event.board_id == board.id

    return await json_stream(
        board.organization_id, "task", payload, lambda: still_reads(actor, board), may_overtake=is_own
    )


_payloads: Shared[bytes | None] = Shared()


def _key(event: Event) -> tuple[UUID, int | None]:
    """A message is made again once anything has happened since: its task or its comment may be gone."""
    return event.id, broker.known_head(event.organization_id)


async def _encoded(event: Event) -> bytes | None:
    payload = await _payload(event)
    return None if payload is None else to_json(payload)


async def _payload(event: Event) -> dict[str, Any] | None:
    activity = activity_of(event)
    if event.kind in ("task.comment", "task.comment_edited"):
        comment = await comment_read(_comment_id(event))
        if comment is None:
            return None
        return {"type": event.kind, "activity": activity | {"message": comment["message"]}, "comment": comment}
    if event.kind == "task.comment_deleted":
        return {"type": event.kind, "activity": activity, "comment_id": _comment_id(event)}
    return {"type": event.kind, "activity": activity, "task": await _task(event)}


def _comment_id(event: Event) -> UUID:
    return event.id if event.kind == "task.comment" else UUID(json.loads(event.data)["comment_id"])


def activity_of(event: Event) -> dict[str, Any]:
    """An event as the six keys that stream clients know."""
    return {
        "id": event.id,
        "event_type": event.kind,
        "message": event.message,
        "agent_id": event.agent_id,
        "task_id": event.task_id,
        "created_at": event.created_at,
    }


async def _task(event: Event) -> dict[str, Any] | None:
    """The task as it is now. None when it is deleted or archived: who resumes would take it for one on the board."""
    if event.task_id is None or event.kind in ("task.deleted", "task.archived"):
        return None
    try:
        task = await task_read(event.task_id)
    except NotFound:
        return None
    return None if task["deleted_at"] or task["archived_at"] else task


async def still_reads(actor: Actor, board: Board) -> bool:
    """Whether a stream's reader still exists and still reaches the board, which still exists."""
    current = await lookups.fresh(actor)
    if current is None or not current.reads(board):
        return False
    return await still_exists(board)
