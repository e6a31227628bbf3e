"""What a gateway says about its approvals, in our terms."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mission_control.approvals.outside import ACTIONS

LONGEST = 20_000
LONGEST_FACT = 2_000
ALL_DECISIONS = ["allow-once", "allow-always", "deny"]
# Tokens of this installation, which agents write into their commands.
TOKEN = re.compile(r"\bmc([au])_[A-Za-z0-9_-]{8,}")
FAREST = 253_402_300_799_000  # milliseconds: the last second that a moment can hold


@dataclass(frozen=True, slots=True)
class AskedApproval:
    """An approval that a gateway asks for."""

    external_id: str
    kind: str
    agent_id: str
    expires_at: datetime | None
    payload: dict[str, Any]

    @property
    def action_type(self) -> str:
        """The type of action, by which approvals are told apart."""
        return ACTIONS[self.kind]


@dataclass(frozen=True, slots=True)
class Ended:
    """How an approval ended on its gateway: `allowed`, `denied`, `expired`, `cancelled` or `gone`; who decided."""

    status: str
    answer: str = ""
    by: str = ""

    @property
    def decision(self) -> str:
        """The decision in our words."""
        return "approved" if self.status == "allowed" else "rejected"

    def agrees_with(self, decision: str) -> bool:
        """Return whether it ended as we answered, so that nobody was faster with another answer."""
        return self.status in ("allowed", "denied") and (decision == "approved") == (self.status == "allowed")

    @property
    def how(self) -> str:
        """What happened, as a past participle."""
        return {"allowed": "approved", "denied": "rejected", "gone": "ended"}.get(self.status, self.status)

    @property
    def note(self) -> str:
        """What people read beside it."""
        return {
            "expired": "Nobody decided before it expired.",
            "cancelled": "The gateway cancelled it: the run ended.",
            "gone": "The gateway does not ask for it any more.",
        }.get(self.status, "Decided on the gateway.")


def read_approval(kind: str, asked: Mapping[str, Any]) -> AskedApproval | None:
    """Return what an event or a list says about an approval; None when it has no id or is of an unknown kind."""
    external_id, request = text(asked.get("id"), 512), asked.get("request")
    if not external_id or kind not in ACTIONS or not isinstance(request, Mapping):
        return None
    return AskedApproval(
        external_id=external_id,
        kind=kind,
        agent_id=text(request.get("agentId"), 512),
        expires_at=moment(asked.get("expiresAtMs")),
        payload={"confidence": None, "gateway_request": _facts(kind, request)},
    )


def _facts(kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
    analysis = request.get("commandAnalysis")
    analysis = analysis if isinstance(analysis, Mapping) else {}
    warnings = [text(request.get("warningText")), *texts(analysis.get("warningLines"))]
    said = {
        "command": text(request.get("command") or request.get("commandText"), LONGEST),
        "title": text(request.get("title")),
        "description": text(request.get("description") or request.get("detail"), LONGEST),
        "severity": text(request.get("severity")),
        "cwd": text(request.get("cwd")),
        "host": text(request.get("host")),
        "resolved_path": text(request.get("resolvedPath")),
        "plugin": text(request.get("pluginId")),
        "tool": text(request.get("toolName")),
        "session_key": text(request.get("sessionKey")),
        "run_id": text(request.get("runId")),
    }
    return {
        "kind": kind,
        **{name: value for name, value in said.items() if value},
        "risk_kinds": texts(analysis.get("riskKinds")),
        "warnings": list(dict.fromkeys(one for one in warnings if one)),
        "allowed_decisions": _allowed(kind, request),
    }


def _allowed(kind: str, request: Mapping[str, Any]) -> list[str]:
    """Return the answers that the gateway takes; one that it does not take would count as a refusal there."""
    stated = texts(request.get("allowedDecisions"))
    if stated:
        return stated
    if kind == "system-agent":
        return ["allow-once", "deny"]
    return [one for one in ALL_DECISIONS if one not in texts(request.get("unavailableDecisions"))]


def read_end(snapshot: Any) -> Ended | None:
    """Return how an approval ended from its record on the gateway; None while it is pending."""
    found = snapshot.get("approval", snapshot) if isinstance(snapshot, Mapping) else {}
    status = text(found.get("status"))
    if status not in ("allowed", "denied", "expired", "cancelled"):
        return None
    return Ended(status, text(found.get("decision"), 16), _resolver(found.get("resolver")))


def _resolver(resolver: Any) -> str:
    """Return who decided, as the gateway names them."""
    said = resolver if isinstance(resolver, Mapping) else {}
    kind, who = text(said.get("kind")), text(said.get("id"))
    named = f"{kind} {who[:12]}" if kind == "device" else f"{kind} {who}"
    return "" if kind == "system" else named.strip()


def read_resolved(event: Mapping[str, Any]) -> Ended:
    """Return how an approval ended from the event alone, for gateways that keep no record."""
    answer, by = text(event.get("decision"), 16), text(event.get("resolvedBy"))
    if answer == "deny" and not by:
        return Ended("expired")
    return Ended("denied" if answer == "deny" else "allowed", answer, by)


def text(value: Any, longest: int = LONGEST_FACT) -> str:
    """Return a text of a gateway as it can be stored, without tokens of this installation."""
    if not isinstance(value, str):
        return ""
    clean = value.replace("\0", "").encode("utf-8", "replace").decode()
    clean = TOKEN.sub(r"mc\1_…", clean)
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def texts(values: Any) -> list[str]:
    """Return the texts of a list."""
    return [found for one in values[:50] if (found := text(one))] if isinstance(values, list) else []


def moment(milliseconds: Any) -> datetime | None:
    """Return a moment of a gateway, or None where it says none."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    if not 0 < milliseconds < FAREST:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)
