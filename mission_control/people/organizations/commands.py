"""Commands on organizations and invitations, and what is done elsewhere before one is deleted."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, Forbidden, Invalid, NotFound, existing
from mission_control.core.extensions import Hook
from mission_control.core.secrets import decrypt, encrypt
from mission_control.core.values import fingerprint, new_secret
from mission_control.database.sql import lowered, rows
from mission_control.events.commands import command
from mission_control.events.event_log import AccountKind, Kind
from mission_control.events.leases import Delivery
from mission_control.events.unit_of_work import record
from mission_control.http import authentication, lookups
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import InstanceSetting, Invite, InviteBoardAccess, Member, Organization, User
from mission_control.people.organizations.access import ROLES, check_boards, copy_access, merge_access, role_of
from mission_control.people.organizations.queries import OrganizationInviteCreate

EVENTS = (
    Kind.named("organization.created", "An organization was founded.", "founded"),
    Kind.named("organization.renamed", "An organization got another name.", "renamed the organization:"),
    Kind("invite.created", "Somebody was invited.", "invited somebody"),
    Kind("invite.revoked", "An invitation was deleted.", "revoked an invitation"),
    Kind("invite.accepted", "A person joined by an invitation, or gained by it.", "accepted an invitation"),
)
ACCOUNT_EVENTS = (AccountKind("organization.deleted", "An organization was deleted with its log."),)


def check_name(organization_id: UUID) -> str:
    return f"audit:{organization_id}"


INVITE_LIFE = timedelta(days=14)


@command("invite.create")
async def create_invite(actor: Actor, organization: Organization, data: OrganizationInviteCreate, key: str) -> Invite:
    """Invite an address. A member's address: Conflict; an owner, by an admin: Forbidden.

    The token is stored encrypted with `key`, because inviters can read it until it is used.
    """
    email = data.invited_email.strip().lower()
    if not email:
        raise Invalid("Enter the e-mail address of the person to invite.")
    if data.role == "owner" and role_of(actor, organization.id) == "admin":
        raise Forbidden("Only an owner can invite an owner.")
    if await rows(
        "SELECT 1 AS one FROM organization_members m JOIN users u ON u.id = m.user_id"
        f" WHERE m.organization_id = ? AND {lowered('u.email')} = ?",
        organization.id,
        email,
    ):
        raise Conflict("Somebody with this address is a member already.")
    await check_boards(organization.id, data.board_access)
    token = new_secret("mci")
    invite = await Invite.create(
        organization_id=organization.id,
        invited_email=email,
        fingerprint=fingerprint(token),
        encrypted_token=encrypt(token, key),
        role=data.role,
        all_boards_read=data.all_boards_read,
        all_boards_write=data.all_boards_write,
        created_by_user_id=actor.user_id,
        expires_at=times.clock_now() + INVITE_LIFE,
    )
    if not (data.all_boards_read or data.all_boards_write):
        specs = [spec.model_dump() for spec in data.board_access]
        await InviteBoardAccess.bulk_create(
            [InviteBoardAccess(organization_invite_id=invite.id, **spec) for spec in specs]
        )
    record("invite.created", invite, f"Somebody was invited as {invite.role}.", role=invite.role)
    return invite


def token_of(actor: Actor, invite: Invite, key: str) -> str:
    """Return the token of an acceptable invitation that the actor could create; else an empty text."""
    may_make = invite.role != "owner" or role_of(actor, invite.organization_id) == "owner"
    return decrypt(invite.encrypted_token, key) if invite.is_open and may_make and invite.encrypted_token else ""


@command("invite.revoke")
async def revoke_invite(actor: Actor, invite: Invite) -> Invite:
    """Delete an invitation; its token is worth nothing from now on."""
    locked = await existing(Invite.select_for_update().get_or_none(id=invite.id))
    await locked.delete()
    if locked.mail_delivery_id:
        await Delivery.filter(id=locked.mail_delivery_id, state="waiting").delete()
    record("invite.revoked", locked, "An invitation was revoked.", role=locked.role)
    return locked


@command("invite.accept")
async def accept_invite(actor: Actor, token: str) -> Member:
    """Join by an invitation's token. Unknown, used or expired: NotFound; for another address: Forbidden."""
    user = await User.select_for_update().get_or_none(id=actor.id)
    invite = await Invite.select_for_update().get_or_none(
        fingerprint=fingerprint(token.strip()), accepted_at=None, expires_at__gt=times.clock_now()
    )
    if user is None or invite is None:
        raise NotFound()
    if user.email and user.email.lower() != invite.invited_email:
        raise Forbidden("This invitation is for another e-mail address.")
    return await join(user, invite)


async def join(user: User, invite: Invite) -> Member:
    """Inside a command that holds both: make a person a member as invited, or add to what they had; never less.

    They work in that organization from now on.
    """
    member = await Member.select_for_update().get_or_none(organization_id=invite.organization_id, user_id=user.id)
    by_board = not (invite.all_boards_read or invite.all_boards_write)
    if member is None:
        member = await Member.create(
            organization_id=invite.organization_id,
            user_id=user.id,
            role=invite.role,
            all_boards_read=invite.all_boards_read,
            all_boards_write=invite.all_boards_write,
        )
        if by_board:
            await copy_access(invite, member)
    else:
        member.role = max(member.role, invite.role, key=ROLES.index)
        member.all_boards_read = member.all_boards_read or not by_board
        member.all_boards_write = member.all_boards_write or invite.all_boards_write
        member.updated_at = times.clock_now()
        await member.save(update_fields=["role", "all_boards_read", "all_boards_write", "updated_at"])
        if by_board:
            await merge_access(invite, member)
    now = times.clock_now()
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
    lookups.recheck_streams()
    return member


LONGEST_NAME = 200


@command("organization.create")
async def create_organization(actor: Actor, name: str) -> Organization:
    """Create an organization owned by the person and switch to it. A name they already have: Conflict."""
    user = await _locked_user(actor.id)
    organization, _ = await found(user, await _free_name(user.id, name))
    return organization


async def found(user: User, name: str, *, personal: bool = False) -> tuple[Organization, Member]:
    """Inside a command: create an organization with its owner, who switches to it."""
    organization = await Organization.found(name)
    member = await Member.create(
        organization_id=organization.id, user_id=user.id, role="owner", all_boards_read=True, all_boards_write=True
    )
    await User.filter(id=user.id).update(active_organization_id=organization.id)
    record(
        "organization.created",
        organization,
        f"Organization created: {name}.",
        name=name,
        member_id=member.id,
        personal=personal,
    )
    lookups.recheck_streams()
    return organization, member


@command("organization.rename")
async def rename_organization(actor: Actor, organization: Organization, name: str) -> Organization:
    """Rename an organization. A name that the person has for another one: Conflict."""
    await _locked_user(actor.id)
    name = await _free_name(actor.id, name, other_than=organization.id)
    organization = await locked_organization(organization)
    if organization.name == name:
        return organization
    before, organization.name, organization.updated_at = organization.name, name, times.clock_now()
    await organization.save(update_fields=["name", "updated_at"])
    record(
        "organization.renamed",
        organization,
        f"Organization renamed: {before} is now {name}.",
        before={"name": before},
        after={"name": name},
    )
    return organization


@command("organization.switch")
async def switch_organization(actor: Actor, organization: Organization) -> None:
    """Switch to another of one's organizations."""
    await User.filter(id=actor.id).update(active_organization_id=organization.id)
    lookups.recheck_streams()


@command("organization.delete")
async def delete_organization(actor: Actor, organization: Organization) -> None:
    """Delete an organization with everything in it, its log included. Only the account log records it."""
    # Lock order: boards first, because commands on a board lock the organization's row last.
    await rows("DELETE FROM boards WHERE organization_id = ?", organization.id)
    organization = await locked_organization(organization)
    owns = Member.filter(organization_id=organization.id, user_id=actor.id, role="owner")
    if actor.is_user and not await owns.exists():
        raise Forbidden()
    await remove_organization(organization)


async def remove_organization(organization: Organization) -> None:
    """Inside a command: delete an organization; its members switch to their oldest other one."""
    await rows(
        "UPDATE users SET active_organization_id = (SELECT m.organization_id FROM organization_members m"
        " WHERE m.user_id = users.id AND m.organization_id <> ? ORDER BY m.created_at, m.id LIMIT 1)"
        " WHERE active_organization_id = ?",
        organization.id,
        organization.id,
    )
    await record_account("organization.deleted", None, organization_id=organization.id, name=organization.name)
    await rows("DELETE FROM deliveries WHERE organization_id = ?", organization.id)
    await InstanceSetting.filter(name=check_name(organization.id)).delete()
    await rows("DELETE FROM organizations WHERE id = ?", organization.id)
    await rows("DELETE FROM events WHERE organization_id = ?", organization.id)
    lookups.recheck_streams()


async def locked_organization(organization: Organization) -> Organization:
    """Lock the organization until the command ends and return it. Deleted: NotFound."""
    return await existing(Organization.select_for_update().get_or_none(id=organization.id))


@authentication.ensure_membership
async def ensure_membership(user_id: UUID) -> None:
    """Give a person without a membership one: by invitation to their verified address, else a personal one."""
    await _settle(system(), user_id)


@command("organization.settle")
async def _settle(actor: Actor, user_id: UUID) -> None:
    user = await User.select_for_update().get_or_none(id=user_id)
    if user is None or await Member.filter(user_id=user_id).exists():
        return
    invite = None
    if user.email and user.email_verified:
        waiting = Invite.filter(invited_email=user.email.lower(), accepted_at=None, expires_at__gt=times.clock_now())
        invite = await waiting.order_by("created_at", "id").select_for_update().first()
    if invite is not None:
        await join(user, invite)
    else:
        await found(user, "Personal", personal=True)


async def _locked_user(user_id: UUID | None) -> User:
    return await existing(User.select_for_update().get_or_none(id=user_id))


async def _free_name(user_id: UUID | None, name: str, other_than: UUID | None = None) -> str:
    """Return the trimmed name if none of the person's other organizations has it; needs the person's lock."""
    name = name.strip()
    if not name:
        raise Invalid("Give the organization a name.")
    if len(name) > LONGEST_NAME:
        raise Invalid(f"A name has at most {LONGEST_NAME} characters.")
    mine = await Member.filter(user_id=user_id).values("organization_id", "organization__name")
    taken = (member["organization__name"] for member in mine if member["organization_id"] != other_than)
    if name.casefold() in {other.casefold() for other in taken}:
        raise Conflict(f"You belong to an organization named {name} already.")
    return name


before_removal = Hook[Callable[[UUID], Awaitable[None]]]()


async def prepare_removal(organization_id: UUID) -> None:
    """Do what has to be done before an organization is deleted. Not to be called inside a command."""
    for prepare in before_removal.functions:
        await prepare(organization_id)


async def prepare_removal_of_own(user_id: UUID) -> None:
    """Do it for the organizations without another member, which are deleted with a person's account."""
    alone = await rows(
        "SELECT organization_id FROM organization_members GROUP BY organization_id"
        " HAVING COUNT(*) = 1 AND MAX(CASE WHEN user_id = ? THEN 1 ELSE 0 END) = 1",
        user_id,
    )
    for row in alone:
        await prepare_removal(UUID(str(row["organization_id"])))
