"""Write the files of all agents of a gateway anew: a parent row, and a job for each agent."""

from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.gateways import calls
from mission_control.gateways.models import Gateway
from mission_control.live import channels
from mission_control.openclaw.errors import GatewayError
from mission_control.provisioning.gateway_agent import read_file
from mission_control.provisioning.jobs import CHANNEL, request_provisioning
from mission_control.provisioning.main_agents import ensure_main_agent
from mission_control.provisioning.models import ProvisioningJob
from mission_control.provisioning.schemas import (
    GatewayTemplatesSyncError,
    GatewayTemplatesSyncResult,
    TemplatesSyncQuery,
)
from mission_control.provisioning.tokens import is_token_of, keep_found_token
from mission_control.provisioning.workspace.credentials import token_in

WAIT_SECONDS, LOOK_SECONDS = 60.0, 0.5
HEALTH_SECONDS = 10.0
NO_TOKEN = "Its token cannot be read from its files. Sync with rotate_tokens to give it another one."


async def sync(
    actor: Actor, gateway: Gateway, wanted: TemplatesSyncQuery, *, seconds: float | None = None
) -> GatewayTemplatesSyncResult:
    """Begin a sync and return its result; after a minute, or so many seconds, as far as it is, while it goes on."""
    problem = await _problem(gateway, wanted.board_id)
    if problem is not None:
        error = GatewayTemplatesSyncError(message=problem, board_id=wanted.board_id)
        return _result(gateway.id, wanted.model_dump(mode="json"), errors=[error])
    agents = await _agents(gateway, wanted)
    if not wanted.rotate_tokens:
        for agent in agents:
            if agent.workspace_token is None:
                await _find_token(actor, gateway, agent)
    parent = await begin_sync(actor, gateway, wanted, [agent.id for agent in agents])
    return await _wait(parent, WAIT_SECONDS if seconds is None else seconds)


async def _problem(gateway: Gateway, board_id: UUID | None) -> str | None:
    """Return why nothing can be written at all."""
    if not gateway.url.strip():
        return "The gateway has no address."
    if board_id is not None and not await Board.filter(id=board_id, gateway_id=gateway.id, deleted_at=None).exists():
        return "This board is not on the gateway."
    try:
        await calls.call(gateway.id, "health", {}, seconds=HEALTH_SECONDS)
    except GatewayError as error:
        return f"The gateway does not answer: {error.message}"
    return None


async def _agents(gateway: Gateway, wanted: TemplatesSyncQuery) -> list[Agent]:
    found = Agent.filter(gateway_id=gateway.id, board__deleted_at=None, board__gateway_id=gateway.id)
    if wanted.board_id is not None:
        found = found.filter(board_id=wanted.board_id)
    if wanted.lead_only:
        found = found.filter(is_board_lead=True)
    return await found.select_related("board").order_by("created_at", "id")


async def _find_token(actor: Actor, gateway: Gateway, agent: Agent) -> None:
    """Look for a token that we do not have in the agent's files, where agents of another system have theirs."""
    for name in ("TOOLS.md", "AGENTS.md"):
        try:
            content, _ = await read_file(gateway.id, str(agent.gateway_agent_id), name)
        except GatewayError:
            continue
        secret = token_in(content or "")
        if secret and await is_token_of(agent.id, secret):
            await keep_found_token(actor, gateway, agent, secret)
            return


@command("gateway.sync_templates")
async def begin_sync(
    actor: Actor, gateway: Gateway, wanted: TemplatesSyncQuery, agent_ids: list[UUID]
) -> ProvisioningJob:
    """Store a sync with a job for each of its agents. Agents of paused boards are skipped."""
    gateway_row = await Gateway.get_or_none(id=gateway.id)
    if gateway_row is None:
        raise NotFound()
    parent = ProvisioningJob(
        organization_id=gateway.organization_id, gateway_id=gateway.id, action="sync", state="done"
    )
    skipped, errors = 0, []
    for agent in await Agent.filter(id__in=agent_ids).select_related("board").order_by("created_at", "id"):
        if agent.board.work_state != "running":
            skipped += 1
        elif agent.workspace_token is None and not wanted.rotate_tokens:
            skipped += 1
            errors.append(_error(agent, NO_TOKEN))
        else:
            await _request(agent, wanted, parent.id)
    if wanted.include_main:
        main, is_new = await ensure_main_agent(gateway_row)
        if not is_new:
            await _request(main, wanted, parent.id)
    parent.options = wanted.model_dump(mode="json")
    parent.target = {"skipped": skipped, "errors": [one.model_dump(mode="json") for one in errors]}
    parent.finished_at = clock.now()
    await parent.save(force_create=True)
    return parent


async def _request(agent: Agent, wanted: TemplatesSyncQuery, sync_id: UUID) -> None:
    await request_provisioning(
        agent,
        action="adopt" if agent.is_adopted else "update",
        rotate_token=wanted.rotate_tokens,
        reset_session=wanted.reset_sessions and not agent.is_adopted,
        force_bootstrap=wanted.force_bootstrap,
        overwrite=wanted.overwrite,
        wake=False,
        sync_id=sync_id,
    )


def _error(agent: Agent, message: str) -> GatewayTemplatesSyncError:
    return GatewayTemplatesSyncError(agent_id=agent.id, agent_name=agent.name, board_id=agent.board_id, message=message)


async def _wait(parent: ProvisioningJob, seconds: float) -> GatewayTemplatesSyncResult:
    end = clock.monotonic() + seconds
    while True:
        with channels.listening(CHANNEL) as notified:
            found = await result_of(parent)
            left = end - clock.monotonic()
            if found.finished or left <= 0:
                return found
            await channels.notified_within(notified, min(left, LOOK_SECONDS))


async def result_of(parent: ProvisioningJob) -> GatewayTemplatesSyncResult:
    """Return what a sync did so far."""
    jobs = await ProvisioningJob.filter(sync_id=parent.id).order_by("created_at", "id")
    agents = {one.id: one for one in await Agent.filter(id__in=[job.agent_id for job in jobs])}
    known = [(job, agents[job.agent_id]) for job in jobs if job.agent_id in agents]
    failed = [(job, agent) for job, agent in known if not is_written(job) and (job.state == "failed" or job.attempts)]
    workers = [(job, agent) for job, agent in known if agent.board_id is not None]
    return _result(
        parent.gateway_id,
        parent.options,
        updated=sum(is_written(job) for job, _ in workers),
        skipped=parent.target["skipped"] + sum(job.state == "failed" and not is_written(job) for job, _ in workers),
        main=any(is_written(job) for job, agent in known if agent.board_id is None),
        errors=[
            *(GatewayTemplatesSyncError.model_validate(one) for one in parent.target["errors"]),
            *(_error(agent, job.last_error or "It failed.") for job, agent in failed),
        ],
        finished=all(is_written(job) or job.state == "failed" for job, _ in known),
        job_id=parent.id,
    )


def is_written(job: ProvisioningJob) -> bool:
    """Return whether an agent's files and session are as they should be; it may have been woken besides."""
    return job.state == "done" or job.awaits_check_in


def _result(
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
