"""The list of boards, a new one, and the board of an address."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import UUID

import orjson
from quart import Response, request
from quart.typing import ResponseReturnValue

from mission_control.boards.decision_pages import in_sentences
from mission_control.boards.forms import (
    KINDS,
    BoardDeletionForm,
    BoardSettingsForm,
    LimitForm,
    NewBoardForm,
    gateway_choices,
)
from mission_control.boards.models import Board
from mission_control.boards.queries import (
    board_rows,
    deletable_board,
    deleted_boards,
    figures_of,
    group_choices,
    people_of,
    visible_board,
    who_can_share,
)
from mission_control.boards.staging import number_held
from mission_control.boards.statuses import LABELS
from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import NotFound
from mission_control.core.values import Paging, parse_id
from mission_control.database.sql import Row
from mission_control.events.broker import head_of
from mission_control.web.actions import Outcome, Refusal, action, again, same_form_again
from mission_control.web.forms import FormInvalid, FormValues, done, go
from mission_control.web.fragments import PageContext, render_macro
from mission_control.web.lists import Asked, LiveList, Order, Pages, greatest, order_asked, ordering
from mission_control.web.regions import Concerns, Reads, Region, View, live_page
from mission_control.web.shell import PaletteEntry, SettingsPage, settings_page, shell_page, signed_in

pages = Pages("boards_pages", __name__)
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
    actor = await signed_in()
    seq, text, order = await head_of(actor.organization_id), _text(), order_asked(ORDERS)
    query = f"&{urlencode({'q': text, 'order': order})}"
    boards = await board_rows(actor)
    return await shell_page(
        actor, "boards/index.html", active="boards", boards=_listed(boards, text, order), text=text,
        helpers=[] if boards else await who_can_share(actor), **ordering(ORDERS, order),
        may_create=can(actor, "board.create", actor.organization_id), live_url=f"/boards/live?after={seq}{query}",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexView(View):
    text: str
    order: str


def _text() -> str:
    return request.args.get("q", "").strip()[:200]


def _listed(boards: list[Row], text: str, order: str) -> list[Row]:
    """Return the boards in whose name, description or group a text stands, in an order of `ORDERS`."""
    wanted = text.casefold()
    parts = ("name", "description", "group_name")
    found = [one for one in boards if any(wanted in str(one[part] or "").casefold() for part in parts)]
    return ORDERS[order].sorted(found)


@pages.get("/boards/live")
async def index_live() -> Response:
    text, order = _text(), order_asked(ORDERS)

    async def look(viewer: Actor, reads: Reads) -> IndexView:
        return IndexView(actor=viewer, pages=(INDEX,), active="boards", reads=reads, text=text, order=order)

    return await live_page(await signed_in(), look, is_shared=True)


async def _tiles(view: IndexView) -> str | None:
    boards = await board_rows(view.actor)
    return render_macro("boards/list.html", "tiles", boards=_listed(boards, view.text, view.order)) if boards else None


NEWS = ("task.", "approval.", "agent.", "board.", "member.")
REGIONS = (Region(INDEX, "#boards", Concerns(NEWS, ("agent_id",)), _tiles),)


async def _start(actor: Actor, _: None) -> FormValues:
    group = parse_id(request.args.get("group", ""))
    return {"require_approval_for_done": True, "board_group_id": group, "board_type": "goal"}


async def _new(actor: Actor, _: None, values: FormValues, errors: dict[str, str]) -> str:
    groups = await group_choices(actor, actor.organization_id)
    return await shell_page(
        actor, "boards/new.html", active="boards", values=values, errors=errors, kinds=KINDS, groups=groups,
        gateways=await gateway_choices(actor),
    )  # fmt: skip


@action(pages, "/boards", form=NewBoardForm, page="/boards/new", shows=_new, starts=_start)
async def create_board(outcome: Outcome[None, NewBoardForm]) -> ResponseReturnValue:
    return go(f"/boards/{outcome.answer.id}")


SETTINGS, DELETION = "/boards/<uuid:board_id>/settings", "/boards/<uuid:board_id>/deletion"


async def _settings(actor: Actor, board: Board, values: FormValues, errors: dict[str, str]) -> str:
    return await shell_page(
        actor, "boards/settings.html", active=f"board-{board.id}", board=board, values=values, errors=errors,
        is_saved=request.method == "GET" and request.args.get("saved") == "1",
        gateways=await gateway_choices(actor, board), groups=await group_choices(actor, board.organization_id),
        kinds=KINDS if board.board_type in dict(KINDS) else [*KINDS, (board.board_type, board.board_type)],
        json=orjson.dumps(board.success_metrics or {}, option=orjson.OPT_INDENT_2).decode(),
        people=await people_of(board), deciding=await in_sentences(board), figures=await figures_of(board),
        may_delete=can(actor, "board.delete", board),
    )  # fmt: skip


@action(pages, SETTINGS, form=BoardSettingsForm, page=SETTINGS, shows=_settings)
async def update_board(outcome: Outcome[Board, BoardSettingsForm]) -> ResponseReturnValue:
    return go(f"/boards/{outcome.found.id}/settings?saved=1")


async def _refused_limit(refusal: Refusal[Board, LimitForm]) -> ResponseReturnValue:
    return same_form_again(refusal.error, f"version-wip-{refusal.values.get('status')}")


@action(pages, "/boards/<uuid:board_id>/limits", performs="update_board", form=LimitForm, refused=_refused_limit)
async def limit(outcome: Outcome[Board, LimitForm]) -> ResponseReturnValue:
    form, board = outcome.form, outcome.found
    said = f"takes {form.limit}" if form.limit else "takes any number of tasks"
    return done(f"/boards/{board.id}", toast=f"{LABELS[form.status]} {said}")


async def _refused_deletion(refusal: Refusal[Board, BoardDeletionForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid)
    values = {**BoardSettingsForm.shown(refusal.found), "typed": refusal.values.get("typed", "")}
    return await _settings(refusal.actor, refusal.found, values, refusal.errors)


@action(pages, DELETION, form=BoardDeletionForm, refused=_refused_deletion)
async def delete_board(outcome: Outcome[Board, BoardDeletionForm]) -> ResponseReturnValue:
    return go("/boards")


TRASH = "/settings/trash"
TRASH_PAGE = SettingsPage(
    "trash", "Organization", "Trash and archive", TRASH, "trash-2", 190, "deleted archived restore erase"
)


@pages.get("/boards/trash")
async def moved() -> ResponseReturnValue:
    """Lead on to the page in the settings."""
    await signed_in()
    return go(TRASH)


async def _deleted(actor: Actor, _: Asked) -> PageContext:
    may_restore = can(actor, "board.create", actor.organization_id)
    boards, total = await deleted_boards(actor, Paging(limit=200, offset=0)) if may_restore else ([], 0)
    return {"boards": boards, "total": total, "may_restore": may_restore}


LiveList(pages=pages, place=TRASH_PAGE, template="boards/trash.html", read=_deleted, news=Concerns[View](("board.",)))


@action(pages, "/boards/<uuid:board_id>/restorations")
async def restore_board(outcome: Outcome[Board, None]) -> ResponseReturnValue:
    return go(f"/boards/{outcome.found.id}")


class ErasureForm(BoardDeletionForm):
    field = "name"


@pages.get(f"{TRASH}/boards/<uuid:board_id>/erase")
async def ask_erasure(board_id: UUID) -> ResponseReturnValue:
    actor = await signed_in()
    board = await deletable_board(actor, board_id)
    require(actor, "board.erase", board)
    if board.organization_id != actor.organization_id:
        raise NotFound()
    return await _erasure(actor, board, {}, {})


async def _erasure(actor: Actor, board: Board, values: FormValues, errors: dict[str, str]) -> str:
    number = await number_held(board.id)
    return await settings_page(
        actor, "boards/erase.html", TRASH_PAGE.key, board=board, number=number, values=values, errors=errors
    )


@action(pages, f"{TRASH}/boards/<uuid:board_id>/erasures", form=ErasureForm, refused=again(_erasure, FormInvalid))
async def start_board_erasure(outcome: Outcome[Board, ErasureForm]) -> ResponseReturnValue:
    return go("/work")


ENTRIES = (
    PaletteEntry("Boards", "/boards", "square-kanban", position=40),
    PaletteEntry("New board", "/boards/new", "plus", position=30, group="Do", verb="board.create"),
)
