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
class TaskTimes:
    """The status of a task, and when it was made, last changed and begun."""

    status: str
    created_at: datetime
    updated_at: datetime
    in_progress_at: datetime | None


async def read_tasks(boards: list[UUID], since: datetime) -> list[TaskTimes]:
    """Return status and times of existing tasks created or changed since a time."""
    if not boards:
        return []
    return await select(
        TaskTimes,
        "SELECT status, created_at, updated_at, in_progress_at FROM tasks WHERE deleted_at IS NULL"
        f" AND board_id IN ({placeholders(len(boards))}) AND (updated_at >= ? OR created_at >= ?)",
        *boards,
        since,
        since,
    )


def throughput(window: Window, tasks: list[TaskTimes]) -> dict[str, Any]:
    """Return done tasks by their last change."""
    return points(window, counted(window, (one.updated_at for one in tasks if one.status == "done")))


def review_times(window: Window, tasks: list[TaskTimes]) -> list[tuple[datetime, float]]:
    """Return last change and hours since start of tasks in review."""
    return [
        (one.updated_at, (one.updated_at - one.in_progress_at).total_seconds() / 3600)
        for one in tasks
        if one.status == "review" and one.in_progress_at and window.contains(one.updated_at)
    ]


def wip(window: Window, tasks: list[TaskTimes]) -> dict[str, Any]:
    """Return inbox tasks by creation, others by their last change."""
    found: Counter[tuple[datetime, str]] = Counter()
    for one in tasks:
        moment = one.created_at if one.status == "inbox" else one.updated_at
        if window.contains(moment):
            found[window.period_of(moment), one.status] += 1
    listed = [
        {"period": period, **{status: found[period, status] for status in STATUSES}} for period in window.periods()
    ]
    return {"range": window.key, "bucket": window.bucket, "points": listed}


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Counts of one hour: events of tasks, and failures among them."""

    hour: datetime
    events: int
    failures: int


async def read_outcomes(boards: list[UUID], window: Window) -> list[Outcomes]:
    """Return the events of tasks in a window, counted by hour; every bucket consists of whole hours."""
    if not boards:
        return []
    found = await rows(
        "SELECT SUBSTR(CAST(e.created_at AS TEXT), 1, 13) AS hour, COUNT(*) AS events,"
        " SUM(CASE WHEN e.kind LIKE '%failed' THEN 1 ELSE 0 END) AS failures"
        f" FROM events e WHERE e.board_id IN ({placeholders(len(boards))}) AND e.task_id IS NOT NULL"
        f" AND e.created_at >= ? AND e.created_at <= ? AND e.kind IN ({placeholders(len(REFERENCE_KINDS))})"
        " GROUP BY SUBSTR(CAST(e.created_at AS TEXT), 1, 13)",
        *boards,
        window.start,
        window.end,
        *REFERENCE_KINDS,
    )
    return [
        Outcomes(datetime.fromisoformat(f"{row['hour']}:00"), int(row["events"]), int(row["failures"])) for row in found
    ]


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
