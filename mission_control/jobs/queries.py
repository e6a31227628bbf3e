"""Read jobs."""

from dataclasses import dataclass
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.jobs.models import Job
from mission_control.jobs.schemas import JobsQuery

NO_JOB = "There is no such job."


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
    """Return a page of jobs, those that run first, then the newest; and how many there are."""
    found = visible_jobs(actor)
    if query.state is not None:
        found = found.filter(state=query.state)
    if query.unread:
        found = found.filter(read_at=None).exclude(state="running")
    page = found.order_by("-created_at", "-id").offset(query.offset).limit(query.limit)
    return await page, await found.count()


@dataclass(frozen=True, slots=True)
class Own:
    """The jobs of one person that the shell speaks of: those that run, and how many results wait."""

    running: tuple[Job, ...]
    finished: tuple[Job, ...]


async def own_jobs(actor: Actor) -> Own:
    """Return what a person has running, and whose results they have not read."""
    mine = Job.filter(organization_id=actor.organization_id, user_id=actor.user_id, read_at=None)
    found = await mine.filter(Q(state="running") | Q(finished_at__isnull=False)).order_by("-created_at").limit(20)
    running = tuple(job for job in found if job.is_running)
    return Own(running, tuple(job for job in found if not job.is_running))
