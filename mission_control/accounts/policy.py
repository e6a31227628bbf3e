"""Rules for accounts."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from mission_control.accounts.models import Token, User
from mission_control.core.actor import Actor
from mission_control.core.policy import Rules

rules = Rules()


@rules.rule("account.set_up")
@rules.rule("account.sign_in")
@rules.rule("account.reset_password")
@rules.rule("account.mail_reset")
def only_the_system(actor: Actor, thing: Any) -> bool:
    """Allow only the system: a code, a password, a link or a mailbox proves the person."""
    return False


@rules.rule("account.sign_out")
@rules.rule("account.update")
@rules.rule("account.change_password")
@rules.rule("account.delete")
def may_change_account(actor: Actor, user: User) -> bool:
    """People change their own account."""
    return actor.is_user and actor.id == user.id


@rules.rule("account.invite_reset")
@rules.rule("account.invite_link")
def may_make_reset_link(actor: Actor, user: User) -> bool:
    """Allow admins of any organization; the command checks the person."""
    return any(m.role in ("owner", "admin") for m in actor.memberships.values())


def may_reset(actor: Actor, places: Mapping[UUID, str]) -> bool:
    """Return whether an actor may create a reset link for a person with these roles by organization.

    The link gives access to all the person's organizations: the actor must be an admin of each, owner where they are.
    """
    mine = {one: actor.memberships[one].role for one in places if one in actor.memberships}
    return all(mine.get(one) == "owner" or (mine.get(one) == "admin" and places[one] != "owner") for one in places)


@rules.rule("token.create_personal")
def may_create_personal_token(actor: Actor, user: User) -> bool:
    """People make tokens for themselves."""
    return actor.is_user and actor.id == user.id


@rules.rule("token.revoke_personal")
def may_revoke_personal_token(actor: Actor, token: Token) -> bool:
    """People revoke their own tokens."""
    return actor.is_user and token.user_id is not None and actor.id == token.user_id
