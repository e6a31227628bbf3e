"""Read the notifications of a person: those on boards that the person reads, about tasks that are not deleted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from mission_control.core.actor import Actor, Rules
from mission_control.core.values import ActorRef, Body, Moment, NotNull, Paging, example
from mission_control.database.sql import Row, Values, placeholders, rows, wire_moment
from mission_control.people.account_names import person_name

rules = Rules()


@rules.rule("notification.read")
def may_read(actor: Actor, thing: object) -> bool:
    """Every person, their own."""
    return actor.is_user


NotificationKind = Literal["mention", "assignment"]


class NotificationQuery(Paging):
    """Which notifications to list."""

    limit: int = Field(50, ge=1, le=200)
    unread: Annotated[bool, Field(description="Only those that are not read")] = False


class NotificationReading(Body):
    """What was read: some notifications, or all until a moment."""

    model_config = Body.model_config | example(until="2026-11-26T12:00:00Z")

    ids: Annotated[list[UUID] | None, NotNull, Field(min_length=1, max_length=200)] = None
    until: Annotated[Moment | None, NotNull, Field(description="`created_at` of the newest that was seen")] = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if (self.ids is None) == (self.until is None):
            raise ValueError("send ids or until")
        return self


class NotificationRead(BaseModel):
    """Something that concerns the caller by name. `text` is the beginning of what was written, null once deleted."""

    id: UUID
    kind: NotificationKind
    by: ActorRef
    board_id: UUID
    board_name: str
    task_id: UUID | None
    task_number: int | None
    task_title: str | None
    comment_id: UUID | None
    memory_id: UUID | None
    text: str | None
    created_at: datetime
    read_at: datetime | None


class UnreadCount(BaseModel):
    """How many notifications are not read."""

    unread: int


LONGEST_TEXT = 280
FROM = (
    " FROM notifications n JOIN boards b ON b.id = n.board_id AND b.deleted_at IS NULL"
    " LEFT JOIN tasks t ON t.id = n.task_id"
)
SELECT = (
    "SELECT n.id, n.kind, n.actor_kind, n.actor_id, n.board_id, b.name AS board_name, n.task_id,"
    " t.number AS task_number, t.title AS task_title, n.comment_id, n.memory_id, n.created_at, n.read_at,"
    f" SUBSTR(COALESCE(c.message, m.content), 1, {LONGEST_TEXT}) AS text,"
    f" COALESCE(n.actor_name, {person_name('u')}, 'Somebody') AS actor_name"
    f"{FROM} LEFT JOIN task_comments c ON c.id = n.comment_id AND c.deleted_at IS NULL"
    " LEFT JOIN board_memory m ON m.id = n.memory_id"
    " LEFT JOIN users u ON u.id = n.actor_id AND n.actor_kind = 'user'"
)


def _own(actor: Actor, *, unread: bool) -> tuple[str, Values] | None:
    """Return the condition for what somebody sees in the active organization; None when nothing can be."""
    whole, single = actor.readable_boards()
    where, values = "n.user_id = ? AND n.organization_id = ?", [actor.user_id, actor.organization_id]
    if actor.organization_id not in whole:
        if not single:
            return None
        where, values = f"{where} AND n.board_id IN ({placeholders(len(single))})", [*values, *single]
    where += " AND (n.task_id IS NULL OR t.deleted_at IS NULL)"
    return f"{where} AND n.read_at IS NULL" if unread else where, values


async def list_notifications(actor: Actor, query: NotificationQuery) -> tuple[list[Row], int]:
    """Return a page of a person's notifications, newest first, and their number."""
    own = _own(actor, unread=query.unread)
    if own is None:
        return [], 0
    where, values = own
    [total] = await rows(f"SELECT COUNT(*) AS n{FROM} WHERE {where}", *values)
    found = await rows(
        f"{SELECT} WHERE {where} ORDER BY n.created_at DESC, n.id DESC LIMIT ? OFFSET ?",
        *values,
        query.limit,
        query.offset,
    )
    return [_serialize(row) for row in found], int(total["n"])


def _serialize(row: Row) -> Row:
    plain = ("id", "kind", "board_id", "board_name", "task_id", "task_number", "task_title", "comment_id", "memory_id")
    return {
        **{name: row[name] for name in plain},
        "by": {"kind": row["actor_kind"], "id": row["actor_id"], "name": row["actor_name"]},
        "text": row["text"],
        "created_at": wire_moment(row["created_at"]),
        "read_at": wire_moment(row["read_at"]),
    }


async def unread_count(actor: Actor) -> int:
    """Return the number of a person's notifications that are not read."""
    own = _own(actor, unread=True) if actor.is_user else None
    if own is None:
        return 0
    where, values = own
    return int((await rows(f"SELECT COUNT(*) AS n{FROM} WHERE {where}", *values))[0]["n"])


def sentence_of(one: Mapping[str, Any]) -> str:
    """Return what happened in a line: `Cleo assigned you #3 Write the report`."""
    task = f" #{one['task_number']} {one['task_title']}" if one["task_id"] else ""
    if one["kind"] == "assignment":
        return f"{one['by']['name']} assigned you{task}"
    return f"{one['by']['name']} mentioned you{' on' if task else ' in the chat'}{task}"


def place_of(one: Mapping[str, object]) -> str:
    """Return the address of what a notification is about."""
    if not one["task_id"]:
        return f"/boards/{one['board_id']}"
    comment = f"#comment-{one['comment_id']}" if one["comment_id"] else ""
    return f"/boards/{one['board_id']}/tasks/{one['task_id']}{comment}"
