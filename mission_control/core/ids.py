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
    """`prefix_` and 48 characters that carry 288 random bits: clients want 50 characters or more."""
    return f"{prefix}_{secrets.token_urlsafe(36)}"


def fingerprint(secret: str) -> str:
    """The hex SHA-256 under which a secret of full entropy is stored and looked up."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
