"""The sessions of gateways over HTTP, and whether a gateway can be used, for people."""

import asyncio
import contextlib
from uuid import UUID

from pydantic import Field

from mission_control.core.actor import Actor, require
from mission_control.core.errors import Invalid, Unreachable
from mission_control.core.text.masking import Mask
from mission_control.core.values import Body, ErrorResponse, JsonObject, NonEmptyStr, OkResponse, Schema, new_id
from mission_control.gateway_agents.sessions import reading as session_reading
from mission_control.gateway_agents.sessions import view as session_view
from mission_control.gateway_agents.sessions.reading import GatewayQuery, Reach, reached
from mission_control.gateways.connections.checked_connection import connect
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.gateways.protocol.errors import Unreachable as NotReached
from mission_control.gateways.protocol.identity import discreet, identity, opened, target_of
from mission_control.gateways.protocol.target import url_problem
from mission_control.gateways.queries import CONNECTED, of_error, visible_gateway, visible_gateways
from mission_control.http.operation_api import Api
from mission_control.http.retries import key_of_request


class GatewaysStatusQuery(GatewayQuery):
    """The gateway: one by its url, which wins; else that of a board, or one by its id."""

    gateway_url: str | None = Field(None, max_length=2_000)
    gateway_token: str | None = Field(None, max_length=4_000)
    gateway_disable_device_pairing: bool | None = None
    gateway_allow_insecure_tls: bool | None = None


class GatewayCommandsQuery(Schema):
    """Without an id it is the gateway that was connected last."""

    gateway_id: UUID | None = None


class GatewaysStatusResponse(Schema):
    """Whether a gateway can be used, and its sessions."""

    connected: bool
    gateway_url: str
    sessions_count: int | None = None
    sessions: list[object] | None = None
    main_session: JsonObject | None = None
    main_session_error: str | None = None
    error: str | None = None


class GatewaySessionsResponse(Schema):
    """The sessions of a gateway as it describes them."""

    sessions: list[object]
    main_session: JsonObject | None = None


class GatewaySessionResponse(Schema):
    """A session as its gateway describes it."""

    session: object


class GatewaySessionHistoryResponse(Schema):
    """The messages of a session as its gateway keeps them."""

    history: list[object]


class GatewaySessionMessageRequest(Schema):
    """A message to a session. The same `idempotency_key` again sends nothing again."""

    content: NonEmptyStr
    idempotency_key: str | None = Field(None, min_length=1, max_length=200)


class GatewaySessionAbortRequest(Body):
    """Which run to end; without one all runs of the session."""

    run_id: str | None = Field(None, min_length=1, max_length=200)


class GatewaySessionAbortResponse(Schema):
    """Which runs were ended."""

    ok: bool
    run_ids: list[str]


class GatewayCommandsResponse(Schema):
    """What a gateway says that it can do."""

    protocol_version: int
    methods: list[str]
    events: list[str]


SECONDS = 5.0
AT_ONCE = 8
NOT_CONNECTED = "The gateway is not connected."

_probes = asyncio.Semaphore(AT_ONCE)


async def _status_of_url(actor: Actor, url: str, query: GatewaysStatusQuery) -> GatewaysStatusResponse:
    """Return the status of a gateway by its url: a saved one as it is, unless the request says otherwise.

    What a request leaves out is taken from the saved gateway with exactly this url; no other is lent its token.
    """
    here = Gateway.filter(organization_id=actor.organization_id, url=url).order_by("created_at")
    saved = _connected_first(await here)
    token, tls, saved_token = (query.gateway_token or "").strip(), query.gateway_allow_insecure_tls, None
    if saved is not None:
        with contextlib.suppress(GatewayError):
            saved_token = opened(saved.token)
        if tls in (None, saved.allow_insecure_tls) and token in ("", saved_token):
            return await _known(Reach(saved))
        tls = saved.allow_insecure_tls if tls is None else tls
    return await _probed(actor.organization_id, url, token or saved_token, allow_insecure_tls=bool(tls))


def _connected_first(gateways: list[Gateway]) -> Gateway | None:
    return next((gateway for gateway in gateways if gateway.state == CONNECTED), gateways[0] if gateways else None)


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


async def _probed(
    organization_id: UUID, url: str, token: str | None, *, allow_insecure_tls: bool
) -> GatewaysStatusResponse:
    answer = GatewaysStatusResponse(connected=False, gateway_url=url)
    try:
        async with asyncio.timeout(SECONDS), _probes:
            answer.error = url_problem(url)
            if answer.error is None:
                target = target_of(organization_id, url, token, allow_insecure_tls=allow_insecure_tls)
                connection = await connect(target, await identity(), on_event=lambda _: None, seconds=SECONDS)
                try:
                    payload = await connection.call("sessions.list", {}, seconds=SECONDS)
                finally:
                    await connection.close()
                answer.sessions = Mask([token]).value(session_reading.listed(payload, "sessions"))
                answer.connected, answer.sessions_count = True, len(answer.sessions or ())
    except TimeoutError:
        late = NotReached("TIMEOUT", f"The gateway did not answer within {SECONDS:g} seconds.")
        answer.error = (await discreet(organization_id, late)).message
    except GatewayError as error:
        error = await discreet(organization_id, error)
        answer.error = of_error(error).last_error or error.message
    return answer


api = Api(__name__, "gateways", below="/gateways")
OUTSIDE = {502: ErrorResponse}
SPOKEN_PROTOCOL = 4


@api.get("/status")
async def gateways_status(actor: Actor, query: GatewaysStatusQuery) -> GatewaysStatusResponse:
    """Say whether a gateway can be used, with its sessions.

    A saved gateway answers from its connection. Any other url is tried by a connection of at most 5 seconds; the
    saved token is used for exactly the url that it was saved with.
    """
    if not query.gateway_url:
        return await _known(await reached(actor, query))
    url = query.gateway_url.strip()
    if not url:
        raise Invalid("The gateway's url is blank.")
    require(actor, "gateway_session.probe")
    return await _status_of_url(actor, url, query)


@api.get("/sessions", errors=OUTSIDE)
async def list_gateway_sessions(actor: Actor, query: GatewayQuery) -> GatewaySessionsResponse:
    """List the sessions of a gateway as it describes them; people who are no admins see those of a board's agents."""
    reach = await reached(actor, query)
    answer = GatewaySessionsResponse(sessions=await session_reading.sessions_of(reach))
    with contextlib.suppress(Unreachable):
        answer.main_session = await session_reading.main_session(reach)
    return answer


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


@api.get("/commands", rule="gateway_session.probe")
async def gateway_commands(actor: Actor, query: GatewayCommandsQuery) -> GatewayCommandsResponse:
    """List the methods and events that a gateway announced when it was connected."""
    if query.gateway_id is not None:
        gateway = await visible_gateway(actor, query.gateway_id)
    else:
        newest = visible_gateways(actor).exclude(connected_at=None).order_by("-connected_at")
        gateway = _connected_first(await newest) or Gateway()
    return GatewayCommandsResponse(
        protocol_version=gateway.protocol or SPOKEN_PROTOCOL, methods=gateway.methods or [], events=gateway.events or []
    )
