"""Board memory over HTTP, for people and for agents."""

from typing import Any

from quart import Response

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.paging import Page, page
from mission_control.memory.commands import write_memory
from mission_control.memory.entry_api import serve_entries
from mission_control.memory.models import BoardMemory
from mission_control.memory.queries import (
    BoardMemoryCreate,
    MemoryQuery,
    MemoryStreamQuery,
    list_entries,
    read_entry,
    stream_of_board,
    visible_entry,
)
from mission_control.operations.api import Api
from mission_control.operations.hints import BOARD_ROLES, hints
from mission_control.operations.operation import operation
from mission_control.tasks.schemas import BoardMemoryRead

api = Api("memory_api", __name__, url_prefix="/api/v1")
TAGS = ("board-memory",)
MEMORY = "/boards/<board_id>/memory"


async def list_board_memory(actor: Actor, board: Board, query: MemoryQuery) -> dict[str, Any]:
    """List the memory of a board, newest first: chat and notes."""
    found, total = await list_entries(BoardMemory, board.id, query)
    return page(found, total, query)


async def create_board_memory(actor: Actor, board: Board, data: BoardMemoryCreate) -> dict[str, Any]:
    """Write something down on a board.

    With the tag `chat` it is a message: the lead and the agents it mentions are notified, with `@all` every agent. The
    messages `/pause` and `/resume` go to every agent of the board.
    """
    entry = await write_memory(actor, board, data.content, data.tags, data.source)
    return await read_entry(BoardMemory, entry.id)


operation(
    api,
    "GET",
    MEMORY,
    operation_id="list_board_memory_api_v1_boards__board_id__memory_get",
    tags=TAGS,
    who="actor",
    find=visible_board,
    verb="board.read",
    query=MemoryQuery,
    returns=Page[BoardMemoryRead],
)(list_board_memory)

operation(
    api,
    "POST",
    MEMORY,
    operation_id="create_board_memory_api_v1_boards__board_id__memory_post",
    tags=TAGS,
    who="actor",
    find=visible_board,
    verb="memory.write",
    body=BoardMemoryCreate,
    returns=BoardMemoryRead,
)(create_board_memory)

operation(
    api,
    "GET",
    f"/agent{MEMORY}",
    operation_id="list_board_memory_api_v1_agent_boards__board_id__memory_get",
    tags=BOARD_ROLES,
    who="agent",
    find=visible_board,
    verb="board.read",
    query=MemoryQuery,
    returns=Page[BoardMemoryRead],
    hints=hints(
        "agent_board_memory_discovery",
        "any_agent",
        use="To read decisions and facts of the board before you plan, and its chat before you answer.",
        avoid="Not to read what was said about one task; list its comments.",
        never="Do not take an entry's source for its author.",
        route="At the start of a session, and with is_chat=true before you answer in the chat.",
        example="what was decided on this board",
    ),
)(list_board_memory)

operation(
    api,
    "POST",
    f"/agent{MEMORY}",
    operation_id="create_board_memory_api_v1_agent_boards__board_id__memory_post",
    tags=BOARD_ROLES,
    who="agent",
    find=visible_board,
    verb="memory.write",
    body=BoardMemoryCreate,
    returns=BoardMemoryRead,
    hints=hints(
        "agent_board_memory_record",
        "any_agent",
        use="To keep a decision or a fact that outlives a task, or to talk in the board's chat with the tag chat.",
        avoid="Not to report progress on a task; comment there.",
        effects="A chat message reaches the lead and whom it mentions; other entries tell nobody.",
        never="Do not write down secrets or tokens.",
        route="Without the tag chat it is a note; with it everybody reads it as a message.",
        example="remember what we decided",
    ),
)(create_board_memory)


@operation(
    api,
    "GET",
    f"{MEMORY}/stream",
    operation_id="stream_board_memory_api_v1_boards__board_id__memory_stream_get",
    tags=TAGS,
    who="actor",
    find=visible_board,
    verb="board.read",
    query=MemoryStreamQuery,
    returns=None,
    is_stream=True,
)
async def stream_board_memory(actor: Actor, board: Board, query: MemoryStreamQuery) -> Response:
    """Follow a board's memory.

    A changed entry comes again with its id; a deleted one with `deleted: true` and an empty text.
    """
    return await stream_of_board(actor, board, query.is_chat)


serve_entries(
    api,
    MEMORY,
    "board_memory",
    tags=TAGS,
    who="actor",
    find=visible_entry,
    noun="memory",
    returns=BoardMemoryRead,
)
