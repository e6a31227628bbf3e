"""Checks of the provider's signed tokens, by joserfc."""

import logging
import math
from datetime import UTC

from joserfc import jwt
from joserfc.errors import InvalidClaimError, JoseError
from joserfc.jws import JWSRegistry, extract_compact
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from mission_control.core import times
from mission_control.core.values import JsonObject
from mission_control.people.sign_in.identity_provider import Provider, ProviderKeys

LONGEST_TOKEN = 16_384
MOST_KEYS = 5
# Clerk's tokens of machines, OAuth applications and API keys act for no session.
OTHER_THAN_SESSIONS = ("mt_", "m2m_", "oat_", "ak_", "mch_")

_log = logging.getLogger(__name__)


class TokenClaims(JWTClaimsRegistry):
    """The claims that every token of a provider must have, whatever it is for. `options` add others."""

    def __init__(self, provider: Provider, **options: ClaimsOption) -> None:
        issuer: ClaimsOption = {"essential": True, "value": provider.issuer} if provider.issuer else {}
        super().__init__(
            now=lambda: math.floor(times.clock_now().replace(tzinfo=UTC).timestamp()),
            leeway=provider.leeway,
            iss=issuer,
            sub={"essential": True},
            exp={"essential": True},
            **options,
        )
        self._provider = provider

    def validate_sub(self, value: object) -> None:
        """Refuse subjects that cannot be stored, that are reserved, or that are none of Clerk's people."""
        super().validate_sub(value)
        subject = str(value)
        if not subject.strip() or len(subject) > 255 or "\x00" in subject or subject.startswith("local-"):
            raise InvalidClaimError("sub", "The subject is blank, too long or reserved")
        if self._provider.kind == "clerk" and subject.startswith(OTHER_THAN_SESSIONS):
            raise InvalidClaimError("sub", "The subject is not a person")

    def validate_aud(self, value: object) -> None:
        """Refuse an audience where none is expected, as in Clerk's session tokens."""
        super().validate_aud(value)
        if value and "aud" not in self.options:
            raise InvalidClaimError("aud", "The token is for an audience, but none is configured")

    def validate_iat(self, value: object) -> None:
        """Check when the token was issued, unless the settings say not to."""
        if self._provider.checks_iat or not isinstance(value, int | float):
            super().validate_iat(value)


async def bearer_claims(keys: ProviderKeys, token: str) -> JsonObject | None:
    """Return the claims of a bearer token, or None when it must not be accepted."""
    provider, options = keys.provider, dict[str, ClaimsOption]()
    if provider.parties:
        options["azp"] = {"essential": True, "values": list(provider.parties)}
    if audiences := provider.audiences or (() if provider.kind == "clerk" else (provider.client_id,)):
        options["aud"] = {"essential": True, "values": list(audiences)}
    return await _valid_claims(keys, token, TokenClaims(provider, **options))


async def id_token_claims(keys: ProviderKeys, token: str, nonce: str) -> JsonObject | None:
    """Return the claims of a sign-in's ID token, or None when it is not valid or answers another sign-in."""
    client_id = keys.provider.client_id
    expected = TokenClaims(
        keys.provider,
        aud={"essential": True, "value": client_id},
        azp={"value": client_id},
        nonce={"essential": True, "value": nonce},
    )
    return await _valid_claims(keys, token, expected)


async def _valid_claims(keys: ProviderKeys, token: str, expected: TokenClaims) -> JsonObject | None:
    try:
        claims = await _signed_claims(keys, token)
        expected.validate(claims)
    except (JoseError, ValueError, TypeError) as fault:
        _log.info("token refused", extra={"reason": str(fault)})
        return None
    return claims


def _key_named(header: JsonObject, provider: Provider) -> tuple[str, str | None]:
    """Return the algorithm and the key id of a token. Raise ValueError for what no key is worth looking up for."""
    algorithm, key_id = header["alg"], header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in provider.algorithms or "crit" in header:
        raise ValueError("The algorithm or a critical header field is not supported")
    if key_id is not None and not isinstance(key_id, str):
        raise ValueError("The key id is not a text")
    return algorithm, key_id


async def _signed_claims(keys: ProviderKeys, token: str) -> JsonObject:
    if len(token) > LONGEST_TOKEN:
        raise ValueError("The token is too long")
    # Providers add header fields of their own, as Clerk does; the critical ones are refused.
    registry = JWSRegistry(algorithms=keys.provider.algorithms, strict_check_header=False)
    header = extract_compact(token.encode(), registry=registry).headers()
    algorithm, key_id = _key_named(header, keys.provider)
    is_other = token.startswith(OTHER_THAN_SESSIONS) or str(header.get("typ", "")).lower().endswith("at+jwt")
    if keys.provider.kind == "clerk" and is_other:
        raise ValueError("The token is not one of a session")
    for key in (await keys.fitting(algorithm, key_id))[:MOST_KEYS]:
        try:
            return jwt.decode(token, key, registry=registry).claims
        except (JoseError, ValueError, TypeError):
            continue
    raise ValueError("No key of the provider has signed the token")
