"""The sessions of gateways over HTTP, and whether a gateway can be used, for people."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from mission_control.core.actor import Actor, require
from mission_control.core.errors import Invalid, Unreachable
from mission_control.core.values import ErrorResponse, OkResponse, new_id
from mission_control.fleet import session_reading, session_view
from mission_control.fleet.session_reading import (
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
    Mask,
    Reach,
    reached,
)
from mission_control.gateways.connection import connect
from mission_control.gateways.errors import GatewayError
from mission_control.gateways.errors import Unreachable as NotReached
from mission_control.gateways.installation import discreet, identity, opened, target_of
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import CONNECTED, of_error, visible_gateway, visible_gateways
from mission_control.gateways.target import url_problem
from mission_control.http.operation_api import Api
from mission_control.http.retries import key_of_request

SECONDS = 5.0
AT_ONCE = 8
NOT_CONNECTED = "The gateway is not connected."

_probes = asyncio.Semaphore(AT_ONCE)


async def status_of(actor: Actor, query: GatewaysStatusQuery) -> GatewaysStatusResponse:
    """Return the status of the gateway that a request names."""
    if not query.gateway_url:
        return await _known(await reached(actor, query))
    url = query.gateway_url.strip()
    if not url:
        raise Invalid("The gateway's url is blank.")
    require(actor, "gateway_session.probe")
    saved = await _saved(actor, url)
    if saved is not None and _is_as_saved(saved, query):
        return await _known(Reach(saved))
    return await _probed(actor.organization_id, _Probe.of(url, query, saved))


async def _saved(actor: Actor, url: str) -> Gateway | None:
    """Return the organization's gateway with exactly this url; a connected one when there are several."""
    found = await Gateway.filter(organization_id=actor.organization_id, url=url).order_by("created_at")
    return next((one for one in found if one.state == CONNECTED), found[0] if found else None)


def _is_as_saved(saved: Gateway, query: GatewaysStatusQuery) -> bool:
    tls = query.gateway_allow_insecure_tls
    token = (query.gateway_token or "").strip()
    return (tls is None or tls == saved.allow_insecure_tls) and (not token or token == _token(saved))


def _token(saved: Gateway) -> str | None:
    try:
        return opened(saved.token)
    except GatewayError:
        return None


async def _known(reach: Reach) -> GatewaysStatusResponse:
    gateway = reach.gateway
    answer = GatewaysStatusResponse(connected=False, gateway_url=gateway.url)
    if gateway.state != CONNECTED:
        answer.error = gateway.last_error or NOT_CONNECTED
        return answer
    try:
        answer.sessions = await session_reading.sessions_of(reach)
    except Unreachable as error:
        answer.error = error.sentence
        return answer
    answer.connected, answer.sessions_count = True, len(answer.sessions)
    try:
        answer.main_session = await session_reading.main_session(reach)
    except Unreachable as error:
        answer.main_session_error = error.sentence
    return answer


@dataclass(frozen=True, slots=True)
class _Probe:
    """A url to try, with the secret that belongs to it."""

    url: str
    token: str | None
    allow_insecure_tls: bool

    @classmethod
    def of(cls, url: str, query: GatewaysStatusQuery, saved: Gateway | None) -> "_Probe":
        """Take what a request leaves out from the saved gateway with exactly this url; no other is lent its token."""
        token = (query.gateway_token or "").strip() or (_token(saved) if saved is not None else None)
        tls = query.gateway_allow_insecure_tls
        if tls is None:
            tls = saved.allow_insecure_tls if saved is not None else False
        return cls(url, token, tls)


async def _probed(organization_id: UUID, probe: _Probe) -> GatewaysStatusResponse:
    answer = GatewaysStatusResponse(connected=False, gateway_url=probe.url)
    try:
        async with asyncio.timeout(SECONDS), _probes:
            answer.error = url_problem(probe.url)
            if answer.error is None:
                answer.sessions = await _sessions_at(probe)
                answer.connected, answer.sessions_count = True, len(answer.sessions)
    except TimeoutError:
        late = NotReached("TIMEOUT", f"The gateway did not answer within {SECONDS:g} seconds.")
        answer.error = (await discreet(organization_id, late)).message
    except GatewayError as error:
        error = await discreet(organization_id, error)
        answer.error = of_error(error).last_error or error.message
    return answer


async def _sessions_at(probe: _Probe) -> list[object]:
    target = target_of(probe.url, probe.token, allow_insecure_tls=probe.allow_insecure_tls)
    connection = await connect(target, await identity(), on_event=lambda _: None, seconds=SECONDS)
    try:
        found = session_reading.listed(await connection.call("sessions.list", {}, seconds=SECONDS))
    finally:
        await connection.close()
    return Mask([probe.token]).values(found)


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
    found = await session_reading.sessions_of(reach)
    return GatewaySessionsResponse(sessions=found, main_session=await session_reading.main_session_if_any(reach))


@api.get("/sessions/<string:session_id>", errors=OUTSIDE)
async def get_gateway_session(actor: Actor, session_id: str, query: GatewayQuery) -> GatewaySessionResponse:
    """Read a session by its key, as its gateway describes it."""
    return GatewaySessionResponse(session=await session_reading.session_of(await reached(actor, query), session_id))


@api.get("/sessions/<string:session_id>/history", errors=OUTSIDE)
async def get_session_history(actor: Actor, session_id: str, query: GatewayQuery) -> GatewaySessionHistoryResponse:
    """Read the messages of a session as its gateway keeps them; tokens in them are masked."""
    return GatewaySessionHistoryResponse(
        history=await session_reading.history_of(await reached(actor, query), session_id)
    )


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
async def gateway_commands(actor: Actor, query: GatewayCommandsQuery) -> dict[str, object]:
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
