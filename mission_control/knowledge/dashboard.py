"""The dashboard, its four series on Home, and the metrics of people's answers to agents."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from mission_control.boards.queries import on_readable_boards
from mission_control.boards.words import STATUSES
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.database.sql import as_id, placeholders, rows
from mission_control.http.operation_api import Api
from mission_control.knowledge import series
from mission_control.knowledge.metrics_schemas import (
    Answering,
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
    windows,
)
from mission_control.knowledge.series import Both, averaged, counted, in_both, median_or_none, select_on
from mission_control.people.account_names import person_name

api = Api(__name__, "metrics")
MOST_PEOPLE = 20


async def _boards_in_scope(actor: Actor, query: DashboardQuery) -> list[UUID]:
    """Return the readable boards named by the query. Unreadable board: NotFound."""
    readable, values = on_readable_boards(actor, actor.organization_id, "id")
    found = await rows(
        f"SELECT id, board_group_id FROM boards WHERE organization_id = ? AND deleted_at IS NULL{readable}",
        actor.organization_id,
        *values,
    )
    boards = {as_id(row["id"]): as_id(row["board_group_id"]) for row in found}
    if query.board_id is not None and query.board_id not in boards:
        raise NotFound()
    return [
        board_id
        for board_id, group_id in boards.items()
        if board_id is not None and query.board_id in (None, board_id) and query.group_id in (None, group_id)
    ]


@dataclass(slots=True)
class Answered:
    """When something was asked and answered, and by whom."""

    asked_at: datetime
    answered_at: datetime
    user_id: UUID | None
    name: str | None

    @property
    def hours(self) -> float:
        return max(0.0, series.hours_between(self.asked_at, self.answered_at))


async def _answering(boards: list[UUID], both: Both) -> Answering:
    """Return what people answered on these boards, and what agents spent there."""
    primary, before = both
    here = placeholders(len(boards))
    answers = await select_on(
        boards,
        Answered,
        "SELECT one.asked_at, one.answered_at, one.user_id, "
        f"{person_name('u')} AS name FROM ("
        "SELECT created_at AS asked_at, resolved_at AS answered_at, resolved_by_user_id AS user_id FROM approvals"
        f" WHERE board_id IN ({here}) AND resolved_by_kind = 'user' AND status <> 'pending' AND resolved_at >= ?"
        " UNION ALL SELECT created_at, answered_at, answered_by_user_id FROM agent_questions"
        f" WHERE board_id IN ({here}) AND state = 'answered' AND answered_by_user_id IS NOT NULL AND answered_at >= ?"
        ") AS one LEFT JOIN users u ON u.id = one.user_id",
        *boards, before.start, *boards, before.start,
    )  # fmt: skip
    spending = await series.read_spending(boards, both)

    def median_hours(window: Window) -> float | None:
        return median_or_none([one.hours for one in answers if window.contains(one.answered_at)])

    return Answering(
        answered=in_both(both, lambda window: counted(window, (one.answered_at for one in answers))),
        answered_by=_by_person([one for one in answers if primary.contains(one.answered_at)]),
        time_to_answer=in_both(
            both, lambda window: averaged(window, ((one.answered_at, one.hours) for one in answers))
        ),
        time_to_answer_median=median_hours(primary),
        time_to_answer_median_before=median_hours(before),
        spent=in_both(both, lambda window: series.spent(window, spending)),
    )


def _by_person(answers: list[Answered]) -> list[PersonsAnswers]:
    """Return how many answers each person gave, most first."""
    people: dict[UUID | None, PersonsAnswers] = {}
    for one in answers:
        nobody = PersonsAnswers(user_id=one.user_id, name=one.name or "Deleted account", answered=0)
        people.setdefault(one.user_id, nobody).answered += 1
    return sorted(people.values(), key=lambda person: (-person.answered, person.name))[:MOST_PEOPLE]


async def overview(actor: Actor, range_key: RangeKey) -> tuple[Answering, DashboardSeriesSet]:
    """Return what was answered, spent and finished on a person's boards, in a range and in the one before it."""
    boards = await _boards_in_scope(actor, DashboardQuery(range_key=range_key))
    both = windows(range_key, times.clock_now())
    answering = await _answering(boards, both)
    events = await select_on(
        boards,
        series.Event,
        "SELECT kind, task_id, data, created_at FROM events WHERE organization_id = ? AND created_at >= ?"
        f" AND kind = 'task.status_changed' AND board_id IN ({placeholders(len(boards))})"
        """ AND data LIKE '%"status":"done"%'""",
        actor.organization_id,
        both[1].start,
        *boards,
    )
    done = [one.created_at for one in events if orjson.loads(one.data).get("after", {}).get("status") == "done"]
    return answering, in_both(both, lambda window: counted(window, done))


def total(series: DashboardRangeSeries) -> float:
    return float(sum(point.value for point in series.points))


@api.get("/metrics/dashboard")
async def dashboard_metrics(actor: Actor, query: DashboardQuery) -> DashboardMetrics:
    """Read the figures of all boards, one board or one group.

    The series keep the meaning that clients know; `flow` holds figures computed from what happened to tasks.
    """
    now = times.clock_now()
    boards = await _boards_in_scope(actor, query)
    both = windows(query.range_key, now)
    primary, before = both
    counts = await series.read_counts(boards, both)
    done = [one for one in counts if one.status == "done"]
    reviews = await series.read_reviews(boards, before.start)
    outcomes = await series.read_outcomes(boards, both)
    review_hours = [hours for _, hours in series.review_times(primary, reviews)]
    return DashboardMetrics(
        range=query.range_key,
        generated_at=now,
        kpis=await _kpis(boards, primary.start, series.error_share(outcomes), median_or_none(review_hours)),
        throughput=in_both(both, lambda window: series.summed(window, done)),
        cycle_time=in_both(both, lambda window: averaged(window, series.review_times(window, reviews))),
        error_rate=in_both(both, lambda window: series.error_rate(window, outcomes)),
        wip=DashboardWipSeriesSet(primary=series.wip(primary, counts), comparison=series.wip(before, counts)),
        pending_approvals=await _pending(boards),
        flow=await _flow(boards, both, now),
    )


async def _kpis(boards: list[UUID], since: datetime, error_rate: float, cycle_time: float | None) -> DashboardKpis:
    by_status, active_agents = dict[str, int](), 0
    if boards:
        here = f"board_id IN ({placeholders(len(boards))})"
        sql = f"SELECT status, COUNT(*) AS n FROM tasks WHERE deleted_at IS NULL AND {here} GROUP BY status"
        by_status = {row["status"]: int(row["n"]) for row in await rows(sql, *boards)}
        sql = f"SELECT COUNT(*) AS n FROM agents WHERE {here} AND last_seen_at >= ?"
        active_agents = int((await rows(sql, *boards, since))[0]["n"])
    return DashboardKpis(
        active_agents=active_agents,
        tasks_in_progress=by_status.get("in_progress", 0),
        **{f"{status}_tasks": by_status.get(status, 0) for status in STATUSES},
        error_rate_pct=error_rate,
        median_cycle_time_hours_7d=cycle_time,
    )


async def _pending(boards: list[UUID]) -> DashboardPendingApprovals:
    if not boards:
        return DashboardPendingApprovals(total=0, items=[])
    here = f"a.status = 'pending' AND a.board_id IN ({placeholders(len(boards))})"
    [total] = await rows(f"SELECT COUNT(*) AS n FROM approvals a WHERE {here}", *boards)
    newest = await select_on(
        boards,
        DashboardPendingApproval,
        "SELECT a.id AS approval_id, a.board_id, b.name AS board_name, a.action_type, a.confidence, a.created_at,"
        " (SELECT t.title FROM approval_task_links l JOIN tasks t ON t.id = l.task_id WHERE l.approval_id = a.id"
        "  ORDER BY l.created_at, l.id LIMIT 1) AS task_title"
        f" FROM approvals a JOIN boards b ON b.id = a.board_id WHERE {here}"
        " ORDER BY a.created_at DESC, a.id DESC LIMIT 10",
        *boards,
    )
    return DashboardPendingApprovals(total=int(total["n"]), items=newest)


async def _flow(boards: list[UUID], both: Both, now: datetime) -> Flow:
    primary, before = both
    history = await series.read_history(boards, before.start)
    hours = [hours for moment, hours in history.cycles() if primary.contains(moment)]
    answering, waiting = await _answering(boards, both), await series.waiting(boards, primary)
    return Flow(
        throughput=in_both(both, lambda window: counted(window, (moment for moment, _ in history.finished))),
        cycle_time=in_both(both, lambda window: averaged(window, history.cycles())),
        cycle_time_median=median_or_none(hours),
        cycle_time_p85=series.percentile(hours, 85),
        wip=in_both(both, lambda window: series.work_in_progress(window, history)),
        aging=await series.aging(history, now),
        **dict(waiting),
        **dict(answering),
    )
