"""What a person may do in an organization and on its boards, in rules and in words."""

from collections.abc import Sequence
from typing import Literal, Protocol
from uuid import UUID

from mission_control.core import times
from mission_control.core.actor import Actor, Rules
from mission_control.core.errors import Invalid
from mission_control.database.sql import placeholders, rows
from mission_control.people.models import BoardAccess, Invite, InviteBoardAccess, Member, Organization

Access = Literal["none", "read", "write"]
Reach = Literal["all_write", "all_read", "chosen"]
LEVELS: tuple[Access, ...] = ("none", "read", "write")


def level(can_read: bool, can_write: bool) -> Access:
    """Return the word for what somebody may do."""
    return "write" if can_write else "read" if can_read else "none"


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
def may_found_or_join(actor: Actor, thing: object) -> bool:
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
def only_the_system(actor: Actor, thing: object) -> bool:
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


class Spec(Protocol):
    """Access to one board."""

    board_id: UUID
    can_read: bool
    can_write: bool


async def check_boards(organization_id: UUID, specs: Sequence[Spec]) -> None:
    if not specs:
        return
    known = await rows(
        "SELECT COUNT(*) AS count FROM boards WHERE organization_id = ? AND deleted_at IS NULL"
        f" AND id IN ({placeholders(len(specs))})",
        organization_id,
        *(spec.board_id for spec in specs),
    )
    if known[0]["count"] != len(specs):
        raise Invalid("A board of the list is not in this organization.")


async def replace_access(member: Member, specs: Sequence[Spec]) -> bool:
    """Replace a member's access to existing boards; access to deleted boards stays. Return whether it changed."""
    live = await rows(
        "SELECT x.id, x.board_id, x.can_read, x.can_write FROM organization_board_access x"
        " JOIN boards b ON b.id = x.board_id WHERE x.organization_member_id = ? AND b.deleted_at IS NULL",
        member.id,
    )
    before = {(str(row["board_id"]), bool(row["can_read"]), bool(row["can_write"])) for row in live}
    if before == {(str(spec.board_id), spec.can_read, spec.can_write) for spec in specs}:
        return False
    await BoardAccess.filter(id__in=[row["id"] for row in live]).delete()
    await BoardAccess.bulk_create([_row(member, spec) for spec in specs])
    return True


async def copy_access(invite: Invite, member: Member) -> None:
    offered = await InviteBoardAccess.filter(organization_invite_id=invite.id)
    await BoardAccess.bulk_create([_row(member, one) for one in offered])


async def merge_access(invite: Invite, member: Member) -> None:
    """Add the board access of an invitation to a member's own; nothing is removed."""
    held = {one.board_id: one for one in await BoardAccess.filter(organization_member_id=member.id)}
    for offer in await InviteBoardAccess.filter(organization_invite_id=invite.id):
        row = held.get(offer.board_id) or BoardAccess(
            organization_member_id=member.id, board_id=offer.board_id, can_read=False
        )
        row.can_read = row.can_read or offer.can_read or offer.can_write
        row.can_write = row.can_write or offer.can_write
        row.updated_at = times.clock_now()
        await row.save()


def _row(member: Member, spec: Spec) -> BoardAccess:
    return BoardAccess(
        organization_member_id=member.id, board_id=spec.board_id, can_read=spec.can_read, can_write=spec.can_write
    )
