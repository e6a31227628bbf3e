"""An agent's soul and its history over HTTP, for people."""

from typing import Any
from uuid import UUID

from mission_control.agents.commands import list_souls, update_agent
from mission_control.agents.models import Agent, AgentSoul
from mission_control.agents.queries import visible_agent
from mission_control.agents.schemas import AgentRead, AgentSoulUpdate, SoulRead
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Page, Paging, page
from mission_control.core.policy import require
from mission_control.operations.api import Api

api = Api(__name__, "agents")


@api.get("/agents/<agent_id>/souls", Page[SoulRead], rule="agent.read")
async def list_agent_souls(actor: Actor, agent: Agent, query: Paging) -> dict[str, Any]:
    """List what an agent's soul is and was, newest first, with who wrote it and why."""
    found, total = await list_souls(agent, query)
    return page(found, total, query)


@api.put("/agents/<agent_id>/soul", rule="agent.update")
async def update_agent_soul(actor: Actor, agent: Agent, data: AgentSoulUpdate) -> AgentRead:
    """Give an agent another soul, or none. The text before stays in its history, and the agent is notified."""
    changes = {"soul_template": data.content}
    return AgentRead.of(await update_agent(actor, agent, changes, soul_reason=data.reason))


async def soul_of_agent(actor: Actor, agent_id: UUID, soul_id: UUID) -> tuple[Agent, AgentSoul]:
    """Return an agent that the actor may change, and a text from the history of its soul."""
    agent = await visible_agent(actor, agent_id)
    require(actor, "agent.update", agent)
    soul = await AgentSoul.get_or_none(id=soul_id, agent_id=agent.id)
    if soul is None:
        raise NotFound()
    return agent, soul


@api.post("/agents/<agent_id>/souls/<soul_id>/restorations", find=soul_of_agent)
async def restore_agent_soul(actor: Actor, found: tuple[Agent, AgentSoul]) -> AgentRead:
    """Give an agent a soul from its history again."""
    agent, soul = found
    reason = f"Back to the text of {soul.created_at:%Y-%m-%d %H:%M} UTC."
    changes = {"soul_template": soul.content or None}
    return AgentRead.of(await update_agent(actor, agent, changes, soul_reason=reason))
