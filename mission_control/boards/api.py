"""Boards over HTTP."""

from mission_control.boards import commands, queries, schemas, views
from mission_control.boards.models import Board, SavedView
from mission_control.core.actor import Actor
from mission_control.core.values import OK, ErrorResponse, JsonObject, OkResponse, Page, Paging, page
from mission_control.http.operation_api import Api
from mission_control.people.jobs.commands import JobRead
from mission_control.people.organizations.work_state import WorkStateChange

api = Api(__name__, "boards")


@api.get("/boards", Page[schemas.BoardRead])
async def list_boards(actor: Actor, query: schemas.BoardQuery) -> JsonObject:
    """List the boards of the active organization by name."""
    boards, total = await queries.list_boards(actor, query)
    return page([schemas.BoardRead.of(board) for board in boards], total, query)


@api.post("/boards", rule="board.create")
async def create_board(actor: Actor, data: schemas.BoardCreate) -> schemas.BoardRead:
    """Make a board in the active organization."""
    return schemas.BoardRead.of(await commands.create_board(actor, actor.organization_id, data))


@api.get("/boards/<board_id>", rule="board.read")
async def get_board(actor: Actor, board: Board) -> schemas.BoardRead:
    """Read a board."""
    return schemas.BoardRead.of(board)


@api.patch("/boards/<board_id>", rule="board.update")
async def update_board(actor: Actor, board: Board, data: schemas.BoardUpdate) -> schemas.BoardRead:
    """Change a board; only the fields that are sent."""
    return schemas.BoardRead.of(await commands.update_board(actor, board, data))


@api.delete("/boards/<board_id>", find=queries.deletable_board, rule="board.delete")
async def delete_board(actor: Actor, board: Board) -> OkResponse:
    """Put a board into the trash. An erasure deletes it for good.

    It is gone at once with everything on it, and its agents' tokens stop working; a restoration brings all of it back.
    """
    await commands.delete_board(actor, board)
    return OK


@api.get("/boards/trash", Page[schemas.DeletedBoardRead], rule="organization.administer")
async def list_deleted_boards(actor: Actor, query: Paging) -> JsonObject:
    """List the active organization's deleted boards that can be restored, newest first."""
    boards, total = await queries.deleted_boards(actor, query)
    return page([schemas.DeletedBoardRead.of(board) for board in boards], total, query)


@api.post("/boards/<board_id>/restorations", find=queries.deletable_board, rule="board.restore")
async def restore_board(actor: Actor, board: Board) -> schemas.BoardRead:
    """Take a board out of the trash, with everything that was on it."""
    return schemas.BoardRead.of(await commands.restore_board(actor, board))


@api.post("/boards/<board_id>/erasures", find=queries.deletable_board, rule="board.erase", is_atomic=False, status=202)
async def start_board_erasure(actor: Actor, board: Board) -> JobRead:
    """Delete a board for good with everything on it, as a job that you may leave.

    It is gone at once; only the log keeps what happened on it. `GET /jobs/{job_id}` says how far the deletion is.
    """
    return await commands.start_erasure(actor, board)


VIEWS, VIEW = "/boards/<board_id>/views", "/boards/<board_id>/views/<view_id>"


@api.get(VIEWS, Page[views.ViewRead], rule="view.list")
async def list_board_views(actor: Actor, board: Board, query: Paging) -> JsonObject:
    """List the shared views of a board and your own, in the order of their tabs."""
    listed, total = await views.list_views(actor, board, query)
    return page([views.ViewRead.of(view) for view in listed], total, query)


@api.post(VIEWS, rule="view.create", errors={409: ErrorResponse})
async def create_board_view(actor: Actor, board: Board, data: views.ViewCreate) -> views.ViewRead:
    """Save a query of a board, and how its tasks are shown, under a name."""
    return views.ViewRead.of(await views.create_view(actor, board, data))


@api.get(VIEW, rule="view.read")
async def get_board_view(actor: Actor, view: SavedView) -> views.ViewRead:
    """Read a view."""
    return views.ViewRead.of(view)


@api.patch(VIEW, rule="view.update", errors={409: ErrorResponse})
async def update_board_view(actor: Actor, view: SavedView, data: views.ViewUpdate) -> views.ViewRead:
    """Change a view; only the fields that are sent. `is_default` opens the board with it."""
    return views.ViewRead.of(await views.update_view(actor, view, data))


@api.delete(VIEW, rule="view.delete")
async def delete_board_view(actor: Actor, view: SavedView) -> OkResponse:
    """Delete a view. The tasks stay as they are."""
    await views.delete_view(actor, view)
    return OK


@api.put("/boards/<board_id>/work-state", rule="board.set_work_state")
async def set_board_work_state(actor: Actor, board: Board, data: WorkStateChange) -> schemas.BoardRead:
    """Pause, stop or resume the agents of a board.

    Paused: no claims and no moves to in progress. Stopped: also, what agents have in progress goes back to the inbox.
    """
    return schemas.BoardRead.of(await commands.set_board_state(actor, board, data))
