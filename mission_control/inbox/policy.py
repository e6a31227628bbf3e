"""Who reads an inbox, and who sets a callback."""

from mission_control.agents.models import Agent
from mission_control.agents.policy import may_update_agent
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("inbox.read")
@rules.rule("inbox.acknowledge")
def may_use_inbox(actor: Actor, thing: object) -> bool:
    """Every agent has one inbox, its own."""
    return actor.is_agent


@rules.rule("agent.set_callback")
def may_set_callback(actor: Actor, agent: Agent) -> bool:
    """Actors that may change the agent."""
    return may_update_agent(actor, agent)
