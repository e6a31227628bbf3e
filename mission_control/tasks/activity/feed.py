"""Reading the event log as a list, the comments of many boards, and their shapes."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from pydantic import Field
from quart import Response

from mission_control.approvals.schemas import PersonRef
from mission_control.boards.queries import visible_board_here
from mission_control.core.actor import Actor
from mission_control.core.values import ActorRef, JsonObject, Moment, Paging, Schema, to_json
from mission_control.database.sql import Condition, Row, Values, as_json, in_list, placeholders, rows, wire_moment
from mission_control.events import broker
from mission_control.events.event_log import KINDS
from mission_control.events.models import Event
from mission_control.events.shared_reads import Shared
from mission_control.events.stream import json_stream
from mission_control.http import lookups
from mission_control.people.accounts.names import person_name


class ActivityEventRead(Schema):
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


class ActivityTaskCommentFeedItemRead(Schema):
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


class CommentStreamQuery(Schema):
    """The board whose comments to stream, and the position to resume from."""

    board_id: UUID | None = None
    since: str | None = None
    after: str | None = None


FEW = 1000

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


async def list_events(actor: Actor, query: ActivityQuery) -> tuple[list[JsonObject], int]:
    """Agents see events about themselves."""
    if query.board_id is not None and actor.is_user:
        await visible_board_here(actor, query.board_id)
    where, values = _where_events(actor, query)
    total = await _count(actor, query, where, values)
    if total <= FEW:
        where = f"e.id IN (SELECT e.id FROM events e WHERE {where})"
    elif query.actor_id is None:  # walking the log from its end finds matches soon; sorting all of them would be slow
        where, values = f"e.organization_id = ? AND {where}", [actor.organization_id, *values]
    if query.before_seq is not None:
        where, values = f"{where} AND e.seq < ?", [*values, query.before_seq]
    page = f"{SELECT} WHERE {where} ORDER BY e.seq DESC LIMIT ? OFFSET ?"
    events = await rows(page, *values, query.limit, query.offset)
    return [_read(row) for row in events], total


async def read_events(event_ids: Collection[UUID]) -> dict[UUID, JsonObject]:
    if not event_ids:
        return {}
    marks, ids = in_list(event_ids)
    events = await rows(f"{SELECT} WHERE e.id IN ({marks})", *ids)
    return {UUID(str(row["id"])): _read(row) for row in events}


# A log has no gaps: all of it, less what is of no board, and what is of boards that are gone. Those are found by
# going from each board's first event to that of the next one.
ON_LIVE_BOARDS = """
WITH RECURSIVE homes (id) AS (
    SELECT (SELECT e.board_id FROM events e WHERE e.board_id IS NOT NULL ORDER BY e.board_id LIMIT 1)
    UNION ALL
    SELECT (SELECT e.board_id FROM events e WHERE e.board_id > h.id ORDER BY e.board_id LIMIT 1)
    FROM homes h WHERE h.id IS NOT NULL
)
SELECT o.log_seq - (SELECT COUNT(*) FROM events e WHERE e.organization_id = o.id AND e.board_id IS NULL) - COALESCE((
    SELECT SUM((SELECT COUNT(*) FROM events e WHERE e.board_id = h.id)) FROM homes h
    WHERE h.id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM boards b WHERE b.id = h.id AND b.deleted_at IS NULL)
    AND (SELECT e.organization_id FROM events e WHERE e.board_id = h.id ORDER BY e.seq LIMIT 1) = o.id
), 0) AS n FROM organizations o WHERE o.id = ?
"""


async def _count(actor: Actor, query: ActivityQuery, where: str, values: Values) -> int:
    narrows = query.board_id or query.kind or query.actor_id or query.since or query.until
    if not narrows and actor.organization_id in actor.readable_boards()[0]:
        [row] = await rows(ON_LIVE_BOARDS, actor.organization_id)
        return int(row["n"])
    if (query.since or query.until) and not query.kind:  # the organization is named only for its index by time
        where, values = f"e.organization_id = ? AND {where}", [actor.organization_id, *values]
    [row] = await rows(f"SELECT COUNT(*) AS n FROM events e WHERE {where}", *values)
    return int(row["n"])


def live_boards_of(actor: Actor, organization_id: UUID) -> Condition:
    whole, single = actor.readable_boards()
    condition = "b.organization_id = ? AND b.deleted_at IS NULL"
    if organization_id in whole:
        return condition, [organization_id]
    if not single:
        return "1 = 0", []
    return f"{condition} AND b.id IN ({placeholders(len(single))})", [organization_id, *single]


def _where_events(actor: Actor, query: ActivityQuery) -> Condition:
    values: Values
    if actor.is_agent:
        alive = "(e.board_id IS NULL OR e.board_id IN (SELECT b.id FROM boards b WHERE b.deleted_at IS NULL))"
        where, values = f"e.agent_id = ? AND {alive}", [actor.id]
    else:
        boards, values = live_boards_of(actor, actor.organization_id)
        where = f"e.board_id IN (SELECT b.id FROM boards b WHERE {boards})"
    for condition, value in (
        ("e.board_id = ?", query.board_id),
        ("e.actor_id = ?", query.actor_id),
        ("e.created_at >= ?", query.since),
        ("e.created_at < ?", query.until),
    ):
        if value is not None:
            where, values = f"{where} AND {condition}", [*values, value]
    if typed_kinds := {kind for typed in query.kind if (kind := typed.strip().rstrip(".*"))}:
        kinds = sorted(
            typed_kinds | {kind for kind in KINDS if any(kind.startswith(f"{prefix}.") for prefix in typed_kinds)}
        )
        where, values = f"{where} AND e.kind IN ({placeholders(len(kinds))})", [*values, *kinds]
    return where, values


def _read(row: Row) -> JsonObject:
    route_name, route_params = _route(row)
    return {
        "id": row["id"],
        "event_type": row["kind"],
        **{name: row[name] for name in ("message", "agent_id", "task_id", "board_id")},
        "route_name": route_name,
        "route_params": route_params,
        "created_at": wire_moment(row["created_at"]),
        "seq": row["seq"],
        "actor": {"kind": row["actor_kind"], "id": row["actor_id"], "name": row["actor_name"]},
    }


def _route(row: Row) -> tuple[str, dict[str, str]]:
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


PLACED = " FROM task_comments c JOIN tasks t ON t.id = c.task_id JOIN boards b ON b.id = t.board_id"
TASK = "SELECT 1 FROM tasks t JOIN boards b ON b.id = t.board_id WHERE t.id = c.task_id"
JOINED = f"{PLACED} LEFT JOIN agents g ON g.id = c.agent_id LEFT JOIN users u ON u.id = c.user_id"
SAID = "c.deleted_at IS NULL AND TRIM(c.message) <> ''"  # the condition of the partial indexes
READABLE = f"{SAID} AND t.deleted_at IS NULL"
COMMENTS_SELECT = (
    "SELECT c.id, c.created_at, c.message, c.agent_id, c.user_id, c.task_id, t.title AS task_title, t.board_id,"
    " b.name AS board_name, COALESCE(g.name, c.author_name) AS agent_name, g.identity_profile,"
    f" {person_name('u', 'User')} AS user_name{JOINED}"
)


async def list_comments(
    actor: Actor, board_id: UUID | None, paging: Paging
) -> tuple[list[ActivityTaskCommentFeedItemRead], int]:
    where, values = live_boards_of(actor, actor.organization_id)
    where = f"{READABLE} AND {where}"
    if board_id is not None:
        where, values = f"{where} AND t.board_id = ?", [*values, board_id]
    total = await _number_of_comments(actor, board_id)
    if board_id is None and actor.organization_id in actor.readable_boards()[0]:
        # Most comments match: walk them from the newest and check each one's task.
        page = f"SELECT c.id FROM task_comments c WHERE {SAID} AND EXISTS ({TASK} AND {where})"
    else:
        page = f"SELECT c.id{PLACED} WHERE {where}"
    ordered = "ORDER BY c.created_at DESC, c.id DESC"
    comments = await rows(
        f"{COMMENTS_SELECT} WHERE c.id IN (SELECT id FROM ({page} {ordered} LIMIT ? OFFSET ?) page) {ordered}",
        *(*values, paging.limit, paging.offset),
    )
    return [_comments_read(row) for row in comments], total


async def _number_of_comments(actor: Actor, board_id: UUID | None) -> int:
    """Return how many comments a person reads: where that is most of all, what is not among them is taken off.

    An index counts all, ten times as fast as the comments of each task are counted.
    """
    boards, values = live_boards_of(actor, actor.organization_id)
    [row] = await rows(
        f"SELECT COUNT(*) AS every, SUM(CASE WHEN {boards} THEN 1 ELSE 0 END) AS n FROM boards b", *values
    )
    if board_id is not None or 2 * int(row["n"] or 0) <= int(row["every"]):
        here, more = ("", []) if board_id is None else (" AND t.board_id = ?", [board_id])
        [row] = await rows(f"SELECT COUNT(*) AS n{PLACED} WHERE {READABLE} AND {boards}{here}", *values, *more)
        return int(row["n"])
    source = f"SELECT COUNT(*) FROM boards b CROSS JOIN tasks t CROSS JOIN task_comments c WHERE {SAID}"
    on = "t.board_id = b.id AND c.task_id = t.id"
    [row] = await rows(
        f"SELECT (SELECT COUNT(*) FROM task_comments c WHERE {SAID}) - ({source} AND {boards} AND {on}"
        f" AND t.deleted_at IS NOT NULL) - ({source} AND NOT ({boards}) AND {on}) AS n",
        *values,
        *values,
    )
    return int(row["n"])


async def stream_of_comments(actor: Actor, board_id: UUID | None) -> Response:
    async def payload(event: Event) -> bytes | None:
        if event.kind != "task.comment" or board_id not in (None, event.board_id):
            return None
        current = await lookups.fresh(actor)
        if current is None:
            return None
        message = await _messages.get((event.id, broker.known_head(actor.organization_id)), lambda: _message(event.id))
        whole, single = current.readable_boards()
        return message if actor.organization_id in whole or event.board_id in single else None

    async def alive() -> bool:
        current = await lookups.fresh(actor)
        return current is not None and actor.organization_id in current.memberships

    return await json_stream(actor.organization_id, "comment", payload, alive)


async def _message(comment_id: UUID) -> bytes | None:
    """All streams share one read."""
    comments = await rows(f"{COMMENTS_SELECT} WHERE {READABLE} AND b.deleted_at IS NULL AND c.id = ?", comment_id)
    return to_json({"comment": _comments_read(comments[0])}) if comments else None


_messages: Shared[bytes | None] = Shared()


def _comments_read(row: Row) -> ActivityTaskCommentFeedItemRead:
    profile = as_json(row["identity_profile"])
    role = profile.get("role") if isinstance(profile, dict) else None
    columns = ActivityTaskCommentFeedItemRead.model_fields.keys() - {"agent_role", "author"}
    return ActivityTaskCommentFeedItemRead(
        agent_role=role.strip() or None if isinstance(role, str) else None,
        author=None if row["user_id"] is None else PersonRef(id=row["user_id"], name=row["user_name"]),
        **{name: row[name] for name in columns},
    )
