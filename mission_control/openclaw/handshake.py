"""The first two frames of a connection: the gateway's challenge and our signed request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mission_control import __version__
from mission_control.openclaw.errors import Unreachable
from mission_control.openclaw.hello import ASKED_SCOPES
from mission_control.openclaw.identity import Identity, Signing
from mission_control.openclaw.target import Target

MIN_PROTOCOL, MAX_PROTOCOL = 3, 4
CLIENT_ID, CLIENT_MODE, ROLE = "gateway-client", "backend", "operator"
DISPLAY_NAME = "Mission Control"
# Part of the pairing: another one would have to be approved anew.
PLATFORM = "linux"
CAPS = ("tool-events", "approvals", "exec-approvals")
WAITING_FOR_PAIRING = "device-pairing-wait"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a gateway wants signed."""

    nonce: str
    ts: int
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Attempt:
    """How to connect this time."""

    signature: int = 3
    with_device_token: bool = False
    waits_for_pairing: bool = False


def read_challenge(frame: Mapping[str, Any]) -> Challenge:
    """Read the gateway's first frame."""
    payload = frame.get("payload")
    said = payload if isinstance(payload, Mapping) else {}
    nonce, ts = said.get("nonce"), said.get("ts")
    if frame.get("event") != "connect.challenge" or not isinstance(nonce, str) or not isinstance(ts, int):
        raise Unreachable("NOT_A_GATEWAY", "What answers there does not begin like an OpenClaw gateway.")
    listed = said.get("capabilities")
    return Challenge(nonce, ts, frozenset(listed) if isinstance(listed, list) else frozenset())


def connect_params(target: Target, identity: Identity, challenge: Challenge, attempt: Attempt) -> dict[str, Any]:
    """Return the params of the connect request."""
    auth = auth_of(target, attempt)
    signing = Signing(
        client_id=CLIENT_ID,
        client_mode=CLIENT_MODE,
        role=ROLE,
        scopes=ASKED_SCOPES,
        signed_at_ms=challenge.ts,
        token=auth.get("token", ""),
        nonce=challenge.nonce,
        platform=PLATFORM,
    )
    device: dict[str, Any] = {
        "id": identity.device_id,
        "publicKey": identity.public_key,
        "signature": identity.sign(signing, version=attempt.signature),
        "signedAt": challenge.ts,
        "nonce": challenge.nonce,
    }
    params: dict[str, Any] = {
        "minProtocol": MIN_PROTOCOL,
        "maxProtocol": MAX_PROTOCOL,
        "client": {
            "id": CLIENT_ID,
            "displayName": DISPLAY_NAME,
            "version": __version__,
            "platform": PLATFORM,
            "mode": CLIENT_MODE,
        },
        "role": ROLE,
        "scopes": list(ASKED_SCOPES),
        "caps": list(CAPS),
        "device": device,
    }
    if auth:
        params["auth"] = auth
    if attempt.waits_for_pairing and WAITING_FOR_PAIRING in challenge.capabilities:
        params["waitForResolution"] = True
    return params


def auth_of(target: Target, attempt: Attempt) -> dict[str, str]:
    """Return the secret of an attempt: the shared token, else the token that this device got when it was paired.

    Both go into the same field, as in OpenClaw's own client: gateways before 2026.4 know no other.
    """
    token = target.device_token if attempt.with_device_token else (target.token or target.device_token)
    return {"token": token} if token else {}
