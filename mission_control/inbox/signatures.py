"""Signatures of the notices that callbacks get: Standard Webhooks (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"


def new_secret() -> str:
    """Return 256 random bits as Standard Webhooks spells a secret."""
    return f"{PREFIX}{base64.b64encode(secrets.token_bytes(32)).decode()}"


def usable_secret(secret: str) -> str:
    """Return the secret. Raises ValueError when `whsec_` is not followed by the base64 of 24 to 64 bytes."""
    if secret.startswith(PREFIX) and not is_standard(secret):
        raise ValueError("after whsec_ comes the base64 of 24 to 64 random bytes")
    return secret


def is_standard(secret: str) -> bool:
    """Return whether a secret is spelled as Standard Webhooks wants it."""
    if not secret.startswith(PREFIX):
        return False
    try:
        size = len(base64.b64decode(secret.removeprefix(PREFIX), validate=True))
    except ValueError:
        return False
    return 24 <= size <= 64


def signature_headers(message_id: str, moment: datetime, body: str, secret: str) -> dict[str, str]:
    """Return the headers that prove a message: its id, the moment (naive UTC) and the signature.

    Any other secret is the key as it is. Callbacks had such secrets before this standard, so their messages also carry
    the headers of then.
    """
    has_standard = is_standard(secret)
    signature = Webhook(secret if has_standard else secret.encode()).sign(message_id, moment, body)
    timestamp = str(int(moment.replace(tzinfo=UTC).timestamp()))
    headers = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
    return headers if has_standard else headers | _earlier_headers(message_id, timestamp, body, secret)


def _earlier_headers(message_id: str, timestamp: str, body: str, secret: str) -> dict[str, str]:
    signature = hmac.digest(secret.encode(), f"{timestamp}.{body}".encode(), hashlib.sha256).hex()
    return {
        "X-Mission-Control-Delivery": message_id,
        "X-Mission-Control-Timestamp": timestamp,
        "X-Mission-Control-Signature": f"sha256={signature}",
    }
