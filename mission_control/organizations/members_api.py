"""Members of an organization over HTTP."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import OK, OkResponse
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.organizations import members
from mission_control.organizations.models import Member
from mission_control.organizations.queries import (
    MemberBoardUpdate,
    MemberReachUpdate,
    OrganizationMemberAccessUpdate,
    OrganizationMemberRead,
    OrganizationMemberUpdate,
    has_board,
    list_members,
    member_read,
    visible_member,
)

api = Api("members_api", __name__, url_prefix="/api/v1/organizations/me")
TAGS = ("organizations",)


@dataclass(frozen=True, slots=True)
class MemberOnBoard:
    """A member, and the board on which their access is set."""

    member: Member
    board_id: UUID

    @property
    def organization_id(self) -> UUID:
        """Where the member belongs."""
        organization_id: UUID = self.member.organization_id
        return organization_id

    @property
    def role(self) -> str:
        """The member's role."""
        return self.member.role


@operation(
    api,
    "GET",
    "/member",
    operation_id="get_my_membership_api_v1_organizations_me_member_get",
    tags=TAGS,
    who="user",
    returns=OrganizationMemberRead,
)
async def get_my_membership(actor: Actor) -> dict[str, Any]:
    """Read one's own place in the organization one works in."""
    return await member_read(actor, actor.memberships[actor.organization_id].id)


@operation(
    api,
    "GET",
    "/members",
    operation_id="list_org_members_api_v1_organizations_me_members_get",
    tags=TAGS,
    who="user",
    query=Paging,
    returns=Page[OrganizationMemberRead],
)
async def list_organization_members(actor: Actor, query: Paging) -> dict[str, Any]:
    """List the members of the organization one works in, by address.

    Owners and admins see which boards each one reaches, others see their own.
    """
    return page(*await list_members(actor, query), query)


@operation(
    api,
    "GET",
    "/members/<member_id>",
    operation_id="get_org_member_api_v1_organizations_me_members__member_id__get",
    tags=TAGS,
    who="user",
    find=visible_member,
    verb="member.read",
    returns=OrganizationMemberRead,
)
async def get_organization_member(actor: Actor, member: Member) -> dict[str, Any]:
    """Read a member with the boards they reach."""
    return await member_read(actor, member.id)


@operation(
    api,
    "PATCH",
    "/members/<member_id>",
    operation_id="update_org_member_api_v1_organizations_me_members__member_id__patch",
    tags=TAGS,
    who="user",
    find=visible_member,
    verb="member.change_role",
    body=OrganizationMemberUpdate,
    returns=OrganizationMemberRead,
)
async def update_organization_member(actor: Actor, member: Member, data: OrganizationMemberUpdate) -> dict[str, Any]:
    """Change a member's role.

    Only owners make and unmake owners; one owner always remains.
    """
    if data.role is not None:
        await members.change_role(actor, member, data.role)
    return await member_read(actor, member.id)


@operation(
    api,
    "PUT",
    "/members/<member_id>/access",
    operation_id="update_member_access_api_v1_organizations_me_members__member_id__access_put",
    tags=TAGS,
    who="user",
    find=visible_member,
    verb="member.change_access",
    body=OrganizationMemberAccessUpdate,
    returns=OrganizationMemberRead,
)
async def update_member_access(actor: Actor, member: Member, data: OrganizationMemberAccessUpdate) -> dict[str, Any]:
    """Replace which boards a member reaches."""
    await members.change_access(
        actor, member, read=data.all_boards_read, write=data.all_boards_write, boards=data.board_access
    )
    return await member_read(actor, member.id)


async def member_on_board(actor: Actor, member_id: UUID, board_id: UUID) -> MemberOnBoard:
    """A member of the active organization, and a board in it; NotFound otherwise."""
    member = await visible_member(actor, member_id)
    if not await has_board(member.organization_id, board_id):
        raise NotFound()
    return MemberOnBoard(member, board_id)


@operation(
    api,
    "PUT",
    "/members/<member_id>/boards",
    operation_id="set_member_reach",
    tags=TAGS,
    who="user",
    find=visible_member,
    verb="member.change_access",
    body=MemberReachUpdate,
    returns=OrganizationMemberRead,
)
async def set_member_reach(actor: Actor, member: Member, data: MemberReachUpdate) -> dict[str, Any]:
    """Let a member read or change all boards, also those to come, or chosen boards only.

    `chosen` keeps what the member reaches now and leaves out boards to come.
    """
    await members.set_reach(actor, member, data.reach)
    return await member_read(actor, member.id)


@operation(
    api,
    "PUT",
    "/members/<member_id>/boards/<board_id>",
    operation_id="set_member_board",
    tags=TAGS,
    who="user",
    find=member_on_board,
    verb="member.change_access",
    body=MemberBoardUpdate,
    returns=OrganizationMemberRead,
)
async def set_member_board(actor: Actor, one: MemberOnBoard, data: MemberBoardUpdate) -> dict[str, Any]:
    """Set what a member may do on one board; other boards stay as they are.

    Less than what the member may do on all boards turns those into chosen boards.
    """
    await members.set_board(actor, one.member, one.board_id, data.access)
    return await member_read(actor, one.member.id)


@operation(
    api,
    "DELETE",
    "/members/<member_id>",
    operation_id="remove_org_member_api_v1_organizations_me_members__member_id__delete",
    tags=TAGS,
    who="user",
    find=visible_member,
    verb="member.remove",
    returns=OkResponse,
)
async def remove_organization_member(actor: Actor, member: Member) -> dict[str, bool]:
    """Take a person out of the organization."""
    await members.remove_member(actor, member)
    return OK
