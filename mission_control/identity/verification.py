"""Whether a signed token of the provider is good: signature, issuer, audience, and time."""

import base64
import binascii
import json
import logging
import math
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from mission_control.core import clock
from mission_control.identity.keys import ProviderKeys
from mission_control.identity.provider import Provider

LONGEST_TOKEN = 16_384
MOST_KEYS = 5
# Clerk's tokens of machines, OAuth applications and API keys act for no session.
OTHER_THAN_SESSIONS = ("mt_", "m2m_", "oat_", "ak_", "mch_")

type Claims = dict[str, Any]
_log = logging.getLogger(__name__)


async def bearer_claims(keys: ProviderKeys, token: str) -> Claims | None:
    """What a bearer token says, None when it is not good."""
    claims = await _signed_claims(keys, token)
    return _unless(claims, claims and (_fault(keys.provider, claims) or _audience_fault(keys.provider, claims)))


async def id_token_claims(keys: ProviderKeys, token: str, nonce: str) -> Claims | None:
    """What the ID token of a sign-in says, None when it is not good or is the answer to another sign-in."""
    claims = await _signed_claims(keys, token)
    return _unless(claims, claims and (_fault(keys.provider, claims) or _id_fault(keys.provider, claims, nonce)))


def expiry(provider: Provider, claims: Claims) -> datetime:
    """When a good token ends, naive UTC."""
    moment = datetime.fromtimestamp(min(claims["exp"] + provider.leeway, 253402300799), UTC)
    return clock.naive_utc(moment)


def _unless(claims: Claims | None, fault: Any) -> Claims | None:
    if fault:
        _log.info("token refused", extra={"reason": fault})
        return None
    return claims


async def _signed_claims(keys: ProviderKeys, token: str) -> Claims | None:
    header = _header(token) if len(token) <= LONGEST_TOKEN else None
    if header is None or not _is_usable(keys.provider, token, header):
        return None
    algorithm, key_id = header["alg"], header.get("kid")
    for key in (await keys.fitting(algorithm, key_id))[:MOST_KEYS]:
        try:
            return dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
        except (JoseError, ValueError, TypeError):
            continue
    _log.info("token refused", extra={"reason": "no key of the provider has signed it"})
    return None


def _header(token: str) -> dict[str, Any] | None:
    first = token.partition(".")[0]
    try:
        found = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_usable(provider: Provider, token: str, header: dict[str, Any]) -> bool:
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in provider.algorithms or "crit" in header:
        return False
    if key_id is not None and not isinstance(key_id, str):
        return False
    is_other = token.startswith(OTHER_THAN_SESSIONS) or str(header.get("typ", "")).lower().endswith("at+jwt")
    return not (provider.kind == "clerk" and is_other)


def _fault(provider: Provider, claims: Claims) -> str | None:
    """What is wrong with a signed token whatever it is for."""
    now = clock.now().replace(tzinfo=UTC).timestamp()
    subject = claims.get("sub")
    if provider.issuer and claims.get("iss") != provider.issuer:
        return "another issuer"
    if not isinstance(subject, str) or not subject.strip() or len(subject) > 255 or "\x00" in subject:
        return "no subject"
    if provider.kind == "clerk" and subject.startswith(OTHER_THAN_SESSIONS):
        return "not a session"
    if subject.startswith("local-"):
        return "a subject that is reserved"
    if any(name in claims and not _is_moment(claims[name]) for name in ("exp", "nbf", "iat")):
        return "a moment that is none"
    if claims.get("exp", 0) + provider.leeway <= now:
        return "expired"
    if claims.get("nbf", 0) - provider.leeway > now:
        return "not valid yet"
    if provider.checks_iat and claims.get("iat", 0) - provider.leeway > now:
        return "issued in the future"
    return None


def _audience_fault(provider: Provider, claims: Claims) -> str | None:
    """What is wrong with whom a bearer token is for."""
    audiences, party = _audiences(claims), claims.get("azp")
    if provider.parties and party not in provider.parties:
        return "another authorized party"
    if provider.audiences:
        return None if set(audiences) & set(provider.audiences) else "another audience"
    if provider.kind == "clerk":
        return "an audience where none is expected" if audiences else None
    return None if provider.client_id in audiences else "another audience"


def _id_fault(provider: Provider, claims: Claims, nonce: str) -> str | None:
    if provider.client_id not in _audiences(claims) or claims.get("azp", provider.client_id) != provider.client_id:
        return "an ID token of another client"
    return None if claims.get("nonce") == nonce else "the ID token of another sign-in"


def _audiences(claims: Claims) -> list[str]:
    found = claims.get("aud") or []
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]


def _is_moment(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
