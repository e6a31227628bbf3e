"""Group memory over HTTP: for people by the group, for people and agents by one of its boards.

Readers of one board of a group read the group's memory.
"""

from typing import Any

from quart import Response

from mission_control.authn.authentication import Who
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.core.paging import Page, page
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import group_of, visible_group
from mission_control.memory.commands import write_group_memory
from mission_control.memory.entry_api import Find, serve_entries
from mission_control.memory.models import GroupMemory
from mission_control.memory.queries import (
    BoardGroupMemoryCreate,
    BoardGroupMemoryRead,
    MemoryQuery,
    MemoryStreamQuery,
    list_entries,
    read_entry,
    stream_around,
    stream_of_group,
    visible_entry_around,
    visible_group_entry,
)
from mission_control.operations.api import Api
from mission_control.operations.hints import hints
from mission_control.operations.operation import operation

api = Api("group_memory_api", __name__, url_prefix="/api/v1")
TAGS = ("board-group-memory",)
BOARD_TAGS = ("board-group-memory", "agent-lead", "agent-worker")
OF_GROUP = "/board-groups/<group_id>/memory"
OF_BOARD = "/boards/<board_id>/group-memory"


async def _write(actor: Actor, group: BoardGroup, data: BoardGroupMemoryCreate) -> dict[str, Any]:
    entry = await write_group_memory(actor, group, data.content, data.tags, data.source)
    return await read_entry(GroupMemory, entry.id)


@operation(
    api,
    "GET",
    OF_GROUP,
    operation_id="list_board_group_memory_api_v1_board_groups__group_id__memory_get",
    tags=TAGS,
    who="user",
    find=visible_group,
    verb="board_group.read",
    query=MemoryQuery,
    returns=Page[BoardGroupMemoryRead],
)
async def list_board_group_memory(actor: Actor, group: BoardGroup, query: MemoryQuery) -> dict[str, Any]:
    """List what was written down for a group, newest first."""
    found, total = await list_entries(GroupMemory, group.id, query)
    return page(found, total, query)


@operation(
    api,
    "POST",
    OF_GROUP,
    operation_id="create_board_group_memory_api_v1_board_groups__group_id__memory_post",
    tags=TAGS,
    who="user",
    find=visible_group,
    verb="group_memory.write",
    body=BoardGroupMemoryCreate,
    returns=BoardGroupMemoryRead,
)
async def create_board_group_memory(actor: Actor, group: BoardGroup, data: BoardGroupMemoryCreate) -> dict[str, Any]:
    """Write something down for every board of a group.

    Chat reaches the leads and whom it mentions; the tag `broadcast` and `@all` reach every agent of the group.
    """
    return await _write(actor, group, data)


@operation(
    api,
    "GET",
    f"{OF_GROUP}/stream",
    operation_id="stream_board_group_memory_api_v1_board_groups__group_id__memory_stream_get",
    tags=TAGS,
    who="user",
    find=visible_group,
    verb="board_group.read",
    query=MemoryStreamQuery,
    returns=None,
    is_stream=True,
)
async def stream_board_group_memory(actor: Actor, group: BoardGroup, query: MemoryStreamQuery) -> Response:
    """Follow a group's memory.

    A changed entry comes again with its id; a deleted one with `deleted: true` and an empty text.
    """
    return await stream_of_group(actor, group, query.is_chat)


@operation(
    api,
    "GET",
    OF_BOARD,
    operation_id="list_board_group_memory_for_board_api_v1_boards__board_id__group_memory_get",
    tags=BOARD_TAGS,
    who="actor",
    find=visible_board,
    verb="board.read",
    query=MemoryQuery,
    returns=Page[BoardGroupMemoryRead],
    hints=hints(
        "agent_board_group_memory_discovery",
        "any_agent",
        use="To learn what the other boards of your group agreed on or need.",
        avoid="Not for what concerns only your board; read its own memory.",
        never="Do not take an entry's source for its author.",
        route="Before work that other boards depend on; a board without a group answers an empty list.",
        example="what do the other boards need from us",
    ),
)
async def list_board_group_memory_for_board(actor: Actor, board: Board, query: MemoryQuery) -> dict[str, Any]:
    """List what was written down for the board's group, newest first; nothing without a group."""
    group = await group_of(board)
    found, total = ([], 0) if group is None else await list_entries(GroupMemory, group.id, query)
    return page(found, total, query)


@operation(
    api,
    "POST",
    OF_BOARD,
    operation_id="create_board_group_memory_for_board_api_v1_boards__board_id__group_memory_post",
    tags=BOARD_TAGS,
    who="actor",
    find=visible_board,
    verb="memory.write",
    body=BoardGroupMemoryCreate,
    returns=BoardGroupMemoryRead,
    hints=hints(
        "agent_board_group_memory_record",
        "any_agent",
        use="To tell the other boards of your group what they need to know, or to ask their leads in chat.",
        avoid="Not for what concerns only your board.",
        effects="Chat reaches leads and mentioned agents of all boards; broadcast and @all reach every agent.",
        never="Do not broadcast what concerns a single board.",
        route="A board without a group answers 422; write to the board's own memory then.",
        example="tell the other boards that the interface changed",
    ),
)
async def create_board_group_memory_for_board(
    actor: Actor, board: Board, data: BoardGroupMemoryCreate
) -> dict[str, Any]:
    """Write something down for every board of the board's group."""
    group = await group_of(board)
    if group is None:
        raise Invalid("This board is in no group, so there is no group memory to write to.")
    return await _write(actor, group, data)


@operation(
    api,
    "GET",
    f"{OF_BOARD}/stream",
    operation_id="stream_board_group_memory_for_board_api_v1_boards__board_id__group_memory_stream_get",
    tags=BOARD_TAGS,
    who="actor",
    find=visible_board,
    verb="board.read",
    query=MemoryStreamQuery,
    returns=None,
    is_stream=True,
    hints=hints(
        "agent_board_group_memory_stream",
        "any_agent",
        use="To get new entries of your group immediately.",
        avoid="Not to read what was written before; list it.",
        never="Do not open it in a loop; resume with Last-Event-ID after a cut.",
        route="Only while you wait for other boards; it is silent without a group and ends when the group changes.",
        example="watch for news from the other boards",
    ),
)
async def stream_board_group_memory_for_board(actor: Actor, board: Board, query: MemoryStreamQuery) -> Response:
    """Follow the memory of the board's group; silent without a group."""
    return await stream_around(actor, board, query.is_chat)


def _serve(path: str, name: str, who: Who, find: Find) -> None:
    serve_entries(api, path, name, tags=TAGS, who=who, find=find, noun="group_memory", returns=BoardGroupMemoryRead)


_serve(OF_GROUP, "board_group_memory", "user", visible_group_entry)
_serve(OF_BOARD, "board_group_memory_for_board", "actor", visible_entry_around)
