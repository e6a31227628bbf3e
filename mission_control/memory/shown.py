"""Entries of a memory as pages show them: who wrote them, what may be done with them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.boards.work_state import ORDERS
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.database.sql import as_json, as_moment, placeholders, rows
from mission_control.groups.models import BoardGroup
from mission_control.memory.models import BoardMemory, Entry, GroupMemory
from mission_control.memory.queries import matching
from mission_control.memory.schemas import MemoryQuery
from mission_control.tasks.chat import AUTHORS, COLUMNS, NEWEST_FIRST, NOT_BLANK

PAGE = 50
MOST_NEW = 200
SAME_MOMENT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry for a reader. `order` is what it tells every agent; `question` is what it answers."""

    id: UUID
    content: str
    tags: tuple[str, ...]
    is_chat: bool
    author: str
    author_kind: str
    author_id: str
    source: str
    created_at: datetime
    edited_at: datetime | None
    question: tuple[UUID, str] | None = None

    @property
    def order(self) -> str:
        """The order that the entry is, such as `/pause`; empty for everything else."""
        text = self.content.strip().lower()
        return text if self.is_chat and text in ORDERS else ""

    @property
    def labels(self) -> tuple[str, ...]:
        """Its tags without the one that makes it a chat message."""
        return tuple(one for one in self.tags if one != "chat")


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a board or a group as somebody reaches it."""

    kind: type[Entry]
    id: UUID
    organization_id: UUID
    url: str
    name: str
    may_write: bool
    is_admin: bool
    reader_id: str

    @property
    def table(self) -> str:
        """The table of its entries."""
        return self.kind._meta.db_table

    @property
    def column(self) -> str:
        """The column that names the board or group."""
        return self.kind.home_column()

    @property
    def family(self) -> str:
        """How the kinds of its events begin."""
        return "memory." if self.kind is BoardMemory else "group_memory."

    def may_change(self, entry: Shown) -> bool:
        """Return whether the reader may change and delete an entry."""
        return self.may_write and (self.is_admin or entry.author_id == self.reader_id)


def memory_of_board(actor: Actor, board: Board) -> Memory:
    """Return the memory of a board for somebody."""
    is_admin = actor.administers(board.organization_id)
    home = (board.id, board.organization_id, f"/boards/{board.id}", board.name)
    return Memory(BoardMemory, *home, can(actor, "memory.write", board), is_admin, str(actor.id))


def memory_of_group(actor: Actor, group: BoardGroup) -> Memory:
    """Return the memory of a group for somebody."""
    is_admin = actor.administers(group.organization_id)
    home = (group.id, group.organization_id, f"/groups/{group.id}", group.name)
    return Memory(GroupMemory, *home, can(actor, "group_memory.write", group), is_admin, str(actor.id))


def _select(memory: Memory) -> str:
    return f"SELECT {COLUMNS} FROM {memory.table} m{AUTHORS}"


async def chat_until(
    memory: Memory, seq: int, before: UUID | None = None, limit: int = PAGE
) -> tuple[list[Shown], bool]:
    """Return the newest messages up to a number of the log, or those before one, oldest first; and whether more are."""
    where, values = "", list[Any]()
    if before is not None:
        where = (
            f" AND (m.created_at, m.id) < (SELECT o.created_at, o.id FROM {memory.table} o"
            f" WHERE o.id = ? AND o.{memory.column} = m.{memory.column})"
        )
        values = [before]
    found = await rows(
        f"{_select(memory)} WHERE m.{memory.column} = ? AND m.is_chat AND {NOT_BLANK}{where} AND NOT EXISTS ("
        "SELECT 1 FROM events e WHERE e.organization_id = ? AND e.seq > ? AND e.subject_id = m.id AND e.kind = ?)"
        f"{NEWEST_FIRST} LIMIT ?",
        memory.id,
        *values,
        memory.organization_id,
        seq,
        f"{memory.family}created",
        limit + 1,
    )
    return [_shown(row) for row in reversed(found[:limit])], len(found) > limit


async def chat_since(memory: Memory, seq: int) -> list[Shown]:
    """Return the messages that were written after a number of the log, in its order, 200 at most."""
    found = await rows(
        f"SELECT {COLUMNS} FROM events e JOIN {memory.table} m ON m.id = e.subject_id{AUTHORS}"
        f" WHERE e.organization_id = ? AND e.seq > ? AND e.kind = ? AND m.{memory.column} = ? AND m.is_chat"
        f" AND {NOT_BLANK} ORDER BY e.seq DESC LIMIT {MOST_NEW}",
        memory.organization_id,
        seq,
        f"{memory.family}created",
        memory.id,
    )
    return [_shown(row) for row in reversed(found)]


async def some(memory: Memory, ids: list[UUID]) -> dict[UUID, Shown]:
    """Return entries by their ids."""
    if not ids:
        return {}
    sql = f"{_select(memory)} WHERE m.{memory.column} = ? AND m.id IN ({placeholders(len(ids))})"
    return {one.id: one for one in map(_shown, await rows(sql, memory.id, *ids))}


async def notes(memory: Memory, query: MemoryQuery) -> list[Shown]:
    """Return the notes that match, newest first, each with the question that it answers."""
    where, values = matching(query)
    found = await rows(
        f"{_select(memory)} WHERE m.{memory.column} = ? AND {NOT_BLANK}{where}{NEWEST_FIRST} LIMIT ? OFFSET ?",
        memory.id,
        *values,
        query.limit,
        query.offset,
    )
    return await _with_questions(memory, [_shown(row) for row in found])


async def tags_of(memory: Memory) -> list[str]:
    """Return the tags of the newest 500 notes, the most frequent first, 12 at most."""
    found = await rows(
        f"SELECT m.tags FROM {memory.table} m WHERE m.{memory.column} = ? AND NOT m.is_chat{NEWEST_FIRST} LIMIT 500",
        memory.id,
    )
    counts: dict[str, int] = {}
    for row in found:
        for tag in as_json(row["tags"]) or ():
            counts[str(tag)] = counts.get(str(tag), 0) + 1
    return sorted(counts, key=lambda tag: (-counts[tag], tag.lower()))[:12]


async def _with_questions(memory: Memory, entries: list[Shown]) -> list[Shown]:
    """Return notes with the questions that they answer: the same words by the same person at the same moment."""
    written = [one for one in entries if one.author_kind == "person"]
    if memory.kind is not BoardMemory or not written:
        return entries
    found = await rows(
        "SELECT q.id, q.content, q.answer, q.answered_by_user_id, q.answered_at FROM agent_questions q"
        " WHERE q.board_id = ? AND q.state = 'answered' AND q.answered_at >= ? AND q.answered_at <= ?",
        memory.id,
        min(one.created_at for one in written) - SAME_MOMENT,
        max(one.created_at for one in written) + SAME_MOMENT,
    )
    return [replace(one, question=_answered(one, found)) for one in entries]


def _answered(entry: Shown, questions: list[dict[str, Any]]) -> tuple[UUID, str] | None:
    for row in questions:
        is_same = (row["answer"], str(row["answered_by_user_id"])) == (entry.content, entry.author_id)
        moment = as_moment(row["answered_at"])
        if is_same and moment is not None and abs(moment - entry.created_at) < SAME_MOMENT:
            return row["id"], row["content"]
    return None


def _shown(row: dict[str, Any]) -> Shown:
    kind, author, author_id = "none", row["source"] or "Somebody", ""
    if row["author_agent_id"] is not None:
        kind, author, author_id = "agent", row["agent_name"] or author, str(row["author_agent_id"])
    elif row["author_user_id"] is not None:
        kind, author, author_id = "person", row["user_name"] or author, str(row["author_user_id"])
    created_at = as_moment(row["created_at"])
    assert created_at is not None
    return Shown(
        id=UUID(str(row["id"])),
        content=row["content"],
        tags=tuple(str(tag) for tag in as_json(row["tags"]) or ()),
        is_chat=bool(row["is_chat"]),
        author=author,
        author_kind=kind,
        author_id=author_id,
        source=row["source"] if row["source"] and row["source"] != author else "",
        created_at=created_at,
        edited_at=as_moment(row["edited_at"]),
    )
