"""Signing in on pages: Authlib's authorization code flow with PKCE, its state in a short-lived signed cookie."""

import hmac
import secrets
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from itsdangerous import BadData, URLSafeTimedSerializer

from mission_control.core.errors import Forbidden
from mission_control.identity.bearer import Identity
from mission_control.identity.remote import ProviderUnreachable, client_options, time_limit
from mission_control.identity.verification import id_token_claims

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


def begin(wanted: str, link: str = "") -> Attempt:
    """Return a new sign-in that leads to a page, or links the account of a session."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Attempt(state, nonce, verifier, wanted, link)


def sealed(attempt: Attempt, key: str) -> str:
    """Return the sign-in as the text of a cookie."""
    return _serializer(key).dumps(asdict(attempt))


def unsealed(cookie: str | None, key: str) -> Attempt | None:
    """Return the sign-in of a cookie that we made less than ten minutes ago, else None."""
    try:
        return Attempt(**_serializer(key).loads(cookie or "", max_age=LIFE_SECONDS))
    except (BadData, TypeError):
        return None


def _serializer(key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="mission control sign-in")


async def authorization_address(known: Identity, attempt: Attempt, redirect_uri: str) -> str:
    """Return where the browser goes to sign in."""
    metadata = await known.keys.metadata()
    if not metadata.get("authorization_endpoint"):
        raise ProviderUnreachable()
    async with _client(known, metadata, redirect_uri) as client:
        address, _ = client.create_authorization_url(
            metadata["authorization_endpoint"],
            state=attempt.state,
            nonce=attempt.nonce,
            code_verifier=attempt.verifier,
        )
    return address


async def finish(
    known: Identity, attempt: Attempt | None, answer: dict[str, str], redirect_uri: str
) -> tuple[dict[str, Any], str | None]:
    """Return the claims of the person who signed in, and an access token.

    Raises Forbidden when the answer does not belong to a sign-in that this browser began.
    """
    if attempt is None or not hmac.compare_digest(attempt.state.encode(), answer.get("state", "").encode()):
        raise Forbidden(AGAIN)
    if answer.get("iss", known.provider.issuer) != known.provider.issuer:
        raise Forbidden(AGAIN)
    if "error" in answer or not answer.get("code"):
        refused = answer.get("error") == "access_denied"
        raise Forbidden("The provider did not let you in." if refused else AGAIN)
    tokens = await _exchange(known, attempt, answer["code"], redirect_uri)
    signed, access = tokens.get("id_token"), tokens.get("access_token")
    claims = await id_token_claims(known.keys, signed, attempt.nonce) if isinstance(signed, str) else None
    if claims is None:
        raise Forbidden(AGAIN)
    return claims, access if isinstance(access, str) else None


async def _exchange(known: Identity, attempt: Attempt, code: str, redirect_uri: str) -> dict[str, Any]:
    """Trade the code for tokens. Raises Forbidden when the provider refuses it."""
    metadata = await known.keys.metadata()
    if not metadata.get("token_endpoint"):
        raise ProviderUnreachable()
    async with time_limit(), _client(known, metadata, redirect_uri) as client:
        try:
            tokens: dict[str, Any] = await client.fetch_token(
                metadata["token_endpoint"], code=code, code_verifier=attempt.verifier, auth=_basic_login(client)
            )
        except (OAuthError, ValueError, RecursionError) as error:
            raise Forbidden(AGAIN) from error
    return tokens


def _client(known: Identity, metadata: dict[str, Any], redirect_uri: str) -> AsyncOAuth2Client:
    """Return a client that proves itself with its secret as the provider likes it, or only names its id."""
    provider, supported = known.provider, metadata.get("token_endpoint_auth_methods_supported") or [BASIC]
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


def _basic_login(client: AsyncOAuth2Client) -> httpx2.BasicAuth | None:
    """Return id and secret percent-encoded, as RFC 6749 (2.3.1) wants them; Authlib sends them as they are."""
    if client.token_endpoint_auth_method != BASIC:
        return None
    return httpx2.BasicAuth(quote(client.client_id, safe=""), quote(client.client_secret, safe=""))
