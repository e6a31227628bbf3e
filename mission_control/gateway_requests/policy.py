"""Rules for what gateways ask."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("gateway_request.keep")
def may_keep(actor: Actor, thing: Any) -> bool:
    """Only the system, in the name of a gateway."""
    return False
