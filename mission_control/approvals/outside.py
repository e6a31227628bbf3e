"""Approvals that a gateway asks for: what they say, and the answer that the gateway gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mission_control.core import clock
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, Invalid

Answer = Literal["allow-once", "allow-always", "deny"]

# The types of action by the gateway's kind of approval, with their words.
ACTIONS = {"exec": "gateway.exec", "plugin": "gateway.plugin", "system-agent": "gateway.system_agent"}
WORDS = {
    "gateway.exec": "Run a command",
    "gateway.plugin": "Use a plugin",
    "gateway.system_agent": "Change the gateway",
}
TITLE_LENGTH = 100
CHANNEL = "gateway-answers"  # notified when an answer waits to be sent


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """What a gateway asks for, from `payload.gateway_request`."""

    kind: str
    title: str
    command: str
    details: str
    facts: list[tuple[str, str]]
    warnings: list[str]
    risks: list[str]
    allowed: list[str]

    @property
    def heading(self) -> str:
        """The verb and its object: `Run a command: git push`."""
        if self.kind != "exec":
            return _short(self.title) or WORDS.get(ACTIONS.get(self.kind, ""), "Decide about a request")
        return f"Run a command: {_short(self.command)}"

    @property
    def as_text(self) -> str:
        """What it is in plain text, for those who see no page."""
        said = [self.title, self.command, self.details, *self.warnings]
        facts = [*self.facts, ("Risk", ", ".join(self.risks))] if self.risks else self.facts
        return "\n".join([*(one for one in said if one), *(f"{label}: {value}" for label, value in facts)])

    @property
    def allows_always(self) -> bool:
        """Whether the gateway takes a yes for the next times too."""
        return "allow-always" in self.allowed

    def effects(self, who: str) -> dict[str, str]:
        """Return what follows from each answer, and from none."""
        is_command = self.kind == "exec"
        does = "The command runs once" if is_command else "It happens once"
        refused = "The command does not run" if is_command else "It does not happen"
        always = {"always": "The gateway does not ask again for the same."} if self.allows_always else {}
        return {
            "approve": f"{does}, and {who} continues.",
            **always,
            "send_back": f"{refused}, and {who} gets your note.",
            "reject": f"{refused}.",
            "ignore": f"{refused}; {who} waits until the request expires.",
        }


def request_of(payload: Any) -> GatewayRequest | None:
    """Return what a gateway asks for, None for any other approval."""
    asked = payload.get("gateway_request") if isinstance(payload, Mapping) else None
    if not isinstance(asked, Mapping):
        return None
    facts = [("In", "cwd"), ("Program", "resolved_path"), ("Host", "host"), ("Plugin", "plugin"), ("Tool", "tool")]
    return GatewayRequest(
        kind=_text(asked.get("kind")),
        title=_text(asked.get("title")),
        command=_text(asked.get("command")),
        details=_text(asked.get("description")),
        facts=[(label, _text(asked.get(name))) for label, name in facts if _text(asked.get(name))],
        warnings=_texts(asked.get("warnings")),
        risks=[risk.replace("-", " ").replace("_", " ") for risk in _texts(asked.get("risk_kinds"))],
        allowed=_texts(asked.get("allowed_decisions")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(values: Any) -> list[str]:
    return [one for one in values if isinstance(one, str) and one] if isinstance(values, list) else []


def _short(text: str) -> str:
    line, _, rest = text.strip().partition("\n")
    return line if len(line) <= TITLE_LENGTH and not rest else f"{line[:TITLE_LENGTH].rstrip()} …"


def answer_of(payload: Any, expires_at: datetime | None, decision: str, *, always: bool) -> Answer:
    """Return the answer for the gateway. Raise Invalid where it takes no standing yes, Conflict when it expired."""
    if expires_at is not None and expires_at <= clock.now():
        raise Conflict(ErrorCode.APPROVAL_EXPIRED.detail())
    if decision != "approved":
        return "deny"
    if not always:
        return "allow-once"
    request = request_of(payload)
    if request is None or not request.allows_always:
        raise Invalid("The gateway takes a yes for this one time only.")
    return "allow-always"
