"""Notifications of people: what they may read, the transaction that notifies them, and the API."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from mission_control.boards.models import Board
from mission_control.boards.queries import people_of
from mission_control.core import times
from mission_control.core.actor import Actor, rule
from mission_control.core.values import ActorRef, Body, Moment, NotNull, Page, Paging, Schema, example, page
from mission_control.database.records import insert
from mission_control.database.sql import Values, placeholders, rows, select
from mission_control.events.commands import command
from mission_control.events.event_log import NewEvent
from mission_control.events.unit_of_work import reacts_to, signal
from mission_control.http.operation_api import Api
from mission_control.notifications.models import Notification
from mission_control.people.accounts.names import person_name


@rule("notification.read")
def may_read(actor: Actor, thing: object) -> bool:
    """Every person, their own."""
    return actor.is_user


NotificationKind = Literal["mention", "assignment", "note"]


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


class NotificationRead(Schema):
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


class Item(NotificationRead):
    """A notification as pages show it; who did it is put in after the statement."""

    actor_kind: Literal["user", "agent", "system"]
    actor_id: UUID | None
    actor_name: str
    by: ActorRef = ActorRef(kind="system", id=None, name="")

    @property
    def sentence(self) -> str:
        """What happened in a line: `Cleo assigned you #3 Write the report`."""
        task = f" #{self.task_number} {self.task_title}" if self.task_id else ""
        if self.kind == "assignment":
            return f"{self.actor_name} assigned you{task}"
        if self.kind == "note":
            return f"Your note{f' on{task}' if task else ''} did not reach its agent"
        return f"{self.actor_name} mentioned you{' on' if task else ' in the chat'}{task}"

    @property
    def url(self) -> str:
        if not self.task_id:
            return f"/boards/{self.board_id}"
        comment = f"#comment-{self.comment_id}" if self.comment_id else ""
        return f"/boards/{self.board_id}/tasks/{self.task_id}{comment}"


class UnreadCount(Schema):
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
    return f"{where} AND n.read_at IS NULL" if unread else where, values


PRESENT = " AND (n.task_id IS NULL OR t.deleted_at IS NULL)"
# About tasks and boards in the trash: fewer than all there ever were, which an index counts.
_GONE = (
    "FROM boards b CROSS JOIN tasks t CROSS JOIN notifications n WHERE b.organization_id = ? AND b.deleted_at IS NULL"
    " AND t.board_id = b.id AND t.deleted_at IS NOT NULL AND n.task_id = t.id",
    "FROM boards b CROSS JOIN notifications n WHERE b.organization_id = ? AND b.deleted_at IS NOT NULL"
    " AND n.board_id = b.id",
)


async def _number_of_all(organization_id: UUID, where: str, values: Values) -> int:
    gone = [f"(SELECT COUNT(*) {source} AND {where})" for source in _GONE]
    [row] = await rows(
        f"SELECT {' - '.join([f'(SELECT COUNT(*) FROM notifications n WHERE {where})', *gone])} AS n",
        *values,
        *[organization_id, *values] * len(_GONE),
    )
    return int(row["n"])


async def find_notifications(actor: Actor, query: NotificationQuery) -> tuple[list[Item], int]:
    own = _own(actor, unread=query.unread)
    if own is None:
        return [], 0
    where, values = own
    count = unread_count(actor) if query.unread else _number_of_all(actor.organization_id, where, values)
    total = await count
    page = f"{SELECT} WHERE {where}{PRESENT} ORDER BY n.created_at DESC, n.id DESC LIMIT ? OFFSET ?"
    found = await select(Item, page, *values, query.limit, query.offset)
    for one in found:
        one.by = ActorRef(kind=one.actor_kind, id=one.actor_id, name=one.actor_name)
    return found, total


async def unread_count(actor: Actor) -> int:
    own = _own(actor, unread=True) if actor.is_user else None
    if own is None:
        return 0
    where, values = own
    return int((await rows(f"SELECT COUNT(*) AS n{FROM} WHERE {where}{PRESENT}", *values))[0]["n"])


@command("notification.read")
async def mark_read(actor: Actor, ids: Sequence[UUID] | None, until: datetime | None) -> None:
    """Mark one's own as read: those with these ids, or all that came until a moment. Others' are left alone."""
    where = "user_id = ? AND organization_id = ? AND read_at IS NULL"
    values: Values = []
    if ids is not None:
        where, values = f"{where} AND id IN ({placeholders(len(ids))})", [*ids]
    if until is not None:
        where, values = f"{where} AND created_at <= ?", [*values, until]
    found = await rows(
        f"UPDATE notifications SET read_at = ? WHERE {where} RETURNING id",
        times.clock_now(),
        actor.user_id,
        actor.organization_id,
        *values,
    )
    if found:
        signal(actor.organization_id, notified_user=str(actor.user_id))


def mentioned_people(text: str, people: Iterable[Mapping[str, object]]) -> list[UUID]:
    """Return the ids of the people that a text mentions, by their whole name or its first word, whatever the case.

    `@Ada Lovelace` is Ada Lovelace and not also another Ada.
    """
    if "@" not in text:
        return []
    by_name: dict[str, list[UUID]] = {}
    for person in people:
        name = str(person["name"] or "").strip().lower()
        for alias in {name, name.split()[0]} if name else ():
            by_name.setdefault(alias, []).append(UUID(str(person["id"])))
    if not by_name:
        return []
    longest_first = sorted(by_name, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w@])@({'|'.join(map(re.escape, longest_first))})(?![\w@])", re.IGNORECASE)
    found = [user_id for match in pattern.finditer(text) for user_id in by_name.get(match[1].lower(), ())]
    return list(dict.fromkeys(found))


@reacts_to("task.created", "task.updated", "task.status_changed")
async def notify_of_assignment(actor: Actor, event: NewEvent) -> None:
    """Notify a person who got a task from somebody else."""
    assignee = event.data.get("assigned_user_id") or event.data.get("after", {}).get("assigned_user_id")
    if assignee:
        await _notify(event, "assignment", [UUID(str(assignee))])


@reacts_to("task.comment", "task.comment_edited")
async def notify_of_mentions(actor: Actor, event: NewEvent) -> None:
    """Notify the people whom a comment mentions; of one that was edited, those who were not notified of it before."""
    if event.data.get("has_names"):
        comment_id, known = event.data["comment_id"], "SELECT user_id FROM notifications WHERE comment_id = ?"
        edited = event.kind == "task.comment_edited"
        notified = await rows(f"{known} AND kind = 'mention'", comment_id) if edited else []
        people = {UUID(str(row["user_id"])) for row in notified}
        await _mentions(event, "task_comments", "message", people, comment_id=comment_id)


@reacts_to("task.note_expired")
async def notify_of_lost_note(actor: Actor, event: NewEvent) -> None:
    """Notify a person that a note of theirs did not reach its agent."""
    if event.data["user_id"] is not None:
        await _notify(event, "note", [UUID(str(event.data["user_id"]))])


@reacts_to("memory.created")
async def notify_of_mentions_in_chat(actor: Actor, event: NewEvent) -> None:
    """Notify the people whom an entry of a board's chat mentions."""
    if event.data.get("is_chat"):
        await _mentions(event, "board_memory", "content", memory_id=event.data["memory_id"])


async def _mentions(event: NewEvent, table: str, column: str, notified: Collection[UUID] = (), **where: object) -> None:
    [thing_id] = where.values()
    found = await rows(f"SELECT {column} AS text FROM {table} WHERE id = ? AND {column} LIKE '%@%'", thing_id)
    if found:
        board = await Board.get(id=event.scope.board_id)
        named = mentioned_people(found[0]["text"], await people_of(board))
        await _notify(event, "mention", [one for one in named if one not in notified], **where)


async def _notify(event: NewEvent, kind: str, people: list[UUID], **about: object) -> None:
    """Keep a notification for each of them but the one who did it, and let their pages know."""
    others = [person for person in people if person != event.actor_id]
    if not others:
        return
    made = [
        Notification(
            organization_id=event.scope.organization_id,
            user_id=one,
            kind=kind,
            board_id=event.scope.board_id,
            task_id=event.scope.task_id,
            actor_kind=event.actor_kind,
            actor_id=event.actor_id,
            actor_name=None if event.actor_kind == "user" else event.actor_name,
            **about,
        )
        for one in others
    ]
    await insert(*made)
    for one in others:
        signal(event.scope.organization_id, notified_user=str(one))


ANSWER = set(NotificationRead.model_fields)
api = Api(__name__, "users", below="/users/me/notifications")


@api.get("", Page[NotificationRead], rule="notification.read")
async def list_notifications(actor: Actor, query: NotificationQuery) -> dict[str, object]:
    """List what concerns you in the active organization, newest first.

    That is where you were mentioned, which tasks you were given, and which of your notes did not reach their agents.
    """
    found, total = await find_notifications(actor, query)
    return page([one.model_dump(include=ANSWER) for one in found], total, query)


@api.post("/readings", UnreadCount, rule="notification.read")
async def mark_notifications_read(actor: Actor, data: NotificationReading) -> dict[str, int]:
    """Mark some of your notifications as read, or all until a moment; what is read already stays so."""
    await mark_read(actor, data.ids, data.until)
    return {"unread": await unread_count(actor)}
