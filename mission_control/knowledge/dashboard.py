"""The dashboard, its four series on Home, and the metrics of people's answers to agents."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from uuid import UUID

import orjson

from mission_control.boards.words import STATUSES
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.database.sql import placeholders, rows, select
from mission_control.knowledge import series
from mission_control.knowledge import series as spending
from mission_control.knowledge.metrics_schemas import (
    DashboardKpis,
    DashboardMetrics,
    DashboardPendingApproval,
    DashboardPendingApprovals,
    DashboardQuery,
    DashboardRangeSeries,
    DashboardSeriesSet,
    DashboardWipSeriesSet,
    Flow,
    PersonsAnswers,
    RangeKey,
    Window,
    boards_in_scope,
    windows,
)
from mission_control.knowledge.series import Event, averaged, counted, median_or_none, points
from mission_control.people.account_names import person_name

MOST_PEOPLE = 20


@dataclass(slots=True)
class Answered:
    """When something was asked and answered, and by whom."""

    asked_at: datetime
    answered_at: datetime
    user_id: UUID | None
    name: str | None

    @property
    def hours(self) -> float:
        """Return how long the answer took."""
        return max(0.0, (self.answered_at - self.asked_at).total_seconds() / 3600)


async def read_answers(boards: list[UUID], since: datetime) -> list[Answered]:
    """Return what people answered on these boards since a time."""
    if not boards:
        return []
    here = placeholders(len(boards))
    return await select(
        Answered,
        "SELECT one.asked_at, one.answered_at, one.user_id, "
        f"{person_name('u')} AS name FROM ("
        "SELECT created_at AS asked_at, resolved_at AS answered_at, resolved_by_user_id AS user_id FROM approvals"
        f" WHERE board_id IN ({here}) AND resolved_by_kind = 'user' AND status <> 'pending' AND resolved_at >= ?"
        " UNION ALL SELECT created_at, answered_at, answered_by_user_id FROM agent_questions"
        f" WHERE board_id IN ({here}) AND state = 'answered' AND answered_by_user_id IS NOT NULL AND answered_at >= ?"
        ") AS one LEFT JOIN users u ON u.id = one.user_id",
        *boards,
        since,
        *boards,
        since,
    )


def answered(window: Window, answers: list[Answered]) -> DashboardRangeSeries:
    """Return the answers of people in each bucket."""
    return points(window, counted(window, (one.answered_at for one in answers)))


def time_to_answer(window: Window, answers: list[Answered]) -> DashboardRangeSeries:
    """Return the mean hours from request to answer, by time of the answer."""
    return points(window, averaged(window, ((one.answered_at, one.hours) for one in answers)))


def median_hours(window: Window, answers: list[Answered]) -> float | None:
    return median_or_none([one.hours for one in answers if window.contains(one.answered_at)])


def by_person(window: Window, answers: list[Answered]) -> list[PersonsAnswers]:
    """Return how many answers each person gave in a window, most first."""
    found: dict[UUID | None, PersonsAnswers] = {}
    for one in answers:
        if window.contains(one.answered_at):
            nobody = PersonsAnswers(user_id=one.user_id, name=one.name or "Deleted account", answered=0)
            found.setdefault(one.user_id, nobody).answered += 1
    return sorted(found.values(), key=lambda line: (-line.answered, line.name))[:MOST_PEOPLE]


type Pair = list[DashboardRangeSeries]  # of a range and of the one before it


@dataclass(frozen=True, slots=True)
class Overview:
    """The four series, with their figures."""

    answered: Pair
    answered_by: list[PersonsAnswers]
    time_to_answer: Pair
    time_to_answer_median: list[float | None]
    finished: Pair
    spent: Pair


async def overview(actor: Actor, range_key: RangeKey) -> Overview:
    """Return the four series of a person's boards, each for a range and for the one before it, with their figures."""
    boards = await boards_in_scope(actor, DashboardQuery(range_key=range_key))
    both = windows(range_key, times.clock_now())
    primary, before = both
    given = await read_answers(boards, before.start)
    costs = await spending.read_spending(boards, primary, before)
    finished = await _finished(actor, boards, before.start)
    return Overview(
        answered=[answered(one, given) for one in both],
        answered_by=by_person(primary, given),
        time_to_answer=[time_to_answer(one, given) for one in both],
        time_to_answer_median=[median_hours(one, given) for one in both],
        finished=[points(one, counted(one, finished)) for one in both],
        spent=[spending.spent(primary, costs), spending.spent(before, costs, before=True)],
    )


async def _finished(actor: Actor, boards: list[UUID], since: datetime) -> list[datetime]:
    """Return when tasks of these boards were finished."""
    if not boards:
        return []
    found = await select(
        Event,
        "SELECT kind, task_id, data, created_at FROM events WHERE organization_id = ? AND created_at >= ?"
        f" AND kind = 'task.status_changed' AND board_id IN ({placeholders(len(boards))})"
        """ AND data LIKE '%"status":"done"%'""",
        actor.organization_id,
        since,
        *boards,
    )
    return [one.created_at for one in found if orjson.loads(one.data).get("after", {}).get("status") == "done"]


def total(series: DashboardRangeSeries) -> float:
    return float(sum(point.value for point in series.points))


async def dashboard(actor: Actor, query: DashboardQuery) -> DashboardMetrics:
    """Return all metrics of the boards in scope."""
    now = times.clock_now()
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
    now_in_work, then_in_work = (series.wip(*one) for one in zip(both, in_buckets, strict=True))
    return DashboardMetrics(
        range=query.range_key,
        generated_at=now,
        kpis=await _kpis(boards, primary, reviews, outcomes[0]),
        throughput=_pair(series.throughput(*one) for one in zip(both, in_buckets, strict=True)),
        cycle_time=_pair(series.points(one, series.averaged(one, series.review_times(one, reviews))) for one in both),
        error_rate=_pair(series.error_rate(*one) for one in zip(both, outcomes, strict=True)),
        wip=DashboardWipSeriesSet(primary=now_in_work, comparison=then_in_work),
        pending_approvals=await _pending(boards),
        flow=await _flow(boards, both, now),
    )


def _pair(both: Iterable[DashboardRangeSeries]) -> DashboardSeriesSet:
    primary, comparison = both
    return DashboardSeriesSet(primary=primary, comparison=comparison)


async def _kpis(
    boards: list[UUID], window: Window, reviews: list[series.Review], outcomes: list[series.Outcomes]
) -> DashboardKpis:
    by_status = await _by_status(boards)
    hours = [value for _, value in series.review_times(window, reviews)]
    return DashboardKpis(
        active_agents=await _active_agents(boards, window.start),
        tasks_in_progress=by_status.get("in_progress", 0),
        **{f"{status}_tasks": by_status.get(status, 0) for status in STATUSES},
        error_rate_pct=series.error_share(outcomes),
        median_cycle_time_hours_7d=median(hours) if hours else None,
    )


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


async def _pending(boards: list[UUID]) -> DashboardPendingApprovals:
    if not boards:
        return DashboardPendingApprovals(total=0, items=[])
    here = f"a.status = 'pending' AND a.board_id IN ({placeholders(len(boards))})"
    [total] = await rows(f"SELECT COUNT(*) AS n FROM approvals a WHERE {here}", *boards)
    found = await select(
        DashboardPendingApproval,
        "SELECT a.id AS approval_id, a.board_id, b.name AS board_name, a.action_type, a.confidence, a.created_at,"
        " (SELECT t.title FROM approval_task_links l JOIN tasks t ON t.id = l.task_id WHERE l.approval_id = a.id"
        "  ORDER BY l.created_at, l.id LIMIT 1) AS task_title"
        f" FROM approvals a JOIN boards b ON b.id = a.board_id WHERE {here}"
        " ORDER BY a.created_at DESC, a.id DESC LIMIT 10",
        *boards,
    )
    return DashboardPendingApprovals(total=int(total["n"]), items=found)


async def _flow(boards: list[UUID], both: tuple[Window, Window], now: datetime) -> Flow:
    primary, before = both
    history = await series.read_history(boards, before.start)
    hours = series.cycle_times(primary, history)
    given = await read_answers(boards, before.start)
    costs = await series.read_spending(boards, primary, before)
    return Flow(
        throughput=_pair(series.flow_throughput(one, history) for one in both),
        cycle_time=_pair(series.cycle_time(one, history) for one in both),
        cycle_time_median=series.median_or_none(hours),
        cycle_time_p85=series.percentile(hours, 85),
        wip=_pair(series.work_in_progress(one, history) for one in both),
        aging=await series.aging(boards, history, now),
        **await series.waiting(boards, primary),
        answered=_pair(answered(one, given) for one in both),
        answered_by=by_person(primary, given),
        time_to_answer=_pair(time_to_answer(one, given) for one in both),
        time_to_answer_median=median_hours(primary, given),
        time_to_answer_median_before=median_hours(before, given),
        spent=_pair([series.spent(primary, costs), series.spent(before, costs, before=True)]),
    )
