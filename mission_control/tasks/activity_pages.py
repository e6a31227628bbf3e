"""The activity as pages: of an organization, of one board, beside a board, and of an agent."""

from dataclasses import dataclass, replace
from uuid import UUID

from markupsafe import Markup
from quart import Blueprint, Response, redirect, request
from quart.typing import ResponseReturnValue

from mission_control.agents.page_frame import AGENT_PAGE, Viewed
from mission_control.boards.models import Board
from mission_control.boards.pages import on_board as index_on_board
from mission_control.boards.queries import boards_of, still_exists
from mission_control.core.actor import Actor
from mission_control.log.broker import head_of
from mission_control.log.models import Event
from mission_control.tasks.activity_queries import (
    FILTERS,
    PAGE,
    FeedFilter,
    actors_of,
    by_day,
    day_name,
    feed,
    feed_of_agent,
    number_of_event,
)
from mission_control.tasks.board_view import BoardView, on_board
from mission_control.tasks.sentences import Entry
from mission_control.web.asides import Aside, Opened
from mission_control.web.forms import is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Concerns, Reads, Region, Signal, View, live_page
from mission_control.web.shell import PaletteEntry, shell_page, signed_in
from mission_control.web.tabs import Tab

TEMPLATE = "activity/aside.html"
MOST_NEW = 100


def _wanted(view: BoardView) -> FeedFilter:
    return FeedFilter.of({"kind": view.option("kind")}, view.board.id)


def _since(view: BoardView) -> int:
    text = view.option("since")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


async def open_feed(view: BoardView, seq: int) -> Opened:
    """Return the newest lines of a board, to which new ones come."""
    since, wanted = _since(view) or seq, _wanted(view)
    found = await feed(view.actor, replace(wanted, before=since + 1), PAGE)
    new = by_day(await feed(view.actor, replace(wanted, after=since), MOST_NEW))
    html = render_macro(
        TEMPLATE, "aside", board_id=view.board.id, days=by_day(found), wanted=wanted,
        kinds=[("", "Everything"), *((key, label) for key, (label, _) in FILTERS.items())],
        new=Markup(render_macro(TEMPLATE, "new", days=new)), is_whole=len(found) < PAGE,
    )  # fmt: skip
    return Opened(html, {"since": str(since)})


async def _new(view: BoardView) -> str:
    found = await feed(view.actor, replace(_wanted(view), after=_since(view)), MOST_NEW)
    return render_macro(TEMPLATE, "new", days=by_day(found))


ASIDES = (Aside("board", "feed", "Live feed", "activity", "b f", open_feed),)
REGIONS = (Region("board-feed", "#feed-beside-new", on_board(""), _new),)


AGENT_TEMPLATE = "activity/agent.html"
CARD_LINES = 6


async def render(viewed: Viewed) -> str:
    before = viewed.args.get("before", "")
    upto = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None
    found = await feed_of_agent(viewed.actor, viewed.agent, PAGE + 1, upto)
    older = found[PAGE - 1].seq if len(found) > PAGE else None
    return render_macro(
        AGENT_TEMPLATE, "tab", viewed=viewed, days=by_day(found[:PAGE]), is_older=bool(upto), older=older
    )


async def card(viewed: Viewed) -> str:
    """Render the latest entries for the overview."""
    found = await feed_of_agent(viewed.actor, viewed.agent, CARD_LINES)
    return render_macro(AGENT_TEMPLATE, "card", viewed=viewed, entries=found)


TAB = Tab(AGENT_PAGE, "activity", "Activity", render, card)


pages = Blueprint("activity_pages", __name__)
PAGE_NAME, ITEMS = "feed", "activity/items.html"
LIVE_LINES = 100
NEWER_LINES = 10


@pages.get("/activity")
async def of_organization() -> ResponseReturnValue:
    """Show the activity of all readable boards."""
    return await _page(await signed_in(), None)


@pages.get("/boards/<uuid:board_id>/activity")
async def of_board(board_id: UUID) -> ResponseReturnValue:
    """Show the activity of one board."""
    return await _page(*await index_on_board(board_id))


async def _page(actor: Actor, board: Board | None) -> ResponseReturnValue:
    seq = await head_of(actor.organization_id)
    named = request.args.get("event") or request.args.get("eventId") or ""
    found_seq = await number_of_event(actor, named[:40]) if named else None
    if found_seq is not None:  # with some newer lines above it
        return redirect(f"{_base(board)}?before={found_seq + NEWER_LINES}#event-{found_seq}", 303)
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
        kinds=[(key, label) for key, (label, _) in FILTERS.items()],
        wanted=wanted,
        is_event_gone=bool(named),
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
    """Return older lines for an open page; a day that the page already shows gets no second heading."""
    return render_macro(
        ITEMS, "older", days=by_day(found[:PAGE]), last_day=day, url=_older_url(board, wanted, found),
        with_board=board is None,
    )  # fmt: skip


def _older_url(board: Board | None, wanted: FeedFilter, found: list[Entry]) -> str:
    if len(found) <= PAGE:
        return ""
    last = found[PAGE - 1]
    query = wanted.query(with_board=board is None, before=last.seq, day=day_name(last.created_at))
    return _base(board) + query


@pages.get("/activity/live")
async def organization_live() -> Response:
    """Keep the feed of the organization live."""
    return await _live(await signed_in(), None)


@pages.get("/boards/<uuid:board_id>/activity/live")
async def board_live(board_id: UUID) -> Response:
    """Keep the feed of a board live."""
    return await _live(*await index_on_board(board_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedView(View):
    """A viewer's feed: the entries since it was opened, and the first day shown then."""

    board: Board | None
    new: FeedFilter
    first_day: str

    async def days(self) -> list[tuple[str, list[Entry]]]:
        """Return everything since the page was opened, up to a limit, by day."""
        return await self.reads.get(("feed", self.actor.id, self.new), self._days)

    async def _days(self) -> list[tuple[str, list[Entry]]]:
        return by_day(await feed(self.actor, self.new, LIVE_LINES))


async def _live(actor: Actor, board: Board | None) -> Response:
    args: dict[str, str] = request.args.to_dict()
    after = args.get("after", "")
    is_number = after.isascii() and after.isdigit() and len(after) < 16
    since = int(after) if is_number else await head_of(actor.organization_id)
    wanted = FeedFilter.of(args, board.id if board else None)
    new = replace(wanted, before=None, after=since)
    active, first_day = f"board-{board.id}" if board else "activity", args.get("day", "")

    async def look(viewer: Actor, reads: Reads) -> FeedView | None:
        if board is not None and not (viewer.reads(board) and await still_exists(board)):
            return None
        return FeedView(
            actor=viewer, pages=(PAGE_NAME,), active=active, reads=reads, board=board, new=new, first_day=first_day
        )

    return await live_page(actor, look)


async def _new_lines(view: FeedView) -> str | None:
    days = await view.days()
    return render_macro(ITEMS, "feed", days=days, with_board=view.board is None) if days else None


async def _first_day(view: FeedView) -> str | None:
    """Return the heading of the day that the page began with, unless the new lines bring it."""
    days = await view.days()
    if not days:
        return None
    return "" if days[-1][0] == view.first_day else view.first_day


def _is_on(view: FeedView, news: Event | Signal) -> bool:
    return isinstance(news, Event) and view.new.board_id in (None, news.board_id)


NEWS = Concerns[FeedView](("",), (), _is_on)
PAGES_REGIONS = (
    Region(PAGE_NAME, "#feed-new", NEWS, _new_lines),
    Region(PAGE_NAME, "#feed-first-day", NEWS, _first_day, swap="innerHTML"),
)


ENTRY = PaletteEntry("Activity", "/activity", "activity", "feed log", position=20)
