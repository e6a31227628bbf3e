"""Read jobs, and their shapes in the API."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from tortoise.expressions import Case, Q, When
from tortoise.queryset import QuerySet

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
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
        fields = {name: getattr(job, name) for name in cls.model_fields if name != "started_by"}
        return cls(started_by=job.user_id, **fields)


class JobsQuery(Paging):
    """Which jobs: those in a state, and with `unread` those whose result nobody has read."""

    state: State | None = None
    unread: bool = False


class JobsRead(BaseModel):
    """How many results were marked as read."""

    read: int


NO_JOB = "There is no such job."
NEWS_FOR = timedelta(minutes=5)
AT_MOST = 50


def visible_jobs(actor: Actor) -> QuerySet[Job]:
    """Return the jobs of the active organization that somebody may read."""
    found = Job.filter(organization_id=actor.organization_id)
    return found if actor.administers(actor.organization_id) else found.filter(user_id=actor.user_id)


async def visible_job(actor: Actor, job_id: UUID) -> Job:
    """Return a job of the active organization that somebody may read. Otherwise: NotFound."""
    job = await visible_jobs(actor).get_or_none(id=job_id)
    if job is None:
        raise NotFound(NO_JOB)
    return job


async def list_jobs(actor: Actor, query: JobsQuery) -> tuple[list[Job], int]:
    """Return a page of jobs, those that run first, then what ended last; and how many there are."""
    found = visible_jobs(actor)
    if query.state is not None:
        found = found.filter(state=query.state)
    if query.unread:
        found = found.filter(read_at=None).exclude(state="running")
    in_order = found.annotate(runs=Case(When(state="running", then="1"), default="0"))
    in_order = in_order.order_by("-runs", "-finished_at", "-created_at", "-id")
    return await in_order.offset(query.offset).limit(query.limit), await found.count()


@dataclass(frozen=True, slots=True)
class Own:
    """The jobs of one person that the shell speaks of: what runs, whose results wait, and what ended a moment ago."""

    running: tuple[Job, ...]
    finished: tuple[Job, ...]
    just_ended: tuple[Job, ...]


async def own_jobs(actor: Actor) -> Own:
    """Return a person's jobs: first those whose results will wait to be read, then what began or ended last."""
    recent = clock.now() - NEWS_FOR
    mine = Job.filter(organization_id=actor.organization_id, user_id=actor.user_id)
    found = await mine.filter(Q(read_at=None) | Q(read_at__gt=recent)).order_by("-updated_at").limit(AT_MOST)
    running = sorted((job for job in found if job.is_running), key=_begun, reverse=True)
    ended = sorted((job for job in found if not job.is_running), key=_ended, reverse=True)
    return Own(
        tuple(sorted(running, key=lambda job: job.kind in SHOWN_ELSEWHERE)),
        tuple(job for job in ended if job.read_at is None),
        tuple(job for job in ended if job.finished_at > recent and not _was_looked_at(job)),
    )


def _was_looked_at(job: Job) -> bool:
    return job.read_at is not None and bool(job.read_at > job.finished_at)


def _begun(job: Job) -> Any:
    return job.created_at


def _ended(job: Job) -> Any:
    return job.finished_at
