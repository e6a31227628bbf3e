"""Sessions of a gateway: shapes, which of them a caller reaches, and reading them with secrets hidden."""

import contextlib
import time
from dataclasses import dataclass
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.queries import main_agent_on
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core import errors
from mission_control.core.actor import Actor, require, rule
from mission_control.core.errors import Invalid, NotFound
from mission_control.core.text.masking import Mask
from mission_control.core.values import JsonObject, Schema, parse_id
from mission_control.gateway_agents.provisioning.gateway_agent import agent_in
from mission_control.gateway_agents.provisioning.main_agents import is_made
from mission_control.gateways.connections.connector import call
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.gateways.protocol.identity import main_session_key, opened
from mission_control.gateways.protocol.payload import Payload
from mission_control.gateways.queries import gateway_of, visible_gateway


class GatewayQuery(Schema):
    """The gateway: that of a board, or one by its id. The id wins."""

    board_id: str | None = None
    gateway_id: UUID | None = None


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

    def has(self, session_key: object) -> bool:
        return self.agent_ids is None or agent_in(str(session_key)) in self.agent_ids

    def require(self, session_key: str) -> str:
        if not self.has(session_key):
            raise NotFound()
        return session_key

    def require_write(self, actor: Actor, session_key: str) -> str:
        require(actor, "gateway_session.write", self)
        return self.require(session_key)


async def reached(actor: Actor, query: GatewayQuery) -> Reach:
    """Return the gateway that a request names. Raise Invalid, NotFound or Forbidden when there is none to use."""
    named_board = (query.board_id or "").strip()
    if query.gateway_id is not None:
        reach = Reach(await visible_gateway(actor, query.gateway_id))
    elif not named_board:
        raise Invalid("Name a board (board_id) or a gateway (gateway_id).")
    elif (board_id := parse_id(named_board)) is None:
        raise NotFound()
    else:
        reach = await _reached_by_board(actor, await visible_board(actor, board_id))
    require(actor, "gateway_session.read", reach)
    return reach


async def _reached_by_board(actor: Actor, board: Board) -> Reach:
    if board.gateway_id is None:
        raise Invalid(BOARD_HAS_NONE)
    try:
        gateway = await gateway_of(board.organization_id, board.gateway_id)
    except NotFound:
        raise Invalid(BOARD_HAS_NONE) from None
    if actor.administers(board.organization_id):
        main = await main_agent_on(gateway.id)
        return Reach(gateway, board, main_key=main_session_key(gateway.id) if main and is_made(main) else None)
    agents = Agent.filter(board_id=board.id, gateway_id=gateway.id)
    agent_ids = await agents.values_list("gateway_agent_id", flat=True)
    return Reach(gateway, board, frozenset(str(agent_id) for agent_id in agent_ids if agent_id))


@rule("gateway_session.read")
def may_read_sessions(actor: Actor, reach: Reach) -> bool:
    """People who read the board; of a gateway by itself its organization's owners and admins."""
    if reach.board is None:
        return actor.is_user and actor.administers(reach.gateway.organization_id)
    return actor.is_user and actor.reads(reach.board)


@rule("gateway_session.write")
def may_write_to_sessions(actor: Actor, reach: Reach) -> bool:
    """People who write on the board; of a gateway by itself its organization's owners and admins."""
    return may_read_sessions(actor, reach) and (reach.board is None or actor.writes(reach.board))


@rule("gateway_session.probe")
def may_probe_gateways(actor: Actor, thing: object) -> bool:
    """Owners and admins of the active organization: a url is tried, and what its gateway can do is listed."""
    return actor.is_user and actor.administers(actor.organization_id)


MASKED_SECONDS = 30.0

_masks: dict[UUID, tuple[float, Mask]] = {}


async def call_gateway(gateway_id: UUID, method: str, params: JsonObject) -> object:
    """Call a gateway. Raises Unreachable (502) with the gateway's own words when that fails."""
    try:
        return await call(gateway_id, method, params)
    except GatewayError as error:
        raise errors.Unreachable(error.message) from error


async def mask_of(gateway_id: UUID) -> Mask:
    """One read of a gateway's secrets serves half a minute."""
    moment = time.monotonic()
    cached = _masks.get(gateway_id)
    if cached is None or cached[0] < moment:
        gateway = await Gateway.get_or_none(id=gateway_id)
        secrets: list[str | None] = []
        for encrypted in (gateway.token, gateway.device_token) if gateway is not None else ():
            # With another SECRET_KEY it is not known here, and no connection could be made with it.
            with contextlib.suppress(GatewayError):
                secrets.append(opened(encrypted))
        cached = _masks[gateway_id] = (moment + MASKED_SECONDS, Mask(secrets))
    return cached[1]


def listed(answer: object, name: str) -> list[object]:
    return answer if isinstance(answer, list) else Payload.of(answer).items_of(name)


async def sessions_of(reach: Reach) -> list[object]:
    mask = await mask_of(reach.gateway.id)
    answer = await call_gateway(reach.gateway.id, "sessions.list", {})
    sessions: list[object] = mask.value(listed(answer, "sessions"))
    if reach.agent_ids is None:
        return sessions
    return [session for session in sessions if isinstance(session, dict) and reach.has(session.get("key"))]


async def main_session(reach: Reach) -> JsonObject | None:
    """Return the session of the main agent, made when it is missing; None without a board. Raises Unreachable."""
    if reach.main_key is None:
        return None
    params = {"key": reach.main_key, "label": "Gateway Agent"}
    answer = await call_gateway(reach.gateway.id, "sessions.patch", params)
    entry = Payload.of(answer).get("entry")
    session: JsonObject = (await mask_of(reach.gateway.id)).value(entry if isinstance(entry, dict) else answer)
    return session


async def session_of(reach: Reach, key: str) -> object:
    reach.require(key)
    for session in await sessions_of(reach):
        if Payload.of(session).get("key") == key:
            return session
    if key == reach.main_key:
        return await main_session(reach)
    # The list ends at the newest hundred.
    if "sessions.describe" in (reach.gateway.methods or ()):
        answer = Payload.of(await call_gateway(reach.gateway.id, "sessions.describe", {"key": key}))
        if isinstance(session := answer.get("session"), dict):
            return (await mask_of(reach.gateway.id)).value(session)
    raise NotFound()


async def history_of(reach: Reach, key: str) -> list[object]:
    answer = await call_gateway(reach.gateway.id, "chat.history", {"sessionKey": reach.require(key)})
    messages: list[object] = (await mask_of(reach.gateway.id)).value(listed(answer, "messages"))
    return messages
