"""Rights on gateways."""

from typing import Any
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.gateways.models import Gateway

rules = Rules()


@rules.rule("gateway.manage")
@rules.rule("gateway.create")
def may_manage_gateways(actor: Actor, organization_id: UUID | None) -> bool:
    """Owners and admins."""
    return actor.is_user and actor.administers(organization_id or actor.organization_id)


@rules.rule("gateway.read")
@rules.rule("gateway.update")
@rules.rule("gateway.delete")
@rules.rule("gateway.check")
def may_manage_gateway(actor: Actor, gateway: Gateway) -> bool:
    """Owners and admins of the organization."""
    return actor.is_user and actor.administers(gateway.organization_id)


@rules.rule("gateway.report")
def only_the_system(actor: Actor, thing: Any) -> bool:
    """Only the system itself."""
    return False
