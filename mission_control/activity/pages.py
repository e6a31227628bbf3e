"""The activity of an organization and of one board."""

from typing import Any
from uuid import UUID

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.activity import agent_tab as agent_tab
from mission_control.activity.days import by_day, day_name
from mission_control.activity.queries import KINDS, PAGE, FeedFilter, actors_of, feed
from mission_control.activity.sentences import Entry
from mission_control.boards.models import Board
from mission_control.boards.pages import on_board
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.live.broker import head_of
from mission_control.live.stream import Batch
from mission_control.shell import live_page
from mission_control.web.forms import is_htmx
from mission_control.web.fragments import partial, render_macro
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("activity_pages", __name__)
ITEMS = "activity/items.html"
LIVE_LINES = 100


@pages.get("/activity")
async def of_organization() -> ResponseReturnValue:
    """What happened on all boards that the reader reaches."""
    return await _page(await signed_in(), None)


@pages.get("/boards/<uuid:board_id>/activity")
async def of_board(board_id: UUID) -> ResponseReturnValue:
    """What happened on one board."""
    return await _page(*await on_board(board_id))


async def _page(actor: Actor, board: Board | None) -> str:
    seq = await head_of(actor.organization_id)
    wanted = FeedFilter.of(request.args, board.id if board else None)
    found = await feed(actor, wanted, PAGE + 1)
    if is_htmx() and wanted.before is not None:
        return _older(board, wanted, found, request.args.get("day", ""))
    base = _base(board)
    days = by_day(found[:PAGE])
    first = days[0][0] if days else ""
    return await shell_page(
        actor,
        "activity/index.html",
        active=f"board-{board.id}" if board else "activity",
        board=board,
        boards=await boards_of(actor),
        actors=await actors_of(actor),
        kinds=[(key, label) for key, (label, _) in KINDS.items()],
        wanted=wanted,
        base=base,
        days=days,
        first_day=first,
        older_url=_older_url(board, wanted, found),
        live_url=f"{base}/live{wanted.query(with_board=board is None, after=seq, day=first)}"
        if wanted.before is None
        else "",
    )


def _base(board: Board | None) -> str:
    return f"/boards/{board.id}/activity" if board else "/activity"


def _older(board: Board | None, wanted: FeedFilter, found: list[Entry], day: str) -> str:
    """The next lines for an open page; a day that has begun there gets no second heading."""
    return render_macro(
        ITEMS, "older", days=by_day(found[:PAGE]), last_day=day, url=_older_url(board, wanted, found),
        with_board=board is None,
    )  # fmt: skip


def _older_url(board: Board | None, wanted: FeedFilter, found: list[Entry]) -> str:
    if len(found) <= PAGE:
        return ""
    last = found[PAGE - 1]
    query = wanted.query(with_board=board is None, before=last.seq, day=day_name(last.created_at.date()))
    return _base(board) + query


@pages.get("/activity/live")
async def organization_live() -> Response:
    """Keep the feed of the organization live."""
    return await _live(await signed_in(), None)


@pages.get("/boards/<uuid:board_id>/activity/live")
async def board_live(board_id: UUID) -> Response:
    """Keep the feed of a board live."""
    return await _live(*await on_board(board_id))


async def _live(actor: Actor, board: Board | None) -> Response:
    args: dict[str, Any] = request.args.to_dict()
    after = args.get("after", "")
    is_number = after.isascii() and after.isdigit() and len(after) < 16
    since = int(after) if is_number else await head_of(actor.organization_id)
    wanted = FeedFilter.of(args, board.id if board else None)
    new = FeedFilter(wanted.board_id, wanted.kind, wanted.actor, after=since)
    first_day = args.get("day", "")

    async def render(viewer: Actor, batch: Batch) -> str:
        """Everything since the page was opened, up to a limit: a repeated message changes nothing."""
        if not any(new.board_id in (None, event.board_id) for event in batch.events):
            return ""
        days = by_day(await feed(viewer, new, LIVE_LINES))
        if not days:
            return ""
        html = render_macro(ITEMS, "feed", days=days, with_board=board is None)
        repeated = days[-1][0] == first_day
        return partial("#feed-new", html) + partial("#feed-first-day", "" if repeated else first_day, "innerHTML")

    async def reaches(viewer: Actor) -> bool:
        return board is None or (viewer.reads(board) and await Board.filter(id=board.id).exists())

    return await live_page(actor, f"board-{board.id}" if board else "activity", render, reaches)
