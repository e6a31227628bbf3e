"""Read entries of memory: who may, shapes, lists and streams."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import orjson
from pydantic import Field
from quart import Response

from mission_control.boards.models import Board
from mission_control.boards.queries import present, visible_board
from mission_control.core.actor import Actor, can, rule
from mission_control.core.errors import NotFound, existing
from mission_control.core.values import (
    ActorRef,
    Body,
    JsonObject,
    NonEmptyStr,
    NotNull,
    Paging,
    Schema,
    example,
    page,
    to_json,
)
from mission_control.database.search_index import is_among
from mission_control.database.sql import Row, as_moment, contains, is_postgres, rows
from mission_control.events import broker
from mission_control.events.models import Event
from mission_control.events.shared_reads import Shared
from mission_control.events.stream import json_stream
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import holds_board_of, reachable_group, reaches_group, visible_group, with_boards
from mission_control.http import lookups
from mission_control.http.registry import lookup
from mission_control.memory.models import BoardMemory, Entry, GroupMemory
from mission_control.tasks.snapshots.board_chat import AUTHORS, COLUMNS, NEWEST_FIRST, NOT_BLANK, serialize_entry


class BoardMemoryCreate(Schema):
    """Something to write down; with the tag `chat` it is a message of the chat."""

    model_config = example(content="Releases are made on Tuesdays.", tags=["release"])

    content: NonEmptyStr
    tags: list[str] | None = None
    source: str | None = None


class BoardGroupMemoryCreate(BoardMemoryCreate):
    """The same for every board of a group; the tag `broadcast` notifies all of its agents."""


class MemoryUpdate(Body):
    """What to change on an entry; absent leaves. Nobody is notified again."""

    content: Annotated[NonEmptyStr | None, NotNull] = None
    tags: list[str] | None = None


class BoardGroupMemoryRead(Schema):
    """An entry of a group's memory; who wrote it is `author`, `source` is for display only."""

    id: UUID
    board_group_id: UUID
    content: str
    tags: list[str] | None
    source: str | None
    is_chat: bool
    created_at: datetime
    author: ActorRef | None
    edited_at: datetime | None


class MemoryQuery(Paging):
    """Which entries to list: chat or notes, those that contain a text, those with all of the tags."""

    is_chat: bool | None = None
    q: str | None = Field(None, max_length=500, description="A text in the entry's first 20,000 characters")
    tag: list[str] = Field(default_factory=list, max_length=20)


class MemoryStreamQuery(Schema):
    """Which entries to follow, and from where."""

    since: str | None = None
    after: str | None = None
    is_chat: bool | None = None


@lookup
async def visible_entry(actor: Actor, board_id: UUID, memory_id: UUID) -> BoardMemory:
    return await _entry_of(BoardMemory, await visible_board(actor, board_id), memory_id)


@lookup
async def visible_group_entry(actor: Actor, group_id: UUID, memory_id: UUID) -> GroupMemory:
    find = visible_group if actor.is_user else reachable_group
    return await _entry_of(GroupMemory, await find(actor, group_id), memory_id)


async def _entry_of[E: Entry](kind: type[E], home: Board | BoardGroup, memory_id: UUID) -> E:
    entry = await existing(kind.filter(id=memory_id, **{kind.home_column(): home.id}).first())
    setattr(entry, kind.HOME, home)
    return entry


async def read_entry(entry: Entry) -> Row:
    home, table = entry.home_column(), entry._meta.db_table
    entries = await rows(f"SELECT m.{home}, {COLUMNS} FROM {table} m{AUTHORS} WHERE m.id = ?", entry.id)
    if not entries:
        raise NotFound()
    return serialize_entry(entries[0], home)


async def list_entries(kind: type[Entry], home_id: UUID | None, query: MemoryQuery) -> JsonObject:
    if home_id is None:
        return page([], 0, query)
    home, table = kind.home_column(), kind._meta.db_table
    narrowed, more = await matching(kind, query)
    where, values = f"m.{home} = ? AND {NOT_BLANK}{narrowed}", [home_id, *more]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM {table} m WHERE {where}", *values)
    entries = await rows(
        f"SELECT m.{home}, {COLUMNS} FROM {table} m{AUTHORS} WHERE {where}{NEWEST_FIRST} LIMIT ? OFFSET ?",
        *values,
        query.limit,
        query.offset,
    )
    return page([serialize_entry(row, home) for row in entries], int(total["n"]), query)


async def matching(kind: type[Entry], query: MemoryQuery) -> tuple[str, list[object]]:
    """Return which entries a query wants as SQL on `m`, with a leading AND, and its values."""
    where, values = "", list[object]()
    if query.is_chat is not None:
        where += " AND m.is_chat" if query.is_chat else " AND NOT m.is_chat"
    if query.q and query.q.strip():
        text, kept_as = query.q.strip(), "memory" if kind is BoardMemory else "group_memory"
        matches, more = await is_among("m.id", kept_as, text) or ("FALSE", [])
        where += f" AND ({contains('m.content')} OR {matches})"
        values = [*values, text.lower(), *more]
    for tag in query.tag:
        if is_postgres():
            where, values = f"{where} AND m.tags @> CAST(? AS JSONB)", [*values, orjson.dumps([tag]).decode()]
        else:
            where += " AND EXISTS (SELECT 1 FROM json_each(m.tags) j WHERE j.value = ?)"
            values = [*values, tag]
    return where, values


@rule("memory.write")
def may_write(actor: Actor, home: Board | BoardGroup) -> bool:
    """People with write access, and the agents of the board or of the group's boards."""
    if isinstance(home, Board):
        return actor.writes(home)
    return reaches_group(actor, home, write=True) or holds_board_of(actor, home)


@rule("memory.edit", "memory.delete")
def may_edit(actor: Actor, entry: Entry) -> bool:
    """Its author, and admins, who can write on the board or in the group."""
    author_id = entry.author_agent_id if actor.is_agent else entry.author_user_id
    is_author = author_id is not None and author_id == actor.id
    return may_write(actor, entry.home) and (is_author or actor.administers(entry.home.organization_id))


@dataclass(frozen=True, slots=True)
class _Entry:
    is_chat: bool
    message: bytes


_entries: Shared[_Entry | None] = Shared()
_groups: Shared[BoardGroup | None] = Shared(1.0)


async def stream_of_board(actor: Actor, board: Board, is_chat: bool | None) -> Response:
    """Stream one `memory` message for each entry written, changed or deleted on a board."""

    async def alive() -> bool:
        return await _still_reads(actor, board) is not None

    return await _stream_of(BoardMemory, board.organization_id, board.id, is_chat, alive)


async def stream_of_group(actor: Actor, group: BoardGroup, is_chat: bool | None) -> Response:
    """Stream the memory of a group that a person reads."""

    async def current_group() -> BoardGroup | None:
        current = await BoardGroup.get_or_none(id=group.id)
        return None if current is None else await with_boards(current)

    async def alive() -> bool:
        reader = await lookups.fresh(actor)
        current = await _groups.get((group.id, broker.known_head(group.organization_id)), current_group)
        return reader is not None and current is not None and can(reader, "board_group.read", current)

    return await _stream_of(GroupMemory, group.organization_id, group.id, is_chat, alive)


async def stream_around(actor: Actor, board: Board, is_chat: bool | None) -> Response:
    """Stream the memory of a board's group, nothing without one. It ends when the board changes its group."""

    async def alive() -> bool:
        current = await _still_reads(actor, board)
        return current is not None and current.board_group_id == board.board_group_id

    return await _stream_of(GroupMemory, board.organization_id, board.board_group_id, is_chat, alive)


async def _stream_of(
    kind: type[Entry],
    organization_id: UUID,
    home_id: UUID | None,
    is_chat: bool | None,
    alive: Callable[[], Awaitable[bool]],
) -> Response:
    async def payload(event: Event) -> bytes | None:
        if home_id is None or not event.kind.startswith(kind.EVENTS):
            return None
        event_home = event.board_id if kind is BoardMemory else orjson.loads(event.data)["board_group_id"]
        if str(event_home) != str(home_id):
            return None
        key = (event.id, broker.known_head(event.organization_id))  # it may have been deleted since
        entry = await _entries.get(key, lambda: _entry(event, kind, home_id))
        return None if entry is None or is_chat not in (None, entry.is_chat) else entry.message

    return await json_stream(organization_id, "memory", payload, alive)


async def _still_reads(actor: Actor, board: Board) -> Board | None:
    current = await lookups.fresh(actor)
    return await present(board) if current is not None and current.reads(board) else None


async def _entry(event: Event, kind: type[Entry], home_id: UUID) -> _Entry | None:
    data = orjson.loads(event.data)
    if event.kind.endswith(".deleted"):  # in the usual shape, without its text
        columns = {kind.home_column(): home_id, "created_at": as_moment(data["created_at"])}
        nothing = {"content": "", **dict.fromkeys(("tags", "source", "author", "edited_at"))}
        entry = {"id": data["memory_id"], **columns, **nothing, "is_chat": data["is_chat"], "deleted": True}
    else:
        try:
            entry = await read_entry(kind(id=UUID(data["memory_id"])))
        except NotFound:
            return None
    return _Entry(entry["is_chat"], to_json({"memory": entry}))
