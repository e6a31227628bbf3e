"""Agents as a stream."""

from typing import Any
from uuid import UUID

import orjson
from quart import Response

from mission_control.agents.models import Agent
from mission_control.agents.queries import visible_agents
from mission_control.agents.schemas import AgentRead
from mission_control.core import authn
from mission_control.core.actor import Actor
from mission_control.live.models import Event
from mission_control.live.stream import json_stream


async def stream_of_agents(actor: Actor, board_id: UUID | None) -> Response:
    """One `agent` message per change, sign of life and departure of the agents an admin reaches."""

    async def alive() -> bool:
        current = await authn.fresh(actor)
        return current is not None and current.administers(actor.organization_id)

    async def shown(agent_id: Any) -> dict[str, Any] | None:
        current = await authn.fresh(actor) or actor
        agents = visible_agents(current).filter(organization_id=actor.organization_id, id=agent_id)
        agent = await (agents.filter(board_id=board_id) if board_id else agents).first()
        return None if agent is None else {"agent": _json(agent)}

    async def payload(event: Event) -> dict[str, Any] | None:
        if event.kind == "agent.deleted" and board_id in (None, event.board_id):
            return {"agent": orjson.loads(event.data)["agent"] | {"status": "deleted"}}
        return await shown(event.subject_id) if event.kind.startswith("agent.") else None

    async def note_payload(note: dict[str, Any]) -> dict[str, Any] | None:
        return await shown(note["agent_id"]) if "agent_id" in note else None

    return await json_stream(actor.organization_id, "agent", payload, alive, note_payload)


def _json(agent: Agent) -> dict[str, Any]:
    return AgentRead.of(agent).model_dump(mode="json")
