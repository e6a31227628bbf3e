"""Identifiers: time-ordered UUIDs for rows, random text for secrets."""

import hashlib
import secrets
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a version 7 UUID: rows made later sort later."""
    return uuid7()


def parse_id(text: object) -> UUID | None:
    """Read a UUID in any of its usual spellings, or None."""
    try:
        return text if isinstance(text, UUID) else UUID(str(text))
    except ValueError:
        return None


def new_secret(prefix: str) -> str:
    """Return `prefix_` and 48 characters with 288 random bits; clients expect 50 characters or more."""
    return f"{prefix}_{secrets.token_urlsafe(36)}"


def fingerprint(secret: str) -> str:
    """Return the hex SHA-256 by which a secret is stored and looked up; its full entropy makes a salt needless."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
