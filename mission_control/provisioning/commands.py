"""Commands of people about provisioning."""

from mission_control.agents.commands import locked_agent
from mission_control.agents.models import Agent
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.gateways.models import Gateway
from mission_control.provisioning.schemas import ProvisioningRequest


@command("agent.update")
async def provision_again(actor: Actor, agent: Agent, wanted: ProvisioningRequest) -> None:
    """Set an agent up on its gateway anew. Raise Invalid for a direct agent."""
    agent = await locked_agent(agent)
    if agent.gateway_id is None:
        raise Invalid("This agent runs without a gateway: there is nothing to set up for it.")
    if not await Gateway.filter(id=agent.gateway_id).exists():
        raise Invalid("The agent's gateway was deleted. Move the agent to a board with another gateway.")
    record("agent.provisioning_requested", agent, f"Provisioning asked for: {agent.name}.", **wanted.model_dump())
