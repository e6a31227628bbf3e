"""Write the files of all agents of a gateway anew: a parent row, and a job for each agent."""

from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.gateways import connector
from mission_control.gateways.models import Gateway
from mission_control.live import channels
from mission_control.openclaw.errors import GatewayError
from mission_control.operations.retries import committed
from mission_control.provisioning import jobs
from mission_control.provisioning.files import is_token_of, keep_found_token
from mission_control.provisioning.gateway_agent import read_file
from mission_control.provisioning.jobs import CHANNEL, request_provisioning, result_of, sync_error, sync_result
from mission_control.provisioning.main_agents import ensure_main_agent, is_made
from mission_control.provisioning.models import ProvisioningJob
from mission_control.provisioning.schemas import (
    GatewayTemplatesSyncError,
    GatewayTemplatesSyncResult,
    TemplatesSyncQuery,
)
from mission_control.provisioning.workspace.files import token_in

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
        return sync_result(gateway.id, wanted.model_dump(mode="json"), errors=[error])
    agents = await _agents(gateway, wanted)
    if not wanted.rotate_tokens:
        for agent in agents:
            if agent.workspace_token is None:
                await _find_token(actor, gateway, agent)
    agent_ids = [agent.id for agent in agents]
    begun: list[ProvisioningJob] = []

    async def begin() -> GatewayTemplatesSyncResult:
        begun[:] = [await begin_sync(actor, gateway, wanted, agent_ids)]
        return await result_of(begun[0])

    await committed(actor, begin)
    return await _wait(begun[0], WAIT_SECONDS if seconds is None else seconds)


async def _problem(gateway: Gateway, board_id: UUID | None) -> str | None:
    """Return why nothing can be written at all."""
    if not gateway.url.strip():
        return "The gateway has no address."
    if board_id is not None and not await Board.filter(id=board_id, gateway_id=gateway.id, deleted_at=None).exists():
        return "This board is not on the gateway."
    try:
        await connector.call(gateway.id, "health", {}, seconds=HEALTH_SECONDS)
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
            errors.append(sync_error(agent, NO_TOKEN))
        else:
            await _request(agent, wanted, parent.id)
    if wanted.include_main:
        main, _ = await ensure_main_agent(gateway_row)
        if is_made(main):
            await _request(main, wanted, parent.id)
    parent.options = wanted.model_dump(mode="json")
    parent.target = {"skipped": skipped, "errors": [one.model_dump(mode="json") for one in errors]}
    parent.finished_at = clock.now()
    await parent.save(force_create=True)
    total = await ProvisioningJob.filter(sync_id=parent.id).count()
    await jobs.follow_sync(parent, gateway_row, actor.user_id, total)
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


async def _wait(parent: ProvisioningJob, seconds: float) -> GatewayTemplatesSyncResult:
    end = clock.monotonic() + seconds
    while True:
        with channels.listening(CHANNEL) as notified:
            found = await result_of(parent)
            left = end - clock.monotonic()
            if found.finished or left <= 0:
                return found
            await channels.notified_within(notified, min(left, LOOK_SECONDS))
