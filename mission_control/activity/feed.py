"""Reading the event log as a list: two statements, whatever the number of events.

Comment texts are read from the comments, so that a deleted one is not shown here either.
"""

from typing import Any
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.activity.schemas import ActivityQuery
from mission_control.boards.queries import visible_board_here
from mission_control.core.actor import Actor
from mission_control.database.sql import placeholders, rows, wire_moment
from mission_control.live.kinds import KINDS

FEW = 1000
Condition = tuple[str, list[Any]]

COMMENT = "LEFT JOIN task_comments c ON c.id = e.id AND e.kind = 'task.comment'"
MESSAGE = (
    "CASE e.kind WHEN 'task.comment_edited' THEN 'Comment edited.'"
    " WHEN 'task.comment' THEN CASE WHEN c.deleted_at IS NULL THEN c.message END ELSE e.message END AS message"
)
SELECT = (
    f"SELECT e.id, e.seq, e.kind, {MESSAGE}, e.agent_id, e.task_id, e.board_id, e.created_at, e.actor_kind,"
    " e.actor_id,"
    f" CASE WHEN e.actor_kind = 'user' THEN {person_name('u', 'Somebody')}"
    " ELSE COALESCE(e.actor_name, 'Mission Control') END AS actor_name"
    " FROM events e LEFT JOIN users u ON u.id = e.actor_id AND e.actor_kind = 'user'"
    f" {COMMENT}"
)


async def list_events(actor: Actor, query: ActivityQuery) -> tuple[list[dict[str, Any]], int]:
    """Return the events visible to the actor, newest first, and their number. Agents see events about themselves."""
    if query.board_id is not None and actor.is_user:
        await visible_board_here(actor, query.board_id)
    where, values = _joined([_reach(actor), *_conditions(query)])
    total = await _count(actor, query, where, values)
    if total <= FEW:
        where = f"e.id IN (SELECT e.id FROM events e WHERE {where})"
    else:  # walking the log from its end finds matches soon; sorting all of them would be slow
        where, values = f"e.organization_id = ? AND {where}", [actor.organization_id, *values]
    if query.before_seq is not None:
        where, values = f"{where} AND e.seq < ?", [*values, query.before_seq]
    page = f"{SELECT} WHERE {where} ORDER BY e.seq DESC LIMIT ? OFFSET ?"
    found = await rows(page, *values, query.limit, query.offset)
    return [_serialize(row) for row in found], total


async def _count(actor: Actor, query: ActivityQuery, where: str, values: list[Any]) -> int:
    """Return the number of events. The organization is named only for its index by time."""
    if (query.since or query.until) and not query.kind:
        where, values = f"e.organization_id = ? AND {where}", [actor.organization_id, *values]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM events e WHERE {where}", *values)
    return int(total["n"])


def _joined(conditions: list[Condition]) -> Condition:
    return " AND ".join(sql for sql, _ in conditions), [value for _, values in conditions for value in values]


def live_boards_of(actor: Actor, organization_id: UUID) -> tuple[str, list[Any]]:
    """Return a condition on `boards b` for the boards of an organization that a person reads."""
    whole, single = actor.readable_boards()
    condition = "b.organization_id = ? AND b.deleted_at IS NULL"
    if organization_id in whole:
        return condition, [organization_id]
    if not single:
        return "1 = 0", []
    return f"{condition} AND b.id IN ({placeholders(len(single))})", [organization_id, *single]


def _reach(actor: Actor) -> Condition:
    if actor.is_agent:
        alive = "(e.board_id IS NULL OR e.board_id IN (SELECT b.id FROM boards b WHERE b.deleted_at IS NULL))"
        return f"e.agent_id = ? AND {alive}", [actor.id]
    boards, values = live_boards_of(actor, actor.organization_id)
    return f"e.board_id IN (SELECT b.id FROM boards b WHERE {boards})", values


def _conditions(query: ActivityQuery) -> list[Condition]:
    found: list[Condition] = []
    if query.board_id is not None:
        found.append(("e.board_id = ?", [query.board_id]))
    if query.actor_id is not None:
        found.append(("e.actor_id = ?", [query.actor_id]))
    if query.since is not None:
        found.append(("e.created_at >= ?", [query.since]))
    if query.until is not None:
        found.append(("e.created_at < ?", [query.until]))
    if asked := {kind for one in query.kind if (kind := one.strip().rstrip(".*"))}:
        kinds = sorted(asked | {kind for kind in KINDS if any(kind.startswith(f"{one}.") for one in asked)})
        found.append((f"e.kind IN ({placeholders(len(kinds))})", [*kinds]))
    return found


def _serialize(row: dict[str, Any]) -> dict[str, Any]:
    route_name, route_params = _route(row)
    return {
        "id": row["id"],
        "event_type": row["kind"],
        "message": row["message"],
        "agent_id": row["agent_id"],
        "task_id": row["task_id"],
        "board_id": row["board_id"],
        "route_name": route_name,
        "route_params": route_params,
        "created_at": wire_moment(row["created_at"]),
        "seq": row["seq"],
        "actor": {"kind": row["actor_kind"], "id": row["actor_id"], "name": row["actor_name"]},
    }


def _route(row: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the route on which clients show an event."""
    kind, task = row["kind"], {"taskId": str(row["task_id"])} if row["task_id"] is not None else {}
    if row["board_id"] is None:
        created = {"createdAt": wire_moment(row["created_at"])}
        return "activity", {"eventId": str(row["id"]), "eventType": kind, **created, **task}
    board = {"boardId": str(row["board_id"])}
    if kind == "task.comment" and task:
        return "board", {**board, **task, "commentId": str(row["id"])}
    if kind.startswith("approval."):
        return "board.approvals", board
    if kind.startswith("board."):
        return "board", {**board, "panel": "chat"}
    return "board", {**board, **task}
