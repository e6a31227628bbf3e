"""Invitations: create, show to owners and admins while pending, revoke, accept."""

from dataclasses import dataclass
from datetime import timedelta

from mission_control.accounts.models import User
from mission_control.authn import freshness
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Forbidden, Invalid, NotFound
from mission_control.core.ids import fingerprint, new_secret
from mission_control.core.secrets import decrypt, encrypt
from mission_control.database.sql import lowered, rows
from mission_control.delivery.models import Delivery
from mission_control.organizations.access import check_boards, copy_access, merge_access
from mission_control.organizations.models import Invite, InviteBoardAccess, Member, Organization
from mission_control.organizations.policy import ROLES, role_of
from mission_control.organizations.schemas import OrganizationInviteCreate

INVITE_LIFE = timedelta(days=14)
ONLY_OWNERS_INVITE_OWNERS = "Only an owner can invite an owner."


@dataclass(frozen=True, slots=True)
class NewInvite:
    """A new invitation and its token."""

    row: Invite
    token: str


@command("invite.create")
async def create_invite(
    actor: Actor, organization: Organization, wanted: OrganizationInviteCreate, key: str
) -> NewInvite:
    """Invite an address. A member's address: Conflict; an owner, by an admin: Forbidden.

    The token is stored encrypted with `key`, because inviters can read it until it is used.
    """
    email = wanted.invited_email.strip().lower()
    if not email:
        raise Invalid("Enter the e-mail address of the person to invite.")
    if wanted.role == "owner" and role_of(actor, organization.id) == "admin":
        raise Forbidden(ONLY_OWNERS_INVITE_OWNERS)
    if await _is_member(organization, email):
        raise Conflict("Somebody with this address is a member already.")
    await check_boards(organization.id, wanted.board_access)
    token = new_secret("mci")
    invite = await Invite.create(
        organization_id=organization.id,
        invited_email=email,
        fingerprint=fingerprint(token),
        encrypted_token=encrypt(token, key),
        role=wanted.role,
        all_boards_read=wanted.all_boards_read,
        all_boards_write=wanted.all_boards_write,
        created_by_user_id=actor.user_id,
        expires_at=clock.now() + INVITE_LIFE,
    )
    if not (wanted.all_boards_read or wanted.all_boards_write):
        boards = [
            InviteBoardAccess(organization_invite_id=invite.id, **spec.model_dump()) for spec in wanted.board_access
        ]
        await InviteBoardAccess.bulk_create(boards)
    record("invite.created", invite, f"Somebody was invited as {invite.role}.", role=invite.role)
    return NewInvite(invite, token)


def token_of(actor: Actor, invite: Invite, key: str) -> str:
    """Return the token of an acceptable invitation that the actor could create; else an empty text."""
    is_pending = invite.accepted_at is None and invite.expires_at > clock.now()
    may_make = invite.role != "owner" or role_of(actor, invite.organization_id) == "owner"
    return decrypt(invite.encrypted_token, key) if is_pending and may_make and invite.encrypted_token else ""


async def _is_member(organization: Organization, email: str) -> bool:
    found = await rows(
        "SELECT 1 AS one FROM organization_members m JOIN users u ON u.id = m.user_id"
        f" WHERE m.organization_id = ? AND {lowered('u.email')} = ?",
        organization.id,
        email,
    )
    return bool(found)


@command("invite.revoke")
async def revoke_invite(actor: Actor, invite: Invite) -> Invite:
    """Delete an invitation; its token is worth nothing from now on."""
    held = await Invite.select_for_update().get_or_none(id=invite.id)
    if held is None:
        raise NotFound()
    await held.delete()
    if held.mail_delivery_id:
        await Delivery.filter(id=held.mail_delivery_id, state="waiting").delete()
    record("invite.revoked", held, "An invitation was revoked.", role=held.role)
    return held


@command("invite.accept")
async def accept_invite(actor: Actor, token: str) -> Member:
    """Join by an invitation's token. Unknown, used or expired: NotFound; for another address: Forbidden."""
    user = await User.select_for_update().get_or_none(id=actor.id)
    invite = await Invite.select_for_update().get_or_none(
        fingerprint=fingerprint(token.strip()), accepted_at=None, expires_at__gt=clock.now()
    )
    if user is None or invite is None:
        raise NotFound()
    if user.email and user.email.lower() != invite.invited_email:
        raise Forbidden("This invitation is for another e-mail address.")
    return await join(user, invite)


async def waiting_invite(email: str) -> Invite | None:
    """Inside a command: the oldest live invitation of an address that the identity provider has verified."""
    waiting = Invite.filter(invited_email=email.lower(), accepted_at=None, expires_at__gt=clock.now())
    return await waiting.order_by("created_at", "id").select_for_update().first()


async def join(user: User, invite: Invite) -> Member:
    """Inside a command that holds both: make a person a member as invited, or add to what they had; never less.

    They work in that organization from now on.
    """
    member = await Member.select_for_update().get_or_none(organization_id=invite.organization_id, user_id=user.id)
    by_board = not (invite.all_boards_read or invite.all_boards_write)
    if member is None:
        member = await _new_member(user, invite)
        if by_board:
            await copy_access(invite, member)
    else:
        await _raise(member, invite)
        if by_board:
            await merge_access(invite, member)
    now = clock.now()
    await Invite.filter(id=invite.id).update(
        accepted_by_user_id=user.id, accepted_at=now, updated_at=now, encrypted_token=None
    )
    await User.filter(id=user.id).update(active_organization_id=invite.organization_id)
    record(
        "invite.accepted",
        invite,
        f"An invitation was accepted; a person is {member.role} now.",
        user_id=user.id,
        member_id=member.id,
        role=member.role,
    )
    freshness.recheck_streams()
    return member


async def _new_member(user: User, invite: Invite) -> Member:
    return await Member.create(
        organization_id=invite.organization_id,
        user_id=user.id,
        role=invite.role,
        all_boards_read=invite.all_boards_read,
        all_boards_write=invite.all_boards_write,
    )


async def _raise(member: Member, invite: Invite) -> None:
    member.role = max(member.role, invite.role, key=ROLES.index)
    member.all_boards_read = member.all_boards_read or invite.all_boards_read or invite.all_boards_write
    member.all_boards_write = member.all_boards_write or invite.all_boards_write
    member.updated_at = clock.now()
    await member.save(update_fields=["role", "all_boards_read", "all_boards_write", "updated_at"])
