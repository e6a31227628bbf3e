"""Metrics computed from the events of tasks and approvals."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any
from uuid import UUID

import orjson

from mission_control.database.sql import placeholders, rows, select
from mission_control.metrics.buckets import Window
from mission_control.metrics.series import averaged, counted, points

KINDS = ("task.created", "task.status_changed", "task.lease_expired", "task.deleted", "task.restored")
AT_WORK = ("in_progress", "review")
AT_ONCE = 1000  # events processed before yielding to the event loop


@dataclass(slots=True)
class Event:
    """What happened to a task."""

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


def throughput(window: Window, history: History) -> dict[str, Any]:
    """Return the tasks finished in each bucket."""
    return points(window, counted(window, (moment for moment, _ in history.finished)))


def cycle_time(window: Window, history: History) -> dict[str, Any]:
    """Return the mean hours from first start to finish, by time of finish."""
    measured = [(moment, hours) for moment, hours in history.finished if hours is not None]
    return points(window, averaged(window, measured))


def cycle_times(window: Window, history: History) -> list[float]:
    """Return the cycle times in hours of tasks finished in the window."""
    return [hours for moment, hours in history.finished if hours is not None and window.contains(moment)]


def work_in_progress(window: Window, history: History) -> dict[str, Any]:
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


async def aging(boards: list[UUID], history: History, now: datetime) -> list[dict[str, Any]]:
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
        {
            "task_id": task,
            "board_id": known[task]["board_id"],
            "title": known[task]["title"],
            "status": known[task]["status"],
            "age_hours": round((now - moment).total_seconds() / 3600, 3),
        }
        for moment, task in oldest
        if task in known
    ]


async def waiting(boards: list[UUID], window: Window) -> dict[str, Any]:
    """Return waiting times of approvals in hours: decided in the window, and pending now."""
    if not boards:
        return {
            "waiting_for_person_median": None,
            "waiting_for_person_p85": None,
            "waiting_now": 0,
            "oldest_waiting": None,
        }
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
    return {
        "waiting_for_person_median": median_or_none(decided),
        "waiting_for_person_p85": percentile(decided, 85),
        "waiting_now": len(open_since),
        "oldest_waiting": max(open_since, default=None),
    }


def _hours(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 3600


def median_or_none(values: list[float]) -> float | None:
    """Return the median, or None for no values."""
    return median(values) if values else None


def percentile(values: list[float], share: int) -> float | None:
    """Return the nearest-rank percentile (Hyndman and Fan's first definition), or None for no values."""
    ordered = sorted(values)
    return ordered[max(0, -(-share * len(ordered) // 100) - 1)] if ordered else None
