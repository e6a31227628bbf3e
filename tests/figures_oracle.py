"""The dashboard's figures from the whole log and all tasks, as slowly as one can: what counted ones must equal."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from statistics import mean, median
from typing import Any
from uuid import UUID

import orjson

from mission_control.core.values import json_values
from mission_control.database.sql import as_moment, placeholders, rows
from mission_control.metrics.schemas import DashboardMetrics, RangeKey, Window, windows

COUNTED = (
    "task.created", "task.updated", "task.status_changed", "task.comment", "task.lead_notified",
    "task.lead_notify_failed", "task.lead_unassigned_notified", "task.lead_unassigned_notify_failed",
    "task.assignee_notified", "task.assignee_notify_failed", "task.rework_notified", "task.rework_notify_failed",
    "approval.lead_notified", "approval.lead_notify_failed",
)  # fmt: skip
KINDS = ("task.created", "task.status_changed", "task.lease_expired", "task.deleted", "task.restored")
WORK = ("in_progress", "review")
STATUSES = ("inbox", "in_progress", "review", "done")

type Dated = list[tuple[datetime, float]]


async def expected(boards: list[UUID], key: RangeKey, now: datetime) -> dict[str, Any]:
    """The figures of boards, in the shape of `told`."""
    both, here = windows(key, now), f"board_id IN ({placeholders(len(boards))})"
    tasks = await rows(f"SELECT * FROM tasks WHERE deleted_at IS NULL AND {here}", *boards)
    events = await rows(f"SELECT * FROM events WHERE task_id IS NOT NULL AND {here} ORDER BY seq", *boards)
    finished, moved, levels, entered = _replayed(events)
    outcomes: Dated = [
        (_moment(one["created_at"]), 100.0 * one["kind"].endswith("failed")) for one in events if one["kind"] in COUNTED
    ]
    states: dict[str, Dated] = defaultdict(list)
    for task in tasks:
        states[task["status"]].append((_moment(task["created_at" if task["status"] == "inbox" else "updated_at"]), 1.0))
    reviews = [
        (_moment(one["updated_at"]), _hours(_moment(one["in_progress_at"]), _moment(one["updated_at"])))
        for one in tasks
        if one["status"] == "review" and one["in_progress_at"]
    ]
    cycles = [(moment, hours) for moment, hours in finished if hours is not None]
    now_cycles = [hours for moment, hours in cycles if both[0].contains(moment)]
    now_outcomes = [share for moment, share in outcomes if both[0].contains(moment)]
    now_reviews = [hours for moment, hours in reviews if both[0].contains(moment)]
    oldest = sorted((moment, task) for task, moment in entered.items())[:10]
    known = {str(task["id"]) for task in tasks}
    return {
        "by_status": {status: len(states[status]) for status in STATUSES},
        "error_rate_pct": mean(now_outcomes) if now_outcomes else 0.0,
        "review_median": median(now_reviews) if now_reviews else None,
        "throughput": [_series(window, states["done"], len) for window in both],
        "cycle_time": [_series(window, reviews, mean) for window in both],
        "error_rate": [_series(window, outcomes, mean) for window in both],
        "tasks": [[_series(window, states[status], len) for status in STATUSES] for window in both],
        "finished": [_series(window, [(moment, 1.0) for moment, _ in finished], len) for window in both],
        "cycles": [_series(window, cycles, mean) for window in both],
        "cycle_median": median(now_cycles) if now_cycles else None,
        "cycle_p85": sorted(now_cycles)[max(0, -(-85 * len(now_cycles) // 100) - 1)] if now_cycles else None,
        "wip": [_levels(window, levels) for window in both],
        "aging": [(task, round(_hours(moment, now), 3)) for moment, task in oldest if task in known],
        "moved": [_series(window, moved, len) for window in both],
    }


def told(answer: DashboardMetrics, moved: Any) -> dict[str, Any]:
    found, ways = json_values(answer), ("primary", "comparison")
    kpis, flow, done = found["kpis"], found["flow"], json_values(moved)

    def said(series: Mapping[str, Any], name: str = "value") -> list[list[float]]:
        return [[point[name] for point in series[way]["points"]] for way in ways]

    by_status = {status: said(found["wip"], status) for status in STATUSES}
    return {
        "by_status": {status: kpis[f"{status}_tasks"] for status in STATUSES},
        "error_rate_pct": kpis["error_rate_pct"],
        "review_median": kpis["median_cycle_time_hours_7d"],
        "throughput": said(found["throughput"]),
        "cycle_time": said(found["cycle_time"]),
        "error_rate": said(found["error_rate"]),
        "tasks": [[by_status[status][way] for status in STATUSES] for way in (0, 1)],
        "finished": said(flow["throughput"]),
        "cycles": said(flow["cycle_time"]),
        "cycle_median": flow["cycle_time_median"],
        "cycle_p85": flow["cycle_time_p85"],
        "wip": said(flow["wip"]),
        "aging": [(one["task_id"], one["age_hours"]) for one in flow["aging"]],
        "moved": said(done),
    }


def _moment(value: Any) -> datetime:
    moment = as_moment(value)
    assert moment is not None
    return moment


def _hours(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 3600


def _replayed(
    events: Iterable[Mapping[str, Any]],
) -> tuple[list[tuple[datetime, float | None]], Dated, list[tuple[datetime, int]], dict[str, datetime]]:
    """What was finished with its hours, what was moved to done, changes of work, and since when tasks are at work."""
    finished: list[tuple[datetime, float | None]] = []
    moved: Dated = []
    levels: list[tuple[datetime, int]] = []
    status: dict[str, str] = {}
    started: dict[str, datetime] = {}
    entered: dict[str, datetime] = {}
    for event in events:
        if event["kind"] not in KINDS:
            continue
        task, moment, data = str(event["task_id"]), _moment(event["created_at"]), orjson.loads(event["data"])
        now = str(data.get("status") or data.get("after", {}).get("status") or "inbox")
        if event["kind"] == "task.deleted":
            now = "gone"
        if event["kind"] == "task.status_changed" and now == "done":
            moved.append((moment, 1.0))
        before = status.get(task, "gone")
        if before == now:
            continue
        if (now in WORK) != (before in WORK):
            levels.append((moment, 1 if now in WORK else -1))
            entered[task] = moment
        if now == "in_progress":
            started.setdefault(task, moment)
        if now == "done":
            start = started.pop(task, None)
            finished.append((moment, None if start is None else _hours(start, moment)))
        status[task] = now
    return finished, moved, levels, {task: at for task, at in entered.items() if status[task] in WORK}


def _series(window: Window, dated: Dated, figure: Any) -> list[float]:
    held: dict[datetime, list[float]] = defaultdict(list)
    for moment, value in dated:
        if window.contains(moment):
            held[window.period_of(moment)].append(value)
    return [float(figure(held[period])) if period in held else 0.0 for period in window.periods()]


def _levels(window: Window, changes: list[tuple[datetime, int]]) -> list[float]:
    ends: list[datetime | None] = [*window.periods()[1:], None]
    found: Counter[int] = Counter()
    for number, end in enumerate(ends):
        found[number] = sum(by for moment, by in changes if (moment < end if end else moment <= window.end))
    return [float(found[number]) for number in range(len(ends))]
