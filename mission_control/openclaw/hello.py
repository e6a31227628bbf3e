"""What a gateway says of itself once a connection is accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mission_control.openclaw.errors import Unreachable

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
MOST_TEXTS, LONGEST_TEXT, LONGEST_TOKEN, HIGHEST_PROTOCOL = 2_000, 200, 4_000, 10_000
# Gateways answer these without advertising them.
UNLISTED = frozenset({"sessions.usage", "sessions.get", "chat.inject"})


@dataclass(frozen=True, slots=True)
class Hello:
    """An accepted connection."""

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
    snapshot: Mapping[str, Any] = field(repr=False)
    warnings: tuple[str, ...] = ()

    def has(self, method: str) -> bool:
        """Return whether the gateway has a method. One that lists none is taken at its word when it is called."""
        return not self.methods or method in self.methods or method in UNLISTED

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """What this program needs and was not granted, by what the gateway says."""
        return tuple(one for one in NEEDED_SCOPES if self.scopes is not None and not grants(self.scopes, one))

    @property
    def main_session_key(self) -> str | None:
        """The session of the gateway's default agent, where it names one."""
        defaults = _mapping(self.snapshot.get("sessionDefaults"))
        return _text(defaults.get("mainSessionKey"))


def grants(scopes: tuple[str, ...], scope: str) -> bool:
    """Return whether granted scopes include one."""
    return scope in scopes or COVERS_ALL in scopes or (scope == READ and WRITE in scopes)


def read_hello(payload: Any) -> Hello:
    """Read the answer to a connect request; what is unknown in it is passed over."""
    said = _mapping(payload)
    protocol = said.get("protocol")
    if said.get("type") != "hello-ok" or not isinstance(protocol, int) or not 0 <= protocol <= HIGHEST_PROTOCOL:
        raise Unreachable("NOT_A_GATEWAY", "What answers there does not speak the protocol of OpenClaw gateways.")
    server, features = _mapping(said.get("server")), _mapping(said.get("features"))
    granted, policy = _mapping(said.get("auth")), _mapping(said.get("policy"))
    return Hello(
        protocol=int(protocol),
        version=_text(server.get("version")) or "",
        boot_id=_text(server.get("bootId")),
        connection_id=_text(server.get("connId")),
        methods=frozenset(_texts(features.get("methods"))),
        events=frozenset(_texts(features.get("events"))),
        capabilities=frozenset(_texts(features.get("capabilities"))),
        role=_text(granted.get("role")) or "operator",
        scopes=tuple(_texts(granted["scopes"])) if "scopes" in granted else None,
        device_token=_text(granted.get("deviceToken"), LONGEST_TOKEN),
        tick_seconds=_positive(policy.get("tickIntervalMs"), DEFAULT_TICK_SECONDS * 1000) / 1000,
        max_payload=int(_positive(policy.get("maxPayload"), DEFAULT_MAX_PAYLOAD)),
        snapshot=_mapping(said.get("snapshot")),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: Any) -> list[str]:
    found = (_text(one) for one in value[:MOST_TEXTS]) if isinstance(value, list) else ()
    return [one for one in found if one]


def _text(value: Any, longest: int = LONGEST_TEXT) -> str | None:
    return (value.replace("\0", "")[:longest] or None) if isinstance(value, str) else None


def _positive(value: Any, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else otherwise
