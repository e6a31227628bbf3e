"""Read saved views of boards."""

from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from mission_control.boards.models import Board, SavedView
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Paging


async def visible_view(actor: Actor, board_id: UUID, view_id: UUID) -> SavedView:
    """Return a saved view of a board that this person can see. Raise NotFound otherwise."""
    board = await visible_board(actor, board_id)
    view = await views_for(actor, board).get_or_none(id=view_id)
    if view is None:
        raise NotFound()
    view.board = board
    return view


def views_for(actor: Actor, board: Board) -> QuerySet[SavedView]:
    """Return the shared views of a board and the person's own, in the order of their tabs."""
    seen = SavedView.filter(Q(is_shared=True) | Q(user_id=actor.user_id), board_id=board.id)
    return seen.order_by("position", "created_at", "id")


async def all_views(board: Board) -> list[SavedView]:
    """Return the views of a board, other people's private ones too, in the order of their tabs."""
    return await SavedView.filter(board_id=board.id).order_by("position", "created_at", "id")


async def list_views(actor: Actor, board: Board, paging: Paging) -> tuple[list[SavedView], int]:
    """Return a page of the views that a person sees, and their number."""
    seen = views_for(actor, board)
    return await seen.limit(paging.limit).offset(paging.offset), await seen.count()


async def default_view(board: Board) -> SavedView | None:
    """Return the view with which a board opens, None for all of its tasks."""
    return await SavedView.filter(board_id=board.id, is_default=True, is_shared=True).first()
