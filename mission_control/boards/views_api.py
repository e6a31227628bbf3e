"""Saved views of boards over HTTP."""

from typing import Any

from mission_control.boards import views_commands
from mission_control.boards.models import Board, SavedView
from mission_control.boards.views_queries import list_views
from mission_control.boards.views_schemas import ViewCreate, ViewRead, ViewUpdate
from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import OK, ErrorResponse, OkResponse
from mission_control.operations.api import Api

api = Api(__name__, "boards")
VIEWS, VIEW = "/boards/<board_id>/views", "/boards/<board_id>/views/<view_id>"


@api.get(VIEWS, Page[ViewRead], rule="view.list")
async def list_board_views(actor: Actor, board: Board, query: Paging) -> dict[str, Any]:
    """List the shared views of a board and your own, in the order of their tabs."""
    found, total = await list_views(actor, board, query)
    return page([ViewRead.of(view) for view in found], total, query)


@api.post(VIEWS, rule="view.create", errors={409: ErrorResponse})
async def create_board_view(actor: Actor, board: Board, data: ViewCreate) -> ViewRead:
    """Save a query of a board, and how its tasks are shown, under a name."""
    return ViewRead.of(await views_commands.create_view(actor, board, data))


@api.get(VIEW, rule="view.read")
async def get_board_view(actor: Actor, view: SavedView) -> ViewRead:
    """Read a view."""
    return ViewRead.of(view)


@api.patch(VIEW, rule="view.update", errors={409: ErrorResponse})
async def update_board_view(actor: Actor, view: SavedView, data: ViewUpdate) -> ViewRead:
    """Change a view; only the fields that are sent. `is_default` opens the board with it."""
    return ViewRead.of(await views_commands.update_view(actor, view, data))


@api.delete(VIEW, rule="view.delete")
async def delete_board_view(actor: Actor, view: SavedView) -> OkResponse:
    """Delete a view. The tasks stay as they are."""
    await views_commands.delete_view(actor, view)
    return OK
