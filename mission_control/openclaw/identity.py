"""The device as which this installation signs: one Ed25519 key, whose public half the gateway's owner approves."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Signing:
    """What a signature binds to one connection."""

    client_id: str
    client_mode: str
    role: str
    scopes: Sequence[str]
    signed_at_ms: int
    token: str
    nonce: str
    platform: str
    device_family: str = ""


class Identity:
    """A device's key. When it is lost, every gateway has to approve the next one."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public = key.public_key().public_bytes_raw()

    @classmethod
    def new(cls) -> "Identity":
        """Make a new identity."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_private(cls, private: bytes) -> "Identity":
        """Return the identity of 32 raw bytes."""
        return cls(Ed25519PrivateKey.from_private_bytes(private))

    def __repr__(self) -> str:
        """Name the device and never the key."""
        return f"Identity({self.device_id[:12]}...)"

    @property
    def private_bytes(self) -> bytes:
        """The raw key, to be kept encrypted."""
        return self._key.private_bytes_raw()

    @property
    def device_id(self) -> str:
        """The fingerprint by which gateways know the device."""
        return hashlib.sha256(self._public).hexdigest()

    @property
    def public_key(self) -> str:
        """The public key as gateways want it."""
        return _url_safe(self._public)

    def sign(self, signing: Signing, *, version: int = 3) -> str:
        """Return the signature of a connection; version 2 leaves out what gateways before 2026.3 do not know."""
        return _url_safe(self._key.sign(signed_text(self.device_id, signing, version=version).encode()))


def signed_text(device_id: str, signing: Signing, *, version: int = 3) -> str:
    """Return the text under a signature."""
    parts = [
        f"v{version}",
        device_id,
        signing.client_id,
        signing.client_mode,
        signing.role,
        ",".join(signing.scopes),
        str(signing.signed_at_ms),
        signing.token,
        signing.nonce,
    ]
    if version >= 3:
        parts += [signing.platform.lower(), signing.device_family.lower()]
    return "|".join(parts)


def _url_safe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
