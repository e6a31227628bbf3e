"""The history of an agent's soul over HTTP, for people. To go back to a text, PATCH the agent with it."""

from typing import Any

from quart import Blueprint

from mission_control.agents.coordination_schemas import SoulRead
from mission_control.agents.models import Agent
from mission_control.agents.queries import visible_agent
from mission_control.agents.souls import list_souls
from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.operations.operation import operation

api = Blueprint("agents_souls_api", __name__, url_prefix="/api/v1")


@operation(
    api,
    "GET",
    "/agents/<agent_id>/souls",
    operation_id="list_agent_souls",
    tags=("agents",),
    who="user",
    find=visible_agent,
    verb="agent.read",
    query=Paging,
    returns=Page[SoulRead],
)
async def list_agent_souls(actor: Actor, agent: Agent, query: Paging) -> dict[str, Any]:
    """List what an agent's soul is and was, newest first, with who wrote it and why."""
    found, total = await list_souls(agent, query)
    return page(found, total, query)
