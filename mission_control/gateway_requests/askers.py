"""Who asks: the agent of ours behind a gateway's agent."""

from dataclasses import dataclass
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.database.sql import rows
from mission_control.gateways.events import GatewayRef


@dataclass(frozen=True, slots=True)
class Asker:
    """An agent on a gateway, with its board."""

    id: UUID
    name: str
    board: Board

    @property
    def actor(self) -> Actor:
        """The agent, as events name it."""
        return Actor("agent", self.id, self.name, self.board.organization_id, surface="gateway", board_id=self.board.id)


@dataclass(frozen=True, slots=True)
class Boardless:
    """An agent on a gateway that is on no board: one of ours, such as the main agent, or one that we do not know."""

    id: UUID | None
    name: str
    gateway_agent_id: str


async def boardless_asker(gateway: GatewayRef, gateway_agent_id: str) -> Boardless:
    """Return who asks when `asker_of` finds nobody."""
    known = "SELECT id, name FROM agents WHERE gateway_id = ? AND gateway_agent_id = ? ORDER BY created_at, id LIMIT 1"
    found = await rows(known, gateway.id, gateway_agent_id) if gateway_agent_id else []
    if found:
        return Boardless(UUID(str(found[0]["id"])), found[0]["name"], gateway_agent_id)
    return Boardless(None, gateway_agent_id or "An agent", gateway_agent_id)


async def asker_of(gateway: GatewayRef, gateway_agent_id: str) -> Asker | None:
    """Return our agent for a gateway's agent; None where we have none, or none with a board."""
    if not gateway_agent_id:
        return None
    found = await rows(
        "SELECT a.id, a.name, a.board_id FROM agents a JOIN boards b ON b.id = a.board_id AND b.deleted_at IS NULL"
        " WHERE a.gateway_id = ? AND a.gateway_agent_id = ?",
        gateway.id,
        gateway_agent_id,
    )
    if not found:
        return None
    board = await Board.get(id=found[0]["board_id"])
    return Asker(UUID(str(found[0]["id"])), found[0]["name"], board)
