"""What a task's panel shows of the work on it: what it waits for, and runs in words."""

from datetime import datetime
from typing import Any

from mission_control.boards.view import BoardView, News
from mission_control.claims.waiting import reasons_of
from mission_control.core import times
from mission_control.database.sql import as_moment
from mission_control.live.models import Event
from mission_control.tasks.panel import Panel
from mission_control.tasks.panel_files import size_in_words
from mission_control.tasks.panel_view import panel_region
from mission_control.usage.wording import money, short
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Concerns

TEMPLATE = "claims/panel.html"


async def waiting(_view: BoardView, panel: Panel) -> str:
    """Return what the task waits for; empty when it is done."""
    reasons = (await reasons_of([panel.id])).get(str(panel.id), [])
    shown = [one | {name: as_moment(one[name]) for name in ("since", "until")} for one in reasons]
    return render_macro(TEMPLATE, "waiting", panel=panel, reasons=shown) if shown else ""


def in_words(run: dict[str, Any]) -> dict[str, Any]:
    """Return a run with moments as moments, how long it took, and what it cost in words."""
    began, ended = as_moment(run["started_at"]), as_moment(run["ended_at"])
    assert began is not None
    used = run["input_tokens"] + run["output_tokens"]
    figures = [f"{short(used)} tokens"] if used else []
    if run["cost_usd"]:
        figures.append(money(run["cost_usd"]))
    files = [file | {"size": size_in_words(file["size"])} for file in run["artifacts"]]
    took = _took(began, ended) if ended else ""
    lease = as_moment(run["lease_expires_at"])
    return run | {"began": began, "took": took, "figures": figures, "artifacts": files, "lease": lease}


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
REGIONS = (panel_region("waiting", NEAR, waiting),)
