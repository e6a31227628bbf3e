"""Which boards a dashboard covers."""

from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.metrics.schemas import DashboardQuery


async def boards_in_scope(actor: Actor, query: DashboardQuery) -> list[UUID]:
    """The readable boards of the active organization that the query names. Unreadable board: NotFound."""
    readable = Board.visible_to(actor).filter(organization_id=actor.organization_id)
    if query.board_id is not None and not await readable.filter(id=query.board_id).exists():
        raise NotFound()
    if query.board_id is not None:
        readable = readable.filter(id=query.board_id)
    if query.group_id is not None:
        readable = readable.filter(board_group_id=query.group_id)
    return [board.id for board in await readable.only("id")]
