"""The page of deleted boards: what can be brought back."""

from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.boards.commands import restore_board
from mission_control.boards.queries import deletable_board, deleted_boards
from mission_control.core.paging import Paging
from mission_control.core.policy import require
from mission_control.web.forms import go
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("boards_trash_pages", __name__)


@pages.get("/boards/trash")
async def trash() -> ResponseReturnValue:
    """The boards that admins can bring back, the newest deletion first."""
    actor = await signed_in()
    require(actor, "board.create", actor.organization_id)
    boards, total = await deleted_boards(actor, Paging(limit=200, offset=0))
    return await shell_page(actor, "boards/trash.html", active="boards", boards=boards, total=total)


@pages.post("/boards/<uuid:board_id>/restorations")
async def restore(board_id: UUID) -> ResponseReturnValue:
    """Bring a board back, and go there."""
    actor = await signed_in()
    board = await restore_board(actor, await deletable_board(actor, board_id))
    return go(f"/boards/{board.id}")
