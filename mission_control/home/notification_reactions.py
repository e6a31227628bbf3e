"""Notify people in the transaction that mentions them or gives them a task, and mark what they read."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.boards.queries import people_of
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.database.records import insert
from mission_control.database.sql import Values, placeholders, rows
from mission_control.home.models import Notification
from mission_control.log.commands import command
from mission_control.log.event_log import NewEvent
from mission_control.log.unit_of_work import Reactions, signal


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
    for one in people:
        name = str(one["name"] or "").strip().lower()
        for alias in {name, name.split()[0]} if name else ():
            by_name.setdefault(alias, []).append(UUID(str(one["id"])))
    if not by_name:
        return []
    longest_first = sorted(by_name, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w@])@({'|'.join(map(re.escape, longest_first))})(?![\w@])", re.IGNORECASE)
    found = [user_id for match in pattern.finditer(text) for user_id in by_name.get(match[1].lower(), ())]
    return list(dict.fromkeys(found))


reactions = Reactions()


@reactions.to("task.created", "task.updated", "task.status_changed")
async def notify_of_assignment(actor: Actor, event: NewEvent) -> None:
    """Notify a person who got a task from somebody else."""
    assignee = event.data.get("assigned_user_id") or event.data.get("after", {}).get("assigned_user_id")
    if assignee:
        await _notify(event, "assignment", [UUID(str(assignee))])


@reactions.to("task.comment")
async def notify_of_mentions(actor: Actor, event: NewEvent) -> None:
    """Notify the people whom a comment mentions."""
    if event.data.get("has_names"):
        await _mentions(event, "task_comments", "message", comment_id=event.data["comment_id"])


@reactions.to("task.comment_edited")
async def notify_of_mentions_added(actor: Actor, event: NewEvent) -> None:
    """Notify the people whom an edited comment mentions, and who were not notified of it before."""
    if event.data.get("has_names"):
        known = await rows(
            "SELECT user_id FROM notifications WHERE comment_id = ? AND kind = 'mention'", event.data["comment_id"]
        )
        notified = {UUID(str(row["user_id"])) for row in known}
        await _mentions(event, "task_comments", "message", notified, comment_id=event.data["comment_id"])


@reactions.to("memory.created")
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
    others = [one for one in people if one != event.actor_id]
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
