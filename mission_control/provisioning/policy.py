"""Rules for provisioning."""

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.gateways.models import Gateway

rules = Rules()


@rules.rule("gateway.sync_templates")
@rules.rule("gateway.adopt")
def may_change_agents_of(actor: Actor, gateway: Gateway) -> bool:
    """Owners and admins of the organization."""
    return actor.is_user and actor.administers(gateway.organization_id)


@rules.rule("provisioning.run")
def may_run(actor: Actor, thing: object) -> bool:
    """Only the system itself."""
    return False
