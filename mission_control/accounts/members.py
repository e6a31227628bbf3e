"""Change roles from the command line."""

from uuid import UUID

from mission_control.accounts.models import User
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.organizations.members import change_role
from mission_control.organizations.models import Member

ROLES = ("owner", "admin", "member")


async def set_role(actor: Actor, organization_id: UUID, user: User, role: str) -> None:
    """Give a person another role and its boards. Not a member: NotFound; the last owner: Conflict."""
    member = await Member.get_or_none(organization_id=organization_id, user_id=user.id)
    if member is None:
        raise NotFound(f"{user.display_name} does not belong to this organization.")
    try:
        await change_role(actor, member, role, with_boards=True)
    except Invalid:
        raise Conflict(f"{user.display_name} is the only owner; make somebody else an owner first.") from None
