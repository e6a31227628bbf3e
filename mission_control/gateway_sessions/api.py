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
from mission_control.operations.operation import operation
from mission_control.operations.retries import key_of_request

api = Api("gateway_sessions_api", __name__, url_prefix="/api/v1/gateways")
TAGS = ("gateways",)
OUTSIDE = {502: ErrorResponse}
SPOKEN_PROTOCOL = 4


@operation(
    api,
    "GET",
    "/status",
    operation_id="gateways_status_api_v1_gateways_status_get",
    tags=TAGS,
    who="user",
    query=GatewaysStatusQuery,
    returns=GatewaysStatusResponse,
)
async def gateways_status(actor: Actor, query: GatewaysStatusQuery) -> GatewaysStatusResponse:
    """Say whether a gateway can be used, with its sessions.

    A saved gateway answers from its connection. Any other url is tried by a connection of at most 5 seconds; the
    saved token is used for exactly the url that it was saved with.
    """
    return await status_of(actor, query)


@operation(
    api,
    "GET",
    "/sessions",
    operation_id="list_gateway_sessions_api_v1_gateways_sessions_get",
    tags=TAGS,
    who="user",
    query=GatewayQuery,
    returns=GatewaySessionsResponse,
    errors=OUTSIDE,
)
async def list_gateway_sessions(actor: Actor, query: GatewayQuery) -> GatewaySessionsResponse:
    """List the sessions of a gateway as it describes them; people who are no admins see those of a board's agents."""
    reach = await reached(actor, query)
    found = await reading.sessions_of(reach)
    return GatewaySessionsResponse(sessions=found, main_session=await reading.main_session_if_any(reach))


@operation(
    api,
    "GET",
    "/sessions/<string:session_id>",
    operation_id="get_gateway_session_api_v1_gateways_sessions__session_id__get",
    tags=TAGS,
    who="user",
    query=GatewayQuery,
    returns=GatewaySessionResponse,
    errors=OUTSIDE,
)
async def get_gateway_session(actor: Actor, session_id: str, query: GatewayQuery) -> GatewaySessionResponse:
    """Read a session by its key, as its gateway describes it."""
    return GatewaySessionResponse(session=await reading.session_of(await reached(actor, query), session_id))


@operation(
    api,
    "GET",
    "/sessions/<string:session_id>/history",
    operation_id="get_session_history_api_v1_gateways_sessions__session_id__history_get",
    tags=TAGS,
    who="user",
    query=GatewayQuery,
    returns=GatewaySessionHistoryResponse,
    errors=OUTSIDE,
)
async def get_session_history(actor: Actor, session_id: str, query: GatewayQuery) -> GatewaySessionHistoryResponse:
    """Read the messages of a session as its gateway keeps them; tokens in them are masked."""
    return GatewaySessionHistoryResponse(history=await reading.history_of(await reached(actor, query), session_id))


@operation(
    api,
    "POST",
    "/sessions/<string:session_id>/message",
    operation_id="send_gateway_session_message_api_v1_gateways_sessions__session_id__message_post",
    tags=TAGS,
    who="user",
    body=GatewaySessionMessageRequest,
    query=GatewayQuery,
    returns=OkResponse,
    errors=OUTSIDE,
    is_atomic=False,
)
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


@operation(
    api,
    "POST",
    "/sessions/<string:session_id>/aborts",
    operation_id="abort_gateway_session",
    tags=TAGS,
    who="user",
    body=GatewaySessionAbortRequest,
    query=GatewayQuery,
    returns=GatewaySessionAbortResponse,
    errors=OUTSIDE,
    is_atomic=False,
)
async def abort_gateway_session(
    actor: Actor, session_id: str, data: GatewaySessionAbortRequest, query: GatewayQuery
) -> GatewaySessionAbortResponse:
    """End the run of a session, or all its runs. Needs the right to write on the board."""
    reach = await reached(actor, query)
    key = reach.require_write(actor, session_id)
    return GatewaySessionAbortResponse(ok=True, run_ids=await session_view.abort(actor, reach, key, data.run_id))


@operation(
    api,
    "GET",
    "/commands",
    operation_id="gateway_commands_api_v1_gateways_commands_get",
    tags=TAGS,
    who="user",
    verb="gateway_session.probe",
    query=GatewayCommandsQuery,
    returns=GatewayCommandsResponse,
)
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
