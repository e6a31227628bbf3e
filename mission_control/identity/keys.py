"""The provider's public keys: discovered, kept for minutes, looked at again when a token names an unknown one."""

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from mission_control.identity.provider import Provider
from mission_control.identity.remote import ProviderUnreachable, bearer, read_object

KEPT_SECONDS = 300.0
KEPT_WITHOUT_ANSWER_SECONDS = 3600.0
PAUSE_SECONDS = 10.0

type PublicKey = RSAKey | ECKey | OKPKey
KINDS: dict[str, type[PublicKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
FAMILIES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


class ProviderKeys:
    """What the provider publishes about itself. One request at a time asks, the others wait for its answer."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._keys: list[PublicKey] = []
        self._metadata: dict[str, Any] = {}
        self._read_at: float | None = None
        self._failed_at = self._looked_again_at = -PAUSE_SECONDS
        self._asking = asyncio.Lock()

    async def fitting(self, algorithm: str, key_id: str | None) -> list[PublicKey]:
        """The keys that may have signed; an unknown id makes it look again, at most every ten seconds."""
        await self._be_current()
        found = self._choose(algorithm, key_id)
        if not found and key_id is not None:
            await self._look_again()
            found = self._choose(algorithm, key_id)
        return found

    async def metadata(self) -> dict[str, Any]:
        """The provider's discovery document."""
        await self._be_current()
        return self._metadata

    def _choose(self, algorithm: str, key_id: str | None) -> list[PublicKey]:
        kind = FAMILIES.get(algorithm[:2])
        return [
            key
            for key in self._keys
            if key.key_type == kind
            and key.get("alg") in (None, algorithm)
            and (key_id is None or key.get("kid") == key_id)
        ]

    async def _be_current(self) -> None:
        if self._age() < KEPT_SECONDS:
            return
        async with self._asking:
            if self._age() < KEPT_SECONDS:
                return
            may_ask = time.monotonic() - self._failed_at >= PAUSE_SECONDS
            if not (may_ask and await self._read()) and self._age() >= KEPT_WITHOUT_ANSWER_SECONDS:
                raise ProviderUnreachable()

    async def _look_again(self) -> None:
        asked_at = time.monotonic()
        async with self._asking:
            if self._read_at is not None and self._read_at >= asked_at:
                return  # somebody else has looked while this waited
            if time.monotonic() - self._looked_again_at >= PAUSE_SECONDS:
                self._looked_again_at = time.monotonic()
                await self._read()

    def _age(self) -> float:
        return float("inf") if self._read_at is None else time.monotonic() - self._read_at

    async def _read(self) -> bool:
        try:
            metadata = await self._metadata_or_nothing()
            keys = await self._read_keys(metadata)
        except ProviderUnreachable:
            self._failed_at = time.monotonic()
            return False
        self._metadata, self._keys, self._read_at = metadata, keys, time.monotonic()
        return True

    async def _metadata_or_nothing(self) -> dict[str, Any]:
        """The discovery document; nothing where the keys can be had from Clerk's backend instead."""
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
        found = await read_object(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer or not _is_kept_safe(found.get("jwks_uri"), issuer):
            raise ProviderUnreachable()
        return found

    async def _read_keys(self, metadata: dict[str, Any]) -> list[PublicKey]:
        if metadata:
            found = await read_object(metadata["jwks_uri"])
        else:
            found = await read_object(f"{self.provider.api_url}/jwks", headers=bearer(self.provider.api_key))
        listed = found.get("keys")
        return [key for one in (listed if isinstance(listed, list) else []) if (key := _public_key(one)) is not None]


def _is_kept_safe(url: Any, issuer: str) -> bool:
    """Whether an address has at least the issuer's protection."""
    return isinstance(url, str) and urlsplit(url).scheme in {"https", urlsplit(issuer).scheme}


def _public_key(found: Any) -> PublicKey | None:
    """A key that signatures can be checked with; shared secrets and keys for encryption are none."""
    if not isinstance(found, dict) or found.get("use", "sig") != "sig" or found.get("kty") not in KINDS:
        return None
    try:
        return KINDS[found["kty"]].import_key({name: found[name] for name in found if name not in ("d", "key_ops")})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
