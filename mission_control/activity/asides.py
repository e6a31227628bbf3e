"""The live feed beside a board."""

from dataclasses import replace

from markupsafe import Markup

from mission_control.activity.queries import FILTERS, PAGE, FeedFilter, by_day, feed
from mission_control.tasks.board_view import BoardView, on_board
from mission_control.web.asides import Aside, Opened
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Region

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
