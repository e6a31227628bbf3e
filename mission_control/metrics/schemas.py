"""Shapes of the dashboard."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.metrics.buckets import BucketKey, RangeKey


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
