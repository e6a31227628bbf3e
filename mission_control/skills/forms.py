"""What people type about skills and packs."""

from collections.abc import Mapping
from typing import Any

from mission_control.core.schemas import NonEmptyStr
from mission_control.skills.models import SkillPack
from mission_control.skills.queries import AnyAddress, MarketplaceSkillCreate, SkillPackCreate, WebUrl
from mission_control.web.actions import Form

PACK_LABELS = {
    "source_url": "Address",
    "name": "Name",
    "branch": "Branch",
    "description": "Description",
}


class NewSkillForm(Form):
    """A skill that somebody adds by its address."""

    source_url: WebUrl
    name: NonEmptyStr | None = None
    description: str | None = None

    def body(self, found: None) -> MarketplaceSkillCreate:
        """Return the skill to add."""
        return MarketplaceSkillCreate(**self.model_dump())


class PackForm(Form):
    """A pack to add, or its new fields."""

    source_url: AnyAddress
    name: NonEmptyStr | None = None
    branch: str = "main"
    description: str | None = None

    def body(self, found: SkillPack | None) -> SkillPackCreate:
        """Return the pack; what the form does not show stays."""
        return SkillPackCreate(**self.model_dump(), metadata=found.metadata if found is not None else {})


class SyncForm(Form):
    """How to sync."""

    prune: bool = False

    def body(self, found: Any) -> None:
        """Send none."""

    def query(self, ids: Mapping[str, Any]) -> dict[str, Any]:
        """Delete what the pack no longer holds when somebody has asked for it."""
        return {"prune": self.prune}


class InstallForm(Form):
    """Nothing but the gateway of the form's address."""

    def body(self, found: Any) -> None:
        """Send none."""

    def query(self, ids: Mapping[str, Any]) -> dict[str, Any]:
        """Name the gateway."""
        return {"gateway_id": ids["gateway_id"]}
