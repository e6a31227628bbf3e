"""Boards over HTTP."""

from typing import Any

from mission_control.boards import commands
from mission_control.boards.models import Board
from mission_control.boards.queries import deletable_board, deleted_boards
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
from mission_control.jobs.queries import JobRead
from mission_control.operations.api import Api

api = Api(__name__, "boards")


@api.get("/boards", Page[BoardRead])
async def list_boards(actor: Actor, query: BoardQuery) -> dict[str, Any]:
    """List the boards of the active organization by name."""
    boards, total = await boards_page(actor, query)
    return page([BoardRead.of(board) for board in boards], total, query)


@api.post("/boards", rule="board.create")
async def create_board(actor: Actor, data: BoardCreate) -> BoardRead:
    """Make a board in the active organization."""
    return BoardRead.of(await commands.create_board(actor, actor.organization_id, data.model_dump()))


@api.get("/boards/<board_id>", rule="board.read")
async def get_board(actor: Actor, board: Board) -> BoardRead:
    """Read a board."""
    return BoardRead.of(board)


@api.patch("/boards/<board_id>", rule="board.update")
async def update_board(actor: Actor, board: Board, data: BoardUpdate) -> BoardRead:
    """Change a board; only the fields that are sent."""
    return BoardRead.of(await commands.update_board(actor, board, data.model_dump(exclude_unset=True)))


@api.delete("/boards/<board_id>", find=deletable_board, rule="board.delete")
async def delete_board(actor: Actor, board: Board, query: BoardDeletion) -> OkResponse:
    """Put a board into the trash, or delete it for good.

    It is gone at once with everything on it, and its agents' tokens stop working; a restoration brings all of it back.
    """
    if query.permanent:
        await commands.erase_board(actor, board)
    else:
        await commands.delete_board(actor, board)
    return OK


@api.get("/boards/trash", Page[DeletedBoardRead], rule="organization.administer")
async def list_deleted_boards(actor: Actor, query: Paging) -> dict[str, Any]:
    """List the active organization's deleted boards that can be restored, newest first."""
    boards, total = await deleted_boards(actor, query)
    return page([DeletedBoardRead.of(board) for board in boards], total, query)


@api.post("/boards/<board_id>/restorations", find=deletable_board, rule="board.restore")
async def restore_board(actor: Actor, board: Board) -> BoardRead:
    """Take a board out of the trash, with everything that was on it."""
    return BoardRead.of(await commands.restore_board(actor, board))


@api.post("/boards/<board_id>/erasures", find=deletable_board, rule="board.erase", is_atomic=False, status=202)
async def start_board_erasure(actor: Actor, board: Board) -> JobRead:
    """Delete a board for good with everything on it, as a job that you may leave.

    It is gone at once; only the log keeps what happened on it. `GET /jobs/{job_id}` says how far the deletion is.
    """
    return await commands.start_erasure(actor, board)
