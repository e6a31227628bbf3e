"""Shapes of jobs."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.core.paging import Paging
from mission_control.jobs.models import Job

State = Literal["running", "done", "failed", "interrupted"]
Kind = Literal[
    "board_import", "board_erasure", "pack_sync", "template_sync", "agent_setup", "audit_check", "gateway_removal"
]

# What came of these, when it went well, stands on the pages of what they are about, or nothing is left to look at.
SHOWN_ELSEWHERE: frozenset[Kind] = frozenset(
    {"board_erasure", "template_sync", "agent_setup", "audit_check", "gateway_removal"}
)


class JobResult(BaseModel):
    """What long work led to: a sentence, where to look, and what was noted on the way."""

    summary: str
    url: str | None = None
    details: list[str] = Field(default_factory=list)
    problems: list[str] = Field(default_factory=list)


def waits_to_be_read(kind: str, state: str, result: JobResult | None) -> bool:
    """Return whether somebody is to look at how a job ended: a failure, a problem, or a result shown nowhere else."""
    return kind not in SHOWN_ELSEWHERE or state != "done" or bool(result and result.problems)


class JobRead(BaseModel):
    """Long work: how far it is, and what it led to. `done` of `total` counts the present step."""

    id: UUID
    kind: Kind
    title: str
    state: State
    step: str
    done: int
    total: int | None
    result: JobResult | None
    error: str | None
    started_by: UUID | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    read_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> "JobRead":
        """Return a job as it is sent."""
        fields = {name: getattr(job, name) for name in cls.model_fields if name != "started_by"}
        return cls(started_by=job.user_id, **fields)


class JobsQuery(Paging):
    """Which jobs: those in a state, and with `unread` those whose result nobody has read."""

    state: State | None = None
    unread: bool = False


class JobsRead(BaseModel):
    """How many results were marked as read."""

    read: int
