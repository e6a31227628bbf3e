"""What people type about agents."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from mission_control.agents.fields import AgentName, ClaimTags, ShortText, Soul, WipLimit
from mission_control.agents.models import Agent
from mission_control.agents.roster import role_of
from mission_control.agents.schemas import AgentCreate, AgentSoulUpdate, AgentUpdate
from mission_control.boards.forms import in_words
from mission_control.core.schemas import BlankToNone
from mission_control.web.actions import Form, VersionedForm

LABELS = {
    "name": "Name",
    "board_id": "Board",
    "runs_on": "Runs on",
    "is_board_lead": "Board lead",
    "role": "Role",
    "identity": "Identity",
    "soul": "Soul",
    "reason": "Reason",
}


LIMIT_LABELS = {"wip_limit": "Tasks in progress", "claim_tags": "Tags"}


class AgentForm(VersionedForm):
    """An agent's name and what it is."""

    SHOWN = ("name", "is_board_lead", "identity_profile", "identity_template")
    name: AgentName
    is_board_lead: bool = False
    role: ShortText | None = None
    identity: Soul = None

    def body(self, found: Agent) -> AgentUpdate:
        """Return the change."""
        changes = {
            "name": self.name,
            "is_board_lead": self.is_board_lead,
            "identity_profile": _with_role(found.identity_profile, self.role),
            "identity_template": self.identity,
        }
        return AgentUpdate.model_validate(changes)

    @classmethod
    def values_of(cls, agent: Agent) -> dict[str, Any]:
        """Return what the form shows of an agent."""
        return {
            "name": agent.name,
            "is_board_lead": agent.is_board_lead,
            "role": role_of(agent),
            "identity": agent.identity_template,
        }


def _with_role(profile: dict[str, Any] | None, role: str | None) -> dict[str, Any] | None:
    """Return an identity profile with another role; its other keys stay."""
    kept = {name: value for name, value in (profile or {}).items() if name != "role"}
    return kept | ({"role": role} if role else {}) or None


class NewAgentForm(Form):
    """A new agent."""

    board_id: UUID
    name: AgentName
    runs_on: Literal["gateway", "elsewhere"] = "gateway"
    is_board_lead: bool = False
    role: ShortText | None = None
    identity: Soul = None
    soul: Soul = None

    def body(self, found: None) -> AgentCreate:
        """Return the agent to create: on the board's gateway, if it has one, unless it runs elsewhere."""
        return AgentCreate(
            board_id=self.board_id,
            name=self.name,
            identity_profile=_with_role(None, self.role),
            identity_template=self.identity,
            soul_template=self.soul,
            is_board_lead=self.is_board_lead,
            **({"gateway_id": None} if self.runs_on == "elsewhere" else {}),
        )


class LimitsForm(VersionedForm):
    """Which tasks an agent may claim, and how many at once."""

    SHOWN = ("wip_limit", "claim_tags")
    wip_limit: WipLimit = None
    claim_tags: ClaimTags = None

    def body(self, found: Agent) -> AgentUpdate:
        """Return the change."""
        return AgentUpdate.model_validate(self.model_dump(include={"wip_limit", "claim_tags"}))


class SoulForm(VersionedForm):
    """An agent's soul, and why it changes."""

    SHOWN = ("soul_template",)
    soul: Soul = None
    reason: Annotated[ShortText | None, BlankToNone] = None

    def body(self, found: Agent) -> AgentSoulUpdate:
        """Return the change."""
        return AgentSoulUpdate(soul_template=self.soul, reason=self.reason)


def now_is(labels: Mapping[str, str], typed: Mapping[str, Any], present: Mapping[str, Any]) -> str:
    """Say what the fields are now that differ from what was typed."""
    differing = [name for name in labels if name in typed and (typed[name] or None) != (present[name] or None)]
    now = ", ".join(f"{labels[name]} is {in_words(present[name])}" for name in differing)
    return f"Somebody changed this while you were typing: {now or 'it is as you typed it'}. Save again to replace it."
