"""What a template sync did, read from its row and those of its agents."""

from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.provisioning.models import ProvisioningJob
from mission_control.provisioning.schemas import GatewayTemplatesSyncError, GatewayTemplatesSyncResult


async def result_of(parent: ProvisioningJob) -> GatewayTemplatesSyncResult:
    """Return what a sync did so far; once it has ended, what it had done then."""
    if "result" in parent.target:
        return GatewayTemplatesSyncResult.model_validate(parent.target["result"])
    jobs = await ProvisioningJob.filter(sync_id=parent.id).order_by("created_at", "id")
    agents = {one.id: one for one in await Agent.filter(id__in=[job.agent_id for job in jobs])}
    known = [(job, agents[job.agent_id]) for job in jobs if job.agent_id in agents]
    failed = [(job, agent) for job, agent in known if not is_written(job) and (job.state == "failed" or job.attempts)]
    workers = [(job, agent) for job, agent in known if agent.board_id is not None]
    return sync_result(
        parent.gateway_id,
        parent.options,
        updated=sum(is_written(job) for job, _ in workers),
        skipped=parent.target["skipped"] + sum(job.state == "failed" and not is_written(job) for job, _ in workers),
        main=any(is_written(job) for job, agent in known if agent.board_id is None),
        errors=[
            *(GatewayTemplatesSyncError.model_validate(one) for one in parent.target["errors"]),
            *(sync_error(agent, job.last_error or "It failed.") for job, agent in failed),
        ],
        finished=all(is_written(job) or job.state == "failed" for job, _ in known),
        job_id=parent.id,
    )


def is_written(job: ProvisioningJob) -> bool:
    """Return whether an agent's files and session are as they should be; it may have been woken besides."""
    return job.state == "done" or job.awaits_check_in


def sync_result(
    gateway_id: UUID,
    options: dict[str, Any],
    *,
    updated: int = 0,
    skipped: int = 0,
    main: bool = False,
    errors: list[GatewayTemplatesSyncError],
    finished: bool = True,
    job_id: UUID | None = None,
) -> GatewayTemplatesSyncResult:
    return GatewayTemplatesSyncResult(
        gateway_id=gateway_id,
        include_main=options["include_main"],
        reset_sessions=options["reset_sessions"],
        agents_updated=updated,
        agents_skipped=skipped,
        main_updated=main,
        errors=errors,
        finished=finished,
        job_id=job_id,
    )


async def visible_sync(actor: Actor, gateway_id: UUID, job_id: UUID) -> ProvisioningJob:
    """Return a sync of a gateway that the actor can see. Raise NotFound otherwise."""
    found = await ProvisioningJob.get_or_none(
        id=job_id, gateway_id=gateway_id, action="sync", organization_id=actor.organization_id
    )
    if found is None:
        raise NotFound()
    return found


async def latest_sync(gateway_id: UUID) -> ProvisioningJob | None:
    """Return the newest sync of a gateway."""
    return await ProvisioningJob.filter(gateway_id=gateway_id, action="sync").order_by("-created_at").first()


def sync_error(agent: Agent, message: str) -> GatewayTemplatesSyncError:
    return GatewayTemplatesSyncError(agent_id=agent.id, agent_name=agent.name, board_id=agent.board_id, message=message)
