"""The list of boards, a new one, and the board of an address."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.boards.cards import board_rows
from mission_control.boards.figures import group_choices
from mission_control.boards.forms import KINDS, NewBoardForm
from mission_control.boards.gateway_choice import gateway_choices
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board, who_can_share
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.core.ids import parse_id
from mission_control.core.policy import can, require
from mission_control.live.broker import head_of
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import FormInvalid, go
from mission_control.web.fragments import render_macro
from mission_control.web.lists import Order, greatest, order_asked, ordering
from mission_control.web.regions import Concerns, Reads, Region, View, live_page
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("boards_pages", __name__)
INDEX = "boards"
ORDERS = {
    "name": Order("by name"),
    "changed": greatest("last change", lambda board: board["changed_at"]),
    "waiting": greatest("most to decide", lambda board: board["pending"]),
    "open": greatest("most open tasks", lambda board: board["inbox"] + board["in_progress"] + board["review"]),
}


async def on_board(board_id: UUID) -> tuple[Actor, Board]:
    """Return the person who asks, in the organization of a board that exists for them, and the board."""
    actor = await signed_in()
    board = await visible_board(actor, board_id)
    return replace(actor, organization_id=board.organization_id), board


@pages.get("/boards")
async def index() -> ResponseReturnValue:
    """Show the boards."""
    actor = await signed_in()
    return await _index(actor, {}, {})


async def _index(actor: Actor, values: dict[str, Any], errors: dict[str, str]) -> str:
    seq, text, order = await head_of(actor.organization_id), _text(), order_asked(ORDERS)
    query = f"&{urlencode({'q': text, 'order': order})}"
    boards = await board_rows(actor)
    return await shell_page(
        actor,
        "boards/index.html",
        active="boards",
        boards=_listed(boards, text, order),
        helpers=[] if boards else await who_can_share(actor),
        text=text,
        **ordering(ORDERS, order),
        may_create=can(actor, "board.create", actor.organization_id),
        values=values,
        errors=errors,
        live_url=f"/boards/live?after={seq}{query}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexView(View):
    """The list of boards, narrowed by a text and in an order."""

    text: str
    order: str


def _text() -> str:
    return request.args.get("q", "").strip()[:200]


def _listed(boards: list[dict[str, Any]], text: str, order: str) -> list[dict[str, Any]]:
    """Return the boards in whose name, description or group a text stands, in an order of `ORDERS`."""
    wanted = text.casefold()
    parts = ("name", "description", "group_name")
    found = [one for one in boards if any(wanted in str(one[part] or "").casefold() for part in parts)]
    return ORDERS[order].sorted(found)


@pages.get("/boards/live")
async def index_live() -> Response:
    """Stream the list of boards."""

    text, order = _text(), order_asked(ORDERS)

    async def look(viewer: Actor, reads: Reads) -> IndexView:
        return IndexView(actor=viewer, pages=(INDEX,), active="boards", reads=reads, text=text, order=order)

    return await live_page(await signed_in(), look)


async def _tiles(view: IndexView) -> str | None:
    boards = await board_rows(view.actor)
    return render_macro("boards/list.html", "tiles", boards=_listed(boards, view.text, view.order)) if boards else None


NEWS = ("task.", "approval.", "agent.", "board.", "member.")
REGIONS = (Region(INDEX, "#boards", Concerns(NEWS, ("agent_id",)), _tiles),)


@pages.get("/boards/new")
async def new() -> ResponseReturnValue:
    """Show the form of a new board."""
    actor = await signed_in()
    require(actor, "board.create", actor.organization_id)
    group = parse_id(request.args.get("group", ""))
    return await _new(actor, {"require_approval_for_done": True, "board_group_id": group, "board_type": "goal"}, {})


async def _new(actor: Actor, values: dict[str, Any], errors: dict[str, str]) -> str:
    return await shell_page(
        actor,
        "boards/new.html",
        active="boards",
        values=values,
        errors=errors,
        gateways=await gateway_choices(actor),
        groups=await group_choices(actor, actor.organization_id),
        kinds=KINDS,
    )


async def _refused_new(refusal: Refusal[None, NewBoardForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid, Invalid)
    return await _new(refusal.actor, refusal.values, refusal.errors)


@action(pages, "POST", "/boards", performs="create_board", form=NewBoardForm, refused=_refused_new)
async def create(outcome: Outcome[None, NewBoardForm]) -> ResponseReturnValue:
    """Create a board and open it."""
    return go(f"/boards/{outcome.answer.id}")
