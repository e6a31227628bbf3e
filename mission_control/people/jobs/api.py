"""Long work over HTTP: reading it, and marking results as read. What starts it is an operation of its feature."""

from mission_control.core.actor import Actor
from mission_control.core.values import ErrorResponse, JsonObject, Page, page
from mission_control.http.operation_api import Api
from mission_control.people.jobs import commands as jobs
from mission_control.people.jobs.commands import JobRead, JobsQuery, JobsRead
from mission_control.people.models import Job

api = Api(__name__, "jobs", below="/jobs")


@api.get("", Page[JobRead], rule="job.list")
async def list_jobs(actor: Actor, query: JobsQuery) -> JsonObject:
    """List long work of the active organization: imports, erasures, syncs and setups of agents.

    What runs comes first, then what ended last. People see what they started, owners and admins everything. The last 30
    days are kept. A success whose result is shown elsewhere, such as a set-up agent, counts as read when it ends.
    """
    listed, total = await jobs.list_jobs(actor, query)
    return page([JobRead.of(job) for job in listed], total, query)


@api.get("/<job_id>", rule="job.read")
async def get_job(actor: Actor, job: Job) -> JobRead:
    """Read how far long work is, and its result when it has ended."""
    return JobRead.of(job)


@api.post("/<job_id>/acknowledgements", rule="job.acknowledge", errors={409: ErrorResponse})
async def acknowledge_job(actor: Actor, job: Job) -> JobRead:
    """Mark the result of long work as read."""
    return JobRead.of(await jobs.acknowledge(actor, job))


@api.post("/acknowledgements", rule="job.list")
async def acknowledge_jobs(actor: Actor) -> JobsRead:
    """Mark all results of your own long work as read."""
    return JobsRead(read=await jobs.acknowledge_all(actor))
