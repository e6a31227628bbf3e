"""Which gateway a request is about, and which of its sessions the caller may see."""

from dataclasses import dataclass
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.queries import main_agent_on
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound
from mission_control.core.ids import parse_id
from mission_control.core.policy import require
from mission_control.gateway_sessions.schemas import GatewayQuery
from mission_control.gateways.keys import main_session_key
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import gateway_of, visible_gateway
from mission_control.provisioning.main_agents import is_made

NO_GATEWAY = "Name a board (board_id) or a gateway (gateway_id)."
BOARD_HAS_NONE = "This board has no gateway."


@dataclass(frozen=True, slots=True)
class Reach:
    """A gateway, the board by which it was named, and the agents whose sessions the caller may see (None: all).

    `main_key` is the session of the main agent, which only a board's gateway is asked for, and only once it is made.
    """

    gateway: Gateway
    board: Board | None = None
    agent_ids: frozenset[str] | None = None
    main_key: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the caller may see every session."""
        return self.agent_ids is None

    def has(self, session_key: object) -> bool:
        """Return whether the caller may see a session."""
        if self.agent_ids is None:
            return True
        parts = str(session_key).split(":")
        return len(parts) > 2 and parts[0] == "agent" and parts[1] in self.agent_ids

    def require(self, session_key: str) -> str:
        """Return the key of a session that the caller may see. Raise NotFound otherwise."""
        if not self.has(session_key):
            raise NotFound()
        return session_key

    def require_write(self, actor: Actor, session_key: str) -> str:
        """Return the key of a session that the caller may write to. Raise NotFound or Forbidden otherwise."""
        require(actor, "gateway_session.write", self)
        return self.require(session_key)


async def reached(actor: Actor, query: GatewayQuery) -> Reach:
    """Return the gateway that a request names. Raise Invalid, NotFound or Forbidden when there is none to use."""
    found = await _reached(actor, query)
    require(actor, "gateway_session.read", found)
    return found


async def _reached(actor: Actor, query: GatewayQuery) -> Reach:
    if query.gateway_id is not None:
        return Reach(await visible_gateway(actor, query.gateway_id))
    if not (query.board_id or "").strip():
        raise Invalid(NO_GATEWAY)
    board_id = parse_id(str(query.board_id).strip())
    if board_id is None:
        raise NotFound()
    return await _reached_by_board(actor, await visible_board(actor, board_id))


async def _reached_by_board(actor: Actor, board: Board) -> Reach:
    """Return the gateway of a board with the sessions that the actor may see: all, or those of its agents."""
    if board.gateway_id is None:
        raise Invalid(BOARD_HAS_NONE)
    try:
        gateway = await gateway_of(board.organization_id, board.gateway_id)
    except NotFound:
        raise Invalid(BOARD_HAS_NONE) from None
    if actor.administers(board.organization_id):
        main = await main_agent_on(gateway.id)
        return Reach(gateway, board, main_key=main_session_key(gateway.id) if main and is_made(main) else None)
    return Reach(gateway, board, await _agents_of(board.id, gateway.id))


async def _agents_of(board_id: UUID, gateway_id: UUID) -> frozenset[str]:
    found = await Agent.filter(board_id=board_id, gateway_id=gateway_id).values_list("gateway_agent_id", flat=True)
    return frozenset(str(one) for one in found if one)
