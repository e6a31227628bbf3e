"""Shapes of the dashboard, and its time ranges with their buckets."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal
from uuid import UUID

from pydantic import Field

from mission_control.core.values import Schema

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
    return moment.replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def month_of(moment: datetime) -> datetime:
    return day_of(moment).replace(day=1)


# The length of a bucket, and the start of the one that a time is in.
BUCKETS: dict[BucketKey, tuple[timedelta, Callable[[datetime], datetime]]] = {
    "hour": (timedelta(hours=1), hour_of),
    "day": (timedelta(days=1), day_of),
    "week": (timedelta(days=7), lambda moment: day_of(moment) - timedelta(days=moment.weekday())),
    "month": (timedelta(days=32), month_of),  # 32 days lead into the next month
}


@dataclass(frozen=True, slots=True)
class Window:
    """A closed time range and the buckets that cover it: the range that ends now, or the one before it."""

    key: RangeKey
    bucket: BucketKey
    start: datetime
    end: datetime
    is_now: bool

    def contains(self, moment: datetime) -> bool:
        return self.start <= moment <= self.end

    def periods(self) -> tuple[datetime, ...]:
        return _periods(self)

    def period_of(self, moment: datetime) -> datetime:
        return BUCKETS[self.bucket][1](moment)


@lru_cache(maxsize=16)  # every series of a dashboard asks
def _periods(window: Window) -> tuple[datetime, ...]:
    length, begin = BUCKETS[window.bucket]
    periods = [begin(window.start)]
    while (following := begin(periods[-1] + length)) <= window.end:
        periods.append(following)
    return tuple(periods)


def windows(key: RangeKey, now: datetime) -> tuple[Window, Window]:
    duration, bucket = RANGES[key]
    start = now - duration
    return Window(key, bucket, start, now, True), Window(key, bucket, start - duration, start, False)


class DashboardQuery(Schema):
    """The boards and the time range."""

    range_key: RangeKey = "24h"
    board_id: UUID | None = None
    group_id: UUID | None = None


@dataclass(slots=True)
class DashboardSeriesPoint:
    """One bucket of a series."""

    period: datetime
    value: float


class DashboardRangeSeries(Schema):
    """A series over one window."""

    range: RangeKey
    bucket: BucketKey
    points: list[DashboardSeriesPoint]


class DashboardSeriesSet(Schema):
    """A series now and in the window before."""

    primary: DashboardRangeSeries
    comparison: DashboardRangeSeries


@dataclass(slots=True)
class DashboardWipPoint:
    """How many tasks per status in one bucket."""

    period: datetime
    inbox: int
    in_progress: int
    review: int
    done: int


class DashboardWipRangeSeries(Schema):
    """Tasks per status over one window."""

    range: RangeKey
    bucket: BucketKey
    points: list[DashboardWipPoint]


class DashboardWipSeriesSet(Schema):
    """Tasks per status now and in the window before."""

    primary: DashboardWipRangeSeries
    comparison: DashboardWipRangeSeries


class DashboardKpis(Schema):
    """Single figures. Despite its name `median_cycle_time_hours_7d` follows the chosen range."""

    active_agents: int
    tasks_in_progress: int
    inbox_tasks: int
    in_progress_tasks: int
    review_tasks: int
    done_tasks: int
    error_rate_pct: float
    median_cycle_time_hours_7d: float | None


class DashboardPendingApproval(Schema):
    """A pending approval."""

    approval_id: UUID
    board_id: UUID
    board_name: str
    action_type: str
    confidence: float
    created_at: datetime
    task_title: str | None


class DashboardPendingApprovals(Schema):
    """Pending approvals, the ten newest in full."""

    total: int
    items: list[DashboardPendingApproval]


class AgingTask(Schema):
    """A task that has been in progress for long."""

    task_id: UUID
    board_id: UUID
    title: str
    status: str
    age_hours: float


class PersonsAnswers(Schema):
    """How many requests of agents a person answered."""

    user_id: UUID | None = Field(description="null for a deleted account")
    name: str
    answered: int


class Answering(Schema):
    answered: DashboardSeriesSet = Field(description="Approvals decided and questions answered by people")
    answered_by: list[PersonsAnswers] = Field(description="The same by person, most first, for the range")
    time_to_answer: DashboardSeriesSet = Field(description="Mean hours from request to answer, 0 where none")
    time_to_answer_median: float | None
    time_to_answer_median_before: float | None = Field(description="The same in the window before")
    spent: DashboardSeriesSet = Field(description="US dollars that agents on these boards spent")


class Waiting(Schema):
    waiting_for_person_median: float | None
    waiting_for_person_p85: float | None
    waiting_now: int
    oldest_waiting: float | None


class WorkFlow(Schema):
    throughput: DashboardSeriesSet = Field(description="Tasks that were finished, in the bucket they were finished in")
    cycle_time: DashboardSeriesSet = Field(description="Mean hours from the first start to the finish, 0 where none")
    cycle_time_median: float | None
    cycle_time_p85: float | None
    wip: DashboardSeriesSet = Field(description="Tasks in progress or review at the end of each bucket")
    aging: list[AgingTask] = Field(description="The ten oldest tasks in progress or review, oldest first")


class Flow(Answering, Waiting, WorkFlow):
    """Metrics computed from events, not from the tasks' current state. Times in hours."""


class DashboardMetrics(Schema):
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
