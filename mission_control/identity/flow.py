"""Signing in on pages: the authorization code flow with PKCE, its state in a short-lived signed cookie."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from itsdangerous import BadData, URLSafeTimedSerializer

from mission_control.core.errors import Forbidden
from mission_control.identity.bearer import Identity
from mission_control.identity.remote import ProviderUnreachable, ask, object_of
from mission_control.identity.verification import id_token_claims

LIFE_SECONDS = 600
AGAIN = "Signing in did not come to its end. Please start again."


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in that is under way in a browser; with `link`, a session whose account is to be linked."""

    state: str
    nonce: str
    verifier: str
    next: str
    link: str = ""


def begin(wanted: str, link: str = "") -> Attempt:
    """A new sign-in that shall lead to a page, or link the account of a session."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Attempt(state, nonce, verifier, wanted, link)


def sealed(attempt: Attempt, key: str) -> str:
    """The sign-in as the text of a cookie."""
    return _serializer(key).dumps(asdict(attempt))


def unsealed(cookie: str | None, key: str) -> Attempt | None:
    """The sign-in behind a cookie that is ours and younger than ten minutes."""
    try:
        return Attempt(**_serializer(key).loads(cookie or "", max_age=LIFE_SECONDS))
    except (BadData, TypeError):
        return None


def _serializer(key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="mission control sign-in")


async def authorization_address(known: Identity, attempt: Attempt, redirect_uri: str) -> str:
    """Where the browser goes to prove itself."""
    endpoint = str((await known.keys.metadata()).get("authorization_endpoint", ""))
    if not endpoint:
        raise ProviderUnreachable()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": known.provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(known.provider.scopes),
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


async def finish(
    known: Identity, attempt: Attempt | None, answer: dict[str, str], redirect_uri: str
) -> tuple[dict[str, Any], str | None]:
    """The claims of who has signed in, and an access token; Forbidden when the answer belongs to nothing begun here."""
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
    metadata = await known.keys.metadata()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": attempt.verifier,
    }
    login, more = _client_login(known, metadata)
    response = await ask("POST", str(metadata.get("token_endpoint", "")), data=form | more, auth=login)
    if response.status_code >= 500:
        raise ProviderUnreachable()
    found = object_of(response)
    if response.status_code != 200 or found is None:
        raise Forbidden(AGAIN)
    return found


def _client_login(known: Identity, metadata: dict[str, Any]) -> tuple[httpx.BasicAuth | None, dict[str, str]]:
    """How the client proves itself: with its secret as the provider likes it, or only by its id."""
    client_id, secret = known.provider.client_id, known.provider.client_secret
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if secret and "client_secret_basic" in methods:
        return httpx.BasicAuth(quote(client_id, safe=""), quote(secret, safe="")), {}
    return None, {"client_id": client_id} | ({"client_secret": secret} if secret else {})
