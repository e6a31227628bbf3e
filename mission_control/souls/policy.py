"""Who may look into the souls directory."""

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("soul.read")
def may_read_souls(actor: Actor, thing: object) -> bool:
    """Every person and every agent."""
    return actor.is_user or actor.is_agent
