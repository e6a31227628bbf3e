"""The first two frames of a connection: the challenge, our signed request, and the greeting."""

import base64
import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mission_control import __version__
from mission_control.core.values import JsonObject
from mission_control.gateways.protocol.errors import Unreachable, text_of
from mission_control.gateways.protocol.payload import Payload
from mission_control.gateways.protocol.target import Target


class Identity:
    """A device's key. When it is lost, every gateway has to approve the next one."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public = key.public_key().public_bytes_raw()

    @classmethod
    def new(cls) -> "Identity":
        return cls(Ed25519PrivateKey.generate())

    def __repr__(self) -> str:
        """Name the device and never the key."""
        return f"Identity({self.device_id[:12]}...)"

    @property
    def private_bytes(self) -> bytes:
        return self._key.private_bytes_raw()

    @property
    def device_id(self) -> str:
        """The fingerprint by which gateways know the device."""
        return hashlib.sha256(self._public).hexdigest()

    @property
    def public_key(self) -> str:
        return _url_safe(self._public)

    def sign(self, challenge: "Challenge", token: str, *, version: int = 3) -> str:
        """Version 2 leaves out what gateways before 2026.3 do not know."""
        scopes, asked_at = ",".join(ASKED_SCOPES), str(challenge.ts)
        parts = [f"v{version}", self.device_id, CLIENT_ID, CLIENT_MODE, ROLE, scopes, asked_at, token, challenge.nonce]
        device_family = ""
        parts += [PLATFORM, device_family] if version >= 3 else []
        return _url_safe(self._key.sign("|".join(parts).encode()))


def _url_safe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


# Everything that this program does there. `operator.admin` covers the others.
ASKED_SCOPES = (
    "operator.read", "operator.write", "operator.admin", "operator.approvals", "operator.questions",
)  # fmt: skip
NEEDED_SCOPES = ("operator.read", "operator.write", "operator.admin", "operator.approvals")
COVERS_ALL = "operator.admin"
WRITE, READ = "operator.write", "operator.read"

DEFAULT_TICK_SECONDS = 30.0
DEFAULT_MAX_PAYLOAD = 26_214_400
# What is kept of what a gateway says; far above what any says.
MOST_TEXTS, LONGEST_TOKEN, HIGHEST_PROTOCOL = 2_000, 4_000, 10_000
# Gateways answer these without advertising them.
UNLISTED = frozenset({"sessions.usage", "sessions.usage.timeseries", "sessions.get", "chat.inject"})


@dataclass(frozen=True, slots=True)
class Hello:
    protocol: int
    version: str
    boot_id: str | None
    connection_id: str | None
    methods: frozenset[str]
    events: frozenset[str]
    capabilities: frozenset[str]
    role: str
    scopes: tuple[str, ...] | None  # None where the gateway does not say what it grants
    device_token: str | None = field(repr=False)
    tick_seconds: float
    max_payload: int
    snapshot: Payload = field(repr=False)
    warnings: tuple[str, ...] = ()

    def has(self, method: str) -> bool:
        """A gateway that lists no methods is taken at its word when one is called."""
        return not self.methods or method in self.methods or method in UNLISTED

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """What this program needs and was not granted, by what the gateway says."""
        return tuple(scope for scope in NEEDED_SCOPES if self.scopes is not None and not grants(self.scopes, scope))

    @property
    def main_session_key(self) -> str | None:
        """The session of the gateway's default agent, where it names one."""
        return text_of(self.snapshot.inner("sessionDefaults").get("mainSessionKey"))


def grants(scopes: tuple[str, ...], scope: str) -> bool:
    return scope in scopes or COVERS_ALL in scopes or (scope == READ and WRITE in scopes)


def read_hello(payload: object) -> Hello:
    """Read the answer to a connect request; what is unknown in it is passed over."""
    hello = Payload.of(payload)
    protocol = hello.get("protocol")
    if hello.get("type") != "hello-ok" or not isinstance(protocol, int) or not 0 <= protocol <= HIGHEST_PROTOCOL:
        raise Unreachable("NOT_A_GATEWAY", "What answers there does not speak the protocol of OpenClaw gateways.")
    server, features = hello.inner("server"), hello.inner("features")
    granted, policy = hello.inner("auth"), hello.inner("policy")
    return Hello(
        protocol=int(protocol),
        version=text_of(server.get("version")) or "",
        boot_id=text_of(server.get("bootId")),
        connection_id=text_of(server.get("connId")),
        methods=frozenset(_texts(features.items_of("methods"))),
        events=frozenset(_texts(features.items_of("events"))),
        capabilities=frozenset(_texts(features.items_of("capabilities"))),
        role=text_of(granted.get("role")) or "operator",
        scopes=tuple(_texts(granted.items_of("scopes"))) if "scopes" in granted else None,
        device_token=text_of(granted.get("deviceToken"), LONGEST_TOKEN),
        tick_seconds=_positive(policy.get("tickIntervalMs"), DEFAULT_TICK_SECONDS * 1000) / 1000,
        max_payload=int(_positive(policy.get("maxPayload"), DEFAULT_MAX_PAYLOAD)),
        snapshot=hello.inner("snapshot"),
    )


def _texts(values: list[object]) -> list[str]:
    return [text for value in values[:MOST_TEXTS] if (text := text_of(value))]


def _positive(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else otherwise


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


def read_challenge(frame: Payload) -> Challenge:
    challenge = frame.inner("payload")
    nonce, ts = challenge.string("nonce"), challenge.get("ts")
    if frame.get("event") != "connect.challenge" or nonce is None or not isinstance(ts, int):
        raise Unreachable("NOT_A_GATEWAY", "What answers there does not begin like an OpenClaw gateway.")
    return Challenge(nonce, ts, frozenset(challenge.items_of("capabilities")))


def connect_params(target: Target, identity: Identity, challenge: Challenge, attempt: Attempt) -> JsonObject:
    auth = auth_of(target, attempt)
    device = {
        "id": identity.device_id,
        "publicKey": identity.public_key,
        "signature": identity.sign(challenge, auth.get("token", ""), version=attempt.signature),
        "signedAt": challenge.ts,
        "nonce": challenge.nonce,
    }
    client = {"id": CLIENT_ID, "displayName": DISPLAY_NAME, "version": __version__, "platform": PLATFORM}
    client["mode"] = CLIENT_MODE
    params = {
        "minProtocol": MIN_PROTOCOL,
        "maxProtocol": MAX_PROTOCOL,
        "client": client,
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
