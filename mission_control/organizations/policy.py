"""Who may do what in an organization."""

from typing import Any
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.organizations.models import Invite, Member, Organization

rules = Rules()

ROLES = ("member", "admin", "owner")


def role_of(actor: Actor, organization_id: UUID) -> str | None:
    """The actor's role in an organization, None for those who do not belong to it."""
    membership = actor.memberships.get(organization_id)
    return membership.role if membership else None


@rules.rule("organization.administer")
def may_administer(actor: Actor, organization_id: UUID | None) -> bool:
    """Owners and admins."""
    return actor.administers(organization_id or actor.organization_id)


@rules.rule("organization.create")
@rules.rule("invite.accept")
def may_found_or_join(actor: Actor, thing: Any) -> bool:
    """Everybody who is a person."""
    return actor.is_user


@rules.rule("organization.switch")
@rules.rule("organization.leave")
def may_belong(actor: Actor, organization: Organization) -> bool:
    """Its members."""
    return role_of(actor, organization.id) is not None


@rules.rule("organization.rename")
@rules.rule("organization.set_work_state")
def may_rename(actor: Actor, organization: Organization | None) -> bool:
    """Owners and admins."""
    return actor.administers(organization.id if organization else actor.organization_id)


@rules.rule("organization.verify")
def may_verify(actor: Actor, organization: Organization | None) -> bool:
    """Owners and admins."""
    return actor.administers(organization.id if organization else actor.organization_id)


@rules.rule("organization.read_account_log")
@rules.rule("organization.delete")
@rules.rule("organization.transfer")
def may_dispose(actor: Actor, organization: Organization | None) -> bool:
    """Owners."""
    return role_of(actor, organization.id if organization else actor.organization_id) == "owner"


@rules.rule("organization.settle")
@rules.rule("organization.reset_demo")
def only_the_system(actor: Actor, thing: Any) -> bool:
    """Only the system itself."""
    return False


@rules.rule("member.read")
def may_read_member(actor: Actor, member: Member) -> bool:
    """Owners, admins, and the member itself."""
    return actor.administers(member.organization_id) or actor.user_id == member.user_id


@rules.rule("member.change_role")
@rules.rule("member.change_access")
def may_change_member(actor: Actor, member: Member) -> bool:
    """Owners; admins where no owner is concerned."""
    role = role_of(actor, member.organization_id)
    return role == "owner" or (role == "admin" and member.role != "owner")


@rules.rule("member.remove")
def may_remove_member(actor: Actor, member: Member) -> bool:
    """Owners and admins; the command says who removes whom."""
    return actor.administers(member.organization_id)


@rules.rule("invite.create")
@rules.rule("invite.list")
def may_invite(actor: Actor, organization: Organization | None) -> bool:
    """Owners and admins."""
    return actor.administers(organization.id if organization else actor.organization_id)


@rules.rule("invite.revoke")
@rules.rule("invite.mail")
def may_revoke_invite(actor: Actor, invite: Invite) -> bool:
    """Owners and admins."""
    return actor.administers(invite.organization_id)
