"""From what happens to a connection to what people and programs read of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.core.clock import now
from mission_control.core.error_codes import ErrorCode
from mission_control.gateways.installation import sealed
from mission_control.gateways.models import Gateway
from mission_control.openclaw.errors import (
    TOKEN_COMMANDS,
    AccessDenied,
    GatewayError,
    MissingScopes,
    PairingRefused,
    PairingRequired,
    TokenRefused,
    TooNew,
    TooOld,
    Unreachable,
)
from mission_control.openclaw.hello import Hello
from mission_control.openclaw.refusals import DETAIL_KINDS

CONNECTING, CONNECTED, PAIRING = "connecting", "connected", "pairing"
UNREACHABLE, REFUSED = "unreachable", "refused"
LONGEST_CODE = 64

PAIRING_TEXTS = {
    "scope-upgrade": "Mission Control needs more rights than this device was approved for. Approve it again.",
    "role-upgrade": "Mission Control needs another role than this device was approved for. Approve it again.",
    "metadata-upgrade": "This device changed since it was approved. Approve it again.",
}
FIRST_PAIRING = "The gateway waits for its owner to approve this device."
EARLIER_IS_OVER = "The request before this one was rejected or is over. Once this one is approved, try again."
EARLIER_EXPIRED = "Nobody approved the request before this one in time."
PAIRING_REFUSED = {
    "PAIRING_REJECTED": "The pairing was rejected on the gateway. Try again to send a new request.",
    "PAIRING_EXPIRED": "Nobody approved the pairing in time. Try again to send a new request.",
}
TOKEN_TEXTS = {
    "AUTH_TOKEN_MISSING": "The gateway asks for a token, and none is saved here.",
    "DEVICE_IDENTITY_REQUIRED": "The gateway asks for a token, and none is saved here.",
    "AUTH_RATE_LIMITED": "The token was refused too often, so the gateway takes no more attempts for a while.",
}
TOKEN_REFUSED = f"The gateway refuses the token. `{TOKEN_COMMANDS[0]}` in a terminal on its host prints the right one."
# As the codes of reports have them.
TOKEN_CODES = frozenset(code.lower() for code, kind in DETAIL_KINDS.items() if kind is TokenRefused)
ACCESS_DENIED = "The gateway knows this device, but its role grants nothing. Give it a role on the gateway."
TOO_NEW = "The gateway speaks a newer protocol than this Mission Control. Update Mission Control."
TOO_OLD = "The gateway speaks only an old protocol. Update it with `openclaw update`."


@dataclass(frozen=True, slots=True)
class Report:
    """The columns of a gateway that say how its connection is. Fields that are None clear their column.

    What a hello says (`version` to `boot_id`) stays as it was when `hello` is None.
    """

    state: str
    state_code: str | None = None
    last_error: str | None = None
    pairing_request_id: str | None = None
    pairing_device_id: str | None = None
    same_as_id: UUID | None = None
    said: Mapping[str, Any] | None = None
    device_token: str | None = None

    def columns(self) -> dict[str, Any]:
        """Return the values to store, the device token as it is."""
        skipped = ("said", "device_token")
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in skipped}
        token = {} if self.device_token is None else {"device_token": self.device_token}
        return own | dict(self.said or {}) | token


def of_hello(hello: Hello, instance_id: str | None) -> Report:
    """Return the report of an accepted connection, with the gateway's own id where it gave one."""
    said = _from_hello(hello) | ({} if instance_id is None else {"instance_id": instance_id})
    return Report(CONNECTED, None, " ".join(hello.warnings) or None, said=said, device_token=hello.device_token)


def of_same_gateway(first: Gateway) -> Report:
    """Return the report of a gateway that the organization has already."""
    text = f"{same_gateway(first)} So this one is not used: delete it, or the other one."
    return Report(REFUSED, ErrorCode.SAME_GATEWAY, text, same_as_id=first.id)


def same_gateway(first: Gateway) -> str:
    """Say which gateway it is that answers at another address."""
    return f"This is the gateway {first.name}, which is here already at {first.url}."


def _from_hello(hello: Hello) -> dict[str, Any]:
    return {
        "version": hello.version or None,
        "protocol": hello.protocol,
        "role": hello.role,
        "scopes": None if hello.scopes is None else sorted(hello.scopes),
        "methods": sorted(hello.methods),
        "events": sorted(hello.events),
        "capabilities": sorted(hello.capabilities),
        "boot_id": hello.boot_id,
    }


def of_error(error: GatewayError) -> Report:
    """Return the report of a connection that was not made."""
    code = error.detail_code.lower().replace("-", "_")[:LONGEST_CODE]
    match error:
        case PairingRequired():
            text = PAIRING_TEXTS.get(error.reason, FIRST_PAIRING)
            reason = error.reason[:LONGEST_CODE]
            return Report(PAIRING, reason, text, error.request_id, error.device_id)
        case PairingRefused():
            decided = pairing_decision(error)
            return Report(REFUSED, decided.lower()[:LONGEST_CODE], PAIRING_REFUSED.get(decided, error.message))
        case TokenRefused():
            return Report(REFUSED, code, TOKEN_TEXTS.get(error.detail_code, TOKEN_REFUSED))
        case MissingScopes():
            return Report(REFUSED, "missing_scopes", _missing(error), said=_granted(error))
        case AccessDenied():
            own = error.detail_code == "OPERATOR_ACCESS_DENIED"
            return Report(REFUSED, code, ACCESS_DENIED if own else error.message)
        case TooOld():
            return Report(REFUSED, "too_old", error.message if error.code == "TOO_OLD" else TOO_OLD)
        case TooNew():
            return Report(REFUSED, "too_new", TOO_NEW)
        case Unreachable():
            return Report(UNREACHABLE, code, error.message)
    return Report(REFUSED, code, error.message)


def pairing_decision(error: PairingRefused) -> str:
    """Return `PAIRING_REJECTED` or `PAIRING_EXPIRED`: the code, or the word in the details of a refused connection."""
    return error.code if error.code in PAIRING_REFUSED else error.detail_code


def _missing(error: MissingScopes) -> str:
    listed = ", ".join(error.scopes)
    if not listed:
        return "The gateway grants this device less than it was paired for. Approve it again on the gateway."
    return f"The gateway grants this device too little. Missing: {listed}."


def _granted(error: MissingScopes) -> dict[str, Any] | None:
    granted = error.details.get("granted")
    if not isinstance(granted, list):
        return None
    version, protocol = error.details.get("version"), error.details.get("protocol")
    return {"scopes": sorted(map(str, granted)), "version": version, "protocol": protocol}


def after(report: Report, before: Report | None, note: str = "") -> Report:
    """Return the report of a request to pair; it says so when it took the place of another one, or a note."""
    was = before.pairing_request_id if before is not None else None
    if before is not None and was == report.pairing_request_id and not note:
        return replace(report, last_error=before.last_error)
    note = note or (EARLIER_IS_OVER if was else "")
    return replace(report, last_error=f"{note} {report.last_error}") if note else report


def stored(report: Report, since: datetime | None = None) -> dict[str, Any]:
    """Return the columns of a report as they are stored, the device token encrypted."""
    columns = report.columns()
    if "device_token" in columns:
        columns["device_token"] = sealed(columns["device_token"])
    moment = since or now()
    return columns | {"state_at": moment} | ({"connected_at": moment} if report.state == CONNECTED else {})
