"""Who may make people out of what the provider says."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.policy import rule


@rule("account.admit")
def may_admit(actor: Actor, thing: Any) -> bool:
    """Only the system itself: the provider's signature is the proof."""
    return False
