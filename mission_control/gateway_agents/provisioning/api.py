"""Provisioning over HTTP: jobs of agents, template sync, and linking agents that exist on a gateway."""

from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.queries import visible_agent
from mission_control.agents.schemas import AgentRead
from mission_control.boards.queries import visible_board_here
from mission_control.core.actor import Actor, require
from mission_control.core.errors import Invalid, NotFound
from mission_control.core.values import OK, ErrorResponse, JsonObject, OkResponse, Page, Paging, page_of
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning import changes, main_agents
from mission_control.gateway_agents.provisioning.jobs import provision_again
from mission_control.gateway_agents.provisioning.schemas import (
    Adoption,
    GatewayAgentRead,
    GatewayRemoval,
    GatewayTemplatesSyncResult,
    ProvisioningRead,
    ProvisioningRequest,
    TemplatesSyncQuery,
    TemplatesSyncRequest,
)
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import visible_gateway
from mission_control.http.operation_api import Api
from mission_control.http.retries import committed
from mission_control.people.jobs.commands import JobRead

api = Api(__name__, "gateways")
LATEST = 20
OUTSIDE = {502: ErrorResponse}


@api.post("/agents/<agent_id>/provisionings", tags=("agents",), rule="agent.update")
async def create_agent_provisioning(actor: Actor, agent: Agent, data: ProvisioningRequest) -> AgentRead:
    """Set an agent up on its gateway anew, such as after a failure.

    It joins a job that is on its way. The agent keeps its token, its session and its memory unless the body says
    otherwise.
    """
    await provision_again(actor, agent, data)
    return AgentRead.of(await visible_agent(actor, agent.id))


@api.get("/agents/<agent_id>/provisionings", Page[ProvisioningRead], tags=("agents",), rule="agent.read")
async def list_agent_provisionings(actor: Actor, agent: Agent, query: Paging) -> JsonObject:
    """List the latest jobs that set an agent up on its gateway, newest first, with their steps."""
    jobs = await ProvisioningJob.filter(agent_id=agent.id).order_by("-created_at", "-id").limit(LATEST)
    return page_of([ProvisioningRead.of(job) for job in jobs], query)


@api.post("/gateways/<gateway_id>/templates/sync", rule="gateway.sync_templates", is_atomic=False)
async def sync_gateway_templates(
    actor: Actor, gateway: Gateway, query: TemplatesSyncQuery
) -> GatewayTemplatesSyncResult:
    """Write the workspace files of a gateway's agents anew.

    Waits up to a minute. `finished: false` means that the work goes on: `GET /jobs/{job_id}` says how far it is, and
    its result. Errors of single agents are listed and stop no other.
    """
    return await main_agents.sync(actor, gateway, query)


@api.post("/gateways/<gateway_id>/template-syncs", rule="gateway.sync_templates", is_atomic=False)
async def create_templates_sync(
    actor: Actor, gateway: Gateway, data: TemplatesSyncRequest
) -> GatewayTemplatesSyncResult:
    """Begin to write the workspace files of a gateway's agents anew, without waiting for the end."""
    return await main_agents.sync(actor, gateway, data, seconds=0)


@api.post("/gateways/<gateway_id>/removals", rule="gateway.delete", errors={409: ErrorResponse}, is_atomic=False)
async def remove_gateway(actor: Actor, gateway: Gateway, data: GatewayRemoval) -> JobRead:
    """Delete a gateway, first of all the agents that were made on it, without waiting for the end.

    The gateway has to be connected for that; `DELETE` leaves its agents where they are. The owner's own agents stay.
    """
    return await changes.remove_gateway(actor, gateway, data)


@api.get("/gateways/<gateway_id>/agents", Page[GatewayAgentRead], rule="gateway.adopt", errors=OUTSIDE)
async def list_agents_on_gateway(actor: Actor, gateway: Gateway, query: Paging) -> JsonObject:
    """List the agents that exist on a gateway, and which of them are linked to a board here."""
    return page_of([GatewayAgentRead.of(there, ours) for there, ours in await changes.agents_there(gateway)], query)


@api.post(
    "/gateways/<gateway_id>/adoptions", rule="gateway.adopt", errors=OUTSIDE | {409: ErrorResponse}, is_atomic=False
)
async def adopt_gateway_agent(actor: Actor, gateway: Gateway, data: Adoption) -> AgentRead:
    """Link an agent that exists on the gateway to a board.

    Its files stay as they are, but for one marked block at the end of AGENTS.md with its address and token, and with
    `remember` one in MEMORY.md. A message tells it so. Unlinking takes all of that back.
    """
    board = await visible_board_here(actor, data.board_id)
    require(actor, "agent.create", board)
    agents = [agent for agent, _ in await changes.agents_there(gateway) if agent.id == data.gateway_agent_id]
    if not agents:
        raise Invalid("The gateway has no agent with this id.")
    there = agents[0]

    async def adopt() -> AgentRead:
        return AgentRead.of(await changes.adopt(actor, gateway, board, data, there))

    adopted = await committed(actor, adopt)
    assert adopted is not None
    return adopted


async def _adopted(actor: Actor, gateway_id: UUID, agent_id: UUID) -> tuple[Gateway, Agent]:
    gateway = await visible_gateway(actor, gateway_id)
    agent = await visible_agent(actor, agent_id)
    require(actor, "gateway.adopt", gateway)
    require(actor, "agent.delete", agent)
    if agent.gateway_id != gateway.id:
        raise NotFound()
    return gateway, agent


@api.delete("/gateways/<gateway_id>/adoptions/<agent_id>", find=_adopted)
async def unlink_gateway_agent(actor: Actor, found: tuple[Gateway, Agent]) -> OkResponse:
    """Unlink an agent from its board; on the gateway it stays, without what was added to its files."""
    await changes.adopting_unlink(actor, *found)
    return OK
