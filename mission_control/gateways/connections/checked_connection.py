"""Connecting to a gateway, and checking for people who set one up what is missing."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from mission_control.core.values import to_json
from mission_control.gateways.connections.open_connection import Connection, OnEvent
from mission_control.gateways.protocol import errors, handshake
from mission_control.gateways.protocol.errors import WireClosed
from mission_control.gateways.protocol.heartbeats import SharedHeartbeat, shared_heartbeat
from mission_control.gateways.protocol.payload import Payload
from mission_control.gateways.protocol.target import Target, compatibility

if TYPE_CHECKING:
    from mission_control.gateways.protocol._wire import Wire

CONNECT_SECONDS, IDENTITY_SECONDS = 15.0, 3.0
LONGEST_INSTANCE = 200
# Changes nothing, and only those who may do everything may call it.
PROOF_OF_RIGHTS = "exec.approvals.get"


async def connect(
    target: Target,
    identity: handshake.Identity,
    *,
    on_event: OnEvent,
    seconds: float = CONNECT_SECONDS,
    waits_for_pairing: bool = False,
) -> "Connection":
    """Connect to a gateway. Raises GatewayError; nothing stays open then.

    With `waits_for_pairing` the PairingRequired of a gateway that offers it holds a connection on which the decision
    comes: `resolved` has to be awaited then.
    """
    attempt: handshake.Attempt | None = handshake.Attempt(waits_for_pairing=waits_for_pairing)
    while attempt is not None:
        try:
            return await _connect(target, identity, attempt, on_event, seconds)
        except errors.GatewayError as error:
            attempt = _next_attempt(target, attempt, error)
            if attempt is None:
                raise
    raise AssertionError("unreachable")


def _next_attempt(target: Target, tried: handshake.Attempt, error: errors.GatewayError) -> handshake.Attempt | None:
    """Return another way to connect, where the refusal names what is wrong with this one; each is tried once."""
    if error.detail_code == "DEVICE_AUTH_SIGNATURE_INVALID" and tried.signature == 3:
        return replace(tried, signature=2)
    if tried.waits_for_pairing and error.code == "INVALID_REQUEST" and "code" not in error.details:
        return replace(tried, waits_for_pairing=False)
    asked_for = bool(error.details.get("canRetryWithDeviceToken"))
    if isinstance(error, errors.TokenRefused) and asked_for and target.may_fall_back and not tried.with_device_token:
        return replace(tried, with_device_token=True)
    return None


async def _connect(
    target: Target, identity: handshake.Identity, attempt: handshake.Attempt, on_event: OnEvent, seconds: float
) -> "Connection":
    from mission_control.gateways.protocol._wire import Wire

    wire: Wire | None = None
    try:
        async with asyncio.timeout(seconds):
            wire = await Wire.open(target)
            hello = await _shake_hands(wire, target, identity, attempt)
    except BaseException as problem:
        if isinstance(problem, errors.PairingRequired) and problem.wait is not None:
            raise
        if wire is not None:
            await wire.close()
        if isinstance(problem, WireClosed):
            raise errors.closed(problem.code, problem.reason, was_sent=False) from None
        if isinstance(problem, Exception):
            raise errors.not_connected(problem) from None
        raise
    connection = Connection(wire, target, hello, on_event)
    return connection if hello.scopes is not None else await _proven(connection, seconds)


async def _proven(connection: Connection, seconds: float) -> Connection:
    """Return a connection whose gateway does not say what it grants, as those before 2026.4 on the same machine.

    Raises MissingScopes where that is too little. One that cannot be asked is taken at its word, call by call.
    """
    hello = connection.hello
    try:
        await connection.call(PROOF_OF_RIGHTS, seconds=seconds)
        connection.hello = replace(hello, scopes=(handshake.COVERS_ALL,))
    except errors.NotSupported:
        pass
    except BaseException as error:
        await connection.close()
        if isinstance(error, errors.MissingScopes):
            error.details |= {"version": hello.version, "protocol": hello.protocol}
        raise
    return connection


async def _shake_hands(
    wire: "Wire", target: Target, identity: handshake.Identity, attempt: handshake.Attempt
) -> handshake.Hello:
    challenge = handshake.read_challenge(await wire.receive())
    params = handshake.connect_params(target, identity, challenge, attempt)
    await wire.send(to_json({"type": "req", "id": "connect", "method": "connect", "params": params}))
    while True:
        frame = await wire.receive()
        if frame.get("type") == "res" and frame.get("id") == "connect":
            break
    if frame.get("ok") is not True:
        secrets = tuple(handshake.auth_of(target, attempt).values())
        error = errors.refusal(frame.get("error"), connecting=True, secrets=secrets)
        if isinstance(error, errors.PairingRequired):
            error.details.setdefault("deviceId", identity.device_id)
            if "waitForResolution" in params:
                error.wait = PairingDecision(wire, error.request_id)
        raise error
    return _usable(handshake.read_hello(frame.get("payload")), target)


def _usable(hello: handshake.Hello, target: Target) -> handshake.Hello:
    """Raise TooOld or MissingScopes for a gateway that cannot be used; add a warning about its version."""
    version = compatibility(hello.version, target.minimum_version)
    if not version.is_fine:
        raise errors.TooOld("TOO_OLD", version.text, details={"version": hello.version})
    if missing := hello.missing_scopes:
        raise errors.MissingScopes(
            "MISSING_SCOPES",
            f"The gateway grants this connection too little; missing: {', '.join(missing)}.",
            details={
                "missing": list(missing), "granted": list(hello.scopes or ()), "version": hello.version,
                "protocol": hello.protocol,
            },
        )  # fmt: skip
    return replace(hello, warnings=(version.text,)) if version.text else hello


async def instance_id(connection: Connection, *, seconds: float = IDENTITY_SECONDS) -> str | None:
    """Return the gateway's own id, the same at all its addresses and after every start; None where it gives none."""
    try:
        answer = Payload.of(await connection.call("gateway.identity.get", seconds=seconds))
    except errors.GatewayError:
        return None
    return errors.text_of(answer.get("deviceId"), LONGEST_INSTANCE)


class PairingDecision:
    """Waits on a connection for the decision about a pairing."""

    def __init__(self, wire: "Wire", request_id: str | None) -> None:
        self._wire = wire
        self._request_id = request_id

    async def resolution(self, seconds: float) -> str | None:
        """Return `approved`, `rejected`, `expired` or `superseded`, or None: time to ask by connecting."""
        try:
            async with asyncio.timeout(seconds):
                with contextlib.suppress(WireClosed):
                    return await self._decision()
                await asyncio.sleep(seconds)
        except TimeoutError:
            pass
        return None

    async def _decision(self) -> str:
        while True:
            frame = await self._wire.receive()
            if frame.get("event") != "device.pair.resolved" or not isinstance(frame.get("payload"), dict):
                continue
            payload = frame.inner("payload")
            if payload.get("requestId") in (None, self._request_id) or self._request_id is None:
                return payload.text("decision", "status") or "approved"

    async def close(self) -> None:
        await self._wire.close()


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
REMEDIES: dict[type[errors.GatewayError], str] = {
    errors.TokenRefused: f"In a terminal on the gateway's host, `{errors.TOKEN_COMMANDS[0]}` prints the token. Where"
    f" OpenClaw does not know that yet, the address that `{errors.TOKEN_COMMANDS[1]}` prints ends in #token=...",
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
    state: State
    code: str | None = None
    version: str | None = None
    protocol: int | None = None
    scopes: tuple[str, ...] = ()
    device_id: str | None = None
    request_id: str | None = None
    command: str | None = None
    findings: list[Finding] = field(default_factory=list)


async def check(target: Target, identity: handshake.Identity, *, seconds: float = CONNECT_SECONDS) -> Report:
    """Connect, close again, and report; the one trace that stays is a request for pairing."""
    try:
        connection = await connect(target, identity, on_event=lambda event: None, seconds=seconds)
    except errors.PairingRequired as error:
        return _waits(error, identity)
    except errors.GatewayError as error:
        return _failed(error, identity)
    try:
        shared = await shared_heartbeat(connection)
    finally:
        await connection.close()
    hello = connection.hello
    return Report(
        "ok", None, hello.version, hello.protocol, hello.scopes or (), identity.device_id,
        findings=list(_findings(hello, target, shared)),
    )  # fmt: skip


def _findings(hello: handshake.Hello, target: Target, shared: SharedHeartbeat | None) -> Iterator[Finding]:
    yield _encryption(target)
    supported = f"{handshake.MIN_PROTOCOL} to {handshake.MAX_PROTOCOL} are supported"
    yield Finding("Protocol", True, f"{hello.protocol} ({supported})")
    yield Finding("Version", True, " ".join((hello.version or "unknown", *hello.warnings)))
    yield Finding("Pairing", True, "this device is approved" if hello.device_token else "not needed from this machine")
    yield Finding("Scopes", True, "the gateway does not say" if hello.scopes is None else ", ".join(hello.scopes))
    if missing := [purpose for method, purpose in PURPOSES.items() if not hello.has(method)]:
        remedy = "Update OpenClaw on the gateway's host: `openclaw update`."
        yield Finding("Methods", False, f"the gateway is not capable of: {'; '.join(missing)}", remedy)
    else:
        yield Finding("Methods", True, "everything that Mission Control uses")
    if shared is not None:
        yield Finding("Heartbeats", False, shared.sentence, f"Run on the gateway's host: {shared.command}")


def _encryption(target: Target) -> Finding:
    remedy = ""
    if target.is_encrypted:
        how = "but the certificate was not checked, as asked" if target.allow_insecure_tls else None
        sentence = f"encrypted, {how or 'with a certificate that is trusted'}"
    elif target.is_loopback:
        sentence = "not needed on this machine"
    else:
        sentence = "none: the network in between can read the token"
        remedy = "Put TLS before the gateway and use wss://, or a private network such as Tailscale."
    return Finding("Encryption", True, sentence, remedy)


def _waits(error: errors.PairingRequired, identity: handshake.Identity) -> Report:
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


def _failed(error: errors.GatewayError, identity: handshake.Identity) -> Report:
    state: State = "unreachable" if isinstance(error, errors.Unreachable) else "refused"
    remedy = REMEDIES_BY_CODE.get(error.code) or REMEDIES.get(type(error), "")
    if isinstance(error, errors.MissingScopes):
        needed = ", ".join(handshake.NEEDED_SCOPES)
        approval = f"Approve this device with the scopes {needed}: `{errors.approve_command(None)}`"
        remedy = f"{approval}, or give the shared token."
    version, protocol, granted = (error.details.get(name) for name in ("version", "protocol", "granted"))
    return Report(
        state, error.detail_code, version, protocol, tuple(granted or ()), identity.device_id,
        findings=[Finding(NAMES.get(type(error), "Connection"), False, error.message, remedy)],
    )  # fmt: skip


NAMES: dict[type[errors.GatewayError], str] = {
    errors.TokenRefused: "Token",
    errors.PairingRefused: "Pairing",
    errors.MissingScopes: "Scopes",
    errors.AccessDenied: "Access",
    errors.TooOld: "Version",
    errors.TooNew: "Protocol",
}
