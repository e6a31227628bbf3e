"""Metrics as a page: figures, series with the range before, and tables of the same; it stays current."""

from dataclasses import dataclass
from urllib.parse import urlencode

from quart import Blueprint, Response, request

from mission_control.boards.models import Board
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.live.broker import head_of
from mission_control.metrics import figures
from mission_control.metrics.dashboard import dashboard
from mission_control.metrics.schemas import DashboardQuery, RangeKey
from mission_control.web.fragments import render_block
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("metrics_pages", __name__)
PAGE, TEMPLATE = "metrics", "metrics/index.html"
COUNTED = ("approval.", "question.answered", "task.created", "task.status_changed", "task.deleted", "task.run_")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsView(View):
    """The page as somebody sees it: all boards or one, and a range."""

    boards: list[Board]
    board: Board | None
    range_key: RangeKey

    def address(self, path: str, **more: object) -> str:
        """Return an address of the page with what it shows now, and changes."""
        board = {"board": str(self.board.id)} if self.board else {}
        return f"{path}?{urlencode({'range': self.range_key, **board, **more})}"


async def _view(actor: Actor, reads: Reads | None = None) -> MetricsView:
    boards, wanted = await boards_of(actor), parse_id(request.args.get("board"))
    return MetricsView(
        actor=actor,
        pages=(PAGE,),
        active="home",
        reads=reads or Reads(),
        boards=boards,
        board=next((one for one in boards if one.id == wanted), None),
        range_key=figures.range_named(request.args.get("range")),
    )


@pages.get("/metrics")
async def metrics() -> str:
    """Show the figures of all boards or of one, for the range in the address."""
    actor = await signed_in()
    view, seq = await _view(actor), await head_of(actor.organization_id)
    return await shell_page(
        actor,
        TEMPLATE,
        active="home",
        view=view,
        words=figures.IN_WORDS[view.range_key],
        ranges=[(one, figures.SHORT[one], view.address("/metrics", range=one)) for one in figures.OFFERED],
        regions=await rendered(PAGE, view),
        live_url=view.address("/metrics/live", after=seq),
    )


@pages.get("/metrics/live")
async def live() -> Response:
    """Keep the figures current."""
    actor = await signed_in()
    opened = await _view(actor)

    async def look(viewer: Actor, reads: Reads) -> MetricsView | None:
        boards = await boards_of(viewer)
        if opened.board is not None and opened.board.id not in {one.id for one in boards}:
            return None
        return MetricsView(
            actor=viewer, pages=(PAGE,), active="home", reads=reads,
            boards=boards, board=opened.board, range_key=opened.range_key,
        )  # fmt: skip

    return await live_page(actor, look)


async def shown(view: MetricsView) -> str:
    """Return the figures and charts."""
    board_id = view.board.id if view.board else None
    found = await dashboard(view.actor, DashboardQuery(range_key=view.range_key, board_id=board_id))
    hours = found["flow"]["oldest_waiting"]
    return await render_block(
        TEMPLATE,
        "figures",
        words=figures.IN_WORDS[view.range_key],
        kpis=found["kpis"],
        flow=found["flow"],
        oldest="" if hours is None else figures.duration_in_words(hours),
        charts=figures.dashboard_charts(found, view.actor.id),
    )


REGIONS = (Region(PAGE, "#metrics", Concerns[MetricsView](COUNTED), shown),)
