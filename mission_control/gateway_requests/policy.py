"""Rules for what gateways ask."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.gateway_requests.models import GatewayRequest

rules = Rules()


@rules.rule("gateway_request.keep")
def may_keep(actor: Actor, thing: Any) -> bool:
    """Only the system, in the name of a gateway."""
    return False


@rules.rule("gateway_request.answer")
def may_answer(actor: Actor, request: GatewayRequest) -> bool:
    """Owners and admins of the organization."""
    return actor.is_user and actor.administers(request.organization_id)
