"""The activity as pages: of an organization, of one board, beside a board, and of an agent."""

from dataclasses import dataclass, replace
from uuid import UUID

from markupsafe import Markup
from quart import Blueprint, Response, redirect, request
from quart.typing import ResponseReturnValue

from mission_control.agents.page_frame import AGENT_PAGE, Viewed
from mission_control.boards.models import Board
from mission_control.boards.pages import on_board
from mission_control.boards.queries import boards_of, still_exists
from mission_control.core.actor import Actor
from mission_control.core.values import whole_number
from mission_control.events.broker import News, head_of
from mission_control.events.models import Event
from mission_control.tasks.activity import queries as activity_queries
from mission_control.tasks.activity.queries import FILTERS, PAGE, Day, FeedFilter, by_day, day_name, feed
from mission_control.tasks.board.view import BoardView, of_board
from mission_control.web.forms import is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Concerns, Reads, Region, View, live_page
from mission_control.web.shell import PaletteEntry, shell_page, signed_in
from mission_control.web.side_panels import Aside, Opened
from mission_control.web.tabs import Tab

TEMPLATE = "tasks/activity/aside.html"
MOST_NEW = 100


def _wanted(view: BoardView) -> FeedFilter:
    return FeedFilter.of({"kind": view.option("kind")}, view.board.id)


def _since(view: BoardView) -> int:
    return whole_number(view.option("since")) or 0


async def open_feed(view: BoardView, seq: int) -> Opened:
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
REGIONS = (Region("board-feed", "#feed-beside-new", of_board(""), _new),)


AGENT_TEMPLATE = "tasks/activity/agent.html"
CARD_LINES = 6


async def render(viewed: Viewed) -> str:
    before = whole_number(viewed.args.get("before"))
    found = await activity_queries.feed_of_agent(viewed.actor, viewed.agent, PAGE + 1, before)
    older, days = found[PAGE - 1].seq if len(found) > PAGE else None, by_day(found[:PAGE])
    return render_macro(AGENT_TEMPLATE, "tab", viewed=viewed, days=days, is_older=bool(before), older=older)


async def card(viewed: Viewed) -> str:
    found = await activity_queries.feed_of_agent(viewed.actor, viewed.agent, CARD_LINES)
    return render_macro(AGENT_TEMPLATE, "card", viewed=viewed, entries=found)


TAB = Tab(AGENT_PAGE, "activity", "Activity", render, card)


pages = Blueprint("activity_pages", __name__)
PAGE_NAME, ITEMS = "feed", "tasks/activity/items.html"
LIVE_LINES = 100
NEWER_LINES = 10


@pages.get("/activity")
@pages.get("/boards/<uuid:board_id>/activity")
async def show(board_id: UUID | None = None) -> ResponseReturnValue:
    actor, board = await _asked(board_id)
    seq = await head_of(actor.organization_id)
    named = request.args.get("event") or request.args.get("eventId") or ""
    found_seq = await activity_queries.number_of_event(actor, named[:40]) if named else None
    base = f"/boards/{board.id}/activity" if board else "/activity"
    if found_seq is not None:  # with some newer lines above it
        return redirect(f"{base}?before={found_seq + NEWER_LINES}#event-{found_seq}", 303)
    wanted = FeedFilter.of(request.args, board_id)
    found = await feed(actor, wanted, PAGE + 1)
    days, older_url, is_whole = by_day(found[:PAGE]), "", board is None
    if len(found) > PAGE:
        last = found[PAGE - 1]
        older_url = base + wanted.query(with_board=is_whole, before=last.seq, day=day_name(last.created_at))
    if is_htmx() and wanted.before is not None:  # a day that the page already shows gets no second heading
        last_day = request.args.get("day", "")
        return render_macro(ITEMS, "older", days=days, last_day=last_day, url=older_url, with_board=is_whole)
    first = days[0][0] if days else ""
    live = f"{base}/live{wanted.query(with_board=is_whole, after=seq, day=first)}"
    return await shell_page(
        actor, "tasks/activity/index.html", active=f"board-{board.id}" if board else "activity", board=board,
        boards=await boards_of(actor), actors=await activity_queries.actors_of(actor), wanted=wanted,
        is_event_gone=bool(named), kinds=[(key, label) for key, (label, _) in FILTERS.items()], base=base, days=days,
        first_day=first, older_url=older_url, live_url=live if wanted.before is None else "",
    )  # fmt: skip


async def _asked(board_id: UUID | None) -> tuple[Actor, Board | None]:
    return await on_board(board_id) if board_id else (await signed_in(), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedView(View):
    """A viewer's feed: the entries since it was opened, and the first day shown then."""

    board: Board | None
    new: FeedFilter
    first_day: str

    async def days(self) -> list[Day]:
        key = ("feed", self.actor.id, self.new)
        return by_day(await self.reads.get(key, lambda: feed(self.actor, self.new, LIVE_LINES)))


@pages.get("/activity/live")
@pages.get("/boards/<uuid:board_id>/activity/live")
async def live(board_id: UUID | None = None) -> Response:
    actor, board = await _asked(board_id)
    since = whole_number(request.args.get("after"))
    since = await head_of(actor.organization_id) if since is None else since
    new = replace(FeedFilter.of(request.args, board_id), before=None, after=since)
    active, first_day = f"board-{board.id}" if board else "activity", request.args.get("day", "")

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


def _is_on(view: FeedView, news: News) -> bool:
    return isinstance(news, Event) and view.new.board_id in (None, news.board_id)


NEWS = Concerns[FeedView](("",), (), _is_on)
PAGES_REGIONS = (
    Region(PAGE_NAME, "#feed-new", NEWS, _new_lines),
    Region(PAGE_NAME, "#feed-first-day", NEWS, _first_day, swap="innerHTML"),
)


ENTRY = PaletteEntry("Activity", "/activity", "activity", "feed log", position=20)
