"""Commands of leads for their colleagues: nudges and souls."""

from uuid import UUID

from mission_control.agents.commands import locked_agent
from mission_control.agents.coordination_schemas import SoulUpdateRequest
from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.agents.souls import keep_soul
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import deliver, record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Invalid, NotFound
from mission_control.gateways.models import Gateway

NUDGE = "NUDGE"


async def colleague_on(board: Board, agent_id: UUID) -> Agent:
    """Return an agent of a board. Raise NotFound otherwise."""
    agent = await Agent.get_or_none(id=agent_id, board_id=board.id)
    if agent is None:
        raise NotFound()
    agent.board = board
    return agent


@command("agent.coordinate")
async def nudge_agent(actor: Actor, board: Board, agent: Agent, message: str) -> UUID:
    """Send a text with its sender to a colleague: to its inbox, or its session on a gateway. Return the delivery's id.

    An inbox has it at once; on a gateway it is recorded when it arrived or was given up.
    """
    agent = await locked_agent(agent)
    text = f"From: {actor.name}\n\n{message}"
    if agent.gateway_id is None:
        sentence = f"Agent nudged: {agent.name}."
        record("agent.nudge.sent", agent, sentence, agent_id=actor.agent_id, to_agent_id=agent.id, text=message)
        return deliver(NOTICE, agent.scope(), agent_id=agent.id, header=NUDGE, text=text, deliver=True).id
    await _require_session(agent)
    delivery = deliver(
        NOTICE,
        agent.scope(),
        agent_id=agent.id,
        header=NUDGE,
        text=text,
        deliver=True,
        succeeded="agent.nudge.sent",
        failed="agent.nudge.failed",
        event={
            "agent_id": str(actor.agent_id),
            "about": f"nudge for {agent.name}",
            "to_agent_id": str(agent.id),
            "text": message,
        },
    )
    return delivery.id


async def _require_session(agent: Agent) -> None:
    """Raise Invalid when an agent of a gateway has no session yet, or its gateway cannot work by its settings."""
    if agent.openclaw_session_id is None:
        raise Invalid({"message": f"{agent.name} has no session yet.", "code": ErrorCode.AGENT_WITHOUT_SESSION})
    await require_gateway(agent.gateway_id)


async def require_gateway(gateway_id: UUID | None) -> None:
    """Raise Invalid when a gateway cannot work by its settings."""
    gateway = await Gateway.get_or_none(id=gateway_id)
    if gateway is None or not gateway.url.strip():
        message = "The gateway was deleted." if gateway is None else "The gateway has no address. Add one on its page."
        raise Invalid({"message": message, "code": ErrorCode.GATEWAY_UNUSABLE})


@command("agent.coordinate")
async def write_soul(actor: Actor, board: Board, agent: Agent, new: SoulUpdateRequest) -> list[UUID]:
    """Set the soul of a colleague; on a gateway its file is written in the background. Return the notices' ids."""
    agent = await locked_agent(agent)
    if agent.gateway_id is not None:
        await _require_session(agent)
    if agent.soul_template == new.content:
        return []
    before, agent.soul_template = agent.soul_template, new.content
    agent.updated_at = clock.now()
    await agent.save(update_fields=["soul_template", "updated_at"])
    soul, delivery_ids = await keep_soul(agent, before, new.source_url, new.reason)
    why = "".join(f" {word}: {text}" for word, text in (("Reason", new.reason), ("Source", new.source_url)) if text)
    record(
        "agent.soul.updated",
        agent,
        f"Soul updated: {agent.name}.{why}",
        agent_id=actor.agent_id,
        soul_id=soul.id,
        source_url=new.source_url,
        reason=new.reason,
    )
    return delivery_ids
