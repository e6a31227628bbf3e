"""The dashboard."""

from datetime import datetime
from statistics import median
from typing import Any
from uuid import UUID

from mission_control.boards.statuses import STATUSES
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.database.sql import placeholders, rows, wire_moment
from mission_control.metrics import answers, flow, series, spending
from mission_control.metrics.buckets import Window, windows
from mission_control.metrics.schemas import DashboardQuery
from mission_control.metrics.scope import boards_in_scope


async def dashboard(actor: Actor, query: DashboardQuery) -> dict[str, Any]:
    """Return all metrics of the boards in scope."""
    now = clock.now()
    boards = await boards_in_scope(actor, query)
    primary, before = windows(query.range_key, now)
    both = (primary, before)
    counts = await series.read_counts(boards, primary, before)
    in_buckets = (
        series.by_bucket(primary, ((one.hour, one.status, one.now) for one in counts if one.now)),
        series.by_bucket(before, ((one.hour, one.status, one.before) for one in counts if one.before)),
    )
    reviews = await series.read_reviews(boards, before.start)
    outcomes = await series.read_outcomes(boards, primary, before)
    return {
        "range": query.range_key,
        "generated_at": now,
        "kpis": await _kpis(boards, primary, reviews, outcomes[0]),
        "throughput": _pair([series.throughput(*one) for one in zip(both, in_buckets, strict=True)]),
        "cycle_time": _pair(
            [series.points(one, series.averaged(one, series.review_times(one, reviews))) for one in both]
        ),
        "error_rate": _pair([series.error_rate(*one) for one in zip(both, outcomes, strict=True)]),
        "wip": _pair([series.wip(*one) for one in zip(both, in_buckets, strict=True)]),
        "pending_approvals": await _pending(boards),
        "flow": await _flow(boards, both, now),
    }


def _pair(both: list[dict[str, Any]]) -> dict[str, Any]:
    return {"primary": both[0], "comparison": both[1]}


async def _kpis(
    boards: list[UUID], window: Window, reviews: list[series.Review], outcomes: list[series.Outcomes]
) -> dict[str, Any]:
    by_status = await _by_status(boards)
    hours = [value for _, value in series.review_times(window, reviews)]
    return {
        "active_agents": await _active_agents(boards, window.start),
        "tasks_in_progress": by_status.get("in_progress", 0),
        **{f"{status}_tasks": by_status.get(status, 0) for status in STATUSES},
        "error_rate_pct": series.error_share(outcomes),
        "median_cycle_time_hours_7d": median(hours) if hours else None,
    }


async def _by_status(boards: list[UUID]) -> dict[str, int]:
    if not boards:
        return {}
    found = await rows(
        "SELECT status, COUNT(*) AS n FROM tasks WHERE deleted_at IS NULL"
        f" AND board_id IN ({placeholders(len(boards))}) GROUP BY status",
        *boards,
    )
    return {row["status"]: int(row["n"]) for row in found}


async def _active_agents(boards: list[UUID], since: datetime) -> int:
    if not boards:
        return 0
    [row] = await rows(
        f"SELECT COUNT(*) AS n FROM agents WHERE board_id IN ({placeholders(len(boards))}) AND last_seen_at >= ?",
        *boards,
        since,
    )
    return int(row["n"])


async def _pending(boards: list[UUID]) -> dict[str, Any]:
    if not boards:
        return {"total": 0, "items": []}
    here = f"a.status = 'pending' AND a.board_id IN ({placeholders(len(boards))})"
    [total] = await rows(f"SELECT COUNT(*) AS n FROM approvals a WHERE {here}", *boards)
    found = await rows(
        "SELECT a.id, a.board_id, b.name, a.action_type, a.confidence, a.created_at,"
        " (SELECT t.title FROM approval_task_links l JOIN tasks t ON t.id = l.task_id WHERE l.approval_id = a.id"
        "  ORDER BY l.created_at, l.id LIMIT 1) AS title"
        f" FROM approvals a JOIN boards b ON b.id = a.board_id WHERE {here}"
        " ORDER BY a.created_at DESC, a.id DESC LIMIT 10",
        *boards,
    )
    return {"total": int(total["n"]), "items": [_pending_item(row) for row in found]}


def _pending_item(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "approval_id": row["id"],
        "board_id": row["board_id"],
        "board_name": row["name"],
        "action_type": row["action_type"],
        "confidence": float(row["confidence"]),
        "created_at": wire_moment(row["created_at"]),
        "task_title": row["title"],
    }


async def _flow(boards: list[UUID], both: tuple[Window, Window], now: datetime) -> dict[str, Any]:
    primary, before = both
    history = await flow.read_history(boards, before.start)
    hours = flow.cycle_times(primary, history)
    given = await answers.read_answers(boards, before.start)
    costs = await spending.read_spending(boards, primary, before)
    return {
        "throughput": _pair([flow.throughput(one, history) for one in both]),
        "cycle_time": _pair([flow.cycle_time(one, history) for one in both]),
        "cycle_time_median": flow.median_or_none(hours),
        "cycle_time_p85": flow.percentile(hours, 85),
        "wip": _pair([flow.work_in_progress(one, history) for one in both]),
        "aging": await flow.aging(boards, history, now),
        **await flow.waiting(boards, primary),
        "answered": _pair([answers.answered(one, given) for one in both]),
        "answered_by": answers.by_person(primary, given),
        "time_to_answer": _pair([answers.time_to_answer(one, given) for one in both]),
        "time_to_answer_median": answers.median_hours(primary, given),
        "time_to_answer_median_before": answers.median_hours(before, given),
        "spent": _pair([spending.spent(primary, costs), spending.spent(before, costs, before=True)]),
    }
