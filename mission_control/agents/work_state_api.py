"""Pausing and stopping one agent over HTTP."""

from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentRead
from mission_control.agents.work_state import set_agent_state
from mission_control.core.actor import Actor
from mission_control.operations.api import Api
from mission_control.organizations.work_state import WorkStateChange

api = Api(__name__, "agents")


@api.put("/agents/<agent_id>/work-state", rule="agent.set_work_state")
async def set_agent_work_state(actor: Actor, agent: Agent, data: WorkStateChange) -> AgentRead:
    """Pause, stop or resume an agent; needs the right to write on its board.

    Paused: no claims and no moves to in progress. Stopped: also, what it has in progress goes back to the inbox.
    """
    return AgentRead.of(await set_agent_state(actor, agent, data))
