"""What provisioning that people asked for looks like among long work: rows of `jobs` that follow rows of this package.

A job of an agent has a row with its own id, a template sync one with the id of its parent. Nothing of it is kept in a
process, so it goes on after a restart, wherever the gateway is held then. Jobs that nobody asked for have none.
"""

from typing import Any
from uuid import UUID

from tortoise.expressions import Subquery

from mission_control.agents.models import Agent
from mission_control.commands.unit_of_work import signal
from mission_control.core import clock
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import CONNECTED
from mission_control.jobs.models import Job
from mission_control.jobs.running import keep
from mission_control.jobs.schemas import JobResult, waits_to_be_read
from mission_control.live.wake import publish_signal
from mission_control.provisioning.models import ProvisioningJob
from mission_control.provisioning.plan import LABELS, next_step
from mission_control.provisioning.sync_results import is_written, result_of

AGENT_GONE = "The agent was deleted meanwhile."
GATEWAY_GONE = "The gateway was deleted meanwhile."


async def follow_setup(job: ProvisioningJob, agent: Agent, user_id: UUID | None) -> None:
    """Inside a command: let a person see how far the setup of an agent is."""
    if user_id is None or agent.board_id is None:  # a gateway makes its main agent by itself
        return
    known = await Job.get_or_none(id=job.id)
    if known is None:
        gateway = await Gateway.get(id=job.gateway_id)
        title = f"Set up {agent.name} on {gateway.name}"
        values = _of_setup(job, agent.name)
        if gateway.state != CONNECTED:
            values["step"] = "Wait until the gateway is connected"
        await keep(job.organization_id, user_id, "agent_setup", title, job_id=job.id, **values)
    else:
        await _change(known, _of_setup(job, agent.name))


async def follow_sync(parent: ProvisioningJob, gateway: Gateway, user_id: UUID | None, total: int) -> None:
    """Inside a command: let a person see how far a template sync is."""
    title = f"Write the files of agents on {gateway.name}"
    await keep(parent.organization_id, user_id, "template_sync", title, job_id=parent.id, total=total)
    await tell_sync(parent.id)


async def tell_step(job: ProvisioningJob) -> None:
    """Outside of a command: say which step a setup is at."""
    values = {**_steps(job), "updated_at": clock.now()}
    if await Job.filter(id=job.id, state="running").update(**values):
        known = await Job.get(id=job.id)
        await publish_signal(job.organization_id, job_id=str(job.id), job_of=str(known.user_id))


async def tell(job: ProvisioningJob) -> None:
    """Inside a command: say how a job is now, and how far the sync is that it belongs to."""
    if job.agent_id is not None and (known := await Job.get_or_none(id=job.id)) is not None:
        agent = await Agent.get_or_none(id=job.agent_id)
        await _change(known, _of_setup(job, agent.name if agent else "The agent"))
    if job.sync_id is not None:
        await tell_sync(job.sync_id)


async def tell_sync(sync_id: UUID) -> None:
    """Inside a command: say how far a sync is, and what it did when all of its agents have ended."""
    known = await Job.select_for_update().get_or_none(id=sync_id)  # the last two agents may end at the same moment
    if known is None:
        return
    jobs = await ProvisioningJob.filter(sync_id=sync_id).only("id", "state", "awaits_check_in")
    left = sum(not (is_written(one) or one.state == "failed") for one in jobs)
    values = {"done": max((known.total or 0) - left, 0), "step": "Writing files"}
    if left == 0:
        values |= _ended("template_sync", "done", await _result_of_sync(sync_id))
    await _change(known, {**_RUNNING, **values})


async def tell_agent_gone(agent_id: UUID | None, jobs: list[ProvisioningJob]) -> None:
    """Inside a command: say of jobs that were dropped that their agent is gone."""
    for job in jobs:
        if (known := await Job.get_or_none(id=job.id, state="running")) is not None:
            await _change(known, _ended(known.kind, "interrupted", error=AGENT_GONE))
        if job.sync_id is not None:
            await tell_sync(job.sync_id)


async def tell_gateway_gone(gateway_id: UUID) -> None:
    """Inside a command: end what still runs on a gateway that is being deleted."""
    ours = ProvisioningJob.filter(gateway_id=gateway_id).values("id")
    for known in await Job.filter(state="running", id__in=Subquery(ours)):
        await _change(known, _ended(known.kind, "interrupted", error=GATEWAY_GONE))


_RUNNING: dict[str, Any] = {"state": "running", "result": None, "error": None, "finished_at": None, "read_at": None}


def _of_setup(job: ProvisioningJob, name: str) -> dict[str, Any]:
    url = f"/agents/{job.agent_id}"
    if job.state == "done":
        return _ended("agent_setup", "done", JobResult(summary=f"{name} is set up.", url=url))
    if job.state == "failed":
        error = job.last_error or "It failed."
        return _ended("agent_setup", "failed", JobResult(summary=error, url=url), error)
    return {**_RUNNING, **_steps(job)}


def _steps(job: ProvisioningJob) -> dict[str, Any]:
    key = next_step(job.steps)
    text = LABELS[key] if key else "Ending"
    if job.last_error and job.state == "waiting":
        text += f" (tried in vain, and again soon: {job.last_error})"
    done = sum(one["state"] in ("done", "skipped") for one in job.steps)
    return {"step": text, "done": done, "total": len(job.steps)}


def _ended(kind: str, state: str, result: JobResult | None = None, error: str | None = None) -> dict[str, Any]:
    stored, now = None if result is None else result.model_dump(), clock.now()
    read_at = None if waits_to_be_read(kind, state, result) else now
    return {"state": state, "step": "", "result": stored, "error": error, "finished_at": now, "read_at": read_at}


async def _result_of_sync(sync_id: UUID) -> JobResult:
    parent = await ProvisioningJob.get(id=sync_id)
    found = await result_of(parent)
    target = parent.target | {"result": found.model_dump(mode="json")}  # and stays so, whatever becomes of them
    await ProvisioningJob.filter(id=sync_id).update(target=target)
    said = f"{found.agents_updated} {'agent' if found.agents_updated == 1 else 'agents'} written"
    said += f", {found.agents_skipped} skipped" if found.agents_skipped else ""
    said += ", the main agent too" if found.main_updated else ""
    problems = [f"{one.agent_name or 'An agent'}: {one.message}" for one in found.errors]
    return JobResult(summary=f"{said}.", url=f"/gateways/{found.gateway_id}/agents", problems=problems)


async def _change(known: Job, values: dict[str, Any]) -> None:
    if all(getattr(known, name) == value for name, value in values.items() if name not in ("finished_at", "read_at")):
        return
    await Job.filter(id=known.id).update(**values, updated_at=clock.now())
    signal(known.organization_id, job_id=str(known.id))
