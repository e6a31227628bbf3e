"""What people type about agents."""

from typing import Annotated, Any, Literal
from uuid import UUID

from mission_control.agents.fields import AgentName, ClaimTags, ShortText, Soul, WipLimit
from mission_control.agents.models import Agent
from mission_control.agents.roster import role_of
from mission_control.core.schemas import BlankToNone
from mission_control.web.forms import Fields, Form, VersionedForm

LABELS = {
    "name": "Name",
    "board_id": "Board",
    "runs_on": "Runs on",
    "is_board_lead": "Board lead",
    "role": "Role",
    "every": "Looked after",
    "communication_style": "Communication style",
    "emoji": "Emoji",
    "identity": "Identity",
    "soul": "Soul",
    "reason": "Reason",
}


# How often the server looks whether an agent has work that it has not taken up; the choices of people.
PACES = (
    ("30s", "Every 30 seconds"),
    ("1m", "Every minute"),
    ("5m", "Every 5 minutes"),
    ("10m", "Every 10 minutes"),
    ("30m", "Every 30 minutes"),
    ("1h", "Every hour"),
    ("1d", "Once a day"),
    ("0m", "Never"),
)
LIMIT_LABELS = {"wip_limit": "Tasks in progress", "claim_tags": "Tags"}


class AgentForm(VersionedForm):
    """An agent's name, its board and what it is. Without a board or an interval they stay."""

    name: AgentName
    board_id: UUID | None = None
    every: str | None = None
    is_board_lead: bool = False
    role: ShortText | None = None
    communication_style: ShortText | None = None
    emoji: ShortText | None = None
    identity: Soul = None

    def body(self, found: Agent) -> Fields:
        changes: dict[str, object] = {
            "name": self.name,
            "is_board_lead": self.is_board_lead,
            "identity_profile": _profile(found.identity_profile, self),
            "identity_template": self.identity,
        }
        if self.board_id is not None and self.board_id != found.board_id:
            changes["board_id"] = self.board_id
        if self.every and self.every != pace_of(found.heartbeat_config):
            changes["heartbeat_config"] = {**(found.heartbeat_config or {}), "every": self.every}
        return changes

    @classmethod
    def values_of(cls, agent: Agent) -> dict[str, object]:
        return {
            "name": agent.name,
            "is_board_lead": agent.is_board_lead,
            "role": role_of(agent),
            "board_id": agent.board_id,
            "every": pace_of(agent.heartbeat_config),
            "communication_style": (agent.identity_profile or {}).get("communication_style"),
            "emoji": (agent.identity_profile or {}).get("emoji"),
            "identity": agent.identity_template,
        }


def pace_of(config: dict[str, Any] | None) -> str:
    """Return how often the server looks after an agent."""
    return str((config or {}).get("every", "10m"))


def _profile(profile: dict[str, Any] | None, typed: "AgentForm | NewAgentForm") -> dict[str, Any] | None:
    """Return an identity profile with what was typed; its other keys stay."""
    names = [one for one in ("role", "communication_style", "emoji") if one == "role" or one in typed.model_fields_set]
    kept = {name: value for name, value in (profile or {}).items() if name not in names}
    return kept | {name: text for name in names if (text := getattr(typed, name))} or None


class NewAgentForm(Form):
    """A new agent."""

    board_id: UUID
    name: AgentName
    runs_on: Literal["gateway", "elsewhere"] = "gateway"
    is_board_lead: bool = False
    role: ShortText | None = None
    every: str | None = None
    communication_style: ShortText | None = None
    emoji: ShortText | None = None
    identity: Soul = None
    soul: Soul = None

    def body(self, found: None) -> Fields:
        """Return the agent to create: on the board's gateway, if it has one, unless it runs elsewhere."""
        return {
            **self.model_dump(include={"board_id", "name", "is_board_lead"}),
            "identity_profile": _profile(None, self),
            "identity_template": self.identity,
            "soul_template": self.soul,
            "heartbeat_config": {"every": self.every} if self.every else None,
            **({"gateway_id": None} if self.runs_on == "elsewhere" else {}),
        }


class LimitsForm(VersionedForm):
    """Which tasks an agent may claim, and how many at once."""

    wip_limit: WipLimit = None
    claim_tags: ClaimTags = None

    def body(self, found: Agent) -> Fields:
        return {"wip_limit": self.wip_limit, "claim_tags": self.claim_tags or None}

    @classmethod
    def values_of(cls, agent: Agent) -> dict[str, object]:
        return {"wip_limit": agent.wip_limit, "claim_tags": agent.claim_tags or []}


class SoulForm(VersionedForm):
    """An agent's soul, and why it changes."""

    soul: Soul = None
    reason: Annotated[ShortText | None, BlankToNone] = None

    def body(self, found: Agent) -> Fields:
        return {"content": self.soul, "reason": self.reason}

    @classmethod
    def values_of(cls, agent: Agent) -> dict[str, object]:
        return {"soul": agent.soul_template}
