"""What a call to a webhook says: whether it is signed, what its body means, which of its headers are kept."""

import hmac
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

INT64 = 2**63
DEEPEST = 100
HIDDEN = "[redacted]"
USUAL_HEADERS = ("x-hub-signature-256", "x-webhook-signature")
KEPT_HEADERS = {"content-type", "user-agent"}
NEVER_KEPT = {*USUAL_HEADERS, "authorization"}
CREDENTIAL = re.compile(
    r"auth|token|secret|passw|credential|cookie|session|signature|jwt|bearer|(?<!idempotency-)\bkey\b|apikey"
)
SURROGATES = re.compile("[\ud800-\udfff\x00]")


def is_signed(body: bytes, secret: str, headers: Mapping[str, str], configured: str | None) -> bool | None:
    """Whether the body is signed with the secret by HMAC-SHA256; None when no signature was sent."""
    names = (configured,) if configured else USUAL_HEADERS
    sent = next((headers[name].strip() for name in names if headers.get(name, "").strip()), None)
    if sent is None:
        return None
    if sent[:7].lower() == "sha256=":
        sent = sent[7:].strip()
    wanted = hmac.digest(secret.encode(), body, "sha256").hex()
    return hmac.compare_digest(wanted.encode(), sent.lower().encode("utf-8", "surrogateescape"))


def decoded(body: bytes, content_type: str | None) -> Any:
    """The body as JSON when it says or looks so, else as text; `{}` when it is empty."""
    text = body.decode("utf-8", "replace")
    bare = text.strip()
    if not bare:
        return {}
    if "application/json" in (content_type or "").lower() or bare[0] in '{["' or bare in ("true", "false"):
        try:
            return storable(json.loads(bare, parse_constant=_refuse))
        except (ValueError, RecursionError):
            pass
    return clean(text)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def storable(value: Any, depth: int = 0) -> Any:
    """The value as every database and every answer can carry it; ValueError when it is nested too deep."""
    if depth > DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        return {clean(key): storable(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [storable(one, depth + 1) for one in value]
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not -INT64 <= value < INT64:
        return str(value)
    return value


def clean(text: str) -> str:
    """The text without NUL and lone surrogates, which no database column takes."""
    return SURROGATES.sub("\ufffd", text)


def kept_headers(headers: Iterable[tuple[str, str]], configured: str | None) -> dict[str, str]:
    """The headers that say what a call is about, names in lower case; what looks like a credential is hidden."""
    dropped = NEVER_KEPT | {(configured or "").lower()}
    kept: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        if name not in dropped and (name in KEPT_HEADERS or name.startswith("x-")):
            kept[name] = HIDDEN if CREDENTIAL.search(name) else clean(value)
    return kept


def shortened(payload: Any, most: int | None) -> Any:
    """The payload, or the beginning of its text when that is longer than allowed."""
    if most is None:
        return payload
    text = payload if isinstance(payload, str) else json.dumps(payload)
    if len(text) <= most:
        return payload
    return text[:most] if most <= 3 else text[: most - 3] + "..."
