"""Reading memory."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.database.sql import containing, contains, is_postgres, rows
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import group_of, visible_group
from mission_control.memory.models import BoardMemory, GroupMemory
from mission_control.memory.schemas import MemoryQuery
from mission_control.tasks.chat import AUTHORS, COLUMNS, NEWEST_FIRST, NOT_BLANK, serialize_entry


@dataclass(frozen=True, slots=True)
class Shelf:
    """One of the two places for entries: its table and the column that says to whom an entry belongs."""

    table: str
    home: str


BOARD_SHELF = Shelf("board_memory", "board_id")
GROUP_SHELF = Shelf("board_group_memory", "board_group_id")


async def visible_entry(actor: Actor, board_id: UUID, memory_id: UUID) -> BoardMemory:
    """An entry on a board that exists for this actor; NotFound otherwise."""
    board = await visible_board(actor, board_id)
    entry = await BoardMemory.get_or_none(id=memory_id, board_id=board.id)
    if entry is None:
        raise NotFound()
    entry.board = board
    return entry


async def visible_group_entry(actor: Actor, group_id: UUID, memory_id: UUID) -> GroupMemory:
    """An entry of a group that a person reads; NotFound otherwise."""
    return await _entry_of_group(await visible_group(actor, group_id), memory_id)


async def visible_entry_around(actor: Actor, board_id: UUID, memory_id: UUID) -> GroupMemory:
    """An entry of the group that a board is in; NotFound otherwise."""
    group = await group_of(await visible_board(actor, board_id))
    if group is None:
        raise NotFound()
    return await _entry_of_group(group, memory_id)


async def _entry_of_group(group: BoardGroup, memory_id: UUID) -> GroupMemory:
    entry = await GroupMemory.get_or_none(id=memory_id, board_group_id=group.id)
    if entry is None:
        raise NotFound()
    entry.board_group = group
    return entry


async def list_board_entries(board: Board, query: MemoryQuery) -> tuple[list[dict[str, Any]], int]:
    """A board's entries, newest first, and how many there are."""
    return await _list(BOARD_SHELF, board.id, query)


async def list_group_entries(group: BoardGroup, query: MemoryQuery) -> tuple[list[dict[str, Any]], int]:
    """A group's entries, newest first, and how many there are."""
    return await _list(GROUP_SHELF, group.id, query)


async def read_entry(shelf: Shelf, memory_id: UUID) -> dict[str, Any]:
    """One entry in its wire shape."""
    found = await rows(f"SELECT m.{shelf.home}, {COLUMNS} FROM {shelf.table} m{AUTHORS} WHERE m.id = ?", memory_id)
    if not found:
        raise NotFound()
    return serialize_entry(found[0], shelf.home)


async def _list(shelf: Shelf, home_id: UUID, query: MemoryQuery) -> tuple[list[dict[str, Any]], int]:
    where, values = f"m.{shelf.home} = ? AND {NOT_BLANK}", list[Any]([home_id])
    if query.is_chat is not None:
        where += " AND m.is_chat" if query.is_chat else " AND NOT m.is_chat"
    if query.q and query.q.strip():
        where += f" AND {contains('m.content')}"
        values = [*values, containing(query.q.strip())]
    for tag in query.tag:
        condition, value = _has_tag(tag)
        where, values = f"{where} AND {condition}", [*values, value]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM {shelf.table} m WHERE {where}", *values)
    found = await rows(
        f"SELECT m.{shelf.home}, {COLUMNS} FROM {shelf.table} m{AUTHORS} WHERE {where}{NEWEST_FIRST} LIMIT ? OFFSET ?",
        *values,
        query.limit,
        query.offset,
    )
    return [serialize_entry(row, shelf.home) for row in found], int(total["n"])


def _has_tag(tag: str) -> tuple[str, str]:
    if is_postgres():
        return "m.tags @> CAST(? AS JSONB)", orjson.dumps([tag]).decode()
    return "EXISTS (SELECT 1 FROM json_each(m.tags) j WHERE j.value = ?)", tag
