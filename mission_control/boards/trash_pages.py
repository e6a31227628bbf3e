"""The page of deleted boards, which admins can restore."""

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.queries import deleted_boards
from mission_control.core.paging import Paging
from mission_control.core.policy import require
from mission_control.web.actions import action
from mission_control.web.forms import go
from mission_control.web.outcomes import Outcome
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("boards_trash_pages", __name__)


@pages.get("/boards/trash")
async def trash() -> ResponseReturnValue:
    """Show the boards that admins can restore, newest deletion first."""
    actor = await signed_in()
    require(actor, "board.create", actor.organization_id)
    boards, total = await deleted_boards(actor, Paging(limit=200, offset=0))
    return await shell_page(actor, "boards/trash.html", active="boards", boards=boards, total=total)


@action(pages, "POST", "/boards/<uuid:board_id>/restorations", performs="restore_board")
async def restore(outcome: Outcome[Board, None]) -> ResponseReturnValue:
    """Restore a board and open it."""
    return go(f"/boards/{outcome.found.id}")
