"""Who may do what in an organization."""

from typing import Any
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.policy import rule


@rule("organization.administer")
def may_administer(actor: Actor, organization_id: UUID | None) -> bool:
    """Owners and admins."""
    return actor.administers(organization_id or actor.organization_id)


@rule("organization.reset_demo")
def may_reset_demo(actor: Actor, thing: Any) -> bool:
    """Only the command line, as the system."""
    return False
