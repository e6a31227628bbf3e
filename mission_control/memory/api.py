"""Board memory over HTTP, for people and for agents."""

from typing import Any

from quart import Response

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.paging import Page, page
from mission_control.core.schemas import OK, OkResponse
from mission_control.memory.commands import delete_memory, edit_memory, write_memory
from mission_control.memory.models import BoardMemory
from mission_control.memory.queries import (
    BoardMemoryCreate,
    MemoryQuery,
    MemoryStreamQuery,
    MemoryUpdate,
    list_entries,
    read_entry,
    stream_of_board,
)
from mission_control.operations.api import Api, hints
from mission_control.tasks.schemas import BoardMemoryRead

api = Api(__name__, "board-memory", who="actor")
MEMORY = "/boards/<board_id>/memory"
ENTRY = f"{MEMORY}/<memory_id>"


@api.get(
    MEMORY,
    Page[BoardMemoryRead],
    rule="board.read",
    agents=hints(
        "agent_board_memory_discovery",
        use="To read decisions and facts of the board before you plan, and its chat before you answer.",
        avoid="Not to read what was said about one task; list its comments.",
        never="Do not take an entry's source for its author.",
        route="At the start of a session, and with is_chat=true before you answer in the chat.",
        example="what was decided on this board",
    ),
)
async def list_board_memory(actor: Actor, board: Board, query: MemoryQuery) -> dict[str, Any]:
    """List the memory of a board, newest first: chat and notes."""
    found, total = await list_entries(BoardMemory, board.id, query)
    return page(found, total, query)


@api.post(
    MEMORY,
    BoardMemoryRead,
    rule="memory.write",
    agents=hints(
        "agent_board_memory_record",
        use="To keep a decision or a fact that outlives a task, or to talk in the board's chat with the tag chat.",
        avoid="Not to report progress on a task; comment there.",
        effects="A chat message reaches the lead and whom it mentions; other entries tell nobody.",
        never="Do not write down secrets or tokens.",
        route="Without the tag chat it is a note; with it everybody reads it as a message.",
        example="remember what we decided",
    ),
)
async def create_board_memory(actor: Actor, board: Board, data: BoardMemoryCreate) -> dict[str, Any]:
    """Write something down on a board.

    With the tag `chat` it is a message: the lead and the agents it mentions are notified, with `@all` every agent. The
    messages `/pause` and `/resume` go to every agent of the board.
    """
    entry = await write_memory(actor, board, data.content, data.tags, data.source)
    return await read_entry(BoardMemory, entry.id)


@api.get(f"{MEMORY}/stream", rule="board.read", is_stream=True)
async def stream_board_memory(actor: Actor, board: Board, query: MemoryStreamQuery) -> Response:
    """Follow a board's memory.

    A changed entry comes again with its id; a deleted one with `deleted: true` and an empty text.
    """
    return await stream_of_board(actor, board, query.is_chat)


@api.get(ENTRY, BoardMemoryRead)
async def get_board_memory(actor: Actor, entry: BoardMemory) -> dict[str, Any]:
    """Read an entry."""
    return await read_entry(BoardMemory, entry.id)


@api.patch(ENTRY, BoardMemoryRead, rule="memory.edit")
async def update_board_memory(actor: Actor, entry: BoardMemory, data: MemoryUpdate) -> dict[str, Any]:
    """Change an entry that you wrote; admins change any."""
    await edit_memory(actor, entry, data.model_dump(exclude_unset=True))
    return await read_entry(BoardMemory, entry.id)


@api.delete(ENTRY, rule="memory.delete")
async def delete_board_memory(actor: Actor, entry: BoardMemory) -> OkResponse:
    """Delete an entry that you wrote; admins delete any."""
    await delete_memory(actor, entry)
    return OK
