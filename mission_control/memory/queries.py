"""Queries of memory: entries that an actor reaches, lists of them, one as it is sent."""

from typing import Any
from uuid import UUID

import orjson

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.database.sql import contains, is_postgres, rows
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import group_of, visible_group
from mission_control.memory.models import BoardMemory, Entry, GroupMemory
from mission_control.memory.schemas import MemoryQuery
from mission_control.tasks.chat import AUTHORS, COLUMNS, NEWEST_FIRST, NOT_BLANK, serialize_entry


async def visible_entry(actor: Actor, board_id: UUID, memory_id: UUID) -> BoardMemory:
    """Return a board's entry. Raises NotFound when the actor does not reach the board."""
    return await _entry_of(BoardMemory, await visible_board(actor, board_id), memory_id)


async def visible_group_entry(actor: Actor, group_id: UUID, memory_id: UUID) -> GroupMemory:
    """Return a group's entry. Raises NotFound when the person does not reach the group."""
    return await _entry_of(GroupMemory, await visible_group(actor, group_id), memory_id)


async def visible_entry_around(actor: Actor, board_id: UUID, memory_id: UUID) -> GroupMemory:
    """Return an entry of a board's group. Raises NotFound when the actor does not reach the board."""
    group = await group_of(await visible_board(actor, board_id))
    if group is None:
        raise NotFound()
    return await _entry_of(GroupMemory, group, memory_id)


async def _entry_of[E: Entry](kind: type[E], home: Board | BoardGroup, memory_id: UUID) -> E:
    entry = await kind.filter(id=memory_id, **{kind.home_column(): home.id}).first()
    if entry is None:
        raise NotFound()
    setattr(entry, kind.HOME, home)
    return entry


async def read_entry(kind: type[Entry], memory_id: UUID) -> dict[str, Any]:
    """Return one entry as it is sent. Raises NotFound when it was deleted."""
    home = kind.home_column()
    found = await rows(f"SELECT m.{home}, {COLUMNS} FROM {kind._meta.db_table} m{AUTHORS} WHERE m.id = ?", memory_id)
    if not found:
        raise NotFound()
    return serialize_entry(found[0], home)


async def list_entries(kind: type[Entry], home_id: UUID, query: MemoryQuery) -> tuple[list[dict[str, Any]], int]:
    """Return a page of the entries of a board or group, newest first, and how many there are."""
    home, table = kind.home_column(), kind._meta.db_table
    narrowed, more = matching(query)
    where, values = f"m.{home} = ? AND {NOT_BLANK}{narrowed}", [home_id, *more]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM {table} m WHERE {where}", *values)
    found = await rows(
        f"SELECT m.{home}, {COLUMNS} FROM {table} m{AUTHORS} WHERE {where}{NEWEST_FIRST} LIMIT ? OFFSET ?",
        *values,
        query.limit,
        query.offset,
    )
    return [serialize_entry(row, home) for row in found], int(total["n"])


def matching(query: MemoryQuery) -> tuple[str, list[Any]]:
    """Return which entries a query wants as SQL on `m`, with a leading AND, and its values."""
    where, values = "", list[Any]()
    if query.is_chat is not None:
        where += " AND m.is_chat" if query.is_chat else " AND NOT m.is_chat"
    if query.q and query.q.strip():
        where += f" AND {contains('m.content')}"
        values = [*values, query.q.strip().lower()]
    for tag in query.tag:
        condition, value = _has_tag(tag)
        where, values = f"{where} AND {condition}", [*values, value]
    return where, values


def _has_tag(tag: str) -> tuple[str, str]:
    if is_postgres():
        return "m.tags @> CAST(? AS JSONB)", orjson.dumps([tag]).decode()
    return "EXISTS (SELECT 1 FROM json_each(m.tags) j WHERE j.value = ?)", tag
