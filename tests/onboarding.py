"""A board on a gateway whose main agent leads the conversation about it."""

from typing import Any

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.events.leases import Delivery
from mission_control.gateway_agents.models import OnboardingSession
from mission_control.gateways.connections.connector import INVENTED
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.identity import main_session_key
from mission_control.people.accounts.credentials import make_agent_token
from tests.cast import Cast, Program

QUESTION = {"question": "What for?", "options": [{"id": "1", "label": "Stars"}, {"id": "2", "label": "Moons"}]}
PROPOSAL = {
    "status": "complete", "board_type": "goal", "objective": "Map the sky.", "success_metrics": {"Stars": 900},
    "user_profile": {"preferred_name": "Adi"}, "lead_agent": {"name": "Cetus", "autonomy_level": "balanced"},
}  # fmt: skip


async def add_gateway(cast: Cast, state: str = "connected", **fields: Any) -> Gateway:
    """A gateway of the organization that no process connects to, so that it stays in this state."""
    about: dict[str, Any] = {"name": "Dock", "url": INVENTED, "workspace_root": "~/work"}
    return await Gateway.create(organization_id=cast.organization.id, state=state, **about, **fields)


async def hire_main_agent(cast: Cast, gateway: Gateway) -> Program:
    agent = await Agent.create(
        organization_id=cast.organization.id,
        gateway_id=gateway.id,
        name=f"{gateway.name} Main",
        openclaw_session_id=main_session_key(gateway.id),
        status="online",
    )
    token = await make_agent_token(agent.id)
    return Program(cast.app, {"X-Agent-Token": token.secret}, agent.id)


async def put_on(board: Board, gateway: Gateway | None) -> None:
    await Board.filter(id=board.id).update(gateway_id=gateway.id if gateway else None)


async def on_gateway(cast: Cast, board: Board | None = None, state: str = "connected") -> tuple[Gateway, Program]:
    """Put the other board, which has no lead, on a new gateway with a main agent."""
    gateway = await add_gateway(cast, state)
    await put_on(board or cast.other_board, gateway)
    return gateway, await hire_main_agent(cast, gateway)


async def sent_to(agent: Any) -> list[Delivery]:
    return await Delivery.filter(agent_id=agent.id).order_by("seq")


async def arrive(delivery_id: Any, **fields: Any) -> None:
    """Let a delivery have reached its agent."""
    await Delivery.filter(id=delivery_id).update(**({"state": "sent"} | fields))


async def the_session(board: Board) -> OnboardingSession:
    return await OnboardingSession.filter(board_id=board.id).order_by("-created_at").first()  # type: ignore[return-value]
