"""The main agent of a gateway, and writing the files of all its agents anew."""

from collections.abc import Collection
from uuid import UUID

from mission_control.agents.commands import delete_agent, place
from mission_control.agents.models import Agent
from mission_control.agents.schemas import DEFAULT_HEARTBEAT
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import existing
from mission_control.database.sql import placeholders, rows
from mission_control.events import wakeup_channels
from mission_control.events.commands import command
from mission_control.events.event_log import NewEvent
from mission_control.events.unit_of_work import reacts_to, record
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning import jobs
from mission_control.gateway_agents.provisioning.files import is_token_of, keep_found_token, make_workspace_token
from mission_control.gateway_agents.provisioning.gateway_agent import read_file
from mission_control.gateway_agents.provisioning.jobs import (
    CHANNEL,
    Action,
    request_provisioning,
    result_of,
    sync_error,
    tell_sync,
)
from mission_control.gateway_agents.provisioning.schemas import (
    GatewayTemplatesSyncError,
    GatewayTemplatesSyncResult,
    ProvisioningRequest,
    TemplatesSyncQuery,
)
from mission_control.gateway_agents.provisioning.workspace import token_in
from mission_control.gateways.connections import connector
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.gateways.protocol.identity import workspace_path
from mission_control.http.retries import committed
from mission_control.people.jobs.commands import keep

PROFILE = {"role": "Gateway Agent", "communication_style": "direct, concise, practical", "emoji": ":compass:"}
# A change of one of these changes what stands in the agents' files or where they are.
RELEVANT = {"name", "url", "workspace_root"}
GATEWAY_GONE = "Its gateway was deleted. Move it to a board with another gateway, or delete it."


@reacts_to("gateway.created")
async def create_main_agent(actor: Actor, event: NewEvent) -> None:
    """Give a new gateway the row of its main agent. On the gateway nothing changes."""
    await ensure_main_agent(await Gateway.get(id=event.scope.subject_id))


@reacts_to("gateway.updated")
async def follow_gateway(actor: Actor, event: NewEvent) -> None:
    """Rename a main agent with its gateway, and bring its files up to date; create a missing row."""
    gateway = await Gateway.get_or_none(id=event.scope.subject_id)
    changed = set(event.data.get("after", ()))
    if gateway is None:
        return
    agent, is_new = await ensure_main_agent(gateway)
    if is_new or not RELEVANT & changed:
        return
    name = main_agent_name(gateway)
    path = workspace_path(gateway.workspace_root, agent.gateway_agent_id or "")
    if (agent.name, agent.workspace_path) != (name, path):
        agent.name, agent.workspace_path, agent.updated_at = name, path, times.clock_now()
        await agent.save(update_fields=["name", "workspace_path", "updated_at"])
    if is_made(agent):
        await request_provisioning(agent, action="update")


@reacts_to("gateway.deleted")
async def leave_gateway(actor: Actor, event: NewEvent) -> None:
    """Delete the main agent of a deleted gateway; the agents of boards stay, in error, with their work."""
    gateway_id = event.scope.subject_id
    await jobs.tell_gateway_gone(gateway_id)
    for main in await Agent.filter(gateway_id=gateway_id, board_id=None).select_related("board"):
        await delete_agent(system(main.organization_id), main)
    gone = {"status": "error", "last_provision_error": GATEWAY_GONE, "checkin_deadline_at": None}
    await Agent.filter(gateway_id=gateway_id).update(**gone)


async def ensure_main_agent(gateway: Gateway) -> tuple[Agent, bool]:
    """Inside a command: return the gateway's main agent, and whether it was missing."""
    known = await Agent.get_or_none(gateway_id=gateway.id, board_id=None)
    if known is not None:
        return known, False
    agent = Agent(
        organization_id=gateway.organization_id,
        name=main_agent_name(gateway),
        heartbeat_config=DEFAULT_HEARTBEAT,
        identity_profile=PROFILE,
    )
    agent.update_from_dict(await place(agent, gateway, None))
    await agent.save(force_create=True)
    record("agent.created", agent, f"Agent created: {agent.name}.", name=agent.name, is_board_lead=False)
    return agent, True


def is_made(agent: Agent) -> bool:
    """Tell whether a gateway has an agent of ours, or is about to; it gets its main agent when that is needed."""
    return agent.board_id is not None or agent.workspace_token is not None


async def make_awaited(gateway_ids: Collection[UUID]) -> None:
    """Have the main agents made for whom something waits; one statement where there are none."""
    waiting = await rows(
        f"SELECT a.id FROM agents a WHERE a.gateway_id IN ({placeholders(len(gateway_ids))}) AND a.board_id IS NULL"
        " AND a.workspace_token IS NULL AND EXISTS"
        " (SELECT 1 FROM deliveries d WHERE d.agent_id = a.id AND d.state = 'waiting')",
        *gateway_ids,
    )
    for agent in await Agent.filter(id__in=[row["id"] for row in waiting]):
        await make(system(agent.organization_id), agent)


@command("provisioning.run")
async def make(actor: Actor, agent: Agent) -> None:
    """Have a main agent made on its gateway."""
    locked = await Agent.select_for_update().get_or_none(id=agent.id)
    if locked is None or is_made(locked):
        return
    await make_workspace_token(locked)
    await request_provisioning(locked)


def main_agent_name(gateway: Gateway) -> str:
    return f"{gateway.name} Gateway Agent"


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
        return GatewayTemplatesSyncResult(
            gateway_id=gateway.id, include_main=wanted.include_main, reset_sessions=wanted.reset_sessions,
            agents_updated=0, agents_skipped=0, main_updated=False, errors=[error],
        )  # fmt: skip
    agents = await _agents_to_sync(gateway, wanted)
    for agent in agents:
        if agent.workspace_token is None and not wanted.rotate_tokens:
            await _find_token(actor, gateway, agent)
    agent_ids = [agent.id for agent in agents]
    begun: list[ProvisioningJob] = []

    async def begin() -> GatewayTemplatesSyncResult:
        begun[:] = [await begin_sync(actor, gateway, wanted, agent_ids)]
        return await result_of(begun[0])

    await committed(actor, begin)
    return await _result_within(begun[0], WAIT_SECONDS if seconds is None else seconds)


async def _agents_to_sync(gateway: Gateway, wanted: TemplatesSyncQuery) -> list[Agent]:
    only = {"board_id": wanted.board_id, "is_board_lead": wanted.lead_only or None}
    ours = Agent.filter(gateway_id=gateway.id, board__deleted_at=None, board__gateway_id=gateway.id)
    ours = ours.filter(**{name: value for name, value in only.items() if value is not None})
    return await ours.select_related("board").order_by("created_at", "id")


async def _result_within(parent: ProvisioningJob, seconds: float) -> GatewayTemplatesSyncResult:
    end = times.monotonic() + seconds
    while True:
        with wakeup_channels.listening(CHANNEL) as notified:
            result = await result_of(parent)
            left = end - times.monotonic()
            if result.finished or left <= 0:
                return result
            await wakeup_channels.notified_within(notified, min(left, LOOK_SECONDS))


async def _problem(gateway: Gateway, board_id: UUID | None) -> str | None:
    if not gateway.url.strip():
        return "The gateway has no address."
    if board_id is not None and not await Board.filter(id=board_id, gateway_id=gateway.id, deleted_at=None).exists():
        return "This board is not on the gateway."
    try:
        await connector.call(gateway.id, "health", {}, seconds=HEALTH_SECONDS)
    except GatewayError as error:
        return f"The gateway does not answer: {error.message}"
    return None


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
    gateway_row = await existing(Gateway.get_or_none(id=gateway.id))
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
    parent.target = {"skipped": skipped, "errors": [error.model_dump(mode="json") for error in errors]}
    parent.finished_at = times.clock_now()
    await parent.save(force_create=True)
    total = await ProvisioningJob.filter(sync_id=parent.id).count()
    title = f"Write the files of agents on {gateway_row.name}"
    await keep(parent.organization_id, actor.user_id, "template_sync", title, job_id=parent.id, total=total)
    await tell_sync(parent.id)
    return parent


async def _request(agent: Agent, wanted: TemplatesSyncQuery, sync_id: UUID) -> None:
    how = ProvisioningRequest(
        rotate_token=wanted.rotate_tokens,
        reset_session=wanted.reset_sessions and not agent.is_adopted,
        force_bootstrap=wanted.force_bootstrap,
        overwrite=wanted.overwrite,
    )
    action: Action = "adopt" if agent.is_adopted else "update"
    await request_provisioning(agent, action=action, how=how, wake=False, sync_id=sync_id)
