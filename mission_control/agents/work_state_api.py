"""Pausing and stopping one agent over HTTP."""

from mission_control.agents.models import Agent
from mission_control.agents.queries import visible_agent
from mission_control.agents.schemas import AgentRead
from mission_control.agents.work_state import set_agent_state
from mission_control.core.actor import Actor
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.organizations.work_state import WorkStateChange

api = Api("agents_work_state_api", __name__, url_prefix="/api/v1")


@operation(
    api,
    "PUT",
    "/agents/<agent_id>/work-state",
    operation_id="set_agent_work_state",
    tags=("agents",),
    who="user",
    find=visible_agent,
    verb="agent.set_work_state",
    body=WorkStateChange,
    returns=AgentRead,
)
async def set_work_state(actor: Actor, agent: Agent, data: WorkStateChange) -> AgentRead:
    """Pause, stop or resume an agent; needs the right to write on its board.

    Paused: no claims and no moves to in progress. Stopped: also, what it has in progress goes back to the inbox.
    """
    return AgentRead.of(await set_agent_state(actor, agent, data))
