"""Wait for another directive without polling the database."""

from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.queries import own_agent
from mission_control.agents.schemas import AgentCheckedIn, AgentWait
from mission_control.agents.work_state import directive_of
from mission_control.commands.reactions import Reactions
from mission_control.commands.unit_of_work import notify
from mission_control.core.actor import Actor
from mission_control.live.log import NewEvent
from mission_control.operations.polls import settled

reactions = Reactions()


async def wait_for_directive(actor: Actor, agent: Agent, query: AgentWait) -> AgentCheckedIn:
    """Return the agent once its directive is another one than it knows, or as it is when the time is over."""
    return await settled(
        actor,
        agent,
        channel_of(agent.organization_id),
        find=own_agent,
        read=_checked_in,
        is_settled=lambda answer: answer.directive != query.known,
        seconds=query.wait_seconds,
    )


async def _checked_in(agent: Agent) -> AgentCheckedIn:
    return AgentCheckedIn.of_directed(agent, (await directive_of(agent))._asdict())


@reactions.to(
    "agent.work_state_changed",
    "board.work_state_changed",
    "organization.work_state_changed",
    "budget.created",
    "budget.updated",
    "budget.deleted",
    "budget.exceeded",
)
async def wake_polls_of_directives(actor: Actor, event: NewEvent) -> None:
    """Directives may be others: people pause and resume seldom, so all agents of the organization look."""
    notify(channel_of(event.scope.organization_id))


def channel_of(organization_id: UUID) -> str:
    """Return the wake-up channel that is notified when a directive may have changed."""
    return f"directives:{organization_id}"
