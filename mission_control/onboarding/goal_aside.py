"""The goal of a board beside it: what is to be reached, how that is measured, until when, and how far it is."""

from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from mission_control.boards.days import goal_day
from mission_control.boards.metrics import as_rows
from mission_control.boards.statuses import STATUSES
from mission_control.core import zones
from mission_control.core.policy import can
from mission_control.core.times import date_words
from mission_control.database.sql import rows
from mission_control.tasks.board_view import BoardView, on_board
from mission_control.web.asides import Aside, Opened
from mission_control.web.fragments import read_ahead, render_macro
from mission_control.web.regions import Region

TEMPLATE = "onboarding/goal.html"


@dataclass(frozen=True, slots=True)
class Progress:
    """How many tasks of a board there are in each column; archived ones are done."""

    counts: dict[str, int]

    @property
    def total(self) -> int:
        """All tasks."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Finished tasks."""
        return self.counts["done"]

    @property
    def percent(self) -> int:
        """Finished tasks in percent, rounded down."""
        return 100 * self.done // self.total if self.total else 0


async def progress_of(view: BoardView) -> Progress:
    """Return how far a board is by its tasks."""
    found = await rows(
        "SELECT CASE WHEN archived_at IS NOT NULL THEN 'done' ELSE status END AS status, COUNT(*) AS n FROM tasks"
        " WHERE board_id = ? AND deleted_at IS NULL"
        " GROUP BY CASE WHEN archived_at IS NOT NULL THEN 'done' ELSE status END",
        view.board.id,
    )
    by_status = {row["status"]: int(row["n"]) for row in found}
    return Progress({status: by_status.get(status, 0) for status in STATUSES})


def time_left(day: date | None) -> str:
    """Return how much time the reader has until a day, in words; empty without one."""
    if day is None:
        return ""
    days = (day - zones.today(zones.reader())).days
    if days == 0:
        return "today"
    if days in (1, -1):
        return "tomorrow" if days == 1 else "one day late"
    return f"{days} days left" if days > 0 else f"{-days} days late"


async def _goal(view: BoardView) -> str:
    board = view.board
    await read_ahead(board.objective)
    day = goal_day(board.target_date)
    return render_macro(
        TEMPLATE,
        "goal",
        board=board,
        metrics=as_rows(board.success_metrics),
        day=day,
        in_words=day and date_words(day, zones.today(zones.reader())),
        left=time_left(day),
        progress=await progress_of(view),
        may_change=can(view.actor, "onboarding.confirm", board),
    )


async def open_goal(view: BoardView, seq: int) -> Opened:
    """Return the goal of a board."""
    return Opened(render_macro(TEMPLATE, "aside", goal=Markup(await _goal(view))))


NEWS = ("board.updated", "onboarding.", "task.created", "task.status_changed", "task.deleted", "task.restored")
ASIDES = (Aside("board", "goal", "Goal", "target", "b g", open_goal),)
REGIONS = (Region("board-goal", "#goal", on_board(*NEWS), _goal, key=lambda view: (view.board.id, view.rights)),)
