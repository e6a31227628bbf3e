"""Rights on gateways."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("gateway.report")
def only_the_system(actor: Actor, thing: Any) -> bool:
    """Only the system itself."""
    return False
