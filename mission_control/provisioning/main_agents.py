"""The main agent of a gateway: a row that comes, is renamed and goes with its gateway.

On the gateway it is made when it is first needed: when something waits to be told to it, or a person sets it up.
"""

from collections.abc import Collection
from uuid import UUID

from mission_control.agents.commands import delete_agent, place
from mission_control.agents.models import Agent
from mission_control.agents.schemas import DEFAULT_HEARTBEAT
from mission_control.commands.command import command
from mission_control.commands.reactions import Reactions
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.database.sql import placeholders, rows
from mission_control.gateways.installation import workspace_path
from mission_control.gateways.models import Gateway
from mission_control.live.log import NewEvent
from mission_control.provisioning import jobs
from mission_control.provisioning.files import make_workspace_token
from mission_control.provisioning.jobs import request_provisioning

reactions = Reactions()

PROFILE = {"role": "Gateway Agent", "communication_style": "direct, concise, practical", "emoji": ":compass:"}
# A change of one of these changes what stands in the agents' files or where they are.
RELEVANT = {"name", "url", "workspace_root"}
GATEWAY_GONE = "Its gateway was deleted. Move it to a board with another gateway, or delete it."


@reactions.to("gateway.created")
async def create_main_agent(actor: Actor, event: NewEvent) -> None:
    """Give a new gateway the row of its main agent. On the gateway nothing changes."""
    await ensure_main_agent(await Gateway.get(id=_gateway_id(event)))


@reactions.to("gateway.updated")
async def follow_gateway(actor: Actor, event: NewEvent) -> None:
    """Rename a main agent with its gateway, and bring its files up to date; create a missing row."""
    gateway = await Gateway.get_or_none(id=_gateway_id(event))
    changed = set(event.data.get("after", ()))
    if gateway is None:
        return
    agent, is_new = await ensure_main_agent(gateway)
    if is_new or not RELEVANT & changed:
        return
    name = main_agent_name(gateway)
    path = workspace_path(gateway.workspace_root, agent.gateway_agent_id or "")
    if (agent.name, agent.workspace_path) != (name, path):
        agent.name, agent.workspace_path, agent.updated_at = name, path, clock.now()
        await agent.save(update_fields=["name", "workspace_path", "updated_at"])
    if is_made(agent):
        await request_provisioning(agent, action="update")


@reactions.to("gateway.deleted")
async def leave_gateway(actor: Actor, event: NewEvent) -> None:
    """Delete the main agent of a deleted gateway; the agents of boards stay, in error, with their work."""
    gateway_id = _gateway_id(event)
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
    """Return whether a gateway has an agent of ours, or is about to; it gets its main agent when that is needed."""
    return agent.board_id is not None or agent.workspace_token is not None


async def make_awaited(gateway_ids: Collection[UUID]) -> None:
    """Have the main agents made for whom something waits; one statement where there are none."""
    found = await rows(
        f"SELECT a.id FROM agents a WHERE a.gateway_id IN ({placeholders(len(gateway_ids))}) AND a.board_id IS NULL"
        " AND a.workspace_token IS NULL AND EXISTS"
        " (SELECT 1 FROM deliveries d WHERE d.agent_id = a.id AND d.state = 'waiting')",
        *gateway_ids,
    )
    for agent in await Agent.filter(id__in=[row["id"] for row in found]):
        await make(system(agent.organization_id), agent)


@command("provisioning.run")
async def make(actor: Actor, agent: Agent) -> None:
    """Have a main agent made on its gateway."""
    found = await Agent.select_for_update().get_or_none(id=agent.id)
    if found is None or is_made(found):
        return
    await make_workspace_token(found)
    await request_provisioning(found)


def main_agent_name(gateway: Gateway) -> str:
    return f"{gateway.name} Gateway Agent"


def _gateway_id(event: NewEvent) -> UUID:
    assert event.scope.subject_id is not None
    return event.scope.subject_id
