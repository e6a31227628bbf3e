"""Memory over HTTP: of a board and of a group, for people and for agents."""

from quart import Response

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.core.values import OK, JsonObject, OkResponse, Page
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import group_of
from mission_control.http.operation_api import Api, hints
from mission_control.memory.commands import delete_memory, edit_memory, write_memory
from mission_control.memory.models import BoardMemory, GroupMemory
from mission_control.memory.queries import (
    BoardGroupMemoryCreate,
    BoardGroupMemoryRead,
    BoardMemoryCreate,
    MemoryQuery,
    MemoryStreamQuery,
    MemoryUpdate,
    list_entries,
    read_entry,
    stream_around,
    stream_of_board,
    stream_of_group,
)
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
async def list_board_memory(actor: Actor, board: Board, query: MemoryQuery) -> JsonObject:
    """List the memory of a board, newest first: chat and notes."""
    return await list_entries(BoardMemory, board.id, query)


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
async def create_board_memory(actor: Actor, board: Board, data: BoardMemoryCreate) -> JsonObject:
    """Write something down on a board.

    With the tag `chat` it is a message: the lead and the agents it mentions are notified, with `@all` every agent. The
    messages `/pause` and `/resume` go to every agent of the board.
    """
    return await read_entry(await write_memory(actor, board, data.content, data.tags, data.source))


@api.get(f"{MEMORY}/stream", rule="board.read", is_stream=True)
async def stream_board_memory(actor: Actor, board: Board, query: MemoryStreamQuery) -> Response:
    """Follow a board's memory.

    A changed entry comes again with its id; a deleted one with `deleted: true` and an empty text.
    """
    return await stream_of_board(actor, board, query.is_chat)


@api.get(ENTRY, BoardMemoryRead)
async def get_board_memory(actor: Actor, entry: BoardMemory) -> JsonObject:
    """Read an entry."""
    return await read_entry(entry)


@api.patch(ENTRY, BoardMemoryRead, rule="memory.edit")
async def update_board_memory(actor: Actor, entry: BoardMemory, data: MemoryUpdate) -> JsonObject:
    """Change an entry that you wrote; admins change any."""
    return await read_entry(await edit_memory(actor, entry, data))


@api.delete(ENTRY, rule="memory.delete")
async def delete_board_memory(actor: Actor, entry: BoardMemory) -> OkResponse:
    """Delete an entry that you wrote; admins delete any."""
    await delete_memory(actor, entry)
    return OK


group_api = Api(__name__, "board-group-memory", who="actor")
OF_GROUP = "/board-groups/<group_id>/memory"
OF_BOARD = "/boards/<board_id>/group-memory"


@group_api.get(OF_GROUP, Page[BoardGroupMemoryRead], who="user", rule="board_group.read")
async def list_board_group_memory(actor: Actor, group: BoardGroup, query: MemoryQuery) -> JsonObject:
    """List what was written down for a group, newest first."""
    return await list_entries(GroupMemory, group.id, query)


@group_api.post(OF_GROUP, BoardGroupMemoryRead, who="user", rule="memory.write")
async def create_board_group_memory(actor: Actor, group: BoardGroup, data: BoardGroupMemoryCreate) -> JsonObject:
    """Write something down for every board of a group.

    Chat reaches the leads and whom it mentions; the tag `broadcast` and `@all` reach every agent of the group.
    """
    return await read_entry(await write_memory(actor, group, data.content, data.tags, data.source))


@group_api.get(f"{OF_GROUP}/stream", who="user", rule="board_group.read", is_stream=True)
async def stream_board_group_memory(actor: Actor, group: BoardGroup, query: MemoryStreamQuery) -> Response:
    """Follow a group's memory.

    A changed entry comes again with its id; a deleted one with `deleted: true` and an empty text.
    """
    return await stream_of_group(actor, group, query.is_chat)


@group_api.get(
    OF_BOARD,
    Page[BoardGroupMemoryRead],
    rule="board.read",
    hints=hints(
        "agent_board_group_memory_discovery",
        use="To learn what the other boards of your group agreed on or need.",
        avoid="Not for what concerns only your board; read its own memory.",
        never="Do not take an entry's source for its author.",
        route="Before work that other boards depend on; a board without a group answers an empty list.",
        example="what do the other boards need from us",
    ),
)
async def list_board_group_memory_for_board(actor: Actor, board: Board, query: MemoryQuery) -> JsonObject:
    """List what was written down for the board's group, newest first; nothing without a group."""
    return await list_entries(GroupMemory, board.board_group_id, query)


@group_api.post(
    OF_BOARD,
    BoardGroupMemoryRead,
    rule="memory.write",
    hints=hints(
        "agent_board_group_memory_record",
        use="To tell the other boards of your group what they need to know, or to ask their leads in chat.",
        avoid="Not for what concerns only your board.",
        effects="Chat reaches leads and mentioned agents of all boards; broadcast and @all reach every agent.",
        never="Do not broadcast what concerns a single board.",
        route="A board without a group answers 422; write to the board's own memory then.",
        example="tell the other boards that the interface changed",
    ),
)
async def create_board_group_memory_for_board(actor: Actor, board: Board, data: BoardGroupMemoryCreate) -> JsonObject:
    """Write something down for every board of the board's group."""
    group = await group_of(board)
    if group is None:
        raise Invalid("This board is in no group, so there is no group memory to write to.")
    return await create_board_group_memory(actor, group, data)


@group_api.get(
    f"{OF_BOARD}/stream",
    rule="board.read",
    is_stream=True,
    hints=hints(
        "agent_board_group_memory_stream",
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


@group_api.get(f"{OF_GROUP}/<memory_id>", BoardGroupMemoryRead)
async def get_board_group_memory(actor: Actor, entry: GroupMemory) -> JsonObject:
    """Read an entry."""
    return await read_entry(entry)


@group_api.patch(f"{OF_GROUP}/<memory_id>", BoardGroupMemoryRead, rule="memory.edit")
async def update_board_group_memory(actor: Actor, entry: GroupMemory, data: MemoryUpdate) -> JsonObject:
    """Change an entry that you wrote; admins change any."""
    return await read_entry(await edit_memory(actor, entry, data))


@group_api.delete(f"{OF_GROUP}/<memory_id>", rule="memory.delete")
async def delete_board_group_memory(actor: Actor, entry: GroupMemory) -> OkResponse:
    """Delete an entry that you wrote; admins delete any."""
    await delete_memory(actor, entry)
    return OK
