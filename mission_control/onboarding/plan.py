"""The plan for a board apart from its goal: its lead, and how much that may do alone."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mission_control.onboarding.schemas import BoardOnboardingLeadAgentDraft as LeadDraft

STYLE = ("autonomy_level", "verbosity", "output_format", "update_cadence", "custom_instructions")
AUTONOMY = ("autonomy_level", "autonomy", "mode")
ALONE = {"autonomous", "fully-autonomous", "full-autonomy"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The wishes for a board's lead, and whether finishing a task needs an approval."""

    lead: LeadDraft
    needs_approval: bool

    @classmethod
    def of(cls, draft: dict[str, Any] | None) -> "Plan":
        """What an agent proposed; a lead that no longer fits counts as absent."""
        try:
            lead = LeadDraft.model_validate((draft or {}).get("lead_agent") or {})
        except ValidationError:
            lead = LeadDraft()
        return cls(lead, not works_alone(lead))

    def with_lead(self, name: str | None, autonomy: str, instructions: str | None) -> "Plan":
        """Return the plan with what a person wants of the lead instead of what was proposed."""
        wanted = {
            "name": name,
            "autonomy_level": autonomy,
            "custom_instructions": (instructions or "").strip() or None,
        }
        return Plan(self.lead.model_copy(update=wanted), needs_approval=autonomy != "autonomous")


def works_alone(lead: LeadDraft) -> bool:
    """Whether a lead may finish work without asking, by its level of autonomy or its identity profile."""
    profile = lead.identity_profile or {}
    said = [lead.autonomy_level or "", *(profile.get(name, "") for name in AUTONOMY)]
    return any(_is_full(one.strip().lower().replace("_", "-")) for one in said)


def _is_full(level: str) -> bool:
    return level in ALONE or ("autonom" in level and "fully" in level)


def identity_of(lead: LeadDraft) -> dict[str, str] | None:
    """The identity profile of a lead with its working style in it."""
    style = {name: value for name in STYLE if (value := getattr(lead, name))}
    return {**(lead.identity_profile or {}), **style} or None
