"""End the turn of an agent that is told to stop."""

from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.work_state import directive_of
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core.actor import Actor, system
from mission_control.delivery.models import Delivery
from mission_control.provisioning.gateway_agent import end_turns
from mission_control.tasks.models import Task

STOPS = {"WORK STOPPED": "work was stopped", "BUDGET USED UP": "a budget is used up"}
TAKEN_AWAY = "TASK TAKEN AWAY"


async def end_turns_for(delivery: Delivery, agent: Agent, gateway_id: UUID, *, seconds: float) -> None:
    """End what an agent does, if a notice tells it to stop and that still holds. Raises GatewayError."""
    why = await _reason(delivery, agent)
    if why is None:
        return
    ended = await end_turns(gateway_id, str(agent.gateway_agent_id), str(agent.openclaw_session_id), seconds=seconds)
    if ended:
        await record_ended(system(agent.organization_id), agent, why)


async def _reason(delivery: Delivery, agent: Agent) -> str | None:
    """Return why a turn has to end, None where it may go on. A notice may have waited while its gateway was away."""
    if delivery.header in STOPS:
        return STOPS[delivery.header] if (await directive_of(agent)).directive == "stop" else None
    if delivery.header != TAKEN_AWAY:
        return None
    theirs = Task.filter(assigned_agent_id=agent.id, status="in_progress", deleted_at=None)
    return None if await theirs.exists() else "its task was taken away"


@command("provisioning.run")
async def record_ended(actor: Actor, agent: Agent, why: str) -> None:
    """Record that what an agent did was ended."""
    record("agent.turn_ended", agent, f"Ended what {agent.name} was doing: {why}.", name=agent.name, reason=why)
