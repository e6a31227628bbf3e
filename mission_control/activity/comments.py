"""The comments of many boards: as a list and as a stream."""

from typing import Any
from uuid import UUID

from quart import Response

from mission_control.accounts.names import person_name
from mission_control.activity.feed import live_boards_of
from mission_control.authn import freshness
from mission_control.core.actor import Actor
from mission_control.core.json import to_json
from mission_control.core.paging import Paging
from mission_control.database.sql import as_json, rows, wire_moment
from mission_control.live import broker
from mission_control.live.models import Event
from mission_control.live.shared import Shared
from mission_control.live.stream import json_stream

PLACED = " FROM task_comments c JOIN tasks t ON t.id = c.task_id JOIN boards b ON b.id = t.board_id"
TASK = "SELECT 1 FROM tasks t JOIN boards b ON b.id = t.board_id WHERE t.id = c.task_id"
JOINED = f"{PLACED} LEFT JOIN agents g ON g.id = c.agent_id LEFT JOIN users u ON u.id = c.user_id"
SAID = "c.deleted_at IS NULL AND TRIM(c.message) <> ''"  # the condition of the partial indexes
READABLE = f"{SAID} AND t.deleted_at IS NULL"
SELECT = (
    "SELECT c.id, c.created_at, c.message, c.agent_id, c.user_id, c.task_id, t.title AS task_title, t.board_id,"
    " b.name AS board_name, COALESCE(g.name, c.author_name) AS agent_name, g.identity_profile,"
    f" {person_name('u', 'User')} AS user_name{JOINED}"
)


async def list_comments(actor: Actor, board_id: UUID | None, paging: Paging) -> tuple[list[dict[str, Any]], int]:
    """Return the comments on the boards that a person reads, newest first, and their number."""
    where, values = _where(actor, actor.organization_id, board_id)
    [total] = await rows(f"SELECT COUNT(*) AS n{PLACED} WHERE {where}", *values)
    if board_id is None and actor.organization_id in actor.readable_boards()[0]:
        # Most comments match: walk them from the newest and check each one's task.
        page = f"SELECT c.id FROM task_comments c WHERE {SAID} AND EXISTS ({TASK} AND {where})"
    else:
        page = f"SELECT c.id{PLACED} WHERE {where}"
    ordered = "ORDER BY c.created_at DESC, c.id DESC"
    found = await rows(
        f"{SELECT} WHERE c.id IN (SELECT id FROM ({page} {ordered} LIMIT ? OFFSET ?) page) {ordered}",
        *values,
        paging.limit,
        paging.offset,
    )
    return [_serialize(row) for row in found], int(total["n"])


async def stream_of_comments(actor: Actor, board_id: UUID | None) -> Response:
    """Return a stream with one `comment` message per comment on a board that the person reads at that time."""

    async def payload(event: Event) -> bytes | None:
        if event.kind != "task.comment" or board_id not in (None, event.board_id):
            return None
        current = await freshness.fresh(actor)
        if current is None:
            return None
        message = await _messages.get((event.id, broker.known_head(actor.organization_id)), lambda: _message(event.id))
        whole, single = current.readable_boards()
        return message if actor.organization_id in whole or event.board_id in single else None

    async def alive() -> bool:
        current = await freshness.fresh(actor)
        return current is not None and actor.organization_id in current.memberships

    return await json_stream(actor.organization_id, "comment", payload, alive)


async def _message(comment_id: UUID) -> bytes | None:
    """Return the message of one comment on an existing board, shared by all streams."""
    found = await rows(f"{SELECT} WHERE {READABLE} AND b.deleted_at IS NULL AND c.id = ?", comment_id)
    return to_json({"comment": _serialize(found[0])}) if found else None


_messages: Shared[bytes | None] = Shared()


def _where(actor: Actor, organization_id: UUID, board_id: UUID | None) -> tuple[str, list[Any]]:
    boards, values = live_boards_of(actor, organization_id)
    one = "" if board_id is None else " AND t.board_id = ?"
    return f"{READABLE} AND {boards}{one}", [*values, *([] if board_id is None else [board_id])]


def _serialize(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "created_at": wire_moment(row["created_at"]),
        "message": row["message"],
        "agent_id": row["agent_id"],
        "agent_name": row["agent_name"],
        "agent_role": _role(as_json(row["identity_profile"])),
        "task_id": row["task_id"],
        "task_title": row["task_title"],
        "board_id": row["board_id"],
        "board_name": row["board_name"],
        "author": None if row["user_id"] is None else {"id": row["user_id"], "name": row["user_name"]},
    }


def _role(profile: Any) -> str | None:
    role = profile.get("role") if isinstance(profile, dict) else None
    return role.strip() or None if isinstance(role, str) else None
