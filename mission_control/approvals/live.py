"""Approvals as a stream."""

from uuid import UUID

import orjson
from quart import Response

from mission_control.approvals.queries import approval_counts, approval_read, pending_count
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


async def stream_of_approvals(actor: Actor, board: Board) -> Response:
    """One `approval` message per request, decision, re-opening and closing on the board."""

    async def payload(event: Event) -> bytes | None:
        if event.board_id != board.id or not event.kind.startswith("approval.") or event.kind.endswith(UNSTREAMED):
            return None
        approval_id = UUID(orjson.loads(event.data)["approval_id"])
        key = (event.id, broker.known_head(event.organization_id))  # it may have been decided since
        return await _messages.get(key, lambda: _message(board, approval_id))

    async def alive() -> bool:
        current = await lookups.fresh(actor)
        return current is not None and current.reads(board) and await still_exists(board)

    return await json_stream(board.organization_id, "approval", payload, alive)


UNSTREAMED = ("notified", "notify_failed")
_messages: Shared[bytes | None] = Shared()


async def _message(board: Board, approval_id: UUID) -> bytes | None:
    try:
        approval = await approval_read(approval_id)
    except NotFound:
        return None
    counts = await approval_counts(approval["task_ids"])
    message = {"approval": approval, "pending_approvals_count": await pending_count(board.id)}
    if counts:
        message["task_counts"] = counts[0] if len(counts) == 1 else counts
    return to_json(message)
