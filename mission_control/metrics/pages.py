"""Metrics as a page: figures, series with the range before, and tables of the same."""

from typing import Any
from uuid import UUID

from quart import Blueprint, request

from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.metrics import figures
from mission_control.metrics.queries import dashboard
from mission_control.metrics.schemas import DashboardQuery
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("metrics_pages", __name__)


@pages.get("/metrics")
async def metrics() -> str:
    """Show the figures of all boards or of one, for the range in the address."""
    actor = await signed_in()
    boards = await boards_of(actor)
    wanted = parse_id(request.args.get("board"))
    board = next((one for one in boards if one.id == wanted), None)
    context = await _context(actor, board.id if board else None)
    return await shell_page(actor, "metrics/index.html", active="home", boards=boards, board=board, **context)


async def _context(actor: Actor, board_id: UUID | None) -> dict[str, Any]:
    range_key = figures.range_named(request.args.get("range"))
    found = await dashboard(actor, DashboardQuery(range_key=range_key, board_id=board_id))
    suffix = f"&board={board_id}" if board_id else ""
    return {
        "range_key": range_key,
        "words": figures.IN_WORDS[range_key],
        "ranges": [(one, figures.SHORT[one], f"/metrics?range={one}{suffix}") for one in figures.OFFERED],
        "kpis": found["kpis"],
        "flow": found["flow"],
        "oldest": _in_words(found["flow"]["oldest_waiting"]),
        "charts": figures.dashboard_charts(found, actor.id),
    }


def _in_words(hours: float | None) -> str:
    return "" if hours is None else figures.duration_in_words(hours)
