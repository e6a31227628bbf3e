"""The dashboard's inherited series, computed from the tasks' current state."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import mean
from typing import Any
from uuid import UUID

from mission_control.boards.statuses import STATUSES
from mission_control.database.sql import placeholders, rows, select
from mission_control.metrics.buckets import Window

REFERENCE_KINDS = (
    "task.created", "task.updated", "task.status_changed", "task.comment", "task.lead_notified",
    "task.lead_notify_failed", "task.lead_unassigned_notified", "task.lead_unassigned_notify_failed",
    "task.assignee_notified", "task.assignee_notify_failed", "task.rework_notified", "task.rework_notify_failed",
    "approval.lead_notified", "approval.lead_notify_failed",
)  # fmt: skip


def points(window: Window, values: dict[datetime, float]) -> dict[str, Any]:
    """Return a series with every bucket, zero without data."""
    listed = [{"period": period, "value": float(values.get(period, 0.0))} for period in window.periods()]
    return {"range": window.key, "bucket": window.bucket, "points": listed}


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


def throughput(window: Window, found: Counter[tuple[datetime, str]]) -> dict[str, Any]:
    """Return done tasks by their last change."""
    return points(window, {period: float(number) for (period, status), number in found.items() if status == "done"})


def wip(window: Window, found: Counter[tuple[datetime, str]]) -> dict[str, Any]:
    """Return inbox tasks by creation, others by their last change."""
    listed = [
        {"period": period, **{status: found[period, status] for status in STATUSES}} for period in window.periods()
    ]
    return {"range": window.key, "bucket": window.bucket, "points": listed}


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


def error_rate(window: Window, outcomes: list[Outcomes]) -> dict[str, Any]:
    """Return the share of failures in each bucket, in per cent."""
    by_period: dict[datetime, list[Outcomes]] = defaultdict(list)
    for one in outcomes:
        by_period[window.period_of(one.hour)].append(one)
    return points(window, {period: error_share(listed) for period, listed in by_period.items()})


def error_share(outcomes: list[Outcomes]) -> float:
    """Return the share of failures in per cent; 0 without events."""
    events = sum(one.events for one in outcomes)
    return 100.0 * sum(one.failures for one in outcomes) / events if events else 0.0
