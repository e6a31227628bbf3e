"""Read jobs."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from tortoise.expressions import Case, Q, When
from tortoise.queryset import QuerySet

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.jobs.models import Job
from mission_control.jobs.schemas import SHOWN_ELSEWHERE, JobsQuery

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
