"""Where agents run: on the gateway of their board, or anywhere as direct agents."""

from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import clock
from mission_control.core.errors import Conflict, Invalid
from mission_control.database.sql import lowered, rows
from mission_control.gateways.keys import (
    gateway_agent_id,
    lead_session_key,
    main_session_key,
    worker_session_key,
    workspace_path,
)
from mission_control.gateways.models import Gateway
from mission_control.gateways.reporting import CONNECTED

UNKNOWN = "There is no gateway with this id in the organization."


async def usable_gateway(organization_id: UUID, gateway_id: UUID) -> Gateway:
    """Return a gateway on which agents can be created. Raise Invalid otherwise."""
    gateway = await Gateway.get_or_none(id=gateway_id, organization_id=organization_id)
    if gateway is None:
        raise Invalid(UNKNOWN)
    if not gateway.url.strip():
        raise Invalid("The gateway has no address. Add one on its page.")
    if not gateway.workspace_root.strip():
        raise Invalid("The gateway has no workspace root. Add one on its page.")
    return gateway


async def place(agent: Agent, gateway: Gateway, board: Board | None) -> dict[str, Any]:
    """Return the fields that put an agent on a gateway; without a board it is the gateway's main agent."""
    key = await _free_key(agent, gateway, board)
    name = gateway_agent_id(key)
    return {
        "gateway_id": gateway.id,
        "openclaw_session_id": key,
        "gateway_agent_id": name,
        "workspace_path": workspace_path(gateway.workspace_root, name),
        "is_adopted": False,
        "gateway_away_at": None if gateway.state == CONNECTED else clock.now(),
        "run_began_at": None,
    }


async def _free_key(agent: Agent, gateway: Gateway, board: Board | None) -> str:
    if board is None:
        return main_session_key(gateway.id)
    if not agent.is_board_lead:
        return worker_session_key(agent.id)
    # An earlier lead that became a worker keeps the name that it has on the gateway, with its memory.
    key = lead_session_key(board.id)
    taken = Agent.filter(gateway_id=gateway.id, gateway_agent_id=gateway_agent_id(key)).exclude(id=agent.id)
    return worker_session_key(agent.id) if await taken.exists() else key


async def refuse_twin(agent: Agent) -> None:
    """Raise Conflict when another worker of the gateway has the name, on whichever board."""
    twins = await rows(
        f"SELECT 1 AS one FROM agents WHERE gateway_id = ? AND {lowered('name')} = ? AND id <> ?"
        " AND board_id IS NOT NULL LIMIT 1",
        agent.gateway_id,
        agent.name.lower(),
        agent.id,
    )
    if twins:
        raise Conflict(f"An agent named {agent.name} works on this gateway already.")


async def moved(agent: Agent, board: Board | None, *, is_main: bool | None) -> dict[str, Any]:
    """Return the fields that a move changes: to another board, and so perhaps to its gateway, or to a gateway's top."""
    is_now_main = agent.board_id is None and agent.gateway_id is not None
    if is_main:
        return await _made_main(agent, board)
    if is_main is False and is_now_main and board is None:
        raise Invalid("board_id is needed: an agent that is not a gateway's main agent works on a board.")
    if board is None:
        return {}
    if is_now_main and is_main is None:
        raise Invalid("A gateway's main agent works on no board. Send is_gateway_main: false to move it to one.")
    changes: dict[str, Any] = {"board_id": board.id}
    if agent.gateway_id is None or (board.id == agent.board_id and not is_now_main):
        return changes
    if board.gateway_id is None:
        raise Invalid("This board has no gateway. Give it one first, or choose another board.")
    if board.gateway_id == agent.gateway_id and not is_now_main:
        return changes
    if agent.is_adopted:
        raise Invalid("A linked agent stays on its gateway. Unlink it, then link one of the other gateway.")
    gateway = await usable_gateway(agent.organization_id, board.gateway_id)
    return changes | await place(agent, gateway, board)


async def _made_main(agent: Agent, board: Board | None) -> dict[str, Any]:
    if agent.gateway_id is None:
        raise Invalid("An agent without a gateway cannot be a gateway's main agent.")
    gateway_id = board.gateway_id if board is not None else agent.gateway_id
    if gateway_id is None:
        raise Invalid("This board has no gateway. Give it one first, or choose another board.")
    if agent.board_id is None and gateway_id == agent.gateway_id:
        return {}
    if await Agent.filter(gateway_id=gateway_id, board_id=None).exclude(id=agent.id).exists():
        raise Conflict("This gateway has a main agent already.")
    gateway = await usable_gateway(agent.organization_id, gateway_id)
    return {"board_id": None, "is_board_lead": False} | await place(agent, gateway, None)
