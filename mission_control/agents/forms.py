"""What people type about agents."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel

from mission_control.agents.models import Agent
from mission_control.agents.roster import role_of
from mission_control.agents.schemas import AgentName, ClaimTags, ShortText, Soul, WipLimit
from mission_control.boards.forms import in_words
from mission_control.core.schemas import BlankToNone

LABELS = {
    "name": "Name",
    "board_id": "Board",
    "is_board_lead": "Board lead",
    "role": "Role",
    "identity": "Identity",
    "soul": "Soul",
    "reason": "Reason",
}


LIMIT_LABELS = {"wip_limit": "Tasks at once", "claim_tags": "Tags"}
FIELDS = ("name", "is_board_lead", "identity_profile", "identity_template")
LIMITS = ("wip_limit", "claim_tags")


class AgentForm(BaseModel):
    """An agent's name and what it is, and a mark of what that was when the form was opened."""

    name: AgentName
    is_board_lead: bool = False
    role: ShortText | None = None
    identity: Soul = None
    version: str = ""

    def profile(self, kept: dict[str, Any] | None = None) -> dict[str, str] | None:
        """The identity profile with the typed role; other keys stay."""
        profile = {name: value for name, value in (kept or {}).items() if name != "role"}
        if self.role:
            profile["role"] = self.role
        return profile or None

    def changes(self, agent: Agent) -> dict[str, Any]:
        """What the command changes."""
        return {
            "name": self.name,
            "is_board_lead": self.is_board_lead,
            "identity_profile": self.profile(agent.identity_profile),
            "identity_template": self.identity,
        }

    @classmethod
    def values_of(cls, agent: Agent) -> dict[str, Any]:
        """What the form shows for an agent that exists."""
        return {
            "name": agent.name,
            "is_board_lead": agent.is_board_lead,
            "role": role_of(agent),
            "identity": agent.identity_template,
        }


class NewAgentForm(AgentForm):
    """An agent to be made."""

    board_id: UUID
    soul: Soul = None


class LimitsForm(BaseModel):
    """What an agent is handed out by itself, and a mark of what that was when the form was opened."""

    wip_limit: WipLimit = None
    claim_tags: ClaimTags = None
    version: str = ""

    def changes(self) -> dict[str, Any]:
        """What the command changes."""
        return {name: getattr(self, name) for name in LIMITS}


class SoulForm(BaseModel):
    """An agent's soul, why it changes, and a mark of the one that was seen when the form was opened."""

    soul: Soul = None
    reason: Annotated[ShortText | None, BlankToNone] = None
    version: str = ""


class SoulChoiceForm(BaseModel):
    """A text that was the agent's soul."""

    soul_id: UUID


def now_is(labels: Mapping[str, str], typed: Mapping[str, Any], present: Mapping[str, Any]) -> str:
    """What is there now where it differs from what was typed, in words."""
    differing = [name for name in labels if name in typed and (typed[name] or None) != (present[name] or None)]
    now = ", ".join(f"{labels[name]} is {in_words(present[name])}" for name in differing)
    return f"Somebody changed it meanwhile: {now or 'it is as you typed it'}. Saving again replaces that with yours."
