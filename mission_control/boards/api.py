"""Boards over HTTP."""

from mission_control.boards import commands, views
from mission_control.boards.commands import set_board_state
from mission_control.boards.models import Board, SavedView
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
from mission_control.boards.views import ViewCreate, ViewRead, ViewUpdate, list_views
from mission_control.core.actor import Actor
from mission_control.core.values import OK, ErrorResponse, OkResponse, Page, Paging, page
from mission_control.http.operation_api import Api
from mission_control.people.jobs import JobRead
from mission_control.people.work_state import WorkStateChange

api = Api(__name__, "boards")


@api.get("/boards", Page[BoardRead])
async def list_boards(actor: Actor, query: BoardQuery) -> dict[str, object]:
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
async def list_deleted_boards(actor: Actor, query: Paging) -> dict[str, object]:
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


VIEWS, VIEW = "/boards/<board_id>/views", "/boards/<board_id>/views/<view_id>"


@api.get(VIEWS, Page[ViewRead], rule="view.list")
async def list_board_views(actor: Actor, board: Board, query: Paging) -> dict[str, object]:
    """List the shared views of a board and your own, in the order of their tabs."""
    found, total = await list_views(actor, board, query)
    return page([ViewRead.of(view) for view in found], total, query)


@api.post(VIEWS, rule="view.create", errors={409: ErrorResponse})
async def create_board_view(actor: Actor, board: Board, data: ViewCreate) -> ViewRead:
    """Save a query of a board, and how its tasks are shown, under a name."""
    return ViewRead.of(await views.create_view(actor, board, data))


@api.get(VIEW, rule="view.read")
async def get_board_view(actor: Actor, view: SavedView) -> ViewRead:
    """Read a view."""
    return ViewRead.of(view)


@api.patch(VIEW, rule="view.update", errors={409: ErrorResponse})
async def update_board_view(actor: Actor, view: SavedView, data: ViewUpdate) -> ViewRead:
    """Change a view; only the fields that are sent. `is_default` opens the board with it."""
    return ViewRead.of(await views.update_view(actor, view, data))


@api.delete(VIEW, rule="view.delete")
async def delete_board_view(actor: Actor, view: SavedView) -> OkResponse:
    """Delete a view. The tasks stay as they are."""
    await views.delete_view(actor, view)
    return OK


@api.put("/boards/<board_id>/work-state", rule="board.set_work_state")
async def set_board_work_state(actor: Actor, board: Board, data: WorkStateChange) -> BoardRead:
    """Pause, stop or resume the agents of a board.

    Paused: no claims and no moves to in progress. Stopped: also, what agents have in progress goes back to the inbox.
    """
    return BoardRead.of(await set_board_state(actor, board, data))
