"""Shapes of the dashboard: its time ranges with their buckets, and its boards."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.boards.queries import on_readable_boards
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.database.sql import as_id, rows

RangeKey = Literal["24h", "3d", "7d", "14d", "1m", "3m", "6m", "1y"]
BucketKey = Literal["hour", "day", "week", "month"]

RANGES: dict[RangeKey, tuple[timedelta, BucketKey]] = {
    "24h": (timedelta(hours=24), "hour"),
    "3d": (timedelta(days=3), "day"),
    "7d": (timedelta(days=7), "day"),
    "14d": (timedelta(days=14), "day"),
    "1m": (timedelta(days=30), "day"),
    "3m": (timedelta(days=90), "week"),
    "6m": (timedelta(days=180), "week"),
    "1y": (timedelta(days=365), "month"),
}


def hour_of(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, moment.day, moment.hour)


def day_of(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, moment.day)


def week_of(moment: datetime) -> datetime:
    """Return the Monday of a time's week."""
    return day_of(moment) - timedelta(days=moment.weekday())


def month_of(moment: datetime) -> datetime:
    """Return the first day of a time's month."""
    return datetime(moment.year, moment.month, 1)


STARTS: dict[BucketKey, Callable[[datetime], datetime]] = {
    "hour": hour_of,
    "day": day_of,
    "week": week_of,
    "month": month_of,
}
STEPS: dict[BucketKey, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=32),  # lands in the next month; its first day is used
}


@dataclass(frozen=True, slots=True)
class Window:
    """A closed time range and the buckets that cover it."""

    key: RangeKey
    bucket: BucketKey
    start: datetime
    end: datetime

    def contains(self, moment: datetime) -> bool:
        """Return whether a time is in the window, ends included."""
        return self.start <= moment <= self.end

    def periods(self) -> tuple[datetime, ...]:
        """Return the start of every bucket from that of `start` to that of `end`."""
        return _periods(self)

    def period_of(self, moment: datetime) -> datetime:
        """Return the start of a time's bucket."""
        return STARTS[self.bucket](moment)


@lru_cache(maxsize=16)  # every series of a dashboard asks
def _periods(window: Window) -> tuple[datetime, ...]:
    begin = STARTS[window.bucket]
    found = [begin(window.start)]
    while (following := begin(found[-1] + STEPS[window.bucket])) <= window.end:
        found.append(following)
    return tuple(found)


def windows(key: RangeKey, now: datetime) -> tuple[Window, Window]:
    """Return the window that ends now and the one of the same length before it."""
    duration, bucket = RANGES[key]
    start = now - duration
    return Window(key, bucket, start, now), Window(key, bucket, start - duration, start)


class DashboardQuery(BaseModel):
    """The boards and the time range."""

    range_key: RangeKey = "24h"
    board_id: UUID | None = None
    group_id: UUID | None = None


class DashboardSeriesPoint(BaseModel):
    """One bucket of a series."""

    period: datetime
    value: float


class DashboardRangeSeries(BaseModel):
    """A series over one window."""

    range: RangeKey
    bucket: BucketKey
    points: list[DashboardSeriesPoint]


class DashboardSeriesSet(BaseModel):
    """A series now and in the window before."""

    primary: DashboardRangeSeries
    comparison: DashboardRangeSeries


class DashboardWipPoint(BaseModel):
    """How many tasks per status in one bucket."""

    period: datetime
    inbox: int
    in_progress: int
    review: int
    done: int


class DashboardWipRangeSeries(BaseModel):
    """Tasks per status over one window."""

    range: RangeKey
    bucket: BucketKey
    points: list[DashboardWipPoint]


class DashboardWipSeriesSet(BaseModel):
    """Tasks per status now and in the window before."""

    primary: DashboardWipRangeSeries
    comparison: DashboardWipRangeSeries


class DashboardKpis(BaseModel):
    """Single figures. Despite its name `median_cycle_time_hours_7d` follows the chosen range."""

    active_agents: int
    tasks_in_progress: int
    inbox_tasks: int
    in_progress_tasks: int
    review_tasks: int
    done_tasks: int
    error_rate_pct: float
    median_cycle_time_hours_7d: float | None


class DashboardPendingApproval(BaseModel):
    """A pending approval."""

    approval_id: UUID
    board_id: UUID
    board_name: str
    action_type: str
    confidence: float
    created_at: datetime
    task_title: str | None


class DashboardPendingApprovals(BaseModel):
    """Pending approvals, the ten newest in full."""

    total: int
    items: list[DashboardPendingApproval]


class AgingTask(BaseModel):
    """A task that has been in progress for long."""

    task_id: UUID
    board_id: UUID
    title: str
    status: str
    age_hours: float


class PersonsAnswers(BaseModel):
    """How many requests of agents a person answered."""

    user_id: UUID | None = Field(description="null for a deleted account")
    name: str
    answered: int


class Flow(BaseModel):
    """Metrics computed from events, not from the tasks' current state. Times in hours."""

    throughput: DashboardSeriesSet = Field(description="Tasks that were finished, in the bucket they were finished in")
    cycle_time: DashboardSeriesSet = Field(description="Mean hours from the first start to the finish, 0 where none")
    cycle_time_median: float | None
    cycle_time_p85: float | None
    wip: DashboardSeriesSet = Field(description="Tasks in progress or review at the end of each bucket")
    aging: list[AgingTask] = Field(description="The ten oldest tasks in progress or review, oldest first")
    waiting_for_person_median: float | None
    waiting_for_person_p85: float | None
    waiting_now: int
    oldest_waiting: float | None
    answered: DashboardSeriesSet = Field(description="Approvals decided and questions answered by people")
    answered_by: list[PersonsAnswers] = Field(description="The same by person, most first, for the range")
    time_to_answer: DashboardSeriesSet = Field(description="Mean hours from request to answer, 0 where none")
    time_to_answer_median: float | None
    time_to_answer_median_before: float | None = Field(description="The same in the window before")
    spent: DashboardSeriesSet = Field(description="US dollars that agents on these boards spent")


class DashboardMetrics(BaseModel):
    """The dashboard."""

    range: RangeKey
    generated_at: datetime
    kpis: DashboardKpis
    throughput: DashboardSeriesSet
    cycle_time: DashboardSeriesSet
    error_rate: DashboardSeriesSet
    wip: DashboardWipSeriesSet
    pending_approvals: DashboardPendingApprovals
    flow: Flow


async def boards_in_scope(actor: Actor, query: DashboardQuery) -> list[UUID]:
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
