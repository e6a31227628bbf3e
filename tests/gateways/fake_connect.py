"""How the gateway of tests admits a client: signature, protocol, token, pairing, scopes."""

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.gateways.checking import problem_of, protocol
from tests.gateways.fake_methods import METHODS, Refused
from tests.gateways.fake_state import FakeDevice, now_ms

if TYPE_CHECKING:
    from tests.gateways.fake import FakeGateway

SKEW_MS = 120_000


def admit(gateway: "FakeGateway", params: dict[str, Any], nonce: str) -> dict[str, Any]:
    """Return the hello for a connect request, or raise Refused."""
    shape = dict(protocol()["shapes"]["ConnectParams"])
    if gateway.waits_for_pairing:
        shape["waitForResolution"] = "boolean"
    if (problem := problem_of(shape, params)) is not None:
        raise Refused(f"invalid connect params: {problem}")
    if not params["minProtocol"] <= gateway.protocol <= params["maxProtocol"]:
        details: dict[str, Any] = {"code": "PROTOCOL_MISMATCH", "expectedProtocol": gateway.protocol}
        raise Refused("protocol mismatch", details=details)
    if gateway.connect_error is not None:
        raise Refused(**gateway.connect_error)
    device = params.get("device")
    if device is None:
        raise Refused("device identity required", code="NOT_PAIRED", details={"code": "DEVICE_IDENTITY_REQUIRED"})
    _check_signature(gateway, params, device, nonce)
    paired = _authorize(gateway, params, device)
    scopes = gateway.granted_scopes if gateway.granted_scopes is not None else params.get("scopes", [])
    granted: dict[str, Any] = {"method": "token", "role": "operator", "scopes": list(scopes)}
    if paired is not None:
        granted |= {"deviceToken": paired.token, "issuedAtMs": now_ms()}
    return hello(gateway, granted)


def hello(gateway: "FakeGateway", granted: dict[str, Any]) -> dict[str, Any]:
    """What a client gets that was admitted."""
    methods = sorted(set(METHODS) - gateway.missing_methods)
    return {
        "type": "hello-ok",
        "protocol": gateway.protocol,
        "server": {"version": gateway.version, "bootId": gateway.boot_id, "connId": secrets.token_hex(8)},
        "features": {"methods": methods, "events": ["chat", "agent", "tick"], "capabilities": gateway.capabilities},
        "snapshot": {
            "presence": [], "health": {}, "stateVersion": {"presence": 1, "health": 1}, "uptimeMs": 1000,
            "sessionDefaults": {"defaultAgentId": "main", "mainKey": "main", "mainSessionKey": "agent:main:main"},
        },
        "auth": granted,
        "policy": {
            "maxPayload": gateway.max_payload, "maxBufferedBytes": 52_428_800,
            "tickIntervalMs": gateway.tick_ms,
        },
    }  # fmt: skip


def _check_signature(gateway: "FakeGateway", params: dict[str, Any], device: dict[str, Any], nonce: str) -> None:
    public = _raw(device["publicKey"])
    if device["id"] != hashlib.sha256(public).hexdigest():
        raise _device_error("device identity mismatch", "DEVICE_AUTH_DEVICE_ID_MISMATCH", "device-id-mismatch")
    if device["nonce"] != nonce:
        raise _device_error("device nonce mismatch", "DEVICE_AUTH_NONCE_MISMATCH", "device-nonce-mismatch")
    if abs(device["signedAt"] - now_ms()) > SKEW_MS:
        raise _device_error("device signature expired", "DEVICE_AUTH_SIGNATURE_EXPIRED", "device-signature-stale")
    client, auth = params["client"], params.get("auth", {})
    parts = [
        device["id"], client["id"], client["mode"], params["role"], ",".join(params["scopes"]),
        str(device["signedAt"]), auth.get("token") or auth.get("deviceToken") or "", nonce,
    ]  # fmt: skip
    newer = ["v3", *parts, client["platform"].lower(), client.get("deviceFamily", "").lower()]
    signed = [newer, ["v2", *parts]] if gateway.signatures == (2, 3) else [["v2", *parts]]
    if not any(_is_signed(public, device["signature"], "|".join(one)) for one in signed):
        raise _device_error("device signature invalid", "DEVICE_AUTH_SIGNATURE_INVALID", "device-signature")


def _is_signed(public: bytes, signature: str, text: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(_raw(signature), text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _device_error(message: str, code: str, reason: str) -> Refused:
    return Refused(message, details={"code": code, "reason": reason})


def _authorize(gateway: "FakeGateway", params: dict[str, Any], asking: dict[str, Any]) -> FakeDevice | None:
    """Check token and pairing; the device, where it is a paired one."""
    token = params.get("auth", {}).get("token") or params.get("auth", {}).get("deviceToken")
    known = gateway.state.devices.get(asking["id"])
    by_device = known is not None and known.is_paired and token == known.token
    if token != gateway.token and not by_device:
        code = "AUTH_TOKEN_MISMATCH" if token else "AUTH_TOKEN_MISSING"
        can_retry = known is not None and known.is_paired
        details = {"code": code, "canRetryWithDeviceToken": can_retry, "recommendedNextStep": "update_auth_credentials"}
        raise Refused("unauthorized: gateway token mismatch", details=details)
    if not gateway.needs_pairing:
        return None
    client = params["client"]
    if known is None:
        known = FakeDevice(asking["id"], asking["publicKey"], params["scopes"], client["platform"])
        gateway.state.devices[asking["id"]] = known
    reason = "not-paired"
    if known.is_paired and known.platform == client["platform"] and set(params["scopes"]) <= set(known.scopes):
        return known
    if known.is_paired:
        reason = "metadata-upgrade" if known.platform != client["platform"] else "scope-upgrade"
    details = {
        "code": "PAIRING_REQUIRED", "reason": reason, "requestId": known.request_id, "deviceId": known.device_id,
        "requestedScopes": params["scopes"],
    }  # fmt: skip
    raise Refused("pairing required: device is not approved yet", code="NOT_PAIRED", details=details)
