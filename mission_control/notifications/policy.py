"""Rules for notifications."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("notification.read")
def may_read(actor: Actor, thing: Any) -> bool:
    """Every person, their own."""
    return actor.is_user
