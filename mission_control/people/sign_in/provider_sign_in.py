"""Signing in on pages with the identity provider, by Authlib: the redirect to it, and the way back."""

import hmac
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from itsdangerous import BadData, URLSafeTimedSerializer
from quart import Blueprint, Response, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.core.errors import Conflict, Forbidden, NotFound
from mission_control.core.values import JsonObject
from mission_control.http import authentication
from mission_control.http.authentication import live_session
from mission_control.people.accounts.commands import session_of_ticket
from mission_control.people.accounts.credentials import set_cookie
from mission_control.people.accounts.pages import sign_in_page
from mission_control.people.models import User
from mission_control.people.sign_in.browser_sessions import begin_session
from mission_control.people.sign_in.errors import ProviderUnreachable
from mission_control.people.sign_in.provider_accounts import link, person_behind, profile_of_claims
from mission_control.people.sign_in.verification import Identity, identity
from mission_control.web.shell import safe_next

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import AsyncOAuth2Client

LIFE_SECONDS = 600
BASIC = "client_secret_basic"
AGAIN = "Signing in was not completed. Start again."


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that a browser has begun. `link` is the session whose account it links, empty for a plain sign-in."""

    state: str
    nonce: str
    verifier: str
    next: str
    link: str = ""


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="mission control sign-in")


async def authorization_address(service: Identity, attempt: Attempt, redirect_uri: str) -> str:
    metadata = await service.keys.metadata()
    if not metadata.get("authorization_endpoint"):
        raise ProviderUnreachable()
    async with _client(service, metadata, redirect_uri) as client:
        address, _ = client.create_authorization_url(
            metadata["authorization_endpoint"], state=attempt.state, nonce=attempt.nonce, code_verifier=attempt.verifier
        )
    return address


async def finish(
    service: Identity, attempt: Attempt | None, answer: dict[str, str], redirect_uri: str
) -> tuple[JsonObject, str | None]:
    """Return the claims of the person who signed in, and an access token.

    Raises Forbidden when the answer does not belong to a sign-in that this browser began.
    """
    import httpx2
    from authlib.integrations.base_client import OAuthError

    from mission_control.people.sign_in import _provider_tokens
    from mission_control.people.sign_in._provider_requests import time_limit

    if attempt is None:
        raise Forbidden(AGAIN)
    _check(service, attempt, answer)
    metadata = await service.keys.metadata()
    if not metadata.get("token_endpoint"):
        raise ProviderUnreachable()
    async with time_limit(), _client(service, metadata, redirect_uri) as client:
        login = None
        if client.token_endpoint_auth_method == BASIC:
            # Percent-encoded, as RFC 6749 (2.3.1) wants them; Authlib sends them as they are.
            login = httpx2.BasicAuth(quote(client.client_id, safe=""), quote(client.client_secret, safe=""))
        try:
            tokens: JsonObject = await client.fetch_token(
                metadata["token_endpoint"], code=answer["code"], code_verifier=attempt.verifier, auth=login
            )
        except (OAuthError, ValueError, RecursionError) as error:
            raise Forbidden(AGAIN) from error
    signed, access = tokens.get("id_token"), tokens.get("access_token")
    if not isinstance(signed, str):
        raise Forbidden(AGAIN)
    if (claims := await _provider_tokens.id_token_claims(service.keys, signed, attempt.nonce)) is None:
        raise Forbidden(AGAIN)
    return claims, access if isinstance(access, str) else None


def _check(service: Identity, attempt: Attempt, answer: dict[str, str]) -> None:
    is_ours = hmac.compare_digest(attempt.state.encode(), answer.get("state", "").encode())
    if not is_ours or answer.get("iss", service.provider.issuer) != service.provider.issuer:
        raise Forbidden(AGAIN)
    if "error" in answer or not answer.get("code"):
        refused = answer.get("error") == "access_denied"
        raise Forbidden("The provider did not let you in." if refused else AGAIN)


def _client(service: Identity, metadata: JsonObject, redirect_uri: str) -> "AsyncOAuth2Client":
    """Return a client that proves itself with its secret as the provider likes it, or only names its id."""
    from authlib.integrations.httpx_client import AsyncOAuth2Client

    from mission_control.people.sign_in._provider_requests import client_options

    provider, supported = service.provider, metadata.get("token_endpoint_auth_methods_supported") or [BASIC]
    with_secret = BASIC if BASIC in supported else "client_secret_post"
    return AsyncOAuth2Client(
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        token_endpoint_auth_method=with_secret if provider.client_secret else "none",
        scope=" ".join(provider.scopes),
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        **client_options(),
    )


COOKIE = "mission_control_provider"
LINKED = "/settings/sign-in?saved=linked#sign-in"


pages = Blueprint("identity_pages", __name__, url_prefix="/sign-in")


@pages.get("/provider")
async def depart() -> ResponseReturnValue:
    """Redirect to the provider."""
    service = _provider()
    destination = safe_next(request.args.get("next"))
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    attempt = Attempt(state, nonce, verifier, destination, await _linking())
    try:
        response = _to(await authorization_address(service, attempt, _way_back()))
    except ProviderUnreachable as error:
        return await sign_in_page({"next": destination}, {"": error.sentence}), error.status
    set_cookie(response, COOKIE, _serializer().dumps(asdict(attempt)), LIFE_SECONDS)
    return response


@pages.get("/callback")
async def arrive() -> ResponseReturnValue:
    """Take the provider's answer and start a session, or link the account of one."""
    service, attempt = _provider(), None
    with suppress(BadData, TypeError):  # not a sign-in that we began less than ten minutes ago
        attempt = Attempt(**_serializer().loads(request.cookies.get(COOKIE, ""), max_age=LIFE_SECONDS))
    destination = safe_next(attempt.next) if attempt else "/"
    try:
        response = _to(await _arrived(service, attempt, destination))
    except (Forbidden, Conflict, ProviderUnreachable) as error:
        response = Response(
            await sign_in_page({"next": destination}, {"": error.sentence}), error.status, content_type="text/html"
        )
    set_cookie(response, COOKIE, "", 0)
    return response


async def _linking() -> str:
    """Return the session whose account is to be linked, empty for a sign-in. Raises Forbidden for another's ticket."""
    ticket = request.args.get("link")
    if ticket is None:
        return ""
    session, session_id = await live_session(), session_of_ticket(ticket, current_app.config["SECRET_KEY"])
    if session is None or session[1] != session_id:
        raise Forbidden(AGAIN)
    return str(session_id)


async def _arrived(service: Identity, attempt: Attempt | None, destination: str) -> str:
    """Sign the person in, or link their account. Return the page to go to."""
    claims, access_token = await finish(service, attempt, request.args.to_dict(), _way_back())
    if attempt is not None and attempt.link:
        session, actor = await live_session(), await authentication.user_by_session()
        if session is None or actor is None or str(session[1]) != attempt.link:
            raise Forbidden(AGAIN)
        await link(actor, await User.get(id=actor.id), profile_of_claims(claims), session[1])
        return LINKED
    person = await person_behind(service.provider, claims, lambda: service.details(claims, access_token))
    user = await User.get_or_none(id=person.id) if person else None
    if person is None or user is None:
        raise Forbidden(AGAIN)
    await begin_session(user)
    return LINKED if person.is_newly_linked else destination


def _provider() -> Identity:
    service = identity()
    if service is None or not (service.provider.issuer and service.provider.client_id):
        raise NotFound()
    return service


def _way_back() -> str:
    base = current_app.config["SETTINGS"].base_url or request.host_url.rstrip("/")
    return f"{base}/sign-in/callback"


def _to(address: str) -> Response:
    return Response("", 303, {"Location": address})
