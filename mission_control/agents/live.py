"""Agents as a stream."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from quart import Response

from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentRead
from mission_control.authn import freshness
from mission_control.core.actor import Actor
from mission_control.core.json import to_json
from mission_control.live import broker
from mission_control.live.models import Event
from mission_control.live.shared import Shared
from mission_control.live.stream import json_stream


async def stream_of_agents(actor: Actor, board_id: UUID | None) -> Response:
    """One `agent` message per change, sign of life and departure of the agents an admin reaches."""

    async def alive() -> bool:
        current = await freshness.fresh(actor)
        return current is not None and current.administers(actor.organization_id)

    async def message_for(agent_id: Any, source: Event | dict[str, Any]) -> bytes | None:
        key = (source.id if isinstance(source, Event) else id(source), broker.known_head(actor.organization_id))
        found = await _messages.get(key, lambda: _read(actor.organization_id, agent_id, source))
        current = await freshness.fresh(actor)
        if current is None or found.message is None or board_id not in (None, found.board_id):
            return None
        whole, single = current.readable_boards()
        return found.message if actor.organization_id in whole or found.board_id in single else None

    async def payload(event: Event) -> bytes | dict[str, Any] | None:
        if event.kind == "agent.deleted":  # without the agent, which clients would add to their list again
            return {"agent": None, "deleted_agent_id": event.subject_id} if board_id in (None, event.board_id) else None
        return await message_for(event.subject_id, event) if event.kind.startswith("agent.") else None

    async def signal_payload(signal: dict[str, Any]) -> bytes | None:
        return await message_for(signal["agent_id"], signal) if "agent_id" in signal else None

    return await json_stream(actor.organization_id, "agent", payload, alive, signal_payload)


@dataclass(frozen=True, slots=True)
class AgentMessage:
    """An agent as all streams send it, with the signal for which it was read, by whose identity it is cached."""

    board_id: UUID | None
    message: bytes | None
    source: Event | dict[str, Any]


_messages: Shared[AgentMessage] = Shared()


async def _read(organization_id: UUID, agent_id: Any, source: Event | dict[str, Any]) -> AgentMessage:
    agent = await Agent.get_or_none(id=agent_id, organization_id=organization_id, board__deleted_at=None)
    if agent is None:
        return AgentMessage(None, None, source)
    return AgentMessage(agent.board_id, to_json({"agent": AgentRead.of(agent)}), source)
