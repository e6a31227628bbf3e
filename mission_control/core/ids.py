"""Identifiers: time-ordered UUIDs for rows, random text for secrets."""

import hashlib
import secrets
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A version 7 UUID: rows made later sort later."""
    return uuid7()


def parse_id(text: object) -> UUID | None:
    """Read a UUID in any of its usual spellings, or None."""
    try:
        return text if isinstance(text, UUID) else UUID(str(text))
    except ValueError:
        return None


def new_secret(prefix: str) -> str:
    """`prefix_` and 43 characters that carry 256 random bits."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def fingerprint(secret: str) -> str:
    """The hex SHA-256 under which a secret of full entropy is stored and looked up."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
