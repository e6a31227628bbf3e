"""What a person may do in an organization and on its boards, in rules and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from tortoise.queryset import QuerySet

from mission_control.core import times
from mission_control.core.actor import Actor, OnlySystem, rule
from mission_control.core.errors import Invalid
from mission_control.core.values import Schema
from mission_control.database.sql import placeholders, rows, select
from mission_control.people.models import BoardAccess, Invite, InviteBoardAccess, Member, Organization, Token, User

Access = Literal["none", "read", "write"]
Reach = Literal["all_write", "all_read", "chosen"]
LEVELS: tuple[Access, ...] = ("none", "read", "write")


def level(can_read: bool, can_write: bool) -> Access:
    return "write" if can_write else "read" if can_read else "none"


ROLES = ("member", "admin", "owner")


def role_of(actor: Actor, organization_id: UUID) -> str | None:
    """The actor's role in an organization, None for those who do not belong to it."""
    membership = actor.memberships.get(organization_id)
    return membership.role if membership else None


# Allow only the system: a code, a password, a link, a mailbox or the provider's signature proves the person.
ONLY_SYSTEM = OnlySystem(
    "account.set_up",
    "account.sign_in",
    "account.reset_password",
    "account.mail_reset",
    "account.admit",
    "organization.settle",
    "organization.reset_demo",
)


@rule("account.sign_out", "account.update", "account.change_password")
@rule("account.delete", "account.link", "token.create_personal")
def may_change_account(actor: Actor, user: User) -> bool:
    """People change their own account, and make tokens for themselves."""
    return actor.is_user and actor.id == user.id


@rule("token.revoke_personal")
def may_revoke_personal_token(actor: Actor, token: Token) -> bool:
    """People revoke their own tokens."""
    return actor.is_user and token.user_id is not None and actor.id == token.user_id


@rule("account.invite_reset", "account.invite_link")
def may_make_reset_link(actor: Actor, user: User) -> bool:
    """Allow admins of any organization; the command checks the person."""
    return any(m.role in ("owner", "admin") for m in actor.memberships.values())


@rule("organization.administer")
def may_administer(actor: Actor, organization_id: UUID | None) -> bool:
    """Owners and admins."""
    return actor.administers(organization_id or actor.organization_id)


@rule("organization.rename", "organization.set_work_state", "organization.verify", "invite.create", "invite.list")
def may_manage(actor: Actor, organization: Organization | None) -> bool:
    """Owners and admins."""
    return actor.administers(organization.id if organization else actor.organization_id)


@rule("member.remove", "invite.revoke", "invite.resend")
def may_manage_people(actor: Actor, thing: Member | Invite) -> bool:
    """Owners and admins of its organization; the command says who removes whom."""
    return actor.administers(thing.organization_id)


@rule("organization.create", "invite.accept")
def may_found_or_join(actor: Actor, thing: object) -> bool:
    """Everybody who is a person."""
    return actor.is_user


@rule("organization.switch", "organization.leave")
def may_belong(actor: Actor, organization: Organization) -> bool:
    """Its members."""
    return role_of(actor, organization.id) is not None


@rule("organization.read_account_log", "organization.delete", "organization.transfer")
def may_dispose(actor: Actor, organization: Organization | None) -> bool:
    """Owners."""
    return role_of(actor, organization.id if organization else actor.organization_id) == "owner"


@rule("member.read")
def may_read_member(actor: Actor, member: Member) -> bool:
    """Owners, admins, and the member itself."""
    return actor.administers(member.organization_id) or actor.user_id == member.user_id


@rule("member.change_role", "member.change_access")
def may_change_member(actor: Actor, member: Member) -> bool:
    """Owners; admins where no owner is concerned."""
    role = role_of(actor, member.organization_id)
    return role == "owner" or (role == "admin" and member.role != "owner")


class OrganizationBoardAccessSpec(Schema):
    """What a member is to be allowed on one board."""

    board_id: UUID
    can_read: bool = True
    can_write: bool = False


Specs = Sequence[OrganizationBoardAccessSpec]


def live_access(member_ids: Sequence[UUID]) -> QuerySet[BoardAccess]:
    live = BoardAccess.filter(organization_member_id__in=member_ids, board__deleted_at=None)
    return live.order_by("created_at", "id")


async def chosen_boards(member_id: UUID) -> dict[UUID, Access]:
    levels = {access.board_id: level(access.can_read, access.can_write) for access in await live_access([member_id])}
    return {board_id: access for board_id, access in levels.items() if access != "none"}


@dataclass(frozen=True, slots=True)
class BoardName:
    id: UUID
    name: str


async def boards_here(organization_id: UUID) -> list[BoardName]:
    return await select(
        BoardName,
        "SELECT id, name FROM boards WHERE organization_id = ? AND deleted_at IS NULL ORDER BY LOWER(name), id",
        organization_id,
    )


async def check_boards(organization_id: UUID, specs: Specs) -> None:
    if not specs:
        return
    boards = await rows(
        "SELECT COUNT(*) AS count FROM boards WHERE organization_id = ? AND deleted_at IS NULL"
        f" AND id IN ({placeholders(len(specs))})",
        organization_id,
        *(spec.board_id for spec in specs),
    )
    if boards[0]["count"] != len(specs):
        raise Invalid("A board of the list is not in this organization.")


async def replace_access(member: Member, specs: Specs) -> bool:
    """Replace a member's access to existing boards; access to deleted boards stays. Return whether it changed."""
    live = await live_access([member.id])
    before = {(access.board_id, access.can_read, access.can_write) for access in live}
    if before == {(spec.board_id, spec.can_read, spec.can_write) for spec in specs}:
        return False
    await BoardAccess.filter(id__in=[access.id for access in live]).delete()
    await BoardAccess.bulk_create([_row(member, spec) for spec in specs])
    return True


async def copy_access(invite: Invite, member: Member) -> None:
    offered = await InviteBoardAccess.filter(organization_invite_id=invite.id)
    await BoardAccess.bulk_create([_row(member, access) for access in offered])


async def merge_access(invite: Invite, member: Member) -> None:
    """Add the board access of an invitation to a member's own; nothing is removed."""
    present = {access.board_id: access for access in await BoardAccess.filter(organization_member_id=member.id)}
    for offer in await InviteBoardAccess.filter(organization_invite_id=invite.id):
        row = present.get(offer.board_id) or BoardAccess(
            organization_member_id=member.id, board_id=offer.board_id, can_read=False
        )
        row.can_read = row.can_read or offer.can_read or offer.can_write
        row.can_write = row.can_write or offer.can_write
        row.updated_at = times.clock_now()
        await row.save()


def _row(member: Member, spec: OrganizationBoardAccessSpec | InviteBoardAccess) -> BoardAccess:
    return BoardAccess(
        organization_member_id=member.id, board_id=spec.board_id, can_read=spec.can_read, can_write=spec.can_write
    )
