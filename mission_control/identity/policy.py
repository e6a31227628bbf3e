"""Who may make people out of what the provider says."""

from typing import Any

from mission_control.accounts.models import User
from mission_control.core.actor import Actor
from mission_control.core.policy import rule


@rule("account.link")
def may_link(actor: Actor, user: User) -> bool:
    """People link their own account."""
    return actor.is_user and actor.id == user.id


@rule("account.admit")
def may_admit(actor: Actor, thing: Any) -> bool:
    """Only the system itself: the provider's signature is the proof."""
    return False
