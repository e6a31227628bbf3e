"""Metrics as people read them: figures, bars and tables, on a page that stays current."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from quart import Blueprint, Response, request

from mission_control.boards.models import Board
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.core.amounts import money
from mission_control.core.values import parse_id
from mission_control.events.broker import head_of
from mission_control.metrics.counting import BeingCounted
from mission_control.metrics.dashboard import dashboard_metrics, total
from mission_control.metrics.schemas import (
    RANGES,
    Answering,
    BucketKey,
    DashboardMetrics,
    DashboardQuery,
    DashboardSeriesSet,
    PersonsAnswers,
    RangeKey,
)
from mission_control.web.fragments import render_block
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import PaletteEntry, shell_page, signed_in

HEIGHT, STEP, WIDTH = 32, 10, 7  # of the bars, in units of their drawing
MOST_ABOVE = 2
IN_WORDS = {key: "24 hours" if key == "24h" else f"{length.days} days" for key, (length, _) in RANGES.items()}
OFFERED: dict[RangeKey, str] = {"24h": "24 h", "7d": "7 d", "14d": "14 d", "1m": "30 d", "3m": "90 d", "1y": "1 y"}
DEFAULT: RangeKey = "14d"


def range_named(text: str | None) -> RangeKey:
    return next((key for key in RANGES if key == text), DEFAULT)


def whole(value: float) -> str:
    return f"{value:,.0f}"


@dataclass(frozen=True, slots=True)
class Chart:
    """A series of one range and of the one before it, ready to be shown."""

    key: str
    label: str
    series: DashboardSeriesSet
    value: str
    unit: str
    note: str
    say: Callable[[float], str] = whole
    bars: bool = True

    @property
    def is_time(self) -> bool:
        return self.say is duration_in_words

    @property
    def bar_width(self) -> int:
        return len(self.series.primary.points) * STEP - (STEP - WIDTH)

    @property
    def drawn(self) -> list[tuple[int, float, float, bool]]:
        """Its bars as distance from the left, distance from the top, height, and whether it is cut off.

        One that is more than so often as high as every other is cut off: it would flatten all of them.
        """
        values = [point.value for point in self.series.primary.points]
        highest = sorted(values, reverse=True)[:2] or [0.0]
        most = min(highest[0], MOST_ABOVE * highest[-1] or highest[0]) or 1.0
        heights = [max(1.0, round(HEIGHT * min(value, most) / most, 1)) for value in values]
        tops = [round(HEIGHT - height, 1) for height in heights]
        return [(at * STEP, tops[at], heights[at], value > most) for at, value in enumerate(values)]

    @property
    def table(self) -> list[tuple[str, str, float, str, float | None]]:
        """Its rows: the period, the value in words and as a number, and the same of the period before."""
        now, before = self.series.primary, [point.value for point in self.series.comparison.points]
        pairs = zip(now.points, [*before, *[None] * len(now.points)], strict=False)
        return [
            (
                period_in_words(now.bucket, point.period), self.say(point.value), point.value,
                "" if old is None else self.say(old), old,
            )
            for point, old in pairs
        ]  # fmt: skip


def period_in_words(bucket: BucketKey, moment: datetime) -> str:
    if bucket == "hour":
        return f"{moment.day} {moment:%b, %H:00}"
    if bucket == "month":
        return f"{moment:%b %Y}"
    return f"{'week of ' if bucket == 'week' else ''}{moment.day} {moment:%b}"


def duration(hours: float | None) -> tuple[str, str]:
    """Split into a number and its unit: `18` and `min`."""
    if hours is None:
        return "none", ""
    if hours < 1:
        minutes = hours * 60
        return (f"{minutes:.0f}", "min") if minutes >= 1 or minutes == 0 else ("under 1", "min")
    if hours < 48:
        return (f"{hours:.0f}" if hours >= 10 else f"{hours:.1f}".removesuffix(".0"), "h")
    return (f"{hours / 24:.1f}".removesuffix(".0"), "d")


def duration_in_words(hours: float) -> str:
    return " ".join(duration(hours))


def charts_of(found: Answering, finished: DashboardSeriesSet, user_id: UUID | None) -> list[Chart]:
    """Return the four charts of Home from `overview`; answers are told apart by who gave them."""
    before, done, cost = found.time_to_answer_median_before, total(finished.primary), total(found.spent.primary)
    notes = (
        _by(found.answered_by, user_id),
        "none before" if before is None else f"was {duration_in_words(before)}",
        f"was {whole(total(finished.comparison))}",
        f"{cost / done:,.2f} a task" if done and cost else f"was {total(found.spent.comparison):,.2f}",
    )
    return _charts(found, finished, "task" if done == 1 else "tasks", notes)


def _charts(
    found: Answering, finished: DashboardSeriesSet, tasks: str, notes: tuple[str, str, str, str]
) -> list[Chart]:
    done, cost = total(finished.primary), money(total(found.spent.primary)).removesuffix(" USD")
    median = duration(found.time_to_answer_median)
    return [
        Chart("answered", "Answered", found.answered, whole(total(found.answered.primary)), "", notes[0]),
        Chart("time-to-answer", "Time to answer", found.time_to_answer, *median, notes[1], duration_in_words),
        Chart("finished", "Finished", finished, whole(done), tasks, notes[2]),
        Chart("spent", "Spent", found.spent, cost, "USD", notes[3], money),
    ]


def _by(people: list[PersonsAnswers], user_id: UUID | None) -> str:
    """The reader first, then the others, three at most."""
    mine = [f"you {person.answered:,}" for person in people if person.user_id == user_id]
    others = [f"{person.name.split()[0]} {person.answered:,}" for person in people if person.user_id != user_id]
    named = [*mine, *others][:3]
    return f"by {', '.join(named)}" if named else "nobody yet"


def compared(now: float, before: float, say: Callable[[float], str], words: str) -> str:
    """Say how a figure compares with the same of the range before, in a sentence."""
    if before == now:
        return f"The same as in the {words} before."
    if before == 0:
        return f"There was nothing in the {words} before."
    more = "more" if now > before else "less"
    return f"{say(abs(now - before))} {more} than in the {words} before, when it was {say(before)}."


def dashboard_charts(found: DashboardMetrics, user_id: UUID | None) -> list[Chart]:
    words, flow, wip = IN_WORDS[found.range], found.flow, found.flow.wip

    def sums(series: DashboardSeriesSet, say: Callable[[float], str]) -> str:
        return compared(total(series.primary), total(series.comparison), say, words)

    notes = (
        f"{sums(flow.answered, whole)} Answered {_by(flow.answered_by, user_id)}.",
        _times_compared(flow.time_to_answer_median, flow.time_to_answer_median_before, words),
        sums(flow.throughput, whole),
        sums(flow.spent, money),
    )
    cycle, cycle_note = duration(flow.cycle_time_median), "The median of finished tasks, from their first start."
    level, level_before = wip.primary.points[-1].value, wip.comparison.points[-1].value
    levels = compared(level, level_before, whole, words)
    return [
        *_charts(flow, flow.throughput, "tasks", notes),
        Chart("cycle-time", "Start to finish", flow.cycle_time, *cycle, cycle_note, duration_in_words),
        Chart("wip", "In progress or review", wip, whole(level), "tasks", levels, bars=False),
    ]


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
SIGNALS = ("figures",)
COUNTED = ("approval.", "question.answered", "task.created", "task.status_changed", "task.deleted", "task.run_")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsView(View):
    """The page as somebody sees it: all boards or one, and a range."""

    boards: list[Board]
    board: Board | None
    range_key: RangeKey

    def address(self, path: str, **more: object) -> str:
        board = {"board": str(self.board.id)} if self.board else {}
        return f"{path}?{urlencode({'range': self.range_key, **board, **more})}"


async def _view(actor: Actor) -> MetricsView:
    boards, board_id = await boards_of(actor), parse_id(request.args.get("board"))
    board = next((board for board in boards if board.id == board_id), None)
    range_key = range_named(request.args.get("range"))
    return MetricsView(actor=actor, pages=(PAGE,), active="home", boards=boards, board=board, range_key=range_key)


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
        ranges=[(key, label, view.address("/metrics", range=key)) for key, label in OFFERED.items()],
        regions=await rendered(PAGE, view),
        live_url=view.address("/metrics/live", after=seq),
    )


@pages.get("/metrics/live")
async def live() -> Response:
    actor = await signed_in()
    opened = await _view(actor)

    async def look(viewer: Actor, reads: Reads) -> MetricsView | None:
        boards = await boards_of(viewer)
        if opened.board is not None and opened.board.id not in {board.id for board in boards}:
            return None
        return replace(opened, actor=viewer, reads=reads, boards=boards)

    return await live_page(actor, look)


def being_counted(error: BeingCounted) -> str:
    return f"The figures of the past are being counted: {error.share} %. They appear here afterwards."


async def shown(view: MetricsView) -> str:
    board_id = view.board.id if view.board else None
    try:
        found = await dashboard_metrics(view.actor, DashboardQuery(range_key=view.range_key, board_id=board_id))
    except BeingCounted as error:
        return await render_block(TEMPLATE, "counting", counting=being_counted(error))
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


REGIONS = (Region(PAGE, "#metrics", Concerns[MetricsView](COUNTED, SIGNALS), shown),)


ENTRY = PaletteEntry("Metrics", "/metrics", "gauge", "charts figures dashboard statistics", position=60)
