"""Who has a board open, and the faces of those people on the page."""

import asyncio
from collections.abc import Hashable
from uuid import UUID

from mission_control.background.presence import Presence
from mission_control.boards.models import Board
from mission_control.boards.queries import PERSON
from mission_control.core.actor import Actor
from mission_control.database.sql import placeholders, rows
from mission_control.tasks.board.view import PAGE, BoardView, of_board
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Region

MOST_SHOWN = 5
PEOPLE = Presence("board-people", "people_on")


def people_on(board_id: UUID) -> list[UUID]:
    return [UUID(id_) for id_ in PEOPLE.at(board_id)]


async def keep_presence(actor: Actor, board: Board) -> None:
    """Announce a person as long as a page is open."""
    async with PEOPLE.kept(board.organization_id, board.id, str(actor.user_id)):
        await asyncio.get_running_loop().create_future()


async def _faces(view: BoardView) -> str:
    others = [user_id for user_id in people_on(view.board.id) if user_id != view.actor.user_id]
    ids = others[: MOST_SHOWN + 1]
    sql = f"SELECT u.id, {PERSON} AS name FROM users u WHERE u.id IN ({placeholders(len(ids))})"
    people = await rows(f"{sql} ORDER BY LOWER({PERSON}), u.id", *ids) if ids else []
    return render_macro("boards/head.html", "people", people=people[:MOST_SHOWN], more=len(others) - MOST_SHOWN)


def _key_of_faces(view: BoardView) -> Hashable:
    """Those whose face is not among the shown ones all see the same."""
    present, viewer = PEOPLE.at(view.board.id), str(view.actor.user_id)
    if not present:
        return view.board.id
    first = tuple(present[: MOST_SHOWN + 1])
    return view.board.id, viewer if viewer in first else None, viewer in present


REGIONS = (Region(PAGE, "#people", of_board(signals=("people_on",)), _faces, key=_key_of_faces),)
