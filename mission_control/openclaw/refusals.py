"""From what a gateway answers, or how a connection fails, to the kind of error that it is."""

import socket
import ssl
from collections.abc import Mapping
from typing import Any

from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, WebSocketException

from mission_control.core.json import to_json
from mission_control.openclaw.errors import (
    AccessDenied,
    GatewayError,
    MissingScopes,
    NotSupported,
    PairingRefused,
    PairingRequired,
    TokenRefused,
    TooNew,
    TooOld,
    Unreachable,
)
from mission_control.openclaw.texts import Said

NEWEST_PROTOCOL = 4
# A gateway that asks for a longer pause is asked again nevertheless.
LONGEST_WAIT_SECONDS = 3_600.0
MOST_DETAILS, LONGEST_CODE = 20_000, 100
# The gateway restarts, restarts soon, or is overloaded.
RESTART_CODES = {1001, 1006, 1011, 1012, 1013, 4000}
DETAIL_KINDS: dict[str, type[GatewayError]] = {
    "PAIRING_REQUIRED": PairingRequired,
    "PAIRING_REJECTED": PairingRefused,
    "PAIRING_EXPIRED": PairingRefused,
    "OPERATOR_ACCESS_DENIED": AccessDenied,
    "AUTH_SCOPE_MISMATCH": MissingScopes,
    "MISSING_SCOPE": MissingScopes,
    "AUTH_UNAUTHORIZED": TokenRefused,
    "AUTH_REQUIRED": TokenRefused,
    "AUTH_RATE_LIMITED": TokenRefused,
    "AUTH_TOKEN_MISMATCH": TokenRefused,
    "AUTH_TOKEN_MISSING": TokenRefused,
    "AUTH_TOKEN_NOT_CONFIGURED": TokenRefused,
    "AUTH_PASSWORD_MISMATCH": TokenRefused,
    "AUTH_PASSWORD_MISSING": TokenRefused,
    "AUTH_PASSWORD_NOT_CONFIGURED": TokenRefused,
    "AUTH_DEVICE_TOKEN_MISMATCH": TokenRefused,
    "AUTH_BOOTSTRAP_TOKEN_INVALID": TokenRefused,
    "DEVICE_IDENTITY_REQUIRED": TokenRefused,
    "AUTH_IDENTITY_HEADER_REQUIRED": AccessDenied,
    "AUTH_VERIFIED_USER_REQUIRED": AccessDenied,
    "AUTH_TAILSCALE_IDENTITY_MISSING": AccessDenied,
    "AUTH_TAILSCALE_IDENTITY_MISMATCH": AccessDenied,
    "AUTH_TAILSCALE_PROXY_MISSING": AccessDenied,
    "AUTH_TAILSCALE_WHOIS_FAILED": AccessDenied,
}


def refusal(error: Any, *, connecting: bool = False, secrets: tuple[str, ...] = ()) -> GatewayError:
    """Return the error of an answer with `ok: false`. `secrets` are taken out of its text."""
    said = error if isinstance(error, Mapping) else {}
    code, message = (
        str(said.get("code") or "ERROR").replace("\0", "")[:LONGEST_CODE],
        str(said.get("message") or "The gateway gave no reason."),
    )
    details = _kept(said.get("details"))
    for secret in secrets:
        message = message.replace(secret, "[secret]")
    wait = said.get("retryAfterMs", details.get("retryAfterMs"))
    kind, details = _kind(code, message, details, connecting)
    return kind(
        code,
        message,
        details=details,
        is_retryable=bool(said.get("retryable")) or (connecting and code == "UNAVAILABLE"),
        retry_after=min(wait / 1000, LONGEST_WAIT_SECONDS) if isinstance(wait, int | float) and wait >= 0 else None,
    )


def _kept(details: Any) -> dict[str, Any]:
    """Return details as they can be stored: none where they are too much, or hold what no database takes."""
    if not isinstance(details, Mapping):
        return {}
    encoded = to_json(details)
    return dict(details) if len(encoded) <= MOST_DETAILS and b"\\u0000" not in encoded else {}


def _kind(
    code: str, message: str, details: dict[str, Any], connecting: bool
) -> tuple[type[GatewayError], dict[str, Any]]:
    inner = details.get("code")
    if inner == "PROTOCOL_MISMATCH" or (connecting and "expectedProtocol" in details):
        expected = details.get("expectedProtocol")
        return (TooNew if isinstance(expected, int) and expected > NEWEST_PROTOCOL else TooOld), details
    if isinstance(inner, str) and inner in DETAIL_KINDS:
        return DETAIL_KINDS[inner], details
    if code in DETAIL_KINDS:
        return DETAIL_KINDS[code], details
    if code == "NOT_PAIRED":
        return (PairingRequired if "requestId" in details else TokenRefused), details
    if (found := Said.MISSING_SCOPE.search(message)) is not None:
        return MissingScopes, details | {"missingScope": found["scope"]}
    if Said.UNKNOWN_METHOD.search(message):
        return NotSupported, details
    if connecting and code == "UNAVAILABLE":
        return Unreachable, details
    return GatewayError, details


def closed(code: int | None, reason: str, *, was_sent: bool) -> GatewayError:
    """Return the error of a connection that ended: before an answer, or while it was made."""
    if code == 1008 and (pairing := Said.PAIRING_REQUIRED.search(reason)) is not None:
        details = {"requestId": pairing["request"], "reason": pairing["reason"] or "not-paired"}
        return PairingRequired("NOT_PAIRED", "The gateway asks for this device to be approved.", details=details)
    if code == 1009:
        return GatewayError("TOO_LARGE", "The gateway refused the request because it is too large.", was_sent=was_sent)
    reason = reason.replace("\0", "")
    said = f": {reason}" if reason else ""
    return Unreachable(
        "CLOSED",
        f"The gateway closed the connection ({code or 1006}{said}).",
        details={"closeCode": code or 1006, "reason": reason},
        is_retryable=code is None or code in RESTART_CODES or code == 1000,
        was_sent=was_sent,
    )


def not_connected(problem: Exception) -> GatewayError:
    """Return the error of a connection that could not be made."""
    match problem:
        case GatewayError():
            return problem
        case InvalidStatus():
            return _status(problem.response.status_code, bytes(problem.response.body or b""))
        case TimeoutError():
            return Unreachable("TIMEOUT", "The gateway does not answer in time.", is_retryable=True)
        case ssl.SSLCertVerificationError():
            return Unreachable("TLS", f"The gateway's certificate cannot be trusted: {problem.verify_message}.")
        case ssl.SSLError(reason="WRONG_VERSION_NUMBER" | "RECORD_LAYER_FAILURE"):
            return Unreachable("TLS", "What listens there speaks without TLS: write ws:// in place of wss://.")
        case ssl.SSLError():
            return Unreachable("TLS", f"No encrypted connection: {problem.reason or 'the handshake failed'}.")
        case socket.gaierror():
            return Unreachable("DNS", "The name of the gateway's host cannot be resolved.", is_retryable=True)
        case ConnectionRefusedError():
            return Unreachable("REFUSED", "Nothing listens at the gateway's address.", is_retryable=True)
        case InvalidMessage():  # also what a port of TLS says to plain text
            return Unreachable("NOT_A_GATEWAY", "What answers there speaks no HTTP, or only over TLS (wss://).")
        case InvalidHandshake():
            return Unreachable("NOT_A_GATEWAY", "What answers there is no WebSocket.")
        case ConnectionError() | EOFError():
            text = "The connection was closed before it was made. A gateway with TLS needs wss://, one without ws://."
            return Unreachable("UNREACHABLE", text, is_retryable=True)
        case OSError() | WebSocketException():
            return Unreachable("UNREACHABLE", "The gateway cannot be reached.", is_retryable=True)
    raise problem


def _status(status: int, body: bytes) -> GatewayError:
    if status == 403 and b"proxy_attribution_required" in body:
        text = "The gateway does not trust the proxy before it: add its address to gateway.trustedProxies."
        return AccessDenied("PROXY_ATTRIBUTION_REQUIRED", text, details={"status": status})
    if status in (401, 403, 407):
        return AccessDenied("HTTP_DENIED", f"The gateway, or a proxy before it, answers HTTP {status}.")
    if status == 429 or status >= 500:
        text = "The gateway is starting, or its proxy cannot reach it" if status in (502, 503, 504) else "It is busy"
        code = "STARTING" if status == 503 else "HTTP_ERROR"
        return Unreachable(code, f"{text} (HTTP {status}).", details={"status": status}, is_retryable=True)
    return Unreachable("NOT_A_GATEWAY", f"What answers there is no gateway (HTTP {status}).")
