"""Connect once and say what is missing, for people who set a gateway up."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from mission_control.openclaw import errors
from mission_control.openclaw.connection import CONNECT_SECONDS, connect
from mission_control.openclaw.errors import (
    TOKEN_COMMANDS,
    GatewayError,
    MissingScopes,
    PairingRequired,
    approve_command,
)
from mission_control.openclaw.handshake import MAX_PROTOCOL, MIN_PROTOCOL
from mission_control.openclaw.hello import NEEDED_SCOPES, Hello
from mission_control.openclaw.identity import Identity
from mission_control.openclaw.target import Target

type State = Literal["ok", "pairing", "unreachable", "refused"]

# What does not work at a gateway without a method.
PURPOSES = {
    "agents.create": "making agents",
    "agents.files.set": "writing the files of agents",
    "agents.delete": "removing agents",
    "config.patch": "configuring agents",
    "sessions.patch": "preparing sessions",
    "sessions.list": "listing sessions and their usage",
    "chat.send": "sending messages to agents",
    "chat.history": "reading transcripts",
    "exec.approval.resolve": "deciding about commands of agents",
    "question.resolve": "answering questions of agents",
}
REMEDIES: dict[type[GatewayError], str] = {
    errors.TokenRefused: f"In a terminal on the gateway's host, `{TOKEN_COMMANDS[0]}` prints the token. Where OpenClaw"
    f" does not know that yet, the address that `{TOKEN_COMMANDS[1]}` prints ends in #token=...",
    errors.AccessDenied: "Look at gateway.roles and gateway.trustedProxies on the gateway's host.",
    errors.PairingRefused: "Check again to ask anew, and approve the request on the gateway's host.",
    errors.TooNew: "Update Mission Control.",
    errors.TooOld: "Update OpenClaw on the gateway's host: `openclaw update`.",
}
REMEDIES_BY_CODE = {
    "REFUSED": "Is the gateway running, and does it listen on this address? `openclaw gateway status` says so.",
    "DNS": "Check the name of the host.",
    "TIMEOUT": "Is there a firewall between here and the gateway?",
    "TLS": "Use a certificate that this machine trusts, or --insecure-tls where you know the network.",
    "STARTING": "Wait a few seconds and check again.",
    "NOT_A_GATEWAY": "Check host and port, and ws:// or wss://. The gateway's own port is 18789 unless configured.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a report."""

    name: str
    is_fine: bool
    sentence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found."""

    state: State
    code: str | None = None
    version: str | None = None
    protocol: int | None = None
    scopes: tuple[str, ...] = ()
    device_id: str | None = None
    request_id: str | None = None
    command: str | None = None
    findings: list[Finding] = field(default_factory=list)


async def check(target: Target, identity: Identity, *, seconds: float = CONNECT_SECONDS) -> Report:
    """Connect, close again, and report; the one trace that stays is a request for pairing."""
    try:
        connection = await connect(target, identity, on_event=lambda event: None, seconds=seconds)
    except PairingRequired as error:
        return _waits(error, identity)
    except GatewayError as error:
        return _failed(error, identity)
    await connection.close()
    hello = connection.hello
    return Report(
        "ok", None, hello.version, hello.protocol, hello.scopes or (), identity.device_id,
        findings=list(_findings(hello, target)),
    )  # fmt: skip


def _findings(hello: Hello, target: Target) -> Iterator[Finding]:
    if target.is_encrypted and target.allow_insecure_tls:
        yield Finding("Encryption", True, "encrypted, but the certificate was not checked, as asked")
    elif target.is_encrypted:
        yield Finding("Encryption", True, "encrypted, with a certificate that is trusted")
    elif target.is_loopback:
        yield Finding("Encryption", True, "not needed on this machine")
    else:
        remedy = "Put TLS before the gateway and use wss://, or a private network such as Tailscale."
        yield Finding("Encryption", True, "none: the network in between can read the token", remedy)
    yield Finding("Protocol", True, f"{hello.protocol} ({MIN_PROTOCOL} to {MAX_PROTOCOL} are supported)")
    yield Finding("Version", True, " ".join((hello.version or "unknown", *hello.warnings)))
    yield Finding("Pairing", True, "this device is approved" if hello.device_token else "not needed from this machine")
    yield Finding("Scopes", True, "the gateway does not say" if hello.scopes is None else ", ".join(hello.scopes))
    missing = [purpose for method, purpose in PURPOSES.items() if not hello.has(method)]
    if missing:
        remedy = "Update OpenClaw on the gateway's host: `openclaw update`."
        yield Finding("Methods", False, f"the gateway is not capable of: {'; '.join(missing)}", remedy)
    else:
        yield Finding("Methods", True, "everything that Mission Control uses")


def _waits(error: PairingRequired, identity: Identity) -> Report:
    sentence = {
        "not-paired": "the gateway's owner has to approve this device once",
        "scope-upgrade": "this device is approved for less than is needed now",
        "metadata-upgrade": "this device is approved, but described differently",
    }.get(error.reason, f"the gateway asks for an approval ({error.reason})")
    return Report(
        "pairing", error.detail_code, device_id=identity.device_id, request_id=error.request_id,
        command=error.command,
        findings=[Finding("Pairing", False, sentence, f"Run on the gateway's host: {error.command}")],
    )  # fmt: skip


def _failed(error: GatewayError, identity: Identity) -> Report:
    state: State = "unreachable" if isinstance(error, errors.Unreachable) else "refused"
    remedy = REMEDIES_BY_CODE.get(error.code) or REMEDIES.get(type(error), "")
    if isinstance(error, MissingScopes):
        needed = ", ".join(NEEDED_SCOPES)
        remedy = f"Approve this device with the scopes {needed}: `{approve_command(None)}`, or give the shared token."
    version, protocol, granted = (error.details.get(one) for one in ("version", "protocol", "granted"))
    return Report(
        state, error.detail_code, version, protocol, tuple(granted or ()), identity.device_id,
        findings=[Finding(NAMES.get(type(error), "Connection"), False, error.message, remedy)],
    )  # fmt: skip


NAMES: dict[type[GatewayError], str] = {
    errors.TokenRefused: "Token",
    errors.PairingRefused: "Pairing",
    errors.MissingScopes: "Scopes",
    errors.AccessDenied: "Access",
    errors.TooOld: "Version",
    errors.TooNew: "Protocol",
}
