"""The page of a board."""

from dataclasses import replace
from functools import partial as filled
from uuid import UUID

from markupsafe import Markup
from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.pages import on_board
from mission_control.boards.queries import present
from mission_control.boards.views import default_view
from mission_control.boards.words import STATUSES
from mission_control.core.actor import Actor
from mission_control.core.values import parse_id
from mission_control.log.broker import head_of
from mission_control.tasks.board_view import (
    COLUMNS,
    PAGE,
    PANEL,
    TABLE_PAGE,
    BoardView,
    PanelLook,
    Rights,
    keep_presence,
)
from mission_control.tasks.card_filter import CardFilter
from mission_control.tasks.table import shown_columns
from mission_control.tasks.views_pages import QUERY, filter_of, query_of, state_of
from mission_control.web.asides import asides, asked, opened, panel_alone, wants_panel_alone, with_aside
from mission_control.web.fragments import partial, render_macro
from mission_control.web.regions import Reads, fragments, live_page, rendered
from mission_control.web.shell import shell_page

pages = Blueprint("task_board_pages", __name__)
PLACE = "board"


@pages.get("/boards/<uuid:board_id>")
async def show(board_id: UUID) -> ResponseReturnValue:
    """Show one board."""
    actor, board = await on_board(board_id)
    seq = await head_of(board.organization_id)
    view, panel, stream, title = view_of(actor, board), "", "", ""
    if not request.args and (default := await default_view(board)) is not None:
        wanted = filter_of(default)
        view = replace(view, wanted=wanted, pages=(PAGE, TABLE_PAGE if wanted.is_table else COLUMNS))
    aside, _ = asked(PLACE)
    if aside is not None:
        panel, stream = await opened(aside, view, seq, f"/boards/{board.id}{view.wanted.query()}")
        title = f"{aside.title} of {board.name}"
        if wants_panel_alone():
            return panel_alone(panel)
    return await board_page(view, seq, panel=panel, page_title=title, stream=stream)


async def board_page(
    view: BoardView, seq: int, *, panel: str = "", page_title: str = "", stream: str = "", column: str = ""
) -> str:
    """Return the page of a board, read after the number `seq` of the log, with a panel or without.

    `stream` is the panel's part of the address of the stream, unless it is a task's; `column` is where the task is.
    """
    kept = {request.args.get("open"), column} & set(STATUSES)  # columns that never fold beside an open task
    return await shell_page(
        view.actor, "boards/show.html", active=f"board-{view.board.id}", board=view.board, wanted=view.wanted,
        may_write=view.rights.may_write, query=await query_of(view), panel=Markup(panel), page_title=page_title,
        columns=await shown_columns(view) if view.wanted.is_table else [],
        regions={**await rendered(PAGE, view), **await rendered(view.shown, view)},
        open_columns=" ".join(sorted(filter(None, kept))), panel_base=f"/boards/{view.board.id}",
        asides=asides(PLACE), live_url=live_url(view, seq, stream),
    )  # fmt: skip


def view_of(actor: Actor, board: Board, reads: Reads | None = None, panel_id: UUID | None = None) -> BoardView:
    """Return a board's page as somebody sees it with the filter that stands in the address."""
    wanted, rights = CardFilter.of(request.args), Rights.of(actor, board)
    aside, options = asked(PLACE) if panel_id is None else (None, ())
    open_page = "panel" if panel_id else aside.page if aside else ""
    pages = (PAGE, TABLE_PAGE if wanted.is_table else COLUMNS, *([open_page] if open_page else []))
    return BoardView(
        actor=actor, pages=pages, active=f"board-{board.id}", reads=reads or Reads(),
        board=board, rights=rights, wanted=wanted, panel_id=panel_id, look=PanelLook.of(request.args),
        aside=aside.name if aside else "", options=options,
    )  # fmt: skip


def live_url(view: BoardView, seq: int, stream: str = "") -> str:
    """Return the stream of a board page with a filter and an open panel, from an event on."""
    query = view.wanted.query()
    task = f"&panel={PANEL}{view.panel_id}{view.look.more}" if view.panel_id else ""
    panel = task or (f"&{stream}" if stream else "")
    return f"/boards/{view.board.id}/live{query}{'&' if query else '?'}after={seq}{panel}"


@pages.get("/boards/<uuid:board_id>/cards")
async def cards(board_id: UUID) -> ResponseReturnValue:
    """Answer an open page with another filter: its regions, its stream and its address."""
    actor, board = await on_board(board_id)
    seq = await head_of(board.organization_id)
    view = view_of(actor, board)
    url = f"/boards/{board.id}{view.wanted.address(q='', all='')}"
    html = await fragments(view.shown, view) + await fragments(PAGE, view)
    html += partial("#filter-clear", render_macro(QUERY, "clear", url=url, narrows=view.wanted.narrows), "innerHTML")
    html += partial("#view-switch", render_macro(QUERY, "switch", board_id=board.id, wanted=view.wanted), "innerHTML")
    html += partial("#query-state", state_of(view.wanted), "innerHTML")
    html += partial("#live", render_macro(QUERY, "stream", url=live_url(view, seq)), "outerHTML")
    address = with_aside(PLACE, f"/boards/{board.id}{view.wanted.address()}")
    return Response(html, headers={"HX-Replace-Url": address}, mimetype="text/html")


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

    return await live_page(actor, look, filled(keep_presence, actor, board))
