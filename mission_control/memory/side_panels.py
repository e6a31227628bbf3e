"""Chat and memory as they stand beside a board and beside a group."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from markupsafe import Markup

from mission_control.boards.commands import ORDERS
from mission_control.boards.models import Board
from mission_control.boards.queries import people_of
from mission_control.core.actor import Actor, can
from mission_control.core.values import parse_id, whole_number
from mission_control.database.sql import Row, as_json, as_moment, placeholders, rows
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.events.stream import Batch
from mission_control.groups.models import BoardGroup
from mission_control.groups.page import GroupView
from mission_control.memory.models import BoardMemory, Entry, GroupMemory
from mission_control.memory.queries import MemoryQuery, matching
from mission_control.people.accounts.names import person_name
from mission_control.tasks.board.view import BoardView
from mission_control.tasks.snapshots.board_chat import AUTHORS, COLUMNS, NEWEST_FIRST, NOT_BLANK
from mission_control.web.fragments import partial, read_ahead, render_macro
from mission_control.web.regions import Concerns, Region
from mission_control.web.side_panels import Aside, Opened

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
        return tuple(tag for tag in self.tags if tag != "chat")


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
        return self.kind._meta.db_table

    @property
    def column(self) -> str:
        return self.kind.home_column()

    def may_change(self, entry: Shown) -> bool:
        return self.may_write and (self.is_admin or entry.author_id == self.reader_id)

    async def entries(self, where: str, *values: object) -> list[Shown]:
        sql = f"SELECT {COLUMNS} FROM {self.table} m{AUTHORS} WHERE m.{self.column} = ? AND {where}"
        return [_shown(row) for row in await rows(sql, self.id, *values)]


def memory_of(actor: Actor, home: Board | BoardGroup) -> Memory:
    kind, path = (BoardMemory, "boards") if isinstance(home, Board) else (GroupMemory, "groups")
    return Memory(
        kind, home.id, home.organization_id, f"/{path}/{home.id}", home.name, can(actor, "memory.write", home),
        actor.administers(home.organization_id), str(actor.id),
    )  # fmt: skip


async def chat_until(
    memory: Memory, seq: int, before: UUID | None = None, limit: int = PAGE
) -> tuple[list[Shown], bool]:
    """Return the newest messages up to a number of the log, or those before one, oldest first; and whether more are."""
    where, values = "", list[object]()
    if before is not None:
        where = (
            f" AND (m.created_at, m.id) < (SELECT o.created_at, o.id FROM {memory.table} o"
            f" WHERE o.id = ? AND o.{memory.column} = m.{memory.column})"
        )
        values = [before]
    messages = await memory.entries(
        f"m.is_chat AND {NOT_BLANK}{where} AND NOT EXISTS (SELECT 1 FROM events e WHERE e.organization_id = ?"
        f" AND e.seq > ? AND e.subject_id = m.id AND e.kind = ?){NEWEST_FIRST} LIMIT ?",
        *values,
        memory.organization_id,
        seq,
        f"{memory.kind.EVENTS}created",
        limit + 1,
    )
    return messages[:limit][::-1], len(messages) > limit


async def chat_since(memory: Memory, seq: int) -> list[Shown]:
    """Return the messages that were written after a number of the log, in its order, 200 at most."""
    messages = await rows(
        f"SELECT {COLUMNS} FROM events e JOIN {memory.table} m ON m.id = e.subject_id{AUTHORS}"
        f" WHERE e.organization_id = ? AND e.seq > ? AND e.kind = ? AND m.{memory.column} = ? AND m.is_chat"
        f" AND {NOT_BLANK} ORDER BY e.seq DESC LIMIT {MOST_NEW}",
        memory.organization_id,
        seq,
        f"{memory.kind.EVENTS}created",
        memory.id,
    )
    return [_shown(row) for row in reversed(messages)]


async def some(memory: Memory, ids: list[UUID]) -> dict[UUID, Shown]:
    entries = await memory.entries(f"m.id IN ({placeholders(len(ids))})", *ids) if ids else []
    return {entry.id: entry for entry in entries}


async def notes(memory: Memory, query: MemoryQuery) -> list[Shown]:
    where, values = await matching(memory.kind, query)
    limits = f"{NEWEST_FIRST} LIMIT ? OFFSET ?"
    entries = await memory.entries(f"{NOT_BLANK}{where}{limits}", *values, query.limit, query.offset)
    return await _with_questions(memory, entries)


async def tags_of(memory: Memory) -> list[str]:
    tags = await rows(
        f"SELECT m.tags FROM {memory.table} m WHERE m.{memory.column} = ? AND NOT m.is_chat{NEWEST_FIRST} LIMIT 500",
        memory.id,
    )
    counts = Counter(str(tag) for row in tags for tag in as_json(row["tags"]) or ())
    return sorted(counts, key=lambda tag: (-counts[tag], tag.lower()))[:12]


async def _with_questions(memory: Memory, entries: list[Shown]) -> list[Shown]:
    written = [entry for entry in entries if entry.author_kind == "person"]
    if memory.kind is not BoardMemory or not written:
        return entries
    questions = await rows(
        "SELECT q.id, q.content, q.answer, q.answered_by_user_id, q.answered_at FROM agent_questions q"
        " WHERE q.board_id = ? AND q.state = 'answered' AND q.answered_at >= ? AND q.answered_at <= ?",
        memory.id,
        min(entry.created_at for entry in written) - SAME_MOMENT,
        max(entry.created_at for entry in written) + SAME_MOMENT,
    )
    return [replace(entry, question=_answered(entry, questions)) for entry in entries]


def _answered(entry: Shown, questions: list[Row]) -> tuple[UUID, str] | None:
    for row in questions:
        is_same = (row["answer"], str(row["answered_by_user_id"])) == (entry.content, entry.author_id)
        moment = as_moment(row["answered_at"])
        if is_same and moment is not None and abs(moment - entry.created_at) < SAME_MOMENT:
            return row["id"], row["content"]
    return None


def _author_of(row: Row) -> tuple[str, str, str]:
    """Return the kind, the name and the id of who wrote an entry."""
    name = row["source"] or "Somebody"
    if row["author_agent_id"] is not None:
        return "agent", row["agent_name"] or name, str(row["author_agent_id"])
    if row["author_user_id"] is not None:
        return "person", row["user_name"] or name, str(row["author_user_id"])
    return "none", name, ""


def _shown(row: Row) -> Shown:
    kind, author, author_id = _author_of(row)
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


CHAT, MEMORY = "memory/chat.html", "memory/notes.html"
type AnyView = BoardView | GroupView


def memory_in(view: AnyView) -> Memory:
    return memory_of(view.actor, view.board if isinstance(view, BoardView) else view.group)


async def addressees(view: AnyView) -> list[Row]:
    boards = [view.board] if isinstance(view, BoardView) else view.group.boards
    if not boards:
        return []
    agents = await rows(
        f"SELECT g.name, g.is_board_lead FROM agents g WHERE g.board_id IN ({placeholders(len(boards))})"
        " ORDER BY LOWER(g.name), g.id",
        *[board.id for board in boards],
    )
    if isinstance(view, BoardView):
        people = await people_of(view.board)
    else:
        people = await rows(
            f"SELECT {person_name('u', 'User')} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
            " WHERE m.organization_id = ? ORDER BY LOWER(u.name), u.id LIMIT 200",
            view.group.organization_id,
        )
    return _labelled(agents, people, "Lead of the board" if len(boards) == 1 else "Leads of the boards")


def _labelled(agents: list[Row], people: list[Row], leads_label: str) -> list[Row]:
    leads = [{"name": "lead", "label": leads_label}]
    every = [{"name": "all", "label": "Every agent"}]
    return [
        *(leads if any(agent["is_board_lead"] for agent in agents) else []),
        *(every if agents else []),
        *({"name": agent["name"], "label": "Lead agent" if agent["is_board_lead"] else "Agent"} for agent in agents),
        *({"name": person["name"], "label": "Person"} for person in people),
    ]


async def open_chat(view: AnyView, seq: int) -> Opened:
    """Return the chat: its newest messages, or those before one, and where to write."""
    memory, before = memory_in(view), parse_id(view.option("before"))
    since = whole_number(view.option("since")) or seq
    messages, has_older = await chat_until(memory, since, before)
    known = await addressees(view)
    names = await _read_ahead(messages, known)
    html = render_macro(
        CHAT, "chat", memory=memory, entries=messages, has_older=has_older, since=since, known=known, names=names,
        new=Markup("" if before else await new_messages(memory, since, known)), is_past=before is not None,
        is_group=isinstance(view, GroupView),
    )  # fmt: skip
    return Opened(html, {"since": str(since), "before": ""})


async def _read_ahead(entries: list[Shown], people: list[Row]) -> tuple[str, ...]:
    """Read the texts of messages, and return the names that they can mention."""
    names = tuple(row["name"] for row in people)
    await read_ahead(*(entry.content for entry in entries), names=names)
    return names


async def new_messages(memory: Memory, since: int, known: list[Row]) -> str:
    messages = await chat_since(memory, since)
    names = await _read_ahead(messages, known)
    return render_macro(CHAT, "messages", memory=memory, entries=messages, names=names)


async def _chat(view: AnyView) -> str:
    return await new_messages(memory_in(view), whole_number(view.option("since")) or 0, await _known(view))


async def _known(view: AnyView) -> list[Row]:
    return await view.reads.get(("addressees", memory_in(view).id), lambda: addressees(view))


async def _chat_changes(view: AnyView, batch: Batch) -> str | None:
    has_new = any(event.kind.endswith(".created") for event in batch.events)
    html = partial("#chat-new", await _chat(view)) if has_new else ""
    memory = memory_in(view)
    ids = [event.subject_id for event in batch.events if event.subject_id and not event.kind.endswith(".created")]
    present, names = await some(memory, ids), await _read_ahead([], await _known(view))
    for entry_id in dict.fromkeys(ids):
        if (entry := present.get(entry_id)) is not None and entry.is_chat:
            message = render_macro(CHAT, "message", memory=memory, entry=entry, names=names)
            html += partial(f"#message-{entry_id}", message, "outerMorph")
        else:
            html += partial(f"#message-{entry_id}", "", "outerHTML")
    return html


async def older_messages(view: AnyView, before: UUID, since: int) -> str:
    memory = memory_in(view)
    messages, has_older = await chat_until(memory, since, before)
    names = await _read_ahead(messages, await addressees(view))
    return render_macro(CHAT, "older", memory=memory, entries=messages, has_older=has_older, since=since, names=names)


async def open_memory(view: AnyView, seq: int) -> Opened:
    memory = memory_in(view)
    html = render_macro(
        MEMORY, "memory", memory=memory, notes=Markup(await _notes(view)), tags=await tags_of(memory),
        text=view.option("q"), tag=view.option("tag"), is_group=isinstance(view, GroupView),
    )  # fmt: skip
    return Opened(html)


async def _notes(view: AnyView) -> str:
    memory, limit = memory_in(view), min(whole_number(view.option("shown")) or PAGE, 1000)
    tag = [view.option("tag")] if view.option("tag") else []
    query = MemoryQuery.model_construct(is_chat=False, q=view.option("q"), tag=tag, limit=limit + 1, offset=0)
    entries = await notes(memory, query)
    await read_ahead(*(entry.content for entry in entries[:limit]))
    is_narrowed = bool(view.option("q") or tag)
    more = limit + PAGE if len(entries) > limit else 0
    return render_macro(
        MEMORY, "entries", memory=memory, entries=entries[:limit], is_narrowed=is_narrowed, more=more,
        text=view.option("q"), tag=view.option("tag"),
    )  # fmt: skip


def _regions(place: str, kinds: str, is_about: Callable[[Any, Event], bool]) -> tuple[Region[Any], ...]:
    def about(view: object, news: News) -> bool:
        return isinstance(news, Event) and is_about(view, news)

    render: Callable[[Any], Awaitable[str | None]] = _chat
    return (
        Region(f"{place}-chat", "#chat-new", Concerns((kinds,), (), about), render, changes=_chat_changes),
        Region(f"{place}-memory", "#memory-entries", Concerns((kinds,), (), about), _notes),
    )


ASIDES = (
    Aside("board", "chat", "Chat", "message-square", "b c", open_chat),
    Aside("board", "memory", "Memory", "book-open", "b m", open_memory),
    Aside("group", "chat", "Group chat", "message-square", "b c", open_chat),
    Aside("group", "memory", "Group notes", "book-open", "b m", open_memory),
)
REGIONS = (
    *_regions("board", "memory.", lambda view, event: event.board_id == view.board.id),
    *_regions(
        "group",
        "group_memory.",
        lambda view, event: orjson.loads(event.data).get("board_group_id") == str(view.group.id),
    ),
)
