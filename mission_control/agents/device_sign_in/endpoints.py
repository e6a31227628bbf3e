"""Where terminals ask to be signed in, as RFC 8628 and RFC 6749 describe it: forms in, JSON out."""

from collections.abc import Mapping

from pydantic import ValidationError
from quart import Blueprint, Response, request

from mission_control.agents.device_sign_in.commands import INTERVAL, LIFE, DeviceNeeds, NotYet, ask, exchange, spelled
from mission_control.agents.models import Agent
from mission_control.agents.token_pages import base_url
from mission_control.boards.models import Board
from mission_control.core import limits
from mission_control.core.actor import system
from mission_control.core.errors import TooMany
from mission_control.core.programs import client_choices
from mission_control.core.values import to_json
from mission_control.http.authentication import CONNECTED_FOR
from mission_control.http.proxies import client_ip, rate_limit_key
from mission_control.people.accounts.credentials import CONNECTION_SCOPES

CLIENT_ID, SCOPE = "mission-control-client", "connect"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"

endpoints = Blueprint("device_endpoints", __name__, url_prefix="/oauth")


class Refused(Exception):
    """What is wrong with a request."""

    def __init__(self, error: str, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.error, self.sentence, self.status = error, sentence, status


def _answer(body: Mapping[str, object], status: int = 200, **headers: str) -> Response:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache", **headers}
    return Response(to_json(body), status, headers, content_type="application/json")


def _refusal(error: str, sentence: str, status: int = 400, **headers: str) -> Response:
    return _answer({"error": error, "error_description": sentence}, status, **headers)


async def _sent(*needed: str) -> dict[str, str]:
    """Return the fields of a request, each at most once. Those that are empty count as left out."""
    form = await request.form
    if any(len(form.getlist(name)) > 1 for name in form):
        raise Refused("invalid_request", "A field is sent twice.")
    sent = {name: value for name, value in form.items() if value}
    if missing := [name for name in needed if name not in sent]:
        raise Refused("invalid_request", f"{missing[0]} is missing. Send a form with it.")
    if sent["client_id"] != CLIENT_ID:
        raise Refused("invalid_client", f"client_id is {CLIENT_ID}.", 401)
    return sent


@endpoints.post("/device_authorization")
async def authorize_device() -> Response:
    """Answer the codes with which a terminal is signed in."""
    key = rate_limit_key(client_ip())
    try:
        limits.terminals.check(key)
        limits.terminals.failed(key)
        sent = await _sent("client_id")
        if not set(sent.get("scope", SCOPE).split()) <= set(CONNECTION_SCOPES):
            raise Refused("invalid_scope", f"The scope is {SCOPE}.")
        asked = await ask(system(), DeviceNeeds.model_validate(sent), client_ip())
    except Refused as error:
        return _refusal(error.error, error.sentence, error.status)
    except TooMany as error:
        return _refusal("slow_down", "Too many terminals ask from your address.", 429, **error.headers)
    except ValidationError:
        return _refusal("invalid_request", f"client is {client_choices()}.")
    code = spelled(asked.code.user_code)
    return _answer(
        {
            "device_code": asked.secret,
            "user_code": code,
            "verification_uri": f"{base_url()}/device",
            "verification_uri_complete": f"{base_url()}/device?user_code={code}",
            "expires_in": int(LIFE.total_seconds()),
            "interval": INTERVAL,
        }
    )


@endpoints.post("/token")
async def give_token() -> Response:
    """Answer the token of a terminal, once, when its person has approved it."""
    try:
        sent = await _sent("grant_type", "client_id")
        if sent["grant_type"] != GRANT:
            raise Refused("unsupported_grant_type", f"grant_type is {GRANT}.")
        if "device_code" not in sent:
            raise Refused("invalid_request", "device_code is missing. Send a form with it.")
        made = await exchange(sent["device_code"])
    except Refused as error:
        return _refusal(error.error, error.sentence, error.status)
    except NotYet as error:
        return _refusal(error.error, error.sentence)
    except TooMany as error:
        return _refusal("slow_down", "Too many wrong codes came from your address.", 429, **error.headers)
    board = await Board.get(id=made.connection.board_id)
    agent: Agent = made.agent
    return _answer(
        {
            "access_token": made.token.secret,
            "token_type": "Bearer",
            "expires_in": int(CONNECTED_FOR.total_seconds()),
            "scope": " ".join(CONNECTION_SCOPES),
            "connection_id": made.connection.id,
            "agent": {"id": agent.id, "name": agent.name},
            "board": {"id": board.id, "name": board.name},
        }
    )
