"""Boards over HTTP."""

from typing import Any

from mission_control.boards import commands
from mission_control.boards.models import Board
from mission_control.boards.queries import deletable_board, deleted_boards, visible_board
from mission_control.boards.queries import list_boards as boards_page
from mission_control.boards.schemas import (
    BoardCreate,
    BoardDeletion,
    BoardQuery,
    BoardRead,
    BoardUpdate,
    DeletedBoardRead,
)
from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import OK, OkResponse
from mission_control.jobs.schemas import JobRead
from mission_control.operations.api import Api
from mission_control.operations.operation import operation

api = Api("boards_api", __name__, url_prefix="/api/v1")


@operation(
    api,
    "GET",
    "/boards",
    operation_id="list_boards_api_v1_boards_get",
    tags=("boards",),
    who="user",
    query=BoardQuery,
    returns=Page[BoardRead],
)
async def list_boards(actor: Actor, query: BoardQuery) -> dict[str, Any]:
    """List the boards of the active organization by name."""
    boards, total = await boards_page(actor, query)
    return page([BoardRead.of(board) for board in boards], total, query)


@operation(
    api,
    "POST",
    "/boards",
    operation_id="create_board_api_v1_boards_post",
    tags=("boards",),
    who="user",
    verb="board.create",
    body=BoardCreate,
    returns=BoardRead,
)
async def create_board(actor: Actor, data: BoardCreate) -> BoardRead:
    """Make a board in the active organization."""
    return BoardRead.of(await commands.create_board(actor, actor.organization_id, data.model_dump()))


@operation(
    api,
    "GET",
    "/boards/<board_id>",
    operation_id="get_board_api_v1_boards__board_id__get",
    tags=("boards",),
    who="user",
    find=visible_board,
    verb="board.read",
    returns=BoardRead,
)
async def get_board(actor: Actor, board: Board) -> BoardRead:
    """Read a board."""
    return BoardRead.of(board)


@operation(
    api,
    "PATCH",
    "/boards/<board_id>",
    operation_id="update_board_api_v1_boards__board_id__patch",
    tags=("boards",),
    who="user",
    find=visible_board,
    verb="board.update",
    body=BoardUpdate,
    returns=BoardRead,
)
async def update_board(actor: Actor, board: Board, data: BoardUpdate) -> BoardRead:
    """Change a board; only the fields that are sent."""
    return BoardRead.of(await commands.update_board(actor, board, data.model_dump(exclude_unset=True)))


@operation(
    api,
    "DELETE",
    "/boards/<board_id>",
    operation_id="delete_board_api_v1_boards__board_id__delete",
    tags=("boards",),
    who="user",
    find=deletable_board,
    verb="board.delete",
    query=BoardDeletion,
    returns=OkResponse,
)
async def delete_board(actor: Actor, board: Board, query: BoardDeletion) -> dict[str, bool]:
    """Put a board into the trash, or delete it for good.

    It is gone at once with everything on it, and its agents' tokens stop working; a restoration brings all of it back.
    """
    if query.permanent:
        await commands.erase_board(actor, board)
    else:
        await commands.delete_board(actor, board)
    return OK


@operation(
    api,
    "GET",
    "/boards/trash",
    operation_id="list_deleted_boards",
    tags=("boards",),
    who="user",
    verb="organization.administer",
    query=Paging,
    returns=Page[DeletedBoardRead],
)
async def list_deleted_boards(actor: Actor, query: Paging) -> dict[str, Any]:
    """List the active organization's deleted boards that can be restored, newest first."""
    boards, total = await deleted_boards(actor, query)
    return page([DeletedBoardRead.of(board) for board in boards], total, query)


@operation(
    api,
    "POST",
    "/boards/<board_id>/restorations",
    operation_id="restore_board",
    tags=("boards",),
    who="user",
    find=deletable_board,
    verb="board.restore",
    returns=BoardRead,
)
async def restore_board(actor: Actor, board: Board) -> BoardRead:
    """Take a board out of the trash, with everything that was on it."""
    return BoardRead.of(await commands.restore_board(actor, board))


@operation(
    api,
    "POST",
    "/boards/<board_id>/erasures",
    operation_id="start_board_erasure",
    tags=("boards",),
    who="user",
    find=deletable_board,
    verb="board.erase",
    returns=JobRead,
    is_atomic=False,
    status=202,
)
async def start_board_erasure(actor: Actor, board: Board) -> JobRead:
    """Delete a board for good with everything on it, as a job that you may leave.

    It is gone at once; only the log keeps what happened on it. `GET /jobs/{job_id}` says how far the deletion is.
    """
    return await commands.start_erasure(actor, board)
