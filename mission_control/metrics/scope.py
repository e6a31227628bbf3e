"""The boards of a dashboard."""

from uuid import UUID

from mission_control.boards.queries import on_readable_boards
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.database.sql import as_id, rows
from mission_control.metrics.schemas import DashboardQuery


async def boards_in_scope(actor: Actor, query: DashboardQuery) -> list[UUID]:
    """Return the readable boards named by the query. Unreadable board: NotFound."""
    readable, values = on_readable_boards(actor, actor.organization_id, "id")
    found = await rows(
        f"SELECT id, board_group_id FROM boards WHERE organization_id = ? AND deleted_at IS NULL{readable}",
        actor.organization_id,
        *values,
    )
    boards = {as_id(row["id"]): as_id(row["board_group_id"]) for row in found}
    if query.board_id is not None and query.board_id not in boards:
        raise NotFound()
    return [
        board_id
        for board_id, group_id in boards.items()
        if board_id is not None and query.board_id in (None, board_id) and query.group_id in (None, group_id)
    ]
