"""Metrics as people read them: figures, bars and tables, on a page that stays current."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from quart import Blueprint, Response, request

from mission_control.agents.usage_queries import money
from mission_control.boards.models import Board
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.core.values import parse_id
from mission_control.knowledge.dashboard import Overview, dashboard, total
from mission_control.knowledge.metrics_schemas import (
    BucketKey,
    DashboardMetrics,
    DashboardQuery,
    DashboardRangeSeries,
    DashboardSeriesSet,
    PersonsAnswers,
    RangeKey,
)
from mission_control.log.broker import head_of
from mission_control.web.fragments import render_block
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import shell_page, signed_in

HEIGHT, STEP, WIDTH = 32, 10, 7  # of the bars, in units of their drawing
IN_WORDS: dict[RangeKey, str] = {
    "24h": "24 hours", "3d": "3 days", "7d": "7 days", "14d": "14 days", "1m": "30 days", "3m": "90 days",
    "6m": "180 days", "1y": "365 days",
}  # fmt: skip
OFFERED: tuple[RangeKey, ...] = ("24h", "7d", "14d", "1m", "3m", "1y")
SHORT: dict[RangeKey, str] = {
    "24h": "24 h", "3d": "3 d", "7d": "7 d", "14d": "14 d", "1m": "30 d", "3m": "90 d", "6m": "180 d", "1y": "1 y",
}  # fmt: skip
DEFAULT: RangeKey = "14d"


def range_named(text: str | None) -> RangeKey:
    """Return the range that an address names, else the usual one."""
    return next((one for one in IN_WORDS if one == text), DEFAULT)


@dataclass(frozen=True, slots=True)
class Chart:
    """A series of one range and of the one before it, ready to be shown."""

    key: str
    label: str
    value: str
    unit: str
    note: str
    bucket: BucketKey
    now: list[tuple[datetime, float]]
    before: list[float]
    say: Callable[[float], str] = field(default=lambda value: f"{value:,.0f}")
    bars: bool = True

    @property
    def is_time(self) -> bool:
        return self.say is duration_in_words

    @property
    def bar_width(self) -> int:
        return len(self.now) * STEP - (STEP - WIDTH)

    @property
    def drawn(self) -> list[tuple[int, float, float]]:
        """Its bars as distance from the left, distance from the top, and height."""
        most = max((value for _, value in self.now), default=0.0) or 1.0
        heights = [max(1.0, round(HEIGHT * value / most, 1)) for _, value in self.now]
        return [(at * STEP, round(HEIGHT - height, 1), height) for at, height in enumerate(heights)]

    @property
    def table(self) -> list[tuple[str, str, float, str, float | None]]:
        """Its rows: the period, the value in words and as a number, and the same of the period before."""
        extra = [None] * max(0, len(self.now) - len(self.before))
        pairs = zip(self.now, [*self.before, *extra], strict=False)
        return [
            (period_in_words(self.bucket, moment), self.say(value), value, "" if old is None else self.say(old), old)
            for (moment, value), old in pairs
        ]


def period_in_words(bucket: BucketKey, moment: datetime) -> str:
    """Return the name of a period that begins at a moment, in UTC."""
    if bucket == "hour":
        return f"{moment.day} {moment:%b, %H:00}"
    if bucket == "month":
        return f"{moment:%b %Y}"
    return f"{'week of ' if bucket == 'week' else ''}{moment.day} {moment:%b}"


def duration(hours: float) -> tuple[str, str]:
    """Return a duration as a number and its unit: `18` and `min`."""
    if hours < 1:
        minutes = hours * 60
        return (f"{minutes:.0f}", "min") if minutes >= 1 or minutes == 0 else ("under 1", "min")
    if hours < 48:
        return (f"{hours:.0f}" if hours >= 10 else f"{hours:.1f}".removesuffix(".0"), "h")
    return (f"{hours / 24:.1f}".removesuffix(".0"), "d")


def duration_in_words(hours: float) -> str:
    """Return a duration: `18 min`."""
    return " ".join(duration(hours))


def charts_of(found: Overview, user_id: UUID | None) -> list[Chart]:
    """Return the four charts of Home from `overview`; answers are told apart by who gave them."""
    finished, spent = found.finished, found.spent
    median, median_before = found.time_to_answer_median
    done, cost = total(finished[0]), total(spent[0])
    time, unit = ("none", "") if median is None else duration(median)
    return [
        _chart(
            "answered", "Answered", found.answered, f"{total(found.answered[0]):,.0f}", "",
            _by(found.answered_by, user_id),
        ),
        _chart(
            "time-to-answer", "Time to answer", found.time_to_answer, time, unit,
            "none before" if median_before is None else f"was {duration_in_words(median_before)}", duration_in_words,
        ),
        _chart(
            "finished", "Finished", finished, f"{done:,.0f}", "task" if done == 1 else "tasks",
            f"was {total(finished[1]):,.0f}",
        ),
        _chart(
            "spent", "Spent", spent, money(cost).removesuffix(" USD"), "USD",
            f"{cost / done:,.2f} a task" if done and cost else f"was {total(spent[1]):,.2f}", money,
        ),
    ]  # fmt: skip


def _chart(
    key: str,
    label: str,
    pair: Sequence[DashboardRangeSeries],
    value: str,
    unit: str,
    note: str,
    say: Callable[[float], str] | None = None,
    *,
    bars: bool = True,
) -> Chart:
    now = [(point.period, point.value) for point in pair[0].points]
    before = [point.value for point in pair[1].points]
    chosen = say if say is not None else (lambda number: f"{number:,.0f}")
    return Chart(key, label, value, unit, note, pair[0].bucket, now, before, chosen, bars)


def _by(people: list[PersonsAnswers], user_id: UUID | None) -> str:
    """Return who answered how much: the reader first, then the others, three at most."""
    mine = [f"you {one.answered:,}" for one in people if one.user_id == user_id]
    others = [f"{one.name.split()[0]} {one.answered:,}" for one in people if one.user_id != user_id]
    named = [*mine, *others][:3]
    return f"by {', '.join(named)}" if named else "nobody yet"


def compared(now: float, before: float, say: Callable[[float], str], words: str) -> str:
    """Return how a figure compares with the same of the range before, in a sentence."""
    if before == now:
        return f"The same as in the {words} before."
    if before == 0:
        return f"There was nothing in the {words} before."
    more = "more" if now > before else "less"
    return f"{say(abs(now - before))} {more} than in the {words} before, when it was {say(before)}."


def dashboard_charts(found: DashboardMetrics, user_id: UUID | None) -> list[Chart]:
    words, flow = IN_WORDS[found.range], found.flow
    counts = "{:,.0f}".format
    median, before = flow.time_to_answer_median, flow.time_to_answer_median_before
    time, unit = ("none", "") if median is None else duration(median)
    cycle = flow.cycle_time_median
    cycle_time, cycle_unit = ("none", "") if cycle is None else duration(cycle)
    level, level_before = flow.wip.primary.points[-1].value, flow.wip.comparison.points[-1].value

    def both(of: DashboardSeriesSet) -> list[DashboardRangeSeries]:
        return [of.primary, of.comparison]

    def sums(of: DashboardSeriesSet, say: Callable[[float], str]) -> str:
        return compared(total(of.primary), total(of.comparison), say, words)

    answers = total(flow.answered.primary)
    return [
        _chart("answered", "Answered", both(flow.answered), counts(answers), "",
               f"{sums(flow.answered, counts)} Answered {_by(flow.answered_by, user_id)}."),
        _chart("time-to-answer", "Time to answer", both(flow.time_to_answer), time, unit,
               _times_compared(median, before, words), duration_in_words),
        _chart("finished", "Finished", both(flow.throughput), counts(total(flow.throughput.primary)), "tasks",
               sums(flow.throughput, counts)),
        _chart("spent", "Spent", both(flow.spent), money(total(flow.spent.primary)).removesuffix(" USD"), "USD",
               sums(flow.spent, money), money),
        _chart("cycle-time", "Start to finish", both(flow.cycle_time), cycle_time, cycle_unit,
               "The median of finished tasks, from their first start.", duration_in_words),
        _chart("wip", "In progress or review", both(flow.wip), counts(level), "tasks",
               compared(level, level_before, counts, words), bars=False),
    ]  # fmt: skip


def _times_compared(now: float | None, before: float | None, words: str) -> str:
    if now is None:
        return "Nothing was answered."
    if before is None:
        return f"Nothing was answered in the {words} before."
    took, then = duration_in_words(now), duration_in_words(before)
    if took == then:
        return f"As fast as in the {words} before."
    return f"{'Faster' if now < before else 'Slower'} than in the {words} before, when it took {then}."


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
        range_key=range_named(request.args.get("range")),
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
        words=IN_WORDS[view.range_key],
        ranges=[(one, SHORT[one], view.address("/metrics", range=one)) for one in OFFERED],
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
    hours = found.flow.oldest_waiting
    return await render_block(
        TEMPLATE,
        "figures",
        words=IN_WORDS[view.range_key],
        kpis=found.kpis,
        flow=found.flow,
        oldest="" if hours is None else duration_in_words(hours),
        charts=dashboard_charts(found, view.actor.id),
    )


REGIONS = (Region(PAGE, "#metrics", Concerns[MetricsView](COUNTED), shown),)
