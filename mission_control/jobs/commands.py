"""Commands on jobs. The log has what a job did; that somebody has read its result is not in it."""

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import signal
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.jobs.models import Job
from mission_control.jobs.queries import visible_jobs

STILL_RUNNING = "It still runs. Its result can be read when it has ended."


@command("job.acknowledge")
async def acknowledge(actor: Actor, job: Job) -> Job:
    """Mark a job's result as read; a no-op when it was. Raise Conflict while it runs."""
    job = await Job.select_for_update().get(id=job.id)
    if job.is_running:
        raise Conflict(STILL_RUNNING)
    if job.read_at is None:
        job.read_at = clock.now()
        await job.save(update_fields=["read_at"])
        signal(job.organization_id, job_id=str(job.id))
    return job


@command("job.list")
async def acknowledge_all(actor: Actor) -> int:
    """Mark all results of a person's own jobs as read. Return how many."""
    mine = visible_jobs(actor).filter(user_id=actor.user_id, read_at=None).exclude(state="running")
    read: int = await mine.update(read_at=clock.now())
    if read:
        signal(actor.organization_id, job_id="")
    return read
