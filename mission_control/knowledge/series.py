"""The series of the dashboard: from the tasks' current state, from events, and from reports of usage."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import mean, median
from typing import TypedDict
from uuid import UUID

import orjson

from mission_control.boards.words import STATUSES
from mission_control.database.sql import placeholders, rows, select
from mission_control.knowledge.metrics_schemas import (
    AgingTask,
    DashboardRangeSeries,
    DashboardSeriesPoint,
    DashboardWipPoint,
    DashboardWipRangeSeries,
    Window,
)

REFERENCE_KINDS = (
    "task.created", "task.updated", "task.status_changed", "task.comment", "task.lead_notified",
    "task.lead_notify_failed", "task.lead_unassigned_notified", "task.lead_unassigned_notify_failed",
    "task.assignee_notified", "task.assignee_notify_failed", "task.rework_notified", "task.rework_notify_failed",
    "approval.lead_notified", "approval.lead_notify_failed",
)  # fmt: skip


def points(window: Window, values: dict[datetime, float]) -> DashboardRangeSeries:
    """Return a series with every bucket, zero without data."""
    listed = [DashboardSeriesPoint(period=one, value=values.get(one, 0.0)) for one in window.periods()]
    return DashboardRangeSeries(range=window.key, bucket=window.bucket, points=listed)


def counted(window: Window, moments: Iterable[datetime]) -> dict[datetime, float]:
    """Return the number of times in each bucket."""
    found = Counter(window.period_of(moment) for moment in moments if window.contains(moment))
    return {period: float(number) for period, number in found.items()}


def averaged(window: Window, measured: Iterable[tuple[datetime, float]]) -> dict[datetime, float]:
    """Return the mean of the values in each bucket."""
    by_period: dict[datetime, list[float]] = defaultdict(list)
    for moment, value in measured:
        if window.contains(moment):
            by_period[window.period_of(moment)].append(value)
    return {period: mean(values) for period, values in by_period.items()}


@dataclass(slots=True)
class TaskCounts:
    """How many tasks of a status count for one hour, in the window that ends now and in the one before it.

    A task in the inbox counts for the hour it was made in, another one for that of its last change.
    """

    hour: str
    status: str
    now: int
    before: int


@dataclass(slots=True)
class Review:
    """When a task in review was last changed and begun."""

    updated_at: datetime
    in_progress_at: datetime


async def read_counts(boards: list[UUID], primary: Window, before: Window) -> list[TaskCounts]:
    """Return existing tasks counted by status and hour; every bucket consists of whole hours."""
    if not boards:
        return []
    return await select(
        TaskCounts,
        "SELECT hour, status, SUM(CASE WHEN moment >= ? THEN 1 ELSE 0 END) AS now,"
        " SUM(CASE WHEN moment <= ? THEN 1 ELSE 0 END) AS before FROM (SELECT SUBSTR(CAST(moment AS TEXT), 1, 13)"
        " AS hour, status, moment FROM (SELECT status, CASE WHEN status = 'inbox' THEN created_at ELSE updated_at END"
        f" AS moment FROM tasks WHERE deleted_at IS NULL AND board_id IN ({placeholders(len(boards))})"
        " AND (updated_at >= ? OR created_at >= ?)) AS moments WHERE moment >= ? AND moment <= ?) AS hours"
        " GROUP BY hour, status",
        primary.start,
        before.end,
        *boards,
        before.start,
        before.start,
        before.start,
        primary.end,
    )


async def read_reviews(boards: list[UUID], since: datetime) -> list[Review]:
    """Return existing tasks in review that were begun, and changed since a time."""
    if not boards:
        return []
    return await select(
        Review,
        "SELECT updated_at, in_progress_at FROM tasks WHERE deleted_at IS NULL AND status = 'review'"
        f" AND in_progress_at IS NOT NULL AND board_id IN ({placeholders(len(boards))}) AND updated_at >= ?",
        *boards,
        since,
    )


def review_times(window: Window, reviews: list[Review]) -> list[tuple[datetime, float]]:
    """Return last change and hours since start of tasks in review."""
    return [
        (one.updated_at, (one.updated_at - one.in_progress_at).total_seconds() / 3600)
        for one in reviews
        if window.contains(one.updated_at)
    ]


def by_bucket(window: Window, counts: Iterable[tuple[str, str, int]]) -> Counter[tuple[datetime, str]]:
    """Return the tasks in each bucket by status, from their hours."""
    found: Counter[tuple[datetime, str]] = Counter()
    for hour, status, number in counts:
        found[window.period_of(_hour(hour)), status] += number
    return found


def throughput(window: Window, found: Counter[tuple[datetime, str]]) -> DashboardRangeSeries:
    """Return done tasks by their last change."""
    return points(window, {period: float(number) for (period, status), number in found.items() if status == "done"})


def wip(window: Window, found: Counter[tuple[datetime, str]]) -> DashboardWipRangeSeries:
    """Return inbox tasks by creation, others by their last change."""
    listed = [
        DashboardWipPoint(period=one, **{status: found[one, status] for status in STATUSES}) for one in window.periods()
    ]
    return DashboardWipRangeSeries(range=window.key, bucket=window.bucket, points=listed)


def _hour(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Counts of one hour: events of tasks, and failures among them."""

    hour: datetime
    events: int
    failures: int


async def read_outcomes(boards: list[UUID], primary: Window, before: Window) -> tuple[list[Outcomes], list[Outcomes]]:
    """Return the events of tasks in a window and in the one before it, counted by hour."""
    if not boards:
        return [], []
    found = await rows(
        "SELECT hour, SUM(is_now) AS events, SUM(is_now * is_failure) AS failures, SUM(is_before) AS events_before,"
        " SUM(is_before * is_failure) AS failures_before FROM (SELECT SUBSTR(CAST(e.created_at AS TEXT), 1, 13)"
        " AS hour, CASE WHEN e.created_at >= ? THEN 1 ELSE 0 END AS is_now,"
        " CASE WHEN e.created_at <= ? THEN 1 ELSE 0 END AS is_before,"
        " CASE WHEN e.kind LIKE '%failed' THEN 1 ELSE 0 END AS is_failure"
        f" FROM events e WHERE e.board_id IN ({placeholders(len(boards))}) AND e.task_id IS NOT NULL"
        f" AND e.created_at >= ? AND e.created_at <= ? AND e.kind IN ({placeholders(len(REFERENCE_KINDS))})) AS told"
        " GROUP BY hour",
        primary.start,
        before.end,
        *boards,
        before.start,
        primary.end,
        *REFERENCE_KINDS,
    )
    now = [Outcomes(_hour(row["hour"]), int(row["events"]), int(row["failures"])) for row in found]
    earlier = [Outcomes(_hour(row["hour"]), int(row["events_before"]), int(row["failures_before"])) for row in found]
    return [one for one in now if one.events], [one for one in earlier if one.events]


def error_rate(window: Window, outcomes: list[Outcomes]) -> DashboardRangeSeries:
    """Return the share of failures in each bucket, in per cent."""
    by_period: dict[datetime, list[Outcomes]] = defaultdict(list)
    for one in outcomes:
        by_period[window.period_of(one.hour)].append(one)
    return points(window, {period: error_share(listed) for period, listed in by_period.items()})


def error_share(outcomes: list[Outcomes]) -> float:
    """Return the share of failures in per cent; 0 without events."""
    events = sum(one.events for one in outcomes)
    return 100.0 * sum(one.failures for one in outcomes) / events if events else 0.0


KINDS = ("task.created", "task.status_changed", "task.lease_expired", "task.deleted", "task.restored")
AT_WORK = ("in_progress", "review")
AT_ONCE = 1000  # events processed before yielding to the event loop


@dataclass(slots=True)
class Event:
    kind: str
    task_id: str
    data: str
    created_at: datetime


@dataclass(slots=True)
class Wait:
    """How long an approval waited, or since when it waits."""

    created_at: datetime
    resolved_at: datetime | None
    status: str


@dataclass(slots=True)
class History:
    """The history of tasks: starts, finishes with cycle times, changes of work in progress."""

    finished: list[tuple[datetime, float | None]] = field(default_factory=list)
    wip_changes: list[tuple[datetime, int]] = field(default_factory=list)
    status: dict[str, str] = field(default_factory=dict)
    started: dict[str, datetime] = field(default_factory=dict)
    entered: dict[str, datetime] = field(default_factory=dict)

    def enter(self, task: str, status: str, moment: datetime) -> None:
        """Record that a task entered a status at a time; `gone` is one of them."""
        before = self.status.get(task, "gone")
        if before == status:
            return
        if (status in AT_WORK) != (before in AT_WORK):
            self.wip_changes.append((moment, 1 if status in AT_WORK else -1))
            self.entered[task] = moment
        if status == "in_progress":
            self.started.setdefault(task, moment)
        if status == "done":
            start = self.started.pop(task, None)
            self.finished.append((moment, None if start is None else (moment - start).total_seconds() / 3600))
        self.status[task] = status


async def read_history(boards: list[UUID], since: datetime) -> History:
    """Replay the events of every task that changed since a time or is in progress now.

    The others were in progress neither then nor now, so they affect no metric since then.
    """
    history = History()
    if not boards:
        return history
    here, kinds = f"board_id IN ({placeholders(len(boards))})", f"kind IN ({placeholders(len(KINDS))})"
    found = await select(
        Event,
        f"SELECT kind, task_id, data, created_at FROM events WHERE {here} AND {kinds} AND task_id IN"
        f" (SELECT task_id FROM events WHERE {here} AND {kinds} AND created_at >= ?"
        f"  UNION SELECT id FROM tasks WHERE {here} AND status IN ('in_progress', 'review') AND deleted_at IS NULL)"
        " ORDER BY seq",
        *boards,
        *KINDS,
        *boards,
        *KINDS,
        since,
        *boards,
    )
    for number, row in enumerate(found):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        history.enter(row.task_id, _status(row), row.created_at)
    return history


def _status(row: Event) -> str:
    if row.kind == "task.deleted":
        return "gone"
    data = orjson.loads(row.data)
    return str(data.get("status") or data.get("after", {}).get("status") or "inbox")


def flow_throughput(window: Window, history: History) -> DashboardRangeSeries:
    """Return the tasks finished in each bucket."""
    return points(window, counted(window, (moment for moment, _ in history.finished)))


def cycle_time(window: Window, history: History) -> DashboardRangeSeries:
    """Return the mean hours from first start to finish, by time of finish."""
    measured = [(moment, hours) for moment, hours in history.finished if hours is not None]
    return points(window, averaged(window, measured))


def cycle_times(window: Window, history: History) -> list[float]:
    """Return the cycle times in hours of tasks finished in the window."""
    return [hours for moment, hours in history.finished if hours is not None and window.contains(moment)]


def work_in_progress(window: Window, history: History) -> DashboardRangeSeries:
    """Return the tasks in progress or review at the end of each bucket (for the last one, of the window)."""
    periods = window.periods()
    ends = [*periods[1:], None]
    changes, level, values = sorted(history.wip_changes), 0, {}
    position = 0
    for period, end in zip(periods, ends, strict=True):
        while position < len(changes) and (changes[position][0] < end if end else changes[position][0] <= window.end):
            level += changes[position][1]
            position += 1
        values[period] = float(level)
    return points(window, values)


async def aging(boards: list[UUID], history: History, now: datetime) -> list[AgingTask]:
    """Return the ten tasks longest in progress or review."""
    at_work = [(moment, task) for task, moment in history.entered.items() if history.status[task] in AT_WORK]
    oldest = sorted(at_work)[:10]
    if not oldest:
        return []
    ids = [UUID(task) for _, task in oldest]
    found = await rows(
        f"SELECT id, board_id, title, status FROM tasks WHERE deleted_at IS NULL AND id IN ({placeholders(len(ids))})",
        *ids,
    )
    known = {str(row["id"]): row for row in found}
    return [
        AgingTask(
            task_id=row["id"],
            board_id=row["board_id"],
            title=row["title"],
            status=row["status"],
            age_hours=round((now - moment).total_seconds() / 3600, 3),
        )
        for moment, task in oldest
        if (row := known.get(task)) is not None
    ]


class Waiting(TypedDict):
    """Hours that approvals waited for a person, and how many wait now."""

    waiting_for_person_median: float | None
    waiting_for_person_p85: float | None
    waiting_now: int
    oldest_waiting: float | None


async def waiting(boards: list[UUID], window: Window) -> Waiting:
    """Return waiting times of approvals in hours: decided in the window, and pending now."""
    if not boards:
        return Waiting(waiting_for_person_median=None, waiting_for_person_p85=None, waiting_now=0, oldest_waiting=None)
    found = await select(
        Wait,
        f"SELECT created_at, resolved_at, status FROM approvals WHERE board_id IN ({placeholders(len(boards))})"
        " AND (status = 'pending' OR (resolved_by_kind = 'user' AND resolved_at >= ? AND resolved_at <= ?))",
        *boards,
        window.start,
        window.end,
    )
    decided = [_hours(row.created_at, row.resolved_at) for row in found if row.resolved_at and row.status != "pending"]
    open_since = [_hours(row.created_at, window.end) for row in found if row.status == "pending"]
    return Waiting(
        waiting_for_person_median=median_or_none(decided),
        waiting_for_person_p85=percentile(decided, 85),
        waiting_now=len(open_since),
        oldest_waiting=max(open_since, default=None),
    )


def _hours(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 3600


def median_or_none(values: list[float]) -> float | None:
    """Return the median, or None for no values."""
    return median(values) if values else None


def percentile(values: list[float], share: int) -> float | None:
    """Return the nearest-rank percentile (Hyndman and Fan's first definition), or None for no values."""
    ordered = sorted(values)
    return ordered[max(0, -(-share * len(ordered) // 100) - 1)] if ordered else None


MICROS = 1_000_000


@dataclass(slots=True)
class Spending:
    """The costs of one hour, in the window that ends now and in the one before it."""

    hour: str
    now: int
    before: int


async def read_spending(boards: list[UUID], primary: Window, before: Window) -> list[Spending]:
    """Return the costs on these boards by hour; every bucket consists of whole hours."""
    if not boards:
        return []
    return await select(
        Spending,
        "SELECT SUBSTR(CAST(created_at AS TEXT), 1, 13) AS hour,"
        " CAST(SUM(CASE WHEN created_at >= ? THEN cost_micros ELSE 0 END) AS BIGINT) AS now,"
        " CAST(SUM(CASE WHEN created_at <= ? THEN cost_micros ELSE 0 END) AS BIGINT) AS before FROM usage_entries"
        f" WHERE board_id IN ({placeholders(len(boards))}) AND day >= ? AND created_at >= ? AND created_at <= ?"
        " GROUP BY 1",
        primary.start,
        before.end,
        *boards,
        before.start.date().isoformat(),
        before.start,
        primary.end,
    )


def spent(window: Window, spending: list[Spending], *, before: bool = False) -> DashboardRangeSeries:
    """Return the US dollars spent in each bucket of the window that ends now, or of the one before it."""
    micros: Counter[datetime] = Counter()
    for one in spending:
        micros[window.period_of(datetime.fromisoformat(f"{one.hour}:00"))] += one.before if before else one.now
    return points(window, {period: number / MICROS for period, number in micros.items()})
