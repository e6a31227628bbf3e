"""What may go wrong with a gateway, each kind with what it takes to react to it."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Protocol

# What may stand in a command that people copy into a shell.
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
MOST_MESSAGE = 2_000
LONGEST_WORD = 200
# Tokens of this installation, which a gateway may repeat from what it refuses.
TOKEN = re.compile(r"\b(mc[au]_)[A-Za-z0-9_-]{8,}")
# Print the shared token on the gateway's host: the first at a terminal only; the second, within an address, where
# OpenClaw does not know the first yet (2026.3.13).
TOKEN_COMMANDS = ("openclaw gateway auth-token --show", "openclaw dashboard --no-open")
REFUSING = {
    "rejected": "The pairing was rejected on the gateway.",
    "expired": "Nobody approved the pairing in time.",
}


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
        details: Mapping[str, Any] | None = None,
        is_retryable: bool = False,
        retry_after: float | None = None,
        was_sent: bool = False,
    ) -> None:
        self.code = code
        self.message = TOKEN.sub(r"\1…", message.replace("\0", ""))[:MOST_MESSAGE]
        self.details: dict[str, Any] = dict(details or {})
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
        """Return the decision, or None when there was none within so many seconds."""

    async def close(self) -> None:
        """Close the connection."""


class PairingRequired(GatewayError):
    """The gateway's owner has to approve this installation's device first."""

    wait: PairingWait | None = None  # where the gateway offers it and it was asked for

    @property
    def request_id(self) -> str | None:
        """The request to approve; None where the gateway named none that may stand in a command."""
        return _request_id(self.details.get("requestId"))

    @property
    def device_id(self) -> str | None:
        """The device that waits: this installation's."""
        return _text(self.details.get("deviceId"))

    @property
    def reason(self) -> str:
        """`not-paired`, `scope-upgrade`, `metadata-upgrade` and the like."""
        return _text(self.details.get("reason")) or "not-paired"

    @property
    def command(self) -> str:
        """What to run on the gateway's host."""
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
        """What is missing."""
        listed = self.details.get("missing")
        if isinstance(listed, list):
            return tuple(str(one) for one in listed)
        one = self.details.get("missingScope")
        return (str(one),) if one else ()


class TooOld(GatewayError):
    """The gateway's version or protocol is older than what this program supports."""


class TooNew(GatewayError):
    """The gateway speaks only a newer protocol than this program."""


class NotSupported(GatewayError):
    """The gateway does not have the method, or the part of it that was asked for."""


KINDS: dict[str, type[GatewayError]] = {
    one.__name__: one
    for one in (
        GatewayError, Unreachable, PairingRequired, PairingRefused, AccessDenied, TokenRefused, MissingScopes, TooOld,
        TooNew, NotSupported,
    )
}  # fmt: skip


def approve_command(request_id: str | None) -> str:
    """Return the command that approves a pairing on the gateway's host, or lists what waits."""
    return f"openclaw devices approve {request_id}" if request_id else "openclaw devices list"


def to_values(error: GatewayError) -> dict[str, Any]:
    """Return an error as plain values, for another process."""
    return {
        "kind": type(error).__name__,
        "code": error.code,
        "message": error.message,
        "details": error.details,
        "is_retryable": error.is_retryable,
        "retry_after": error.retry_after,
        "was_sent": error.was_sent,
    }


def from_values(values: Mapping[str, Any]) -> GatewayError:
    """Return the error that `to_values` took apart."""
    kept = {key: value for key, value in values.items() if key not in ("kind", "code", "message")}
    return KINDS.get(values["kind"], GatewayError)(values["code"], values["message"], **kept)


def _text(value: object) -> str | None:
    return (value.replace("\0", "")[:LONGEST_WORD] or None) if isinstance(value, str) else None


def _request_id(value: object) -> str | None:
    text = _text(value)
    return text if text and REQUEST_ID.fullmatch(text) else None
