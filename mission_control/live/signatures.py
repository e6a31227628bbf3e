"""Signatures of log heads: HMAC-SHA256 with a key derived from SECRET_KEY.

The hashes of a log need no key, so that anybody can check them. The signature of its head is what somebody who can
write to the database, but does not have SECRET_KEY, cannot make.
"""

import hashlib
import hmac
from dataclasses import dataclass
from enum import Enum

GENESIS = "0" * 64


class Verdict(Enum):
    """What a signature says about a head."""

    VALID = "valid"
    MISSING = "missing"
    OTHER_KEY = "other key"
    FORGED = "forged"


@dataclass(frozen=True, slots=True)
class _Key:
    secret: bytes
    name: str


_key: _Key | None = None


def use_key(secret: bytes) -> None:
    """Sign and check with this key from now on, in this process."""
    global _key
    _key = _Key(secret, hmac.digest(secret, b"name", hashlib.sha256).hex()[:8])


def key_name() -> str:
    """Return eight digits that name the key in signatures and reveal nothing of it."""
    return _present().name


def sign(log: str, seq: int, digest: str) -> str:
    """Return the signature of a log's head: the key's name, a dot, and the HMAC of log, number and hash."""
    key = _present()
    return f"{key.name}.{hmac.digest(key.secret, f'{log} {seq} {digest}'.encode(), hashlib.sha256).hex()}"


def judge(log: str, seq: int, digest: str, signature: str) -> Verdict:
    """Check the signature of a log's head."""
    if not signature:
        return Verdict.MISSING
    if hmac.compare_digest(signature.encode(), sign(log, seq, digest).encode()):
        return Verdict.VALID
    name = signature.partition(".")[0]
    return Verdict.FORGED if name == _present().name else Verdict.OTHER_KEY


def _present() -> _Key:
    if _key is None:
        raise RuntimeError("No key was set for signing the heads of logs.")
    return _key
