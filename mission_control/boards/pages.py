"""The pages of boards: the list, one board, its settings."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from markupsafe import Markup
from quart import Blueprint, Response, make_response, redirect, request
from quart.typing import ResponseReturnValue

from mission_control.boards.cards import CardFilter, board_rows, people_of
from mission_control.boards.forms import DELETE_WORDS, BoardDeletionForm, BoardSettingsForm, NewBoardForm
from mission_control.boards.live import TEMPLATE, Rights, board_partials, regions_of
from mission_control.boards.models import Board
from mission_control.boards.queries import boards_of, visible_board
from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.core.policy import can, require
from mission_control.live.broker import head_of
from mission_control.live.stream import Batch
from mission_control.shell import live_page
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import FormInvalid, go
from mission_control.web.fragments import partial, render_macro
from mission_control.web.shell import shell_page, signed_in
from mission_control.web.versions import ChangedMeanwhile

pages = Blueprint("boards_pages", __name__)
LAST_BOARD = "last_board"
SETTINGS, DELETION = "/boards/<uuid:board_id>/settings", "/boards/<uuid:board_id>/deletion"


@pages.get("/")
async def start() -> ResponseReturnValue:
    """On to the board that was open last, else to the only one, else to the list."""
    boards = await boards_of(await signed_in())
    last = parse_id(request.cookies.get(LAST_BOARD, ""))
    wanted = [board for board in boards if board.id == last] or (boards if len(boards) == 1 else [])
    return redirect(f"/boards/{wanted[0].id}" if wanted else "/boards", 303)


@pages.get("/boards")
async def index() -> ResponseReturnValue:
    """The boards at a glance."""
    actor = await signed_in()
    return await _index(actor, {}, {})


async def _index(actor: Actor, values: dict[str, Any], errors: dict[str, str]) -> str:
    seq = await head_of(actor.organization_id)
    return await shell_page(
        actor,
        "boards/index.html",
        active="boards",
        boards=await board_rows(actor),
        may_create=can(actor, "board.create", actor.organization_id),
        values=values,
        errors=errors,
        live_url=f"/boards/live?after={seq}",
    )


@pages.get("/boards/live")
async def index_live() -> Response:
    """What changes on the list of boards."""
    actor = await signed_in()

    async def render(viewer: Actor, batch: Batch) -> str:
        boards = await board_rows(viewer)
        return partial("#boards", render_macro("boards/list.html", "tiles", boards=boards)) if boards else ""

    return await live_page(actor, "boards", render)


@pages.get("/boards/new")
async def new() -> ResponseReturnValue:
    """The form for a board."""
    actor = await signed_in()
    require(actor, "board.create", actor.organization_id)
    return await _new(actor, {"require_approval_for_done": True}, {})


async def _new(actor: Actor, values: dict[str, Any], errors: dict[str, str]) -> str:
    return await shell_page(actor, "boards/new.html", active="boards", values=values, errors=errors)


async def _refused_new(refusal: Refusal[None, NewBoardForm]) -> ResponseReturnValue:
    if not isinstance(refusal.error, FormInvalid):
        raise refusal.error
    return await _new(refusal.actor, refusal.values, refusal.errors)


@action(pages, "POST", "/boards", performs="create_board", form=NewBoardForm, refused=_refused_new)
async def create(outcome: Outcome[None, NewBoardForm]) -> ResponseReturnValue:
    """Create a board and open it."""
    return go(f"/boards/{outcome.answer.id}")


async def on_board(board_id: UUID) -> tuple[Actor, Board]:
    """The person who asks, in the organization of a board that exists for them."""
    actor = await signed_in()
    board = await visible_board(actor, board_id)
    return replace(actor, organization_id=board.organization_id), board


@pages.get("/boards/<uuid:board_id>")
async def show(board_id: UUID) -> ResponseReturnValue:
    """One board."""
    actor, board = await on_board(board_id)
    response = await make_response(await board_page(actor, board))
    response.set_cookie(LAST_BOARD, str(board.id), max_age=31_536_000, httponly=True, samesite="Lax")
    return response


async def board_page(actor: Actor, board: Board, *, panel: str = "", page_title: str = "") -> str:
    """The page of a board, with a task's panel or without."""
    seq = await head_of(board.organization_id)
    wanted = CardFilter.of(request.args)
    rights = Rights.of(actor, board)
    regions = await regions_of(board, rights, wanted, actor.id)
    return await shell_page(
        actor,
        "boards/show.html",
        active=f"board-{board.id}",
        board=board,
        may_write=rights.may_write,
        is_admin=rights.is_admin,
        wanted=wanted,
        columns=regions.columns,
        presence=regions.presence,
        note=regions.note,
        work=regions.work,
        actions=regions.actions,
        crew=regions.crew,
        people=await people_of(board),
        panel=Markup(panel),
        page_title=page_title,
        panel_base=f"/boards/{board.id}",
        live_url=live_url(board, wanted, seq),
    )


def live_url(board: Board, wanted: CardFilter, seq: int) -> str:
    """The stream of a board page with a filter, from an event on."""
    query = wanted.query()
    return f"/boards/{board.id}/live{query}{'&' if query else '?'}after={seq}"


@pages.get("/boards/<uuid:board_id>/cards")
async def cards(board_id: UUID) -> ResponseReturnValue:
    """The open page with another filter: its regions, its stream and its address."""
    actor, board = await on_board(board_id)
    wanted = CardFilter.of(request.args)
    seq = await head_of(board.organization_id)
    regions = await regions_of(board, Rights.of(actor, board), wanted, actor.id)
    clear = render_macro(TEMPLATE, "clear", board_id=board.id, narrows=wanted.narrows)
    stream = render_macro(TEMPLATE, "stream", url=live_url(board, wanted, seq))
    html = regions.partials() + partial("#filter-clear", clear, "innerHTML") + partial("#live", stream, "outerHTML")
    return Response(html, headers={"HX-Replace-Url": f"/boards/{board.id}{wanted.query()}"}, mimetype="text/html")


@pages.get("/boards/<uuid:board_id>/live")
async def live(board_id: UUID) -> Response:
    """What changes on a board, for a page with a filter."""
    actor, board = await on_board(board_id)
    wanted = CardFilter.of(request.args)

    async def render(viewer: Actor, batch: Batch) -> str:
        return await board_partials(viewer, board, wanted, batch)

    async def reaches(viewer: Actor) -> bool:
        return viewer.reads(board) and await Board.filter(id=board.id).exists()

    return await live_page(actor, f"board-{board.id}", render, reaches)


@pages.get("/boards/<uuid:board_id>/settings")
async def settings(board_id: UUID) -> ResponseReturnValue:
    """The form with everything about a board."""
    actor, board = await on_board(board_id)
    require(actor, "board.update", board)
    values = BoardSettingsForm.values_of(board)
    return await _settings(actor, board, values, {}, is_saved=request.args.get("saved") == "1")


async def _settings(
    actor: Actor, board: Board, values: dict[str, Any], errors: dict[str, str], *, is_saved: bool = False
) -> str:
    return await shell_page(
        actor,
        "boards/settings.html",
        active=f"board-{board.id}",
        board=board,
        values=values,
        errors=errors,
        is_saved=is_saved,
        may_delete=can(actor, "board.delete", board),
    )


async def _refused_settings(refusal: Refusal[Board, BoardSettingsForm]) -> ResponseReturnValue:
    """Answer the form with what was typed, when it is invalid or the board changed meanwhile."""
    board, error = refusal.found, refusal.error
    if isinstance(error, ChangedMeanwhile):
        typed = {**refusal.values, "version": BoardSettingsForm.version_of(board)}
        return await _settings(refusal.actor, board, typed, BoardSettingsForm.changed_meanwhile(board, error.fields))
    if isinstance(error, FormInvalid):
        return await _settings(refusal.actor, board, refusal.values, refusal.errors)
    raise error


@action(pages, "POST", SETTINGS, performs="update_board", form=BoardSettingsForm, refused=_refused_settings)
async def save_settings(outcome: Outcome[Board, BoardSettingsForm]) -> ResponseReturnValue:
    """Change a board."""
    return go(f"/boards/{outcome.found.id}/settings?saved=1")


async def _refused_deletion(refusal: Refusal[Board, BoardDeletionForm]) -> ResponseReturnValue:
    if not isinstance(refusal.error, FormInvalid):
        raise refusal.error
    values = {**BoardSettingsForm.values_of(refusal.found), "typed": refusal.values.get("typed", "")}
    return await _settings(refusal.actor, refusal.found, values, {"typed": DELETE_WORDS})


@action(pages, "POST", DELETION, performs="delete_board", form=BoardDeletionForm, refused=_refused_deletion)
async def delete(outcome: Outcome[Board, BoardDeletionForm]) -> ResponseReturnValue:
    """Delete a board whose name was typed."""
    return go("/boards")
