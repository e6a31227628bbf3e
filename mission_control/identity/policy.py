"""Rights to create and link the accounts of a provider's people."""

from typing import Any

from mission_control.accounts.models import User
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("account.link")
def may_link(actor: Actor, user: User) -> bool:
    """People link their own account."""
    return actor.is_user and actor.id == user.id


@rules.rule("account.admit")
def may_admit(actor: Actor, thing: Any) -> bool:
    """Nobody but the system, which has checked the provider's signature."""
    return False
