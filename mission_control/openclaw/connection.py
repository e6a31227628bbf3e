"""Connecting to a gateway: one connection, shared by all calls, with the gateway's events as they come.

Nothing here reconnects. Who holds a connection waits for `wait_closed` and connects again.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import replace

from mission_control.core.json import to_json
from mission_control.openclaw import handshake, refusals
from mission_control.openclaw.errors import (
    GatewayError,
    MissingScopes,
    NotSupported,
    PairingRequired,
    TokenRefused,
    TooOld,
)
from mission_control.openclaw.hello import COVERS_ALL, Hello, read_hello
from mission_control.openclaw.identity import Identity
from mission_control.openclaw.open_connection import Closed, Connection, GatewayEvent, OnEvent
from mission_control.openclaw.target import Target
from mission_control.openclaw.versions import compatibility
from mission_control.openclaw.wire import Wire, WireClosed

__all__ = ("Closed", "Connection", "GatewayEvent", "OnEvent", "Target", "connect", "instance_id")

CONNECT_SECONDS, IDENTITY_SECONDS = 15.0, 3.0
LONGEST_INSTANCE = 200
# Changes nothing, and only those who may do everything may call it.
PROOF_OF_RIGHTS = "exec.approvals.get"


async def connect(
    target: Target,
    identity: Identity,
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
        except GatewayError as error:
            attempt = _next_attempt(target, attempt, error)
            if attempt is None:
                raise
    raise AssertionError("unreachable")


def _next_attempt(target: Target, tried: handshake.Attempt, error: GatewayError) -> handshake.Attempt | None:
    """Return another way to connect, where the refusal names what is wrong with this one; each is tried once."""
    if error.detail_code == "DEVICE_AUTH_SIGNATURE_INVALID" and tried.signature == 3:
        return replace(tried, signature=2)
    if tried.waits_for_pairing and error.code == "INVALID_REQUEST" and "code" not in error.details:
        return replace(tried, waits_for_pairing=False)
    asked_for = bool(error.details.get("canRetryWithDeviceToken"))
    if isinstance(error, TokenRefused) and asked_for and target.may_fall_back and not tried.with_device_token:
        return replace(tried, with_device_token=True)
    return None


async def _connect(
    target: Target, identity: Identity, attempt: handshake.Attempt, on_event: OnEvent, seconds: float
) -> "Connection":
    wire: Wire | None = None
    try:
        async with asyncio.timeout(seconds):
            wire = await Wire.open(target)
            hello = await _shake_hands(wire, target, identity, attempt)
    except BaseException as problem:
        if isinstance(problem, PairingRequired) and problem.wait is not None:
            raise
        if wire is not None:
            await wire.close()
        if isinstance(problem, WireClosed):
            raise refusals.closed(problem.code, problem.reason, was_sent=False) from None
        if isinstance(problem, Exception):
            raise refusals.not_connected(problem) from None
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
        connection.hello = replace(hello, scopes=(COVERS_ALL,))
    except NotSupported:
        pass
    except BaseException as error:
        await connection.close()
        if isinstance(error, MissingScopes):
            error.details |= {"version": hello.version, "protocol": hello.protocol}
        raise
    return connection


async def _shake_hands(wire: Wire, target: Target, identity: Identity, attempt: handshake.Attempt) -> Hello:
    challenge = handshake.read_challenge(await wire.receive())
    params = handshake.connect_params(target, identity, challenge, attempt)
    await wire.send(to_json({"type": "req", "id": "connect", "method": "connect", "params": params}))
    while True:
        frame = await wire.receive()
        if frame.get("type") == "res" and frame.get("id") == "connect":
            break
    if frame.get("ok") is not True:
        error = refusals.refusal(
            frame.get("error"), connecting=True, secrets=tuple(handshake.auth_of(target, attempt).values())
        )
        if isinstance(error, PairingRequired):
            error.details.setdefault("deviceId", identity.device_id)
            if "waitForResolution" in params:
                error.wait = PairingDecision(wire, error.request_id)
        raise error
    return _checked(read_hello(frame.get("payload")), target)


def _checked(hello: Hello, target: Target) -> Hello:
    """Return the hello of a connection that will do."""
    version = compatibility(hello.version, target.minimum_version)
    if not version.is_fine:
        raise TooOld("TOO_OLD", version.text, details={"version": hello.version})
    if hello.missing_scopes:
        raise MissingScopes(
            "MISSING_SCOPES",
            f"The gateway grants this connection too little; missing: {', '.join(hello.missing_scopes)}.",
            details={
                "missing": list(hello.missing_scopes), "granted": list(hello.scopes or ()), "version": hello.version,
                "protocol": hello.protocol,
            },
        )  # fmt: skip
    return replace(hello, warnings=(version.text,)) if version.text else hello


async def instance_id(connection: Connection, *, seconds: float = IDENTITY_SECONDS) -> str | None:
    """Return the gateway's own id, the same at all its addresses and after every start; None where it gives none."""
    try:
        answer = await connection.call("gateway.identity.get", seconds=seconds)
    except GatewayError:
        return None
    found = answer.get("deviceId") if isinstance(answer, Mapping) else None
    return found.replace("\0", "")[:LONGEST_INSTANCE] or None if isinstance(found, str) else None


class PairingDecision:
    """Waits on a connection for the decision about a pairing."""

    def __init__(self, wire: Wire, request_id: str | None) -> None:
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
            payload = frame.get("payload")
            if frame.get("event") != "device.pair.resolved" or not isinstance(payload, Mapping):
                continue
            if payload.get("requestId") in (None, self._request_id) or self._request_id is None:
                return str(payload.get("decision") or payload.get("status") or "approved")

    async def close(self) -> None:
        """Close the connection."""
        await self._wire.close()
