"""What changes a person's place in an organization."""

from uuid import UUID

from mission_control.accounts.log import record_account
from mission_control.accounts.models import User
from mission_control.core import authn, clock
from mission_control.core.actor import Actor
from mission_control.core.command import command
from mission_control.core.errors import Conflict, NotFound
from mission_control.organizations import policy as policy
from mission_control.organizations.models import Member, Organization

ROLES = ("owner", "admin", "member")


@command("organization.administer")
async def set_role(actor: Actor, organization_id: UUID, user: User, role: str) -> None:
    """Give a person another role. Not a member: NotFound; the last owner: Conflict."""
    await Organization.select_for_update().get_or_none(id=organization_id)  # two owners must not depose each other
    member = await Member.select_for_update().get_or_none(organization_id=organization_id, user_id=user.id)
    if member is None:
        raise NotFound(f"{user.display_name} does not belong to this organization.")
    if member.role == role:
        return
    owners = Member.filter(organization_id=organization_id, role="owner").exclude(id=member.id)
    if member.role == "owner" and not await owners.exists():
        raise Conflict(f"{user.display_name} is the only owner; make somebody else an owner first.")
    await Member.filter(id=member.id).update(
        role=role,
        all_boards_read=True,
        all_boards_write=role in ("owner", "admin"),
        updated_at=clock.now(),
    )
    await record_account(
        "account.role_changed", user.id, organization_id=organization_id, before=member.role, role=role
    )
    authn.forget_fresh()
