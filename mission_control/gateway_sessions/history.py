"""What a gateway says of a session, and its transcript."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.gateway_sessions import reading
from mission_control.gateway_sessions.masking import Mask
from mission_control.gateway_sessions.transcript import Entry, entries_of, moment_of
from mission_control.gateways.calls import call
from mission_control.openclaw.errors import GatewayError
from mission_control.web.fragments import read_ahead

LONG_ID = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a gateway says of a session; what it leaves out is empty."""

    key: str
    title: str
    agent_id: str
    model: str = ""
    tokens: int | None = None
    context: int | None = None
    cost: float | None = None
    updated_at: datetime | None = None
    is_running: bool = False
    error: str = ""

    @property
    def id(self) -> str:
        """Its id on a page."""
        return sha256(self.key.encode()).hexdigest()[:16]

    def titled(self, agent: Agent | None) -> str:
        """Return the name of its agent, and its own where it says more."""
        name = agent.name if agent else self.agent_id
        if self.title in ("", "main", name) or not name:
            return name or self.title
        return self.title if self.title.startswith(f"{name} ") else f"{name}: {self.title}"

    @classmethod
    def of(cls, key: str, known: Mapping[str, Any], mask: Mask) -> "SessionFacts":
        """Read the facts of a session from a list, or from an answer to `chat.history`."""
        named = (known.get(name) for name in ("label", "displayName", "derivedTitle"))
        title = next((str(one) for one in named if one), "") or short_name(key)
        return cls(
            key,
            mask.text(title),
            mask.text(str(known.get("agentId") or agent_in(key))),
            mask.text(str(known.get("model") or "")),
            _number(known.get("totalTokens")),
            _number(known.get("contextTokens")),
            _money(known.get("estimatedCostUsd")),
            moment_of(known.get("updatedAt")),
            known.get("hasActiveRun") is True or known.get("status") == "running",
            mask.text(str(known.get("lastRunError") or "")),
        )


def agent_in(key: str) -> str:
    """Return the agent that a session key names, "" when it names none."""
    parts = key.split(":")
    return parts[1] if len(parts) > 2 and parts[0] == "agent" else ""


def short_name(key: str) -> str:
    """Return a session key without its agent, and with the beginning of ids alone."""
    name = ":".join(key.split(":")[2:]) if agent_in(key) else key
    return LONG_ID.sub(lambda found: f"{found[1]}…", name).replace(":", " ")


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _money(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class History:
    """The transcript of a session, or why it cannot be read."""

    entries: tuple[Entry, ...] = ()
    facts: SessionFacts | None = None
    has_earlier: bool = False
    error: str = ""


async def read_history(gateway_id: UUID, key: str, shown: int) -> History:
    """Read the last messages of a session."""
    try:
        payload = await call(gateway_id, "chat.history", {"sessionKey": key, "limit": shown})
    except GatewayError as error:
        return History(error=error.message)
    mask = await reading.mask_of(gateway_id)
    known = payload.get("sessionInfo") if isinstance(payload, Mapping) else None
    entries = tuple(entries_of(reading.messages_in(payload), mask))
    await read_ahead(*(one.text for one in entries if one.kind in ("user", "assistant")))
    has_earlier = isinstance(payload, Mapping) and payload.get("hasMore") is True
    return History(entries, SessionFacts.of(key, known if isinstance(known, Mapping) else {}, mask), has_earlier)


def settled_before(entries: tuple[Entry, ...], is_running: bool) -> int:
    """Return the position up to which a transcript changes no more: before the run that is not over."""
    started = [one.position for one in entries if one.is_open]
    if is_running:
        started += [one.position for one in entries if one.kind == "user"][-1:]
    last = entries[-1].position if entries else 0
    return min([last, *(one - 1 for one in started)])
