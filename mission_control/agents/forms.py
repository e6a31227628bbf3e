"""What people type about agents."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.agents.models import Agent
from mission_control.agents.roster import role_of
from mission_control.agents.schemas import AgentName, ShortText, Soul

LABELS = {
    "name": "Name",
    "board_id": "Board",
    "is_board_lead": "Board lead",
    "role": "Role",
    "identity": "Identity",
    "soul": "Soul",
}


class AgentForm(BaseModel):
    """An agent's name and character."""

    name: AgentName
    is_board_lead: bool = False
    role: ShortText | None = None
    identity: Soul = None
    soul: Soul = None

    def profile(self, kept: dict[str, Any] | None = None) -> dict[str, str] | None:
        """The identity profile with the typed role; other keys stay."""
        profile = {name: value for name, value in (kept or {}).items() if name != "role"}
        if self.role:
            profile["role"] = self.role
        return profile or None

    @classmethod
    def values_of(cls, agent: Agent) -> dict[str, Any]:
        """What the form shows for an agent that exists."""
        return {
            "name": agent.name,
            "is_board_lead": agent.is_board_lead,
            "role": role_of(agent),
            "identity": agent.identity_template,
            "soul": agent.soul_template,
        }


class NewAgentForm(AgentForm):
    """An agent to be made."""

    board_id: UUID


class RotationForm(BaseModel):
    """How long the old tokens of an agent go on."""

    overlap_seconds: Annotated[int, Field(ge=0, le=7 * 24 * 3600)] = 600
