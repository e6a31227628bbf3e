"""Delete accounts: at the identity provider first, and never leaving an organization without an owner."""

from datetime import datetime, timedelta
from uuid import UUID

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, existing
from mission_control.core.values import fingerprint
from mission_control.database.sql import rows
from mission_control.events.commands import command
from mission_control.events.event_log import AccountKind
from mission_control.events.unit_of_work import record
from mission_control.http import lookups
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import InstanceSetting, Member, Organization, User
from mission_control.people.organizations.commands import (
    locked_organization,
    prepare_removal_of_own,
    remove_organization,
)
from mission_control.people.organizations.members import end_invites_of, hold

ACCOUNT_EVENTS = (AccountKind("account.deleted", "A person deleted their account."),)

DELETE_AT_PROVIDER = "identity.delete_account"  # deliveries that versions before this one left
REMEMBERED = timedelta(hours=24)
_NAME = "deleted:"


async def prepare_deletion(actor: Actor, user: User) -> None:
    """Do what is done elsewhere before an account is deleted. Raise what `delete_account` would raise."""
    await _check_deletable(actor, user)
    await prepare_removal_of_own(user.id)


@command("account.delete")
async def _check_deletable(actor: Actor, user: User) -> None:
    locked = await existing(User.select_for_update().get_or_none(id=user.id))
    await _memberships(actor, locked)


@command("account.delete")
async def delete_account(actor: Actor, user: User) -> None:
    """Delete a person and their organizations without other members. The only owner among other members: Invalid."""
    locked = await existing(User.select_for_update().get_or_none(id=user.id))
    alone, shared = await _memberships(actor, locked)
    for organization in alone:
        await remove_organization(organization)
    for member in shared:
        record("member.left", member, "A person left.", user_id=locked.id, role=member.role)
        await end_invites_of(member)
    await rows("DELETE FROM kept_answers WHERE actor_id = ?", locked.id)
    await rows("DELETE FROM users WHERE id = ?", locked.id)
    await record_account("account.deleted", locked.id)
    if locked.is_linked:
        await _remember(locked.clerk_user_id)
    lookups.recheck_streams()


async def _memberships(actor: Actor, user: User) -> tuple[list[Organization], list[Member]]:
    """Return the organizations to delete and the memberships in the others, all locked."""
    alone, shared, ownerless = [], [], []
    for member in await Member.filter(user_id=user.id).order_by("organization_id").select_related("organization"):
        members = await hold(actor, member)
        if not await _has_others(member.organization_id, user):
            organization = await locked_organization(member.organization)
            if not await _has_others(organization.id, user):  # nobody has joined while the lock was awaited
                alone.append(organization)
                continue
        if members.is_last_owner:
            ownerless.append(member.organization.name)
        shared.append(members.member)
    if ownerless:
        names = ", ".join(sorted(ownerless, key=str.casefold))
        raise Invalid(f"You are the only owner of {names}. Make somebody else an owner first, or delete it.")
    return alone, shared


async def _has_others(organization_id: UUID, user: User) -> bool:
    return await Member.filter(organization_id=organization_id).exclude(user_id=user.id).exists()


async def _remember(subject: str) -> None:
    """Remember the deletion for a day, so that tokens signed before it do not create the person again."""
    now = times.clock_now()
    await InstanceSetting.filter(name__startswith=_NAME, value__lt=(now - REMEMBERED).isoformat()).delete()
    await InstanceSetting.put(_name(subject), now.isoformat())


async def deleted_at(subject: str) -> datetime | None:
    """Return when an account of the identity provider was deleted here, if within the last day."""
    moment = await InstanceSetting.read(_name(subject))
    return datetime.fromisoformat(moment) if moment else None


def _name(subject: str) -> str:
    return _NAME + fingerprint(subject)[:48]
