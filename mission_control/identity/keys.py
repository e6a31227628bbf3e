"""The provider's public keys: discovered, cached for minutes, read again when a token names an unknown one.

Authlib's own discovery is not used: it reads a document once, and does not compare its issuer.
"""

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from mission_control.identity.provider import Provider
from mission_control.identity.remote import ProviderUnreachable, bearer, read_object

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
        self._metadata: dict[str, Any] = {}
        self._read_at: float | None = None
        self._failed_at = self._looked_again_at = -RETRY_SECONDS
        self._asking = asyncio.Lock()

    async def fitting(self, algorithm: str, key_id: str | None) -> list[Key]:
        """Return the keys that may have signed. An unknown id reads them again, every ten seconds at most."""
        await self._refresh()
        found = self._choose(algorithm, key_id)
        if not found and key_id is not None:
            await self._look_again()
            found = self._choose(algorithm, key_id)
        return found

    async def metadata(self) -> dict[str, Any]:
        """Return the provider's discovery document, empty where only its keys are known."""
        await self._refresh()
        return self._metadata

    def _choose(self, algorithm: str, key_id: str | None) -> list[Key]:
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
            if self._read_at is not None and self._read_at >= asked_at:
                return  # another request has read them while this one waited
            if time.monotonic() - self._looked_again_at >= RETRY_SECONDS:
                self._looked_again_at = time.monotonic()
                await self._read()

    def _age(self) -> float:
        return float("inf") if self._read_at is None else time.monotonic() - self._read_at

    async def _read(self) -> bool:
        try:
            metadata = await self._discover_unless_clerk()
            keys = await self._read_keys(metadata)
        except ProviderUnreachable:
            self._failed_at = time.monotonic()
            return False
        self._metadata, self._keys, self._read_at = metadata, keys, time.monotonic()
        return True

    async def _discover_unless_clerk(self) -> dict[str, Any]:
        """Return the discovery document; an empty one where Clerk's backend can provide the keys instead."""
        if not self.provider.issuer:
            return {}
        try:
            return await self._discover()
        except ProviderUnreachable:
            if not self.provider.api_key:
                raise
            return {}

    async def _discover(self) -> dict[str, Any]:
        issuer = self.provider.issuer
        found = await read_object(get_well_known_url(issuer, external=True))
        addresses = [found[name] for name in ENDPOINTS if name in found]
        if found.get("issuer") != issuer or "jwks_uri" not in found:
            raise ProviderUnreachable()
        if not all(_is_as_safe(address, issuer) for address in addresses):
            raise ProviderUnreachable()
        return found

    async def _read_keys(self, metadata: dict[str, Any]) -> list[Key]:
        if metadata:
            found = await read_object(metadata["jwks_uri"])
        else:
            found = await read_object(f"{self.provider.api_url}/jwks", headers=bearer(self.provider.api_key))
        listed = found.get("keys")
        return [key for one in (listed if isinstance(listed, list) else []) if (key := _public_key(one)) is not None]


def _is_as_safe(address: Any, issuer: str) -> bool:
    """Return whether an address has at least the issuer's protection."""
    return isinstance(address, str) and urlsplit(address).scheme in {"https", urlsplit(issuer).scheme}


def _public_key(found: Any) -> Key | None:
    """Import a key that signatures can be checked with; None for shared secrets and for keys of encryption."""
    if not isinstance(found, dict) or found.get("kty") == "oct" or found.get("use", "sig") != "sig":
        return None
    try:
        return JWKRegistry.import_key({name: found[name] for name in found if name not in ("d", "key_ops")})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
