"""The series of the dashboard: from what is counted (`counting.py`), from answers, and from reports of usage."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import mean, median
from uuid import UUID

from mission_control.boards.statuses import STATUSES
from mission_control.database.sql import FEW_ROWS, as_moment, fetch, in_list, placeholders, select
from mission_control.metrics.counting import (
    SUMS,
    Amounts,
    Change,
    Fact,
    Fold,
    amounts_of,
    outcome_of,
    position,
    uncounted,
)
from mission_control.metrics.schemas import (
    AgingTask,
    BucketKey,
    DashboardRangeSeries,
    DashboardSeriesPoint,
    DashboardSeriesSet,
    DashboardWipPoint,
    DashboardWipRangeSeries,
    DashboardWipSeriesSet,
    Window,
    day_of,
    hour_of,
    month_of,
)

type Both = tuple[Window, Window]  # the window that ends now, and the one before it
type Values = Mapping[datetime, float]

MICROS = 1_000_000
DAY = timedelta(days=1)


async def select_on[Row](boards: list[UUID], row: type[Row], sql: str, *values: object) -> list[Row]:
    return await select(row, sql, *values) if boards else []


def points(window: Window, values: Values) -> DashboardRangeSeries:
    listed = [DashboardSeriesPoint(period, float(values.get(period, 0))) for period in window.periods()]
    return DashboardRangeSeries(range=window.key, bucket=window.bucket, points=listed)


def in_both(both: Both, values: Callable[[Window], Values]) -> DashboardSeriesSet:
    primary, comparison = (points(window, values(window)) for window in both)
    return DashboardSeriesSet(primary=primary, comparison=comparison)


def counted(window: Window, moments: Iterable[datetime]) -> Values:
    return Counter(window.period_of(moment) for moment in moments if window.contains(moment))


def averaged(window: Window, measured: Iterable[tuple[datetime, float]]) -> Values:
    by_period: dict[datetime, list[float]] = defaultdict(list)
    for moment, value in measured:
        if window.contains(moment):
            by_period[window.period_of(moment)].append(value)
    return {period: mean(values) for period, values in by_period.items()}


def next_month(moment: datetime) -> datetime:
    return month_of(month_of(moment) + timedelta(days=32))


type Span = tuple[str, datetime, datetime | None]  # a level of sums, and from when to before when


def spans(bucket: BucketKey, before: datetime, start: datetime) -> list[Span]:
    """Return few sums that cover everything since the hour of `before`.

    Each is in one bucket, and on one side of the hour of `start`.
    """
    if bucket == "hour":
        return [("h", hour_of(before), None)]
    first, last = day_of(before) + DAY, day_of(start)
    hours: list[Span] = [("h", hour_of(before), first), ("h", last, last + DAY)]
    if bucket != "month":
        return [*hours, ("d", first, last), ("d", last + DAY, None)]
    month, last_month = next_month(before), month_of(start)
    days: list[Span] = [("d", first, month), ("d", last_month, last), ("d", last + DAY, next_month(start))]
    return [*hours, *days, ("m", month, last_month), ("m", next_month(start), None)]


WRITTEN = {"h": "h%Y-%m-%dT%H", "d": "d%Y-%m-%d", "m": "m%Y-%m"}
AFTER = "~"  # follows everything that `period` has after its letter
TOTAL = "t"


def _moment(period: str) -> datetime:
    text = period[1:]
    return datetime.fromisoformat(f"{text}-01" if len(text) == 7 else text)


@dataclass(slots=True)
class Sums:
    """What was counted on some boards: by bucket of both windows, and in all."""

    both: Both
    by_period: dict[bool, dict[datetime, dict[str, int]]] = field(default_factory=lambda: {True: {}, False: {}})
    total: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    level: int = 0  # tasks at work at the end of the window that ends now
    at_border: int = 0  # how many of them came in the moment at which both windows meet, less those that left

    def _add(self, window: Window, moment: datetime, amounts: Amounts, sign: int = 1) -> None:
        periods = self.by_period[window.is_now]
        sums = periods.setdefault(window.period_of(moment), defaultdict(int))
        for name, amount in amounts.items():
            sums[name] += sign * amount

    def add_sum(self, period: str, amounts: Amounts) -> None:
        """Add a row of `figure_sums`; those that a window ends in go to the later one as a whole."""
        if period == TOTAL:
            self.total |= amounts
            self.level += amounts["work"]
            return
        now, before = self.both
        moment = _moment(period)
        self._add(now if moment >= hour_of(now.start) else before, moment, amounts)

    def correct(self, fact: Fact) -> None:
        """Take what is counted in an hour that a window begins or ends in out of where it does not belong."""
        now, before = self.both
        moment, amounts = fact.moment, fact.amounts
        if moment < before.start:
            self._add(before, moment, amounts, -1)
        elif moment <= now.start:
            self._add(before, moment, amounts)
            if moment < now.start:
                self._add(now, moment, amounts, -1)
            else:
                self.at_border += amounts.get("work", 0)
        else:
            self._add(now, moment, amounts, -1)
            self.level -= amounts.get("work", 0)

    def add(self, fact: Fact) -> None:
        now, _ = self.both
        for window in self.both:
            if window.contains(fact.moment):
                self._add(window, fact.moment, fact.amounts)
        for name, amount in fact.amounts.items():
            self.total[name] += amount
        work = fact.amounts.get("work", 0)
        self.level += work if fact.moment <= now.end else 0
        self.at_border += work if fact.moment == now.start else 0

    def of(self, window: Window, name: str) -> dict[datetime, int]:
        return {period: amounts.get(name, 0) for period, amounts in self.by_period[window.is_now].items()}

    def whole(self, name: str) -> int:
        return sum(self.of(self.both[0], name).values())

    def series(self, name: str) -> DashboardSeriesSet:
        return in_both(self.both, lambda window: self.of(window, name))

    def mean_hours(self, micros: str, number: str) -> DashboardSeriesSet:
        def means(window: Window) -> Values:
            sums = self.by_period[window.is_now].items()
            return {period: hours(amounts[micros]) / amounts[number] for period, amounts in sums if amounts.get(number)}

        return in_both(self.both, means)

    def error_rate(self) -> DashboardSeriesSet:
        def shares(window: Window) -> Values:
            sums = self.by_period[window.is_now].items()
            return {
                period: 100.0 * amounts["failures"] / amounts["outcomes"]
                for period, amounts in sums
                if amounts.get("outcomes")
            }

        return in_both(self.both, shares)

    def error_share(self) -> float:
        """Return the share of failures in the window that ends now, in per cent; 0 without events."""
        events = self.whole("outcomes")
        return 100.0 * self.whole("failures") / events if events else 0.0

    def tasks(self) -> DashboardWipSeriesSet:
        made = []
        for window in self.both:
            sums = {status: self.of(window, status) for status in STATUSES}
            listed = [
                DashboardWipPoint(period, **{status: by.get(period, 0) for status, by in sums.items()})
                for period in window.periods()
            ]
            made.append(DashboardWipRangeSeries(range=window.key, bucket=window.bucket, points=listed))
        return DashboardWipSeriesSet(primary=made[0], comparison=made[1])

    def work_in_progress(self) -> DashboardSeriesSet:
        level, levels = self.level, dict[bool, Values]()
        for window in self.both:
            changes, by_period = self.of(window, "work"), {}
            for period in reversed(window.periods()):
                by_period[period] = level
                level -= changes.get(period, 0)
            levels[window.is_now] = by_period
            level += self.at_border  # both windows have it
        return in_both(self.both, lambda window: levels[window.is_now])


@dataclass(slots=True)
class Figures:
    """The sums on some boards, and for the window that ends now each time in micros, the shortest first."""

    sums: Sums
    cycles: list[int] = field(default_factory=list)  # of finished tasks
    reviews: list[int] = field(default_factory=list)  # of tasks in review
    at_work: dict[UUID, datetime] = field(default_factory=dict)  # the ten tasks longest in progress or review


async def read_figures(organization_id: UUID, boards: list[UUID], both: Both, *, only_sums: bool = False) -> Figures:
    while True:
        at = await position(organization_id)
        fold = await uncounted(organization_id, at)
        figures = Figures(await _sums(organization_id, at.counted, boards, both, fold))
        if not boards:
            return figures
        if only_sums:
            counted = (await position(organization_id)).counted
        else:
            counted = await _times(figures, organization_id, boards, both[0], fold)
        if counted == at.counted:  # else a part may have been read twice
            return figures


async def _sums(organization_id: UUID, counted: int, boards: list[UUID], both: Both, fold: Fold) -> Sums:
    sums, here = Sums(both), set(map(str, boards))
    if boards:
        await _add_stored(sums, boards, both)
        for fact in await _at_edges(organization_id, counted, boards, both):
            if fact.board_id in here:
                sums.correct(fact)
    for fact in fold.facts:
        if fact.board_id in here:
            sums.add(fact)
    return sums


async def _add_stored(sums: Sums, boards: list[UUID], both: Both) -> None:
    now, before = both
    where = f"FROM figure_sums WHERE board_id IN ({placeholders(len(boards))})"
    amounts = ", ".join(f"SUM({name})" for name in SUMS)
    parts = [f"{FEW_ROWS}SELECT period, {amounts} {where} AND period = ? GROUP BY period"]
    values: list[object] = [*boards, TOTAL]
    for level, begin, end in spans(now.bucket, before.start, now.start):
        parts.append(f"SELECT period, {amounts} {where} AND period >= ? AND period < ? GROUP BY period")
        written = WRITTEN[level]
        values += [*boards, f"{begin:{written}}", f"{end:{written}}" if end else f"{level}{AFTER}"]
    _, stored = await fetch(" UNION ALL ".join(parts), values)
    for period, *numbers in stored:
        sums.add_sum(period, dict(zip(SUMS, map(int, numbers), strict=True)))


@dataclass(slots=True)
class _Single:
    """Something that is in the sums, with its own moment: a task, a change, or an event of the kind `what`."""

    board_id: str | None
    moment: datetime
    what: str
    micros: int | None
    work: int
    finished: int
    moved: int

    @property
    def amounts(self) -> Amounts:
        if self.what in STATUSES:
            return amounts_of(self.what, self.micros)
        if self.what == "":
            return Change("", "", self.moment, self.work, self.finished, self.moved, self.micros).amounts
        return outcome_of(self.what)


async def _at_edges(organization_id: UUID, counted: int, boards: list[UUID], both: Both) -> list[Fact]:
    now, before = both
    here = f"board_id IN ({placeholders(len(boards))})"
    task = "status AS what, review_micros AS micros, 0 AS work, 0 AS finished, 0 AS moved"
    sources = (
        ("figure_tasks", "moment", task, here, boards),
        ("figure_changes", "moment", "'', cycle_micros, work, finished, moved", here, boards),
        # By their time alone: the index of boards and kinds would be asked once for each pair of them.
        ("events", "created_at", "kind, CAST(NULL AS BIGINT), 0, 0, 0",
         "organization_id = ? AND +seq <= ? AND task_id IS NOT NULL", [organization_id, counted]),
    )  # fmt: skip
    hours = (
        ("{0} >= ? AND {0} < ?", [hour_of(before.start), before.start]),
        ("{0} >= ? AND {0} <= ?", [hour_of(now.start), now.start]),
        ("{0} > ?", [now.end]),
    )
    parts, values = [], list[object]()
    for table, column, shown, where, among in sources:
        for condition, moments in hours:
            within = condition.format(column)
            parts.append(f"SELECT board_id, {column} AS moment, {shown} FROM {table} WHERE {where} AND {within}")
            values += [*among, *moments]
    singles = await select(_Single, " UNION ALL ".join(parts), *values)
    return [Fact(single.board_id, single.moment, single.amounts) for single in singles if single.board_id is not None]


MOST_AGING = 10
REVIEW, AGE, COUNTED = range(3)


async def _times(figures: Figures, organization_id: UUID, boards: list[UUID], window: Window, fold: Fold) -> int:
    """Read each time of the window that ends now, and which tasks are longest at work; return what is counted."""
    here, (listed, folded) = f"board_id IN ({placeholders(len(boards))})", in_list(fold.states)
    others = f" AND id NOT IN ({listed})" if folded else ""
    # By themselves, as a single column: they may be many.
    _, cycles = await fetch(
        f"SELECT cycle_micros FROM figure_changes WHERE {here} AND cycle_micros IS NOT NULL"
        " AND moment >= ? AND moment <= ?",
        [*boards, window.start, window.end],
    )
    _, lines = await fetch(
        f"SELECT {REVIEW}, review_micros, NULL, NULL FROM figure_tasks"
        f" WHERE {here} AND review_micros IS NOT NULL AND moment >= ? AND moment <= ?{others}"
        f" UNION ALL SELECT * FROM (SELECT {AGE}, 0, CAST(id AS TEXT), CAST(entered_at AS TEXT) FROM figure_tasks"
        f" WHERE {here} AND entered_at IS NOT NULL{others} ORDER BY figure_tasks.entered_at, figure_tasks.id"
        f" LIMIT {MOST_AGING}) AS oldest"
        f" UNION ALL SELECT {COUNTED}, seq, NULL, NULL FROM figures_counted WHERE organization_id = ?",
        [*boards, window.start, window.end, *folded, *boards, *folded, organization_id],
    )
    figures.cycles = [micros for (micros,) in cycles]
    figures.reviews = [line[1] for line in lines if line[0] == REVIEW]
    at_work = [(moment, str(line[2])) for line in lines if (moment := as_moment(line[3])) is not None]
    at_work += _add_uncounted(figures, set(map(str, boards)), window, fold)
    figures.at_work = {UUID(task_id): entered_at for entered_at, task_id in sorted(at_work)[:MOST_AGING]}
    figures.reviews.sort()
    figures.cycles.sort()
    return next((int(line[1]) for line in lines if line[0] == COUNTED), 0)


def _add_uncounted(figures: Figures, here: set[str], window: Window, fold: Fold) -> list[tuple[datetime, str]]:
    """Add the times of a fold; return since when its tasks are at work."""
    states = [state for state in fold.states.values() if state.board_id in here]
    changes = [change for change in fold.changes if change.board_id in here]
    figures.cycles += _within(window, [(change.cycle_micros, change.moment) for change in changes])
    figures.reviews += _within(window, [(state.review_micros, state.moment) for state in states])
    return [(state.entered_at, state.id) for state in states if state.entered_at is not None]


def _within(window: Window, times: Sequence[tuple[int | None, datetime | None]]) -> list[int]:
    return [micros for micros, at in times if micros is not None and at is not None and window.contains(at)]


async def aging(at_work: Mapping[UUID, datetime], now: datetime) -> list[AgingTask]:
    tasks = await select_on(
        list(at_work),
        AgingTask,
        "SELECT id AS task_id, board_id, title, status, 0.0 AS age_hours FROM tasks"
        f" WHERE deleted_at IS NULL AND id IN ({placeholders(len(at_work))})",
        *at_work,
    )
    by_id = {task.task_id: task for task in tasks}
    ages = {task_id: round(hours_between(entered_at, now), 3) for task_id, entered_at in at_work.items()}
    return [by_id[task_id].model_copy(update={"age_hours": age}) for task_id, age in ages.items() if task_id in by_id]


def hours(micros: int) -> float:
    return micros / MICROS / 3600


def hours_between(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 3600


def median_or_none(values: list[float]) -> float | None:
    return median(values) if values else None


def percentile(ordered: Sequence[float], share: int) -> float | None:
    """Nearest rank (Hyndman and Fan's first definition), None for no values."""
    return ordered[max(0, -(-share * len(ordered) // 100) - 1)] if ordered else None


def median_hours(ordered: Sequence[int]) -> float | None:
    middle = (len(ordered) - 1) // 2
    return median([hours(micros) for micros in ordered[middle : len(ordered) // 2 + 1]]) if ordered else None


@dataclass(slots=True)
class Hour:
    """What is spent in one hour, in the window that ends now and in the one before it."""

    hour: str
    now: int
    before: int


async def read_spending(boards: list[UUID], both: Both) -> list[Hour]:
    primary, before = both
    return await select_on(
        boards,
        Hour,
        f"{FEW_ROWS}SELECT SUBSTR(CAST(created_at AS TEXT), 1, 13) AS hour,"
        " SUM(CASE WHEN created_at >= ? THEN cost_micros ELSE 0 END) AS now,"
        " SUM(CASE WHEN created_at <= ? THEN cost_micros ELSE 0 END) AS before FROM usage_entries"
        f" WHERE board_id IN ({placeholders(len(boards))}) AND created_at >= ? AND created_at <= ? GROUP BY 1",
        primary.start, before.end, *boards, before.start, primary.end,
    )  # fmt: skip


def spent(window: Window, spending: list[Hour]) -> Values:
    sums: Counter[datetime] = Counter()
    for hour in spending:
        sums[window.period_of(datetime.fromisoformat(f"{hour.hour}:00"))] += hour.now if window.is_now else hour.before
    return {period: micros / MICROS for period, micros in sums.items()}
