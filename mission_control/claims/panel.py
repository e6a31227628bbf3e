"""What a task's panel shows of the work on it: what it waits for, and the runs so far."""

from datetime import datetime
from typing import Any

from mission_control.boards.view import BoardView, News
from mission_control.claims.run_queries import runs_of_task
from mission_control.claims.waiting import reasons_of
from mission_control.core import times
from mission_control.core.paging import Paging
from mission_control.database.sql import as_moment
from mission_control.live.models import Event
from mission_control.tasks.panel import Panel
from mission_control.tasks.panel_parts import size_in_words
from mission_control.tasks.panel_view import of_panel, panel_region
from mission_control.usage.wording import money
from mission_control.web.fragments import read_ahead, render_macro
from mission_control.web.regions import Concerns

TEMPLATE = "claims/panel.html"
PAGE = Paging(limit=20, offset=0)


async def waiting(_view: BoardView, panel: Panel) -> str:
    """Return what the task waits for; empty when it is done."""
    reasons = (await reasons_of([panel.id])).get(str(panel.id), [])
    shown = [one | {name: as_moment(one[name]) for name in ("since", "until")} for one in reasons]
    return render_macro(TEMPLATE, "waiting", panel=panel, reasons=shown) if shown else ""


async def runs(_view: BoardView, panel: Panel) -> str:
    """Return the newest runs of the task; empty when there is none."""
    found, total = await runs_of_task(panel.id, PAGE)
    if not found:
        return ""
    await read_ahead(*(run["summary"] for run in found))
    return render_macro(
        TEMPLATE, "runs", panel=panel, runs=[in_words(run) for run in found], earlier=total - len(found)
    )


def in_words(run: dict[str, Any]) -> dict[str, Any]:
    """Return a run with moments as moments, how long it took, and what it cost in words."""
    began, ended = as_moment(run["started_at"]), as_moment(run["ended_at"])
    assert began is not None
    figures = [
        f"{run[name]:,} tokens {way}" for name, way in (("input_tokens", "in"), ("output_tokens", "out")) if run[name]
    ]
    if run["cost_usd"]:
        figures.append(money(run["cost_usd"]))
    files = [file | {"size": size_in_words(file["size"])} for file in run["artifacts"]]
    took = _took(began, ended) if ended else ""
    return run | {"began": began, "took": took, "figures": figures, "artifacts": files}


def _took(began: datetime, ended: datetime) -> str:
    text = times.elapsed(began, ended)
    return "under a minute" if text == "0 m" else text


def _is_near(view: BoardView, news: News) -> bool:
    """Whether something happened on the board, or to the whole organization."""
    if isinstance(news, Event):
        return news.board_id in (view.board.id, None)
    return news.get("board_id") in (str(view.board.id), None)


# A task waits for other tasks, for decisions, agents, limits and budgets.
NEAR = Concerns[BoardView](
    ("task.", "approval.", "agent.", "board.", "organization.", "budget."), ("agent_id", "usage"), _is_near
)
REGIONS = (
    panel_region("waiting", NEAR, waiting),
    panel_region("runs", of_panel("task."), runs),
)
