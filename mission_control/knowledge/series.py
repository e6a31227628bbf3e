"""The series of the dashboard: from the tasks' current state, from events, and from reports of usage."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import mean, median
from uuid import UUID

import orjson

from mission_control.boards.words import STATUSES
from mission_control.database.sql import placeholders, select
from mission_control.knowledge.metrics_schemas import (
    AgingTask,
    DashboardRangeSeries,
    DashboardSeriesPoint,
    DashboardSeriesSet,
    DashboardWipPoint,
    DashboardWipRangeSeries,
    Waiting,
    Window,
)

REFERENCE_KINDS = (
    "task.created", "task.updated", "task.status_changed", "task.comment", "task.lead_notified",
    "task.lead_notify_failed", "task.lead_unassigned_notified", "task.lead_unassigned_notify_failed",
    "task.assignee_notified", "task.assignee_notify_failed", "task.rework_notified", "task.rework_notify_failed",
    "approval.lead_notified", "approval.lead_notify_failed",
)  # fmt: skip
type Both = tuple[Window, Window]  # the window that ends now, and the one before it
type Values = Mapping[datetime, float]


async def select_on[Row](boards: list[UUID], row: type[Row], sql: str, *values: object) -> list[Row]:
    """Return the rows of a statement about boards, none without boards."""
    return await select(row, sql, *values) if boards else []


def points(window: Window, values: Values) -> DashboardRangeSeries:
    """Return a series with every bucket, zero without data."""
    listed = [DashboardSeriesPoint(period=period, value=values.get(period, 0.0)) for period in window.periods()]
    return DashboardRangeSeries(range=window.key, bucket=window.bucket, points=listed)


def in_both(both: Both, values: Callable[[Window], Values]) -> DashboardSeriesSet:
    """Return the series of what `values` gives for a window, now and before."""
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


@dataclass(slots=True)
class Hour:
    """What is counted for one hour, in the window that ends now and in the one before it."""

    hour: str
    now: int
    before: int


@dataclass(slots=True)
class TaskCounts(Hour):
    status: str


@dataclass(slots=True)
class Outcomes(Hour):
    """Events of tasks, either failures or the others."""

    is_failure: bool


def _by_hour(moment: str, amount: str = "1") -> str:
    """Return the columns of `Hour`. Their values: the start of the window that ends now, the end of the one before.

    Every bucket consists of whole hours.
    """
    return (
        f"SUBSTR(CAST({moment} AS TEXT), 1, 13) AS hour, SUM(CASE WHEN {moment} >= ? THEN {amount} ELSE 0 END) AS now,"
        f" SUM(CASE WHEN {moment} <= ? THEN {amount} ELSE 0 END) AS before"
    )


def summed(window: Window, hours: Iterable[Hour]) -> Counter[datetime]:
    sums: Counter[datetime] = Counter()
    for one in hours:
        period = window.period_of(datetime.fromisoformat(f"{one.hour}:00"))
        sums[period] += one.now if window.is_now else one.before
    return sums


async def read_counts(boards: list[UUID], both: Both) -> list[TaskCounts]:
    """Return how many tasks there are of each status.

    A task in the inbox counts for the hour it was made in, another one for that of its last change.
    """
    primary, before = both
    return await select_on(
        boards,
        TaskCounts,
        f"SELECT {_by_hour('moment')}, status FROM (SELECT status, CASE WHEN status = 'inbox' THEN created_at"
        " ELSE updated_at END AS moment FROM tasks WHERE deleted_at IS NULL"
        f" AND board_id IN ({placeholders(len(boards))}) AND (updated_at >= ? OR created_at >= ?)) AS moments"
        " WHERE moment >= ? AND moment <= ? GROUP BY 1, status",
        primary.start, before.end, *boards, before.start, before.start, before.start, primary.end,
    )  # fmt: skip


@dataclass(slots=True)
class Review:
    """When a task in review was last changed and begun."""

    updated_at: datetime
    in_progress_at: datetime


async def read_reviews(boards: list[UUID], since: datetime) -> list[Review]:
    """Return existing tasks in review that were begun, and changed since a time."""
    return await select_on(
        boards,
        Review,
        "SELECT updated_at, in_progress_at FROM tasks WHERE deleted_at IS NULL AND archived_at IS NULL"
        " AND status = 'review' AND in_progress_at IS NOT NULL"
        f" AND board_id IN ({placeholders(len(boards))}) AND updated_at >= ?",
        *boards,
        since,
    )


def review_times(window: Window, reviews: list[Review]) -> list[tuple[datetime, float]]:
    """Return last change and hours since start of tasks in review."""
    reviews = [one for one in reviews if window.contains(one.updated_at)]
    return [(one.updated_at, hours_between(one.in_progress_at, one.updated_at)) for one in reviews]


def wip(window: Window, counts: list[TaskCounts]) -> DashboardWipRangeSeries:
    """Return inbox tasks by creation, others by their last change."""
    sums = {status: summed(window, (one for one in counts if one.status == status)) for status in STATUSES}
    listed = [
        DashboardWipPoint(period=period, **{status: sums[status][period] for status in STATUSES})
        for period in window.periods()
    ]
    return DashboardWipRangeSeries(range=window.key, bucket=window.bucket, points=listed)


async def read_outcomes(boards: list[UUID], both: Both) -> list[Outcomes]:
    primary, before = both
    return await select_on(
        boards,
        Outcomes,
        f"SELECT {_by_hour('e.created_at')}, e.kind LIKE '%failed' AS is_failure"
        f" FROM events e WHERE e.board_id IN ({placeholders(len(boards))}) AND e.task_id IS NOT NULL"
        f" AND e.created_at >= ? AND e.created_at <= ? AND e.kind IN ({placeholders(len(REFERENCE_KINDS))})"
        " GROUP BY 1, 4",
        primary.start, before.end, *boards, before.start, primary.end, *REFERENCE_KINDS,
    )  # fmt: skip


def error_rate(window: Window, outcomes: list[Outcomes]) -> Values:
    """Return the share of failures in each bucket, in per cent."""
    events, failures = summed(window, outcomes), summed(window, (one for one in outcomes if one.is_failure))
    return {period: 100.0 * failures[period] / number for period, number in events.items() if number}


def error_share(outcomes: list[Outcomes]) -> float:
    """Return the share of failures in the window that ends now, in per cent; 0 without events."""
    events = sum(one.now for one in outcomes)
    return 100.0 * sum(one.now for one in outcomes if one.is_failure) / events if events else 0.0


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
            self.finished.append((moment, None if start is None else hours_between(start, moment)))
        self.status[task] = status

    def cycles(self) -> list[tuple[datetime, float]]:
        """Return when tasks were finished that had been started, and their cycle times in hours."""
        return [(moment, hours) for moment, hours in self.finished if hours is not None]


async def read_history(boards: list[UUID], since: datetime) -> History:
    """Replay the events of every task that changed since a time or is in progress now.

    The others were in progress neither then nor now, so they affect no metric since then.
    """
    here, kinds = f"board_id IN ({placeholders(len(boards))})", f"kind IN ({placeholders(len(KINDS))})"
    events = await select_on(
        boards,
        Event,
        f"SELECT kind, task_id, data, created_at FROM events WHERE {here} AND {kinds} AND task_id IN"
        f" (SELECT task_id FROM events WHERE {here} AND {kinds} AND created_at >= ?"
        f"  UNION SELECT id FROM tasks WHERE {here} AND status IN ('in_progress', 'review') AND deleted_at IS NULL"
        "  AND archived_at IS NULL)"
        " ORDER BY seq",
        *boards, *KINDS, *boards, *KINDS, since, *boards,
    )  # fmt: skip
    history = History()
    for number, event in enumerate(events):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        history.enter(event.task_id, _status(event), event.created_at)
    return history


def _status(event: Event) -> str:
    if event.kind == "task.deleted":
        return "gone"
    data = orjson.loads(event.data)
    return str(data.get("status") or data.get("after", {}).get("status") or "inbox")


def work_in_progress(window: Window, history: History) -> Values:
    """Return the tasks in progress or review at the end of each bucket (for the last one, of the window)."""
    periods = window.periods()
    changes, level, position, levels = sorted(history.wip_changes), 0, 0, {}
    for period, end in zip(periods, [*periods[1:], None], strict=True):
        while position < len(changes) and (changes[position][0] < end if end else changes[position][0] <= window.end):
            level += changes[position][1]
            position += 1
        levels[period] = level
    return levels


async def aging(history: History, now: datetime) -> list[AgingTask]:
    """Return the ten tasks longest in progress or review."""
    at_work = [(moment, task) for task, moment in history.entered.items() if history.status[task] in AT_WORK]
    oldest = {UUID(task): round(hours_between(moment, now), 3) for moment, task in sorted(at_work)[:10]}
    tasks = await select_on(
        list(oldest),
        AgingTask,
        "SELECT id AS task_id, board_id, title, status, 0.0 AS age_hours FROM tasks"
        f" WHERE deleted_at IS NULL AND id IN ({placeholders(len(oldest))})",
        *oldest,
    )
    known = {task.task_id: task for task in tasks}
    return [known[one].model_copy(update={"age_hours": hours}) for one, hours in oldest.items() if one in known]


@dataclass(slots=True)
class _Wait:
    """When an approval was requested, and decided unless it waits."""

    created_at: datetime
    resolved_at: datetime | None
    status: str


async def waiting(boards: list[UUID], window: Window) -> Waiting:
    """Return waiting times of approvals in hours: decided in the window, and pending now."""
    approvals = await select_on(
        boards,
        _Wait,
        f"SELECT created_at, resolved_at, status FROM approvals WHERE board_id IN ({placeholders(len(boards))})"
        " AND (status = 'pending' OR (resolved_by_kind = 'user' AND resolved_at >= ? AND resolved_at <= ?))",
        *boards,
        window.start,
        window.end,
    )
    decided = [
        hours_between(one.created_at, one.resolved_at)
        for one in approvals
        if one.resolved_at and one.status != "pending"
    ]
    open_since = [hours_between(one.created_at, window.end) for one in approvals if one.status == "pending"]
    return Waiting(
        waiting_for_person_median=median_or_none(decided),
        waiting_for_person_p85=percentile(decided, 85),
        waiting_now=len(open_since),
        oldest_waiting=max(open_since, default=None),
    )


def hours_between(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 3600


def median_or_none(values: list[float]) -> float | None:
    return median(values) if values else None


def percentile(values: list[float], share: int) -> float | None:
    """Return the nearest-rank percentile (Hyndman and Fan's first definition), or None for no values."""
    ordered = sorted(values)
    return ordered[max(0, -(-share * len(ordered) // 100) - 1)] if ordered else None


MICROS = 1_000_000


async def read_spending(boards: list[UUID], both: Both) -> list[Hour]:
    """Return the costs on these boards by hour, in millionths of a US dollar."""
    primary, before = both
    return await select_on(
        boards,
        Hour,
        f"SELECT {_by_hour('created_at', 'cost_micros')} FROM usage_entries"
        f" WHERE board_id IN ({placeholders(len(boards))}) AND day >= ? AND created_at >= ? AND created_at <= ?"
        " GROUP BY 1",
        primary.start, before.end, *boards, before.start.date().isoformat(), before.start, primary.end,
    )  # fmt: skip


def spent(window: Window, spending: list[Hour]) -> Values:
    return {period: micros / MICROS for period, micros in summed(window, spending).items()}
