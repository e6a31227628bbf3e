"""The pages of boards: the list, one board, its settings."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from markupsafe import Markup
from quart import Blueprint, Response, make_response, redirect, request
from quart.typing import ResponseReturnValue

from mission_control.boards.card_filter import CardFilter
from mission_control.boards.cards import board_rows
from mission_control.boards.forms import DELETE_WORDS, BoardDeletionForm, BoardSettingsForm, NewBoardForm
from mission_control.boards.gateway_choice import gateway_choices
from mission_control.boards.models import Board
from mission_control.boards.queries import boards_of, present, visible_board
from mission_control.boards.query_page import QUERY, query_of, state_of
from mission_control.boards.table_regions import shown_columns
from mission_control.boards.view import COLUMNS, PAGE, PANEL, TABLE, BoardView, Rights
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.core.ids import parse_id
from mission_control.core.policy import can, require
from mission_control.live.broker import head_of
from mission_control.web.actions import action
from mission_control.web.forms import FormInvalid, go
from mission_control.web.fragments import partial, render_macro
from mission_control.web.outcomes import Outcome, Refusal
from mission_control.web.regions import Concerns, Reads, Region, View, fragments, live_page, rendered
from mission_control.web.shell import shell_page, signed_in
from mission_control.web.versions import EditConflict

pages = Blueprint("boards_pages", __name__)
LAST_BOARD = "last_board"
INDEX = "boards"
SETTINGS, DELETION = "/boards/<uuid:board_id>/settings", "/boards/<uuid:board_id>/deletion"


@pages.get("/")
async def start() -> ResponseReturnValue:
    """Redirect to the board that was open last, else to the only one, else to the list."""
    boards = await boards_of(await signed_in())
    last = parse_id(request.cookies.get(LAST_BOARD, ""))
    wanted = [board for board in boards if board.id == last] or (boards if len(boards) == 1 else [])
    return redirect(f"/boards/{wanted[0].id}" if wanted else "/boards", 303)


@pages.get("/boards")
async def index() -> ResponseReturnValue:
    """Show the boards."""
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
    """Stream the list of boards."""

    async def look(viewer: Actor, reads: Reads) -> View:
        return View(actor=viewer, pages=(INDEX,), active="boards", reads=reads)

    return await live_page(await signed_in(), look)


async def _tiles(view: View) -> str | None:
    boards = await board_rows(view.actor)
    return render_macro("boards/list.html", "tiles", boards=boards) if boards else None


NEWS = ("task.", "approval.", "agent.", "board.", "member.")
INDEX_REGIONS = (Region(INDEX, "#boards", Concerns(NEWS, ("agent_id",)), _tiles),)


@pages.get("/boards/new")
async def new() -> ResponseReturnValue:
    """Show the form of a new board."""
    actor = await signed_in()
    require(actor, "board.create", actor.organization_id)
    return await _new(actor, {"require_approval_for_done": True}, {})


async def _new(actor: Actor, values: dict[str, Any], errors: dict[str, str]) -> str:
    choices = await gateway_choices(actor)
    return await shell_page(actor, "boards/new.html", active="boards", values=values, errors=errors, gateways=choices)


async def _refused_new(refusal: Refusal[None, NewBoardForm]) -> ResponseReturnValue:
    if not isinstance(refusal.error, FormInvalid | Invalid):
        raise refusal.error
    return await _new(refusal.actor, refusal.values, refusal.errors)


@action(pages, "POST", "/boards", performs="create_board", form=NewBoardForm, refused=_refused_new)
async def create(outcome: Outcome[None, NewBoardForm]) -> ResponseReturnValue:
    """Create a board and open it."""
    return go(f"/boards/{outcome.answer.id}")


async def on_board(board_id: UUID) -> tuple[Actor, Board]:
    """Return the person who asks, in the organization of a board that exists for them, and the board."""
    actor = await signed_in()
    board = await visible_board(actor, board_id)
    return replace(actor, organization_id=board.organization_id), board


@pages.get("/boards/<uuid:board_id>")
async def show(board_id: UUID) -> ResponseReturnValue:
    """Show one board."""
    actor, board = await on_board(board_id)
    seq = await head_of(board.organization_id)
    response = await make_response(await board_page(view_of(actor, board), seq))
    response.set_cookie(LAST_BOARD, str(board.id), max_age=31_536_000, httponly=True, samesite="Lax")
    return response


async def board_page(view: BoardView, seq: int, *, panel: str = "", page_title: str = "") -> str:
    """Return the page of a board, read after the number `seq` of the log, with a task's panel or without."""
    return await shell_page(
        view.actor,
        "boards/show.html",
        active=f"board-{view.board.id}",
        board=view.board,
        may_write=view.rights.may_write,
        wanted=view.wanted,
        query=await query_of(view),
        columns=await shown_columns(view) if view.wanted.is_table else [],
        regions={**await rendered(PAGE, view), **await rendered(view.shown, view)},
        panel=Markup(panel),
        page_title=page_title,
        panel_base=f"/boards/{view.board.id}",
        live_url=live_url(view, seq),
    )


def view_of(actor: Actor, board: Board, reads: Reads | None = None, panel_id: UUID | None = None) -> BoardView:
    """Return a board's page as somebody sees it with the filter that stands in the address."""
    wanted, rights = CardFilter.of(request.args), Rights.of(actor, board)
    pages = (PAGE, TABLE if wanted.is_table else COLUMNS, *(["panel"] if panel_id else []))
    everything = request.args.get("comments") == "all"
    return BoardView(
        actor=actor, pages=pages, active=f"board-{board.id}", reads=reads or Reads(),
        board=board, rights=rights, wanted=wanted, panel_id=panel_id, all_comments=everything,
    )  # fmt: skip


def live_url(view: BoardView, seq: int) -> str:
    """Return the stream of a board page with a filter and an open task, from an event on."""
    query = view.wanted.query()
    panel = f"&panel={PANEL}{view.panel_id}" if view.panel_id else ""
    if view.panel_id and view.all_comments:
        panel += "&comments=all"
    return f"/boards/{view.board.id}/live{query}{'&' if query else '?'}after={seq}{panel}"


@pages.get("/boards/<uuid:board_id>/cards")
async def cards(board_id: UUID) -> ResponseReturnValue:
    """Answer an open page with another filter: its regions, its stream and its address."""
    actor, board = await on_board(board_id)
    seq = await head_of(board.organization_id)
    view = view_of(actor, board)
    url = f"/boards/{board.id}{view.wanted.query(q='', all='')}"
    html = await fragments(view.shown, view) + await fragments(PAGE, view)
    html += partial("#filter-clear", render_macro(QUERY, "clear", url=url, narrows=view.wanted.narrows), "innerHTML")
    html += partial("#view-switch", render_macro(QUERY, "switch", board_id=board.id, wanted=view.wanted), "innerHTML")
    html += partial("#query-state", state_of(view.wanted), "innerHTML")
    html += partial("#live", render_macro(QUERY, "stream", url=live_url(view, seq)), "outerHTML")
    return Response(html, headers={"HX-Replace-Url": f"/boards/{board.id}{view.wanted.query()}"}, mimetype="text/html")


@pages.get("/boards/<uuid:board_id>/live")
async def live(board_id: UUID) -> Response:
    """Stream a board, for a page with a filter and maybe an open task."""
    actor, board = await on_board(board_id)
    name = request.args.get("panel", "")
    asked = view_of(actor, board, panel_id=parse_id(name.removeprefix(PANEL)) if name.startswith(PANEL) else None)

    async def look(viewer: Actor, reads: Reads) -> BoardView | None:
        current = await present(board)
        if current is None or not viewer.reads(current):
            return None
        return replace(asked, actor=viewer, reads=reads, board=current, rights=Rights.of(viewer, current))

    return await live_page(actor, look)


@pages.get("/boards/<uuid:board_id>/settings")
async def settings(board_id: UUID) -> ResponseReturnValue:
    """Show the form of a board's settings."""
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
        gateways=await gateway_choices(actor, board),
        may_delete=can(actor, "board.delete", board),
    )


async def _refused_settings(refusal: Refusal[Board, BoardSettingsForm]) -> ResponseReturnValue:
    """Answer the form with what was typed, when it is invalid or the board changed under it."""
    board, error = refusal.found, refusal.error
    if isinstance(error, EditConflict):
        typed = {**refusal.values, "version": BoardSettingsForm.version_of(board)}
        return await _settings(refusal.actor, board, typed, BoardSettingsForm.conflict_errors(board, error.fields))
    if isinstance(error, FormInvalid | Invalid):
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
