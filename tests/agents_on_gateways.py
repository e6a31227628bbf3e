"""Gateways in the tables, without a connection, and agents on them."""

from typing import Any
from uuid import UUID

from quart import Quart

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.events import wakeup_channels
from mission_control.events.commands import atomically
from mission_control.gateways.connections.connector import INVENTED
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.identity import (
    gateway_agent_id,
    lead_session_key,
    main_session_key,
    worker_session_key,
)
from mission_control.people.accounts.credentials import make_agent_token
from tests.cast import Program


async def add_gateway(organization_id: UUID, *boards: Board, name: str = "Gateway", **fields: Any) -> Gateway:
    """A gateway that this process seems to be connected to, with some boards on it."""
    known = {"url": INVENTED, "workspace_root": "~/.openclaw", "state": "connected", "holder": wakeup_channels.PROCESS}
    gateway = await Gateway.create(organization_id=organization_id, name=name, **{**known, **fields})
    for board in boards:
        board.gateway_id = gateway.id
        await board.save(update_fields=["gateway_id"])
    return gateway


async def hire_main(app: Quart, gateway: Gateway, name: str = "Gateway main") -> Program:
    """The main agent of a gateway with a token."""
    return await _hire(app, gateway, None, name, main_session_key(gateway.id))


async def hire_on(app: Quart, gateway: Gateway, board: Board, name: str, *, is_lead: bool = False) -> Program:
    """An agent of a board that lives on a gateway and is ready there."""
    made = await _hire(app, gateway, board, name, "", is_lead=is_lead)
    key = lead_session_key(board.id) if is_lead else worker_session_key(made.id)
    names = {"openclaw_session_id": key, "gateway_agent_id": gateway_agent_id(key)}
    await Agent.filter(id=made.id).update(**names, last_wake_sent_at=times.clock_now(), last_seen_at=times.clock_now())
    return made


async def _hire(
    app: Quart, gateway: Gateway, board: Board | None, name: str, key: str, *, is_lead: bool = False
) -> Program:
    agent = await Agent.create(
        organization_id=gateway.organization_id,
        board_id=board.id if board is not None else None,
        gateway_id=gateway.id,
        name=name,
        is_board_lead=is_lead,
        openclaw_session_id=key or None,
        gateway_agent_id=gateway_agent_id(key) if key else None,
        last_wake_sent_at=times.clock_now() if key else None,
    )
    made = await atomically(system(gateway.organization_id), lambda: make_agent_token(agent.id))
    return Program(app, {"X-Agent-Token": made.secret}, agent.id, name, made.secret)
