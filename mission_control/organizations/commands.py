"""Commands on organizations, and the personal organization of a person without one."""

from uuid import UUID

from mission_control.accounts.log import record_account
from mission_control.accounts.models import InstanceSetting, User
from mission_control.authn import freshness
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, Forbidden, Invalid, NotFound
from mission_control.database.sql import rows
from mission_control.organizations.checks import check_name
from mission_control.organizations.invites import join, waiting_invite
from mission_control.organizations.models import Member, Organization

NOWHERE = UUID(int=0)
LONGEST_NAME = 200


@command("organization.create")
async def create_organization(actor: Actor, name: str) -> Organization:
    """Create an organization owned by the person and switch to it. A name they already have: Conflict."""
    user = await _locked_user(actor.id)
    name = await _free_name(user.id, name)
    organization, _ = await found(user, name)
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
    freshness.recheck_streams()
    return organization, member


@command("organization.rename")
async def rename_organization(actor: Actor, organization: Organization, name: str) -> Organization:
    """Rename an organization. A name that the person has for another one: Conflict."""
    await _locked_user(actor.id)
    name = await _free_name(actor.id, name, other_than=organization.id)
    organization = await locked_organization(organization)
    if organization.name == name:
        return organization
    before, organization.name, organization.updated_at = organization.name, name, clock.now()
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
    freshness.recheck_streams()


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
    freshness.recheck_streams()


async def locked_organization(organization: Organization) -> Organization:
    """Lock the organization until the command ends and return it. Deleted: NotFound."""
    held = await Organization.select_for_update().get_or_none(id=organization.id)
    if held is None:
        raise NotFound()
    return held


async def ensure_membership(user_id: UUID) -> None:
    """Give a person without a membership one: by invitation to their verified address, else a personal one."""
    await _settle(system(NOWHERE), user_id)


@command("organization.settle")
async def _settle(actor: Actor, user_id: UUID) -> None:
    user = await User.select_for_update().get_or_none(id=user_id)
    if user is None or await Member.filter(user_id=user_id).exists():
        return
    invite = await waiting_invite(user.email) if user.email and user.email_verified else None
    if invite is not None:
        await join(user, invite)
    else:
        await found(user, "Personal", personal=True)


async def _locked_user(user_id: UUID | None) -> User:
    user = await User.select_for_update().get_or_none(id=user_id)
    if user is None:
        raise NotFound()
    return user


async def _free_name(user_id: UUID | None, name: str, other_than: UUID | None = None) -> str:
    """Return the trimmed name if none of the person's other organizations has it; needs the person's lock."""
    name = name.strip()
    if not name:
        raise Invalid("Give the organization a name.")
    if len(name) > LONGEST_NAME:
        raise Invalid(f"A name has at most {LONGEST_NAME} characters.")
    mine = await Member.filter(user_id=user_id).values("organization_id", "organization__name")
    taken = (one["organization__name"] for one in mine if one["organization_id"] != other_than)
    if name.casefold() in {one.casefold() for one in taken}:
        raise Conflict(f"You belong to an organization named {name} already.")
    return name
