"""The dashboard, its four series on Home, and the metrics of people's answers to agents."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mission_control.boards.queries import on_readable_boards
from mission_control.boards.statuses import STATUSES
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.database.sql import FEW_ROWS, as_id, placeholders, rows
from mission_control.events.position import position_of_organization
from mission_control.http.operation_api import Api
from mission_control.http.response_cache import Cached, who_reads_the_same
from mission_control.metrics import series
from mission_control.metrics.schemas import (
    Answering,
    DashboardKpis,
    DashboardMetrics,
    DashboardPendingApproval,
    DashboardPendingApprovals,
    DashboardQuery,
    DashboardRangeSeries,
    DashboardSeriesSet,
    Flow,
    PersonsAnswers,
    RangeKey,
    Window,
    windows,
)
from mission_control.metrics.series import Both, averaged, counted, in_both, median_or_none, select_on
from mission_control.people.accounts.names import person_name

api = Api(__name__, "metrics")
MOST_PEOPLE = 20
PENDING = "resolved_at IS NULL"  # of approvals, as their index has it


async def _boards_in_scope(actor: Actor, query: DashboardQuery) -> list[UUID]:
    readable, values = on_readable_boards(actor, actor.organization_id, "id")
    readable_boards = await rows(
        f"SELECT id, board_group_id FROM boards WHERE organization_id = ? AND deleted_at IS NULL{readable}",
        actor.organization_id,
        *values,
    )
    boards = {as_id(row["id"]): as_id(row["board_group_id"]) for row in readable_boards}
    if query.board_id is not None and query.board_id not in boards:
        raise NotFound()
    return [
        board_id
        for board_id, group_id in boards.items()
        if board_id is not None and query.board_id in (None, board_id) and query.group_id in (None, group_id)
    ]


@dataclass(slots=True)
class Answered:
    """When something was asked and answered, and by whom; an approval, or else a question."""

    asked_at: datetime
    answered_at: datetime
    user_id: UUID | None
    is_approval: bool

    @property
    def hours(self) -> float:
        return max(0.0, series.hours_between(self.asked_at, self.answered_at))


async def _read_answers(boards: list[UUID], since: datetime) -> list[Answered]:
    here = placeholders(len(boards))
    return await select_on(
        boards,
        Answered,
        "SELECT created_at AS asked_at, resolved_at AS answered_at, resolved_by_user_id AS user_id, 1 AS is_approval"
        f" FROM approvals WHERE board_id IN ({here}) AND resolved_by_kind = 'user' AND resolved_at >= ?"
        " UNION ALL SELECT created_at, answered_at, answered_by_user_id, 0 FROM agent_questions"
        f" WHERE board_id IN ({here}) AND state = 'answered' AND answered_by_user_id IS NOT NULL AND answered_at >= ?",
        *boards, since, *boards, since,
    )  # fmt: skip


async def _answering(boards: list[UUID], both: Both, answers: list[Answered]) -> Answering:
    primary, before = both
    spending = await series.read_spending(boards, both)

    def median_hours(window: Window) -> float | None:
        return median_or_none([answer.hours for answer in answers if window.contains(answer.answered_at)])

    return Answering(
        answered=in_both(both, lambda window: counted(window, (answer.answered_at for answer in answers))),
        answered_by=await _by_person([answer.user_id for answer in answers if primary.contains(answer.answered_at)]),
        time_to_answer=in_both(
            both, lambda window: averaged(window, ((answer.answered_at, answer.hours) for answer in answers))
        ),
        time_to_answer_median=median_hours(primary),
        time_to_answer_median_before=median_hours(before),
        spent=in_both(both, lambda window: series.spent(window, spending)),
    )


async def _by_person(answered: list[UUID | None]) -> list[PersonsAnswers]:
    numbers = Counter(answered)
    ids = [user_id for user_id in numbers if user_id is not None]
    sql = f"SELECT u.id, {person_name('u')} AS name FROM users u WHERE u.id IN ({placeholders(len(ids))})"
    names = {as_id(row["id"]): row["name"] for row in (await rows(sql, *ids) if ids else [])}
    people = [
        PersonsAnswers(user_id=user_id, name=names.get(user_id) or "Deleted account", answered=number)
        for user_id, number in numbers.items()
    ]
    return sorted(people, key=lambda person: (-person.answered, person.name))[:MOST_PEOPLE]


async def overview(actor: Actor, range_key: RangeKey) -> tuple[Answering, DashboardSeriesSet]:
    boards = await _boards_in_scope(actor, DashboardQuery(range_key=range_key))
    both = windows(range_key, times.clock_now())
    figures = await series.read_figures(actor.organization_id, boards, both, only_sums=True)
    answers = await _read_answers(boards, both[1].start)
    return await _answering(boards, both, answers), figures.sums.series("moved")


def total(series: DashboardRangeSeries) -> float:
    return float(sum(point.value for point in series.points))


# What the figures show and no event says: agents that gave a sign in the window, and what was spent today.
_SIGNS = """
    SELECT (SELECT COUNT(*) FROM agents WHERE organization_id = ? AND last_seen_at >= ?) AS agents,
        (SELECT COUNT(*) FROM usage_entries WHERE organization_id = ? AND day >= ?) AS spent"""


async def _state(actor: Actor, found: None, query: DashboardQuery) -> object:
    now, here = times.clock_now(), actor.organization_id
    position = await position_of_organization(here)
    [signs] = await rows(_SIGNS, here, windows(query.range_key, now)[0].start, here, now.date().isoformat())
    return position, signs, now.replace(second=0, microsecond=0)


@api.get("/metrics/dashboard", cached=Cached(_state, who_reads_the_same))
async def dashboard_metrics(actor: Actor, query: DashboardQuery) -> DashboardMetrics:
    """Read the figures of all boards, one board or one group.

    The series keep the meaning that clients know; `flow` holds figures computed from what happened to tasks.
    """
    boards = await _boards_in_scope(actor, query)
    return await metrics_of(actor.organization_id, boards, query.range_key, times.clock_now())


async def metrics_of(organization_id: UUID, boards: list[UUID], key: RangeKey, now: datetime) -> DashboardMetrics:
    both = windows(key, now)
    primary, before = both
    figures = await series.read_figures(organization_id, boards, both)
    answers = await _read_answers(boards, before.start)
    waiting = await _waiting(boards, primary)
    newest = await _newest(boards) if waiting.number else []
    sums, cycle_p85 = figures.sums, series.percentile(figures.cycles, 85)
    decided = sorted(
        series.hours_between(answer.asked_at, answer.answered_at)
        for answer in answers
        if answer.is_approval and primary.contains(answer.answered_at)
    )
    return DashboardMetrics(
        range=key,
        generated_at=now,
        kpis=DashboardKpis(
            active_agents=waiting.agents,
            tasks_in_progress=sums.total["in_progress"],
            **{f"{status}_tasks": sums.total[status] for status in STATUSES},
            error_rate_pct=sums.error_share(),
            median_cycle_time_hours_7d=series.median_hours(figures.reviews),
        ),
        throughput=sums.series("done"),
        cycle_time=sums.mean_hours("review_micros", "reviews"),
        error_rate=sums.error_rate(),
        wip=sums.tasks(),
        pending_approvals=DashboardPendingApprovals(total=waiting.number, items=newest),
        flow=Flow(
            throughput=sums.series("finished"),
            cycle_time=sums.mean_hours("cycle_micros", "cycles"),
            cycle_time_median=series.median_hours(figures.cycles),
            cycle_time_p85=None if cycle_p85 is None else series.hours(int(cycle_p85)),
            wip=sums.work_in_progress(),
            aging=await series.aging(figures.at_work, now),
            waiting_for_person_median=median_or_none(decided),
            waiting_for_person_p85=series.percentile(decided, 85),
            waiting_now=waiting.number,
            oldest_waiting=None if waiting.since is None else series.hours_between(waiting.since, now),
            **dict(await _answering(boards, both, answers)),
        ),
    )


@dataclass(slots=True)
class _Waiting:
    """How many approvals are pending, since when the oldest; how many agents gave a sign in the window."""

    number: int = 0
    since: datetime | None = None
    agents: int = 0


async def _waiting(boards: list[UUID], window: Window) -> _Waiting:
    here = f"board_id IN ({placeholders(len(boards))})"
    waiting = await select_on(
        boards,
        _Waiting,
        f"{FEW_ROWS}SELECT COUNT(*) AS number, MIN(created_at) AS since,"
        f" (SELECT COUNT(*) FROM agents WHERE {here} AND last_seen_at >= ?) AS agents"
        f" FROM approvals WHERE {PENDING} AND {here}",
        *boards,
        window.start,
        *boards,
    )
    return waiting[0] if waiting else _Waiting()


async def _newest(boards: list[UUID]) -> list[DashboardPendingApproval]:
    return await select_on(
        boards,
        DashboardPendingApproval,
        "SELECT a.id AS approval_id, a.board_id, b.name AS board_name, a.action_type, a.confidence, a.created_at,"
        " (SELECT t.title FROM approval_task_links l JOIN tasks t ON t.id = l.task_id WHERE l.approval_id = a.id"
        "  ORDER BY l.created_at, l.id LIMIT 1) AS task_title"
        " FROM approvals a JOIN boards b ON b.id = a.board_id"
        f" WHERE a.{PENDING} AND a.board_id IN ({placeholders(len(boards))})"
        " ORDER BY a.created_at DESC, a.id DESC LIMIT 10",
        *boards,
    )
