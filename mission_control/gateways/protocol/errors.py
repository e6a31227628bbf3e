"""What may go wrong with a gateway: each kind with its reaction, and how it is told from an answer."""

import asyncio
import re
import socket
import ssl
from enum import Enum
from typing import Protocol

from mission_control.core.values import JsonObject, to_json
from mission_control.gateways.protocol.payload import Payload


class Said(Enum):
    """A text of gateways, as a pattern; where two versions say it differently, it holds both."""

    UNKNOWN_METHOD = r"^unknown method: \S+"
    # Before FORBIDDEN and MISSING_SCOPE came (2026.3.13).
    MISSING_SCOPE = r"missing scope: (?P<scope>[\w.]+)"
    # The reason with which a connection is closed, where the refusal itself did not arrive.
    PAIRING_REQUIRED = r"pairing required(?:: (?P<reason>[a-z]+(?:-[a-z]+)+))?(?:.*requestId: (?P<request>[\w.:-]+))?"
    AGENT_EXISTS = r"already exists"
    AGENT_MISSING = r"not found|unknown agent|no longer exists"
    LABEL_TAKEN = r"label already in use"
    FILE_UNSUPPORTED = r"unsupported file"
    # Before APPROVAL_NOT_FOUND came (2026.3.13).
    APPROVAL_GONE = r"unknown or expired approval"
    # Somebody else changed the configuration before ours was sent, or before the gateway had loaded ours.
    CONFIG_STALE = r"config changed since|base hash required|was not applied .*superseded"
    # The gateway has stored the patch and restarts because of it: no failure, to be looked at again.
    CONFIG_STORED = r"persisted and .*wait for the gateway to restart"

    def search(self, message: str) -> re.Match[str] | None:
        return re.search(self.value, message, re.IGNORECASE | re.DOTALL)


# What may stand in a command that people copy into a shell.
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
MOST_MESSAGE = 2_000
LONGEST_TEXT = 200
# Tokens of this installation, which a gateway may repeat from what it refuses.
TOKEN = re.compile(r"\b(mc[au]_)[A-Za-z0-9_-]{8,}")
# Print the shared token on the gateway's host: the first at a terminal only; the second, within an address, where
# OpenClaw does not know the first yet (2026.3.13).
TOKEN_COMMANDS = ("openclaw gateway auth-token --show", "openclaw dashboard --no-open")
REFUSING = {"rejected": "The pairing was rejected on the gateway.", "expired": "Nobody approved the pairing in time."}


class WireClosed(Exception):
    """The other side, or the network, ended the connection."""

    def __init__(self, code: int | None, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code} {reason}")


class GatewayError(Exception):
    """A gateway refused or could not be asked; `code` and `details` are the gateway's own where it gave any.

    `retry_after` is in seconds. `was_sent` says that the request left before the failure, so that the gateway may have
    carried it out.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: JsonObject | None = None,
        is_retryable: bool = False,
        retry_after: float | None = None,
        was_sent: bool = False,
    ) -> None:
        self.code = code
        self.message = TOKEN.sub(r"\1…", message.replace("\0", ""))[:MOST_MESSAGE]
        self.details: JsonObject = dict(details or {})
        self.is_retryable = is_retryable
        self.retry_after = retry_after
        self.was_sent = was_sent
        super().__init__(self.message)

    @property
    def detail_code(self) -> str:
        """The machine word within the details, such as `AUTH_TOKEN_MISMATCH`; the code where there is none."""
        inner = self.details.get("code")
        return inner if isinstance(inner, str) and inner else self.code


class Unreachable(GatewayError):
    """No connection: refused, closed, silent, not started yet. Code: REFUSED, DNS, TLS, TIMEOUT, CLOSED, STARTING..."""


class PairingWait(Protocol):
    """A connection on which a gateway says how a pairing ended."""

    async def resolution(self, seconds: float) -> str | None:
        """None when there was no decision within so many seconds."""

    async def close(self) -> None:
        """Close the connection."""


class PairingRequired(GatewayError):
    """The gateway's owner has to approve this installation's device first."""

    wait: PairingWait | None = None  # where the gateway offers it and it was asked for

    @property
    def request_id(self) -> str | None:
        """The request to approve; None where the gateway named none that may stand in a command."""
        text = text_of(self.details.get("requestId"))
        return text if text and REQUEST_ID.fullmatch(text) else None

    @property
    def device_id(self) -> str | None:
        """The device that waits: this installation's."""
        return text_of(self.details.get("deviceId"))

    @property
    def reason(self) -> str:
        """`not-paired`, `scope-upgrade`, `metadata-upgrade` and the like."""
        return text_of(self.details.get("reason")) or "not-paired"

    @property
    def command(self) -> str:
        return approve_command(self.request_id)

    async def resolved(self, seconds: float) -> None:
        """Return when it is time to connect again: the pairing was decided, or so many seconds have passed.

        Raises PairingRefused when it was rejected or expired. To be called once.
        """
        if self.wait is None:
            await asyncio.sleep(seconds)
            return
        try:
            decision = await self.wait.resolution(seconds)
        finally:
            await self.wait.close()
        if decision in REFUSING:
            raise PairingRefused(f"PAIRING_{decision.upper()}", REFUSING[decision], details=self.details)


class PairingRefused(GatewayError):
    """The pairing was rejected, or nobody approved it in time; connecting again asks anew."""


class AccessDenied(GatewayError):
    """The gateway, or a proxy before it, knows the caller but grants nothing."""


class TokenRefused(GatewayError):
    """The token is missing, wrong, or was tried wrongly too often (then with `retry_after`)."""


class MissingScopes(GatewayError):
    """The connection was granted less than is needed."""

    @property
    def scopes(self) -> tuple[str, ...]:
        missing = self.details.get("missing")
        if isinstance(missing, list):
            return tuple(map(str, missing))
        scope = self.details.get("missingScope")
        return (str(scope),) if scope else ()


class TooOld(GatewayError):
    """The gateway's version or protocol is older than what this program supports."""


class TooNew(GatewayError):
    """The gateway speaks only a newer protocol than this program."""


class NotSupported(GatewayError):
    """The gateway does not have the method, or the part of it that was asked for."""


KINDS: dict[str, type[GatewayError]] = {
    kind.__name__: kind
    for kind in (
        GatewayError, Unreachable, PairingRequired, PairingRefused, AccessDenied, TokenRefused, MissingScopes, TooOld,
        TooNew, NotSupported,
    )
}  # fmt: skip


def approve_command(request_id: str | None) -> str:
    """Without a request it lists what waits."""
    return f"openclaw devices approve {request_id}" if request_id else "openclaw devices list"


def to_values(error: GatewayError) -> JsonObject:
    """Take an error apart into plain values, for another process."""
    names = ("code", "message", "details", "is_retryable", "retry_after", "was_sent")
    return {"kind": type(error).__name__} | {name: getattr(error, name) for name in names}


def from_values(values: JsonObject) -> GatewayError:
    return KINDS.get(values["kind"], GatewayError)(**{name: value for name, value in values.items() if name != "kind"})


def text_of(value: object, longest: int = LONGEST_TEXT) -> str | None:
    """Return what of a value may be kept as a text; None where there is none."""
    return (value.replace("\0", "")[:longest] or None) if isinstance(value, str) else None


NEWEST_PROTOCOL = 4
# A gateway that asks for a longer pause is asked again nevertheless.
LONGEST_WAIT_SECONDS = 3_600.0
MOST_DETAILS, LONGEST_CODE = 20_000, 100
# The gateway restarts, restarts soon, or is overloaded.
RESTART_CODES = {1001, 1006, 1011, 1012, 1013, 4000}
TOKEN_WORDS = (
    "UNAUTHORIZED", "REQUIRED", "RATE_LIMITED", "TOKEN_MISMATCH", "TOKEN_MISSING", "TOKEN_NOT_CONFIGURED",
    "PASSWORD_MISMATCH", "PASSWORD_MISSING", "PASSWORD_NOT_CONFIGURED", "DEVICE_TOKEN_MISMATCH",
    "BOOTSTRAP_TOKEN_INVALID",
)  # fmt: skip
ACCESS_WORDS = (
    "IDENTITY_HEADER_REQUIRED", "VERIFIED_USER_REQUIRED", "TAILSCALE_IDENTITY_MISSING", "TAILSCALE_IDENTITY_MISMATCH",
    "TAILSCALE_PROXY_MISSING", "TAILSCALE_WHOIS_FAILED",
)  # fmt: skip
DETAIL_KINDS: dict[str, type[GatewayError]] = {
    "PAIRING_REQUIRED": PairingRequired,
    "PAIRING_REJECTED": PairingRefused,
    "PAIRING_EXPIRED": PairingRefused,
    "OPERATOR_ACCESS_DENIED": AccessDenied,
    "AUTH_SCOPE_MISMATCH": MissingScopes,
    "MISSING_SCOPE": MissingScopes,
    "DEVICE_IDENTITY_REQUIRED": TokenRefused,
    **{f"AUTH_{word}": TokenRefused for word in TOKEN_WORDS},
    **{f"AUTH_{word}": AccessDenied for word in ACCESS_WORDS},
}


def refusal(error: object, *, connecting: bool = False, secrets: tuple[str, ...] = ()) -> GatewayError:
    """Read an answer with `ok: false`. `secrets` are taken out of its text."""
    answer = Payload.of(error)
    code = (answer.text("code") or "ERROR").replace("\0", "")[:LONGEST_CODE]
    message, details = answer.text("message") or "The gateway gave no reason.", _storable(answer.inner("details"))
    for secret in secrets:
        message = message.replace(secret, "[secret]")
    wait = answer.get("retryAfterMs", details.get("retryAfterMs"))
    kind, is_starting = _kind(code, message, details, connecting), connecting and code == "UNAVAILABLE"
    if is_starting and kind is GatewayError:
        kind = Unreachable
    return kind(
        code,
        message,
        details=details,
        is_retryable=bool(answer.get("retryable")) or is_starting,
        retry_after=min(wait / 1000, LONGEST_WAIT_SECONDS) if isinstance(wait, int | float) and wait >= 0 else None,
    )


def _storable(details: Payload) -> Payload:
    """Nothing where details are too much, or hold what no database takes."""
    encoded = to_json(details)
    return details if len(encoded) <= MOST_DETAILS and b"\\u0000" not in encoded else Payload()


def _kind(code: str, message: str, details: Payload, connecting: bool) -> type[GatewayError]:
    """Tell the kind of an error; a scope that only its message names is added to the details."""
    inner = details.text("code")
    if inner == "PROTOCOL_MISMATCH" or (connecting and "expectedProtocol" in details):
        return _kind_of_mismatch(details.get("expectedProtocol"))
    if kind := DETAIL_KINDS.get(inner) or DETAIL_KINDS.get(code):
        return kind
    if code == "NOT_PAIRED":
        return PairingRequired if "requestId" in details else TokenRefused
    if (match := Said.MISSING_SCOPE.search(message)) is not None:
        details["missingScope"] = match["scope"]
        return MissingScopes
    return NotSupported if Said.UNKNOWN_METHOD.search(message) else GatewayError


def _kind_of_mismatch(expected: object) -> type[GatewayError]:
    return TooNew if isinstance(expected, int) and expected > NEWEST_PROTOCOL else TooOld


def closed(code: int | None, reason: str, *, was_sent: bool) -> GatewayError:
    """Name the end of a connection, before an answer or while it was made."""
    if code == 1008 and (pairing := Said.PAIRING_REQUIRED.search(reason)) is not None:
        details = {"requestId": pairing["request"], "reason": pairing["reason"] or "not-paired"}
        return PairingRequired("NOT_PAIRED", "The gateway asks for this device to be approved.", details=details)
    if code == 1009:
        return GatewayError("TOO_LARGE", "The gateway refused the request because it is too large.", was_sent=was_sent)
    reason = reason.replace("\0", "")
    return Unreachable(
        "CLOSED",
        f"The gateway closed the connection ({code or 1006}{f': {reason}' if reason else ''}).",
        details={"closeCode": code or 1006, "reason": reason},
        is_retryable=code is None or code in RESTART_CODES or code == 1000,
        was_sent=was_sent,
    )


def not_connected(problem: Exception) -> GatewayError:
    from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, WebSocketException

    if isinstance(problem, GatewayError):
        return problem
    if isinstance(problem, InvalidStatus):
        return _status(problem.response.status_code, bytes(problem.response.body or b""))
    if isinstance(problem, ssl.SSLError):
        return Unreachable("TLS", _tls_text(problem))
    kinds: tuple[tuple[type[Exception], str, str], ...] = (
        (TimeoutError, "TIMEOUT", "The gateway does not answer in time."),
        (socket.gaierror, "DNS", "The name of the gateway's host cannot be resolved."),
        (ConnectionRefusedError, "REFUSED", "Nothing listens at the gateway's address."),
        # Also what a port of TLS says to plain text.
        (InvalidMessage, "NOT_A_GATEWAY", "What answers there speaks no HTTP, or only over TLS (wss://)."),
        (InvalidHandshake, "NOT_A_GATEWAY", "What answers there is no WebSocket."),
        (ConnectionError, "UNREACHABLE", CLOSED_EARLY),
        (EOFError, "UNREACHABLE", CLOSED_EARLY),
        (OSError, "UNREACHABLE", "The gateway cannot be reached."),
        (WebSocketException, "UNREACHABLE", "The gateway cannot be reached."),
    )
    for kind, code, text in kinds:
        if isinstance(problem, kind):
            return Unreachable(code, text, is_retryable=code != "NOT_A_GATEWAY")
    raise problem


CLOSED_EARLY = "The connection was closed before it was made. A gateway with TLS needs wss://, one without ws://."


def _tls_text(problem: ssl.SSLError) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"The gateway's certificate cannot be trusted: {problem.verify_message}."
    if problem.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return "What listens there speaks without TLS: write ws:// in place of wss://."
    return f"No encrypted connection: {problem.reason or 'the handshake failed'}."


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
