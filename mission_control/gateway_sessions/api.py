"""The sessions of gateways over HTTP, for people."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.ids import new_id
from mission_control.core.schemas import ErrorResponse, OkResponse
from mission_control.gateway_sessions import reading, session_view
from mission_control.gateway_sessions.reading import (
    GatewayCommandsQuery,
    GatewayCommandsResponse,
    GatewayQuery,
    GatewaySessionAbortRequest,
    GatewaySessionAbortResponse,
    GatewaySessionHistoryResponse,
    GatewaySessionMessageRequest,
    GatewaySessionResponse,
    GatewaySessionsResponse,
    GatewaysStatusQuery,
    GatewaysStatusResponse,
    reached,
)
from mission_control.gateway_sessions.status import status_of
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import CONNECTED, visible_gateway, visible_gateways
from mission_control.operations.api import Api
from mission_control.operations.retries import key_of_request

api = Api(__name__, "gateways", below="/gateways")
OUTSIDE = {502: ErrorResponse}
SPOKEN_PROTOCOL = 4


@api.get("/status")
async def gateways_status(actor: Actor, query: GatewaysStatusQuery) -> GatewaysStatusResponse:
    """Say whether a gateway can be used, with its sessions.

    A saved gateway answers from its connection. Any other url is tried by a connection of at most 5 seconds; the
    saved token is used for exactly the url that it was saved with.
    """
    return await status_of(actor, query)


@api.get("/sessions", errors=OUTSIDE)
async def list_gateway_sessions(actor: Actor, query: GatewayQuery) -> GatewaySessionsResponse:
    """List the sessions of a gateway as it describes them; people who are no admins see those of a board's agents."""
    reach = await reached(actor, query)
    found = await reading.sessions_of(reach)
    return GatewaySessionsResponse(sessions=found, main_session=await reading.main_session_if_any(reach))


@api.get("/sessions/<string:session_id>", errors=OUTSIDE)
async def get_gateway_session(actor: Actor, session_id: str, query: GatewayQuery) -> GatewaySessionResponse:
    """Read a session by its key, as its gateway describes it."""
    return GatewaySessionResponse(session=await reading.session_of(await reached(actor, query), session_id))


@api.get("/sessions/<string:session_id>/history", errors=OUTSIDE)
async def get_session_history(actor: Actor, session_id: str, query: GatewayQuery) -> GatewaySessionHistoryResponse:
    """Read the messages of a session as its gateway keeps them; tokens in them are masked."""
    return GatewaySessionHistoryResponse(history=await reading.history_of(await reached(actor, query), session_id))


@api.post("/sessions/<string:session_id>/message", errors=OUTSIDE, is_atomic=False)
async def send_gateway_session_message(
    actor: Actor, session_id: str, data: GatewaySessionMessageRequest, query: GatewayQuery
) -> OkResponse:
    """Send a message to a session; its agent answers there. Needs the right to write on the board."""
    reach = await reached(actor, query)
    key = reach.require_write(actor, session_id)
    await session_view.send(
        actor, reach, key, data.content, data.idempotency_key or key_of_request(actor) or str(new_id())
    )
    return OkResponse()


@api.post("/sessions/<string:session_id>/aborts", errors=OUTSIDE, is_atomic=False)
async def abort_gateway_session(
    actor: Actor, session_id: str, data: GatewaySessionAbortRequest, query: GatewayQuery
) -> GatewaySessionAbortResponse:
    """End the run of a session, or all its runs. Needs the right to write on the board."""
    reach = await reached(actor, query)
    key = reach.require_write(actor, session_id)
    return GatewaySessionAbortResponse(ok=True, run_ids=await session_view.abort(actor, reach, key, data.run_id))


@api.get("/commands", GatewayCommandsResponse, rule="gateway_session.probe")
async def gateway_commands(actor: Actor, query: GatewayCommandsQuery) -> dict[str, Any]:
    """List the methods and events that a gateway announced when it was connected."""
    gateway = await _of_commands(actor, query)
    return {
        "protocol_version": (gateway.protocol if gateway is not None else None) or SPOKEN_PROTOCOL,
        "methods": (gateway.methods if gateway is not None else None) or [],
        "events": (gateway.events if gateway is not None else None) or [],
    }


async def _of_commands(actor: Actor, query: GatewayCommandsQuery) -> Gateway | None:
    if query.gateway_id is not None:
        return await visible_gateway(actor, query.gateway_id)
    known = await visible_gateways(actor).exclude(connected_at=None).order_by("-connected_at")
    return next((one for one in known if one.state == CONNECTED), known[0] if known else None)
