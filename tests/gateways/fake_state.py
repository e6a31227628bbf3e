"""What the gateway of tests remembers. Tests read it, and may change it."""

import hashlib
import itertools
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

FIVE_FILES = ("AGENTS.md", "SOUL.md", "USER.md", "BOOTSTRAP.md", "MEMORY.md")
EIGHT_FILES = (*FIVE_FILES, "TOOLS.md", "IDENTITY.md", "HEARTBEAT.md")


def now_ms() -> int:
    """Gateways count in milliseconds."""
    return int(time.time() * 1000)


@dataclass
class FakeAgent:
    """An agent of the gateway. Until `hidden` look-ups were made, the configuration is still being loaded."""

    id: str
    name: str
    workspace: str
    files: dict[str, str] = field(default_factory=dict)
    hidden: int = 0


@dataclass
class FakeSession:
    """A session with its transcript."""

    key: str
    label: str | None = None
    session_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    revision: str = field(default_factory=lambda: str(uuid.uuid4()))
    messages: list[dict[str, Any]] = field(default_factory=list)
    created_at: int = field(default_factory=now_ms)
    updated_at: int = field(default_factory=now_ms)
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    points: list[dict[str, Any]] = field(default_factory=list)  # of its requests
    model: str = "fake-1"

    @property
    def agent_id(self) -> str:
        """The agent whose session it is."""
        return self.key.split(":")[1] if self.key.startswith("agent:") else "main"

    def add(self, role: str, text: str, **more: Any) -> dict[str, Any]:
        """Add a message to the transcript."""
        extra = {"id": str(uuid.uuid4()), "seq": len(self.messages) + 1, **more}
        content: Any = text if role == "user" else [{"type": "text", "text": text}]
        message = {"role": role, "content": content, "timestamp": now_ms(), "__openclaw": extra}
        self.messages.append(message)
        self.updated_at = now_ms()
        return message

    def use(self, taken: int, given: int, cost: float = 0.0, ago: float = 0.0) -> None:
        """Let a request to the model, made that many seconds ago, use this."""
        self.input_tokens += taken
        self.output_tokens += given
        self.cost_usd += cost
        tokens = {"input": taken, "output": given, "cacheRead": 0, "cacheWrite": 0, "cost": cost}
        self.points.append({"timestamp": now_ms() - round(ago * 1000), **tokens})

    def row(self) -> dict[str, Any]:
        """As `sessions.list` shows it."""
        return {
            "key": self.key,
            "kind": "direct",
            "agentId": self.agent_id,
            "sessionId": self.session_id,
            "updatedAt": self.updated_at,
            "archived": False,
            "pinned": False,
            "unread": False,
            "modelProvider": "fake",
            "model": self.model,
            "inputTokens": self.input_tokens,
            "outputTokens": self.output_tokens,
            "totalTokens": self.input_tokens + self.output_tokens,
            "estimatedCostUsd": self.cost_usd,
            **({"label": self.label, "displayName": self.label} if self.label else {}),
        }


@dataclass
class FakeDevice:
    """A device that asked to be paired, or is."""

    device_id: str
    public_key: str
    scopes: list[str]
    platform: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    is_paired: bool = False
    token: str | None = None


class FakeState:
    """Agents, sessions, configuration, approvals and questions. It outlives restarts of the gateway."""

    def __init__(self, files: tuple[str, ...], *, has_agents_map: bool) -> None:
        self.files = files
        self.has_agents_map = has_agents_map
        self.agents = {"main": FakeAgent("main", "main", "/home/claw/workspace")}
        self.sessions: dict[str, FakeSession] = {}
        self.devices: dict[str, FakeDevice] = {}
        self.approvals: dict[str, dict[str, Any]] = {}
        self.questions: dict[str, dict[str, Any]] = {}
        self.pending: dict[str, list[dict[str, Any]]] = {}  # session key -> inputs that wait or were interrupted
        self.runs: dict[str, str] = {}  # idempotency key -> started, in_flight, ok, error
        self.skills: list[dict[str, Any]] = []
        entry = {"workspace": "/home/claw/workspace"}
        agents: dict[str, Any] = {"defaults": {"workspace": "/home/claw/workspace"}}
        agents |= {"entries": {"main": entry}} if has_agents_map else {"list": [{"id": "main", **entry}]}
        self.config: dict[str, Any] = {"agents": agents, "gateway": {"auth": {"token": "__OPENCLAW_REDACTED__"}}}
        self.numbers = itertools.count(1)

    @property
    def config_hash(self) -> str:
        """By which a patch says what it was made from."""
        return "hmac-sha256:v1:" + hashlib.sha256(json.dumps(self.config, sort_keys=True).encode()).hexdigest()[:43]

    def session(self, key: str) -> FakeSession:
        """The session of a key, made where there is none."""
        return self.sessions.setdefault(key, FakeSession(key))

    def entry(self, agent_id: str) -> dict[str, Any] | None:
        """The agent's entry in the configuration, in the gateway's way of keeping it."""
        agents = self.config["agents"]
        if self.has_agents_map:
            found: dict[str, Any] | None = agents["entries"].get(agent_id)
            return found
        return next((one for one in agents["list"] if one["id"] == agent_id), None)
