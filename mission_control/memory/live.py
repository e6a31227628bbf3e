"""Streams of memory."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from quart import Response

from mission_control.authn import freshness
from mission_control.boards.models import Board
from mission_control.boards.queries import present
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.json import to_json
from mission_control.core.policy import can
from mission_control.database.sql import as_moment
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import with_boards
from mission_control.live import broker
from mission_control.live.models import Event
from mission_control.live.shared import Shared
from mission_control.live.stream import json_stream
from mission_control.memory.models import BoardMemory, Entry, GroupMemory
from mission_control.memory.queries import read_entry


@dataclass(frozen=True, slots=True)
class _Entry:
    """What every stream sends of an entry."""

    is_chat: bool
    message: bytes


_entries: Shared[_Entry | None] = Shared()
_groups: Shared[BoardGroup | None] = Shared(1.0)


async def stream_of_board(actor: Actor, board: Board, is_chat: bool | None) -> Response:
    """Stream one `memory` message for each entry written, changed or deleted on a board."""

    async def payload(event: Event) -> bytes | None:
        if event.board_id != board.id or not event.kind.startswith("memory."):
            return None
        return await _message(event, BoardMemory, board.id, is_chat)

    async def alive() -> bool:
        return await _still_reads(actor, board) is not None

    return await json_stream(board.organization_id, "memory", payload, alive)


async def stream_of_group(actor: Actor, group: BoardGroup, is_chat: bool | None) -> Response:
    """Stream the memory of a group that a person reads."""

    async def alive() -> bool:
        current = await freshness.fresh(actor)
        found = await _groups.get((group.id, broker.known_head(group.organization_id)), lambda: _group(group.id))
        return current is not None and found is not None and can(current, "board_group.read", found)

    return await _stream_of(group.organization_id, group.id, is_chat, alive)


async def stream_around(actor: Actor, board: Board, is_chat: bool | None) -> Response:
    """Stream the memory of a board's group, nothing without one. It ends when the board changes its group."""

    async def alive() -> bool:
        current = await _still_reads(actor, board)
        return current is not None and current.board_group_id == board.board_group_id

    return await _stream_of(board.organization_id, board.board_group_id, is_chat, alive)


async def _stream_of(
    organization_id: UUID, group_id: UUID | None, is_chat: bool | None, alive: Callable[[], Awaitable[bool]]
) -> Response:
    async def payload(event: Event) -> bytes | None:
        if group_id is None or not event.kind.startswith("group_memory."):
            return None
        if orjson.loads(event.data)["board_group_id"] != str(group_id):
            return None
        return await _message(event, GroupMemory, group_id, is_chat)

    return await json_stream(organization_id, "memory", payload, alive)


async def _still_reads(actor: Actor, board: Board) -> Board | None:
    current = await freshness.fresh(actor)
    if current is None or not current.reads(board):
        return None
    return await present(board)


async def _group(group_id: UUID) -> BoardGroup | None:
    found = await BoardGroup.get_or_none(id=group_id)
    return None if found is None else await with_boards(found)


async def _message(event: Event, kind: type[Entry], home_id: UUID, is_chat: bool | None) -> bytes | None:
    key = (event.id, broker.known_head(event.organization_id))  # it may have been deleted since
    entry = await _entries.get(key, lambda: _entry(event, kind, home_id))
    return None if entry is None or is_chat not in (None, entry.is_chat) else entry.message


async def _entry(event: Event, kind: type[Entry], home_id: UUID) -> _Entry | None:
    data = orjson.loads(event.data)
    if event.kind.endswith(".deleted"):
        entry = _farewell(data, kind, home_id)
    else:
        try:
            entry = await read_entry(kind, UUID(data["memory_id"]))
        except NotFound:
            return None
    return _Entry(entry["is_chat"], to_json({"memory": entry}))


def _farewell(data: dict[str, Any], kind: type[Entry], home_id: UUID) -> dict[str, Any]:
    """Return a deleted entry in the usual shape, without its text."""
    return {
        "id": data["memory_id"],
        kind.home_column(): home_id,
        "content": "",
        "tags": None,
        "source": None,
        "is_chat": data["is_chat"],
        "created_at": as_moment(data["created_at"]),
        "author": None,
        "edited_at": None,
        "deleted": True,
    }
