"""Deleted boards as pages of the settings: restoring and erasing them."""

from typing import Any
from uuid import UUID

from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.queries import deletable_board, deleted_boards
from mission_control.boards.staging import number_held
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Paging
from mission_control.core.policy import can, require
from mission_control.web.actions import Outcome, action, again
from mission_control.web.forms import FormInvalid, TypedName, go
from mission_control.web.lists import Asked, LiveList, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, settings_page, signed_in

pages = Pages("boards_trash_pages", __name__)
TRASH = "/settings/trash"
SETTINGS = SettingsPage(
    "trash", "Organization", "Trash and archive", TRASH, "trash-2", 190, "deleted archived restore erase"
)


@pages.get("/boards/trash")
async def moved() -> ResponseReturnValue:
    """Lead on to the page in the settings."""
    await signed_in()
    return go(TRASH)


async def _listed(actor: Actor, _: Asked) -> dict[str, Any]:
    may_restore = can(actor, "board.create", actor.organization_id)
    boards, total = await deleted_boards(actor, Paging(limit=200, offset=0)) if may_restore else ([], 0)
    return {"boards": boards, "total": total, "may_restore": may_restore}


LiveList(pages=pages, place=SETTINGS, template="boards/trash.html", read=_listed, news=Concerns[View](("board.",)))


@action(pages, "POST", "/boards/<uuid:board_id>/restorations", performs="restore_board")
async def restore(outcome: Outcome[Board, None]) -> ResponseReturnValue:
    """Restore a board and open it."""
    return go(f"/boards/{outcome.found.id}")


class ErasureForm(TypedName):
    """The erasure of a board."""

    what = "board"
    field = "name"


@pages.get(f"{TRASH}/boards/<uuid:board_id>/erase")
async def ask_erasure(board_id: UUID) -> ResponseReturnValue:
    """Say what erasing a board does."""
    actor = await signed_in()
    board = await deletable_board(actor, board_id)
    require(actor, "board.erase", board)
    if board.organization_id != actor.organization_id:
        raise NotFound()
    return await _erasure(actor, board, {}, {})


async def _erasure(actor: Actor, board: Board, values: dict[str, Any], errors: dict[str, str]) -> str:
    context: dict[str, Any] = {"board": board, "number": await number_held(board.id), "values": values}
    return await settings_page(actor, "boards/erase.html", SETTINGS.key, errors=errors, **context)


@action(
    pages, "POST", f"{TRASH}/boards/<uuid:board_id>/erasures",
    performs="start_board_erasure", form=ErasureForm, refused=again(_erasure, FormInvalid),
)  # fmt: skip
async def erase(outcome: Outcome[Board, ErasureForm]) -> ResponseReturnValue:
    """Erase a board as a job, and show how far that is."""
    return go("/work")
