"""What people type about agents."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel

from mission_control.agents.models import Agent
from mission_control.agents.roster import role_of
from mission_control.agents.schemas import AgentName, ClaimTags, ShortText, Soul, WipLimit
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


class AgentForm(BaseModel):
    """An agent's name and what it is."""

    name: AgentName
    is_board_lead: bool = False
    role: ShortText | None = None
    identity: Soul = None

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
    """What an agent is handed out by itself."""

    wip_limit: WipLimit = None
    claim_tags: ClaimTags = None


class SoulForm(BaseModel):
    """An agent's soul, why it changes, and a mark of the one that was seen when the form was opened."""

    soul: Soul = None
    reason: Annotated[ShortText | None, BlankToNone] = None
    version: str = ""


class SoulChoiceForm(BaseModel):
    """A text that was the agent's soul."""

    soul_id: UUID
