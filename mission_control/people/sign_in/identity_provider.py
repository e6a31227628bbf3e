"""The identity provider that this installation trusts: requests to it, and its public keys."""

import asyncio
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from mission_control.core.settings import Settings
from mission_control.core.values import JsonObject
from mission_control.people.sign_in.errors import ProviderUnreachable

if TYPE_CHECKING:
    import httpx2
    from joserfc.jwk import Key

ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's settings. Without an issuer (Clerk with only its secret key) the keys come from Clerk's backend."""

    kind: Literal["clerk", "oidc"]
    issuer: str
    audiences: tuple[str, ...]
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    parties: tuple[str, ...]
    allowed_domains: tuple[str, ...]
    allowed_groups: tuple[str, ...]
    algorithms: frozenset[str]
    leeway: int
    checks_iat: bool
    api_url: str
    api_key: str


def provider_of(settings: Settings) -> Provider | None:
    """Return the provider that the settings name, None in local mode."""
    if settings.auth_mode == "local":
        return None
    is_clerk = settings.auth_mode == "clerk"
    api = settings.clerk_api_url.rstrip("/").removesuffix("/v1")
    return Provider(
        kind="clerk" if is_clerk else "oidc",
        issuer=settings.issuer,
        audiences=settings.oidc_audience,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        scopes=tuple(dict.fromkeys(("openid", *settings.oidc_scopes))),
        parties=settings.clerk_authorized_parties if is_clerk else (),
        allowed_domains=tuple(domain.lower().removeprefix("@") for domain in settings.oidc_allowed_domains),
        allowed_groups=settings.oidc_allowed_groups,
        algorithms=frozenset({"RS256"}) if is_clerk else ASYMMETRIC,
        leeway=math.ceil(settings.clerk_leeway if is_clerk else settings.oidc_leeway),
        checks_iat=settings.clerk_verify_iat if is_clerk else True,
        api_url=f"{api}/v1" if is_clerk else "",
        api_key=settings.clerk_secret_key if is_clerk else "",
    )


async def ask(method: str, url: str, headers: dict[str, str] | None = None) -> "httpx2.Response":
    """Return the answer, whatever its status. Raises ProviderUnreachable when there is none in time."""
    from mission_control.people.sign_in import _provider_requests

    return await _provider_requests.answered(method, url, headers)


async def read_object(url: str, headers: dict[str, str] | None = None) -> JsonObject:
    """Return the JSON object at an address. Raises ProviderUnreachable for anything else."""
    response = await ask("GET", url, headers)
    try:
        document = response.json()
    except (ValueError, RecursionError):
        document = None
    if response.status_code != 200 or not isinstance(document, dict):
        raise ProviderUnreachable()
    return document


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


FRESH_SECONDS = 300.0
STALE_SECONDS = 3600.0
RETRY_SECONDS = 10.0
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")


class ProviderKeys:
    """What the provider publishes about itself. One request at a time asks, the others wait for its answer.

    Keys are good for five minutes. While the provider does not answer, they are used for up to an hour, and it is
    asked again every ten seconds at most.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._keys: list[Key] = []
        self._metadata: JsonObject = {}
        self._read_at: float | None = None
        self._failed_at = self._looked_again_at = -RETRY_SECONDS
        self._asking = asyncio.Lock()

    async def fitting(self, algorithm: str, key_id: str | None) -> "list[Key]":
        """Return the keys that may have signed. An unknown id reads them again, every ten seconds at most."""
        await self._refresh()
        keys = self._choose(algorithm, key_id)
        if not keys and key_id is not None:
            await self._look_again()
            keys = self._choose(algorithm, key_id)
        return keys

    async def metadata(self) -> JsonObject:
        await self._refresh()
        return self._metadata

    def _choose(self, algorithm: str, key_id: str | None) -> "list[Key]":
        from joserfc.jwk import KeySet

        return [
            key
            for key in self._keys
            if key.key_type in KeySet.algorithm_keys.get(algorithm, [])
            and key.get("alg") in (None, algorithm)
            and (key_id is None or key.get("kid") == key_id)
        ]

    async def _refresh(self) -> None:
        if self._age() < FRESH_SECONDS:
            return
        async with self._asking:
            if self._age() < FRESH_SECONDS:
                return
            may_ask = time.monotonic() - self._failed_at >= RETRY_SECONDS
            if not (may_ask and await self._read()) and self._age() >= STALE_SECONDS:
                raise ProviderUnreachable()

    async def _look_again(self) -> None:
        asked_at = time.monotonic()
        async with self._asking:
            was_read = self._read_at is not None and self._read_at >= asked_at  # by another request
            if not was_read and time.monotonic() - self._looked_again_at >= RETRY_SECONDS:
                self._looked_again_at = time.monotonic()
                await self._read()

    def _age(self) -> float:
        return float("inf") if self._read_at is None else time.monotonic() - self._read_at

    async def _read(self) -> bool:
        try:
            metadata = await self._discover()
            address, headers = metadata.get("jwks_uri"), None
            if address is None:
                address, headers = f"{self.provider.api_url}/jwks", bearer(self.provider.api_key)
            listed = (await read_object(address, headers=headers)).get("keys")
        except ProviderUnreachable:
            self._failed_at = time.monotonic()
            return False
        keys = [_public_key(entry) for entry in (listed if isinstance(listed, list) else [])]
        self._keys = [key for key in keys if key is not None]
        self._metadata, self._read_at = metadata, time.monotonic()
        return True

    async def _discover(self) -> JsonObject:
        """Return the discovery document; an empty one where Clerk's backend can provide the keys instead."""
        from authlib.oidc.discovery import get_well_known_url

        if not (issuer := self.provider.issuer):
            return {}
        safe = {"https", urlsplit(issuer).scheme}  # at least the issuer's protection
        try:
            document = await read_object(get_well_known_url(issuer, external=True))
            if not all(urlsplit(str(document.get(name, issuer))).scheme in safe for name in ENDPOINTS):
                raise ProviderUnreachable()
            if document.get("issuer") != issuer or "jwks_uri" not in document:
                raise ProviderUnreachable()
        except ProviderUnreachable:
            if not self.provider.api_key:
                raise
            return {}
        return document


def _public_key(entry: object) -> "Key | None":
    """Import a key that signatures can be checked with; None for shared secrets and for keys of encryption."""
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    if not isinstance(entry, dict) or entry.get("kty") == "oct" or entry.get("use", "sig") != "sig":
        return None
    try:
        return JWKRegistry.import_key({name: entry[name] for name in entry if name not in ("d", "key_ops")})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
