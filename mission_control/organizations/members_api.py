"""Members of an organization over HTTP."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import OK, OkResponse
from mission_control.operations.api import Api
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

api = Api(__name__, "organizations", below="/organizations/me")


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


@api.get("/member", OrganizationMemberRead)
async def get_my_membership(actor: Actor) -> dict[str, Any]:
    """Read one's own place in the organization one works in."""
    return await member_read(actor, actor.memberships[actor.organization_id].id)


@api.get("/members", Page[OrganizationMemberRead])
async def list_org_members(actor: Actor, query: Paging) -> dict[str, Any]:
    """List the members of the organization one works in, by address.

    Owners and admins see which boards each one reaches, others see their own.
    """
    return page(*await list_members(actor, query), query)


@api.get("/members/<member_id>", OrganizationMemberRead, rule="member.read")
async def get_org_member(actor: Actor, member: Member) -> dict[str, Any]:
    """Read a member with the boards they reach."""
    return await member_read(actor, member.id)


@api.patch("/members/<member_id>", OrganizationMemberRead, rule="member.change_role")
async def update_org_member(actor: Actor, member: Member, data: OrganizationMemberUpdate) -> dict[str, Any]:
    """Change a member's role.

    Only owners make and unmake owners; one owner always remains.
    """
    if data.role is not None:
        await members.change_role(actor, member, data.role)
    return await member_read(actor, member.id)


@api.put("/members/<member_id>/access", OrganizationMemberRead, rule="member.change_access")
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


@api.put("/members/<member_id>/boards", OrganizationMemberRead, rule="member.change_access")
async def set_member_reach(actor: Actor, member: Member, data: MemberReachUpdate) -> dict[str, Any]:
    """Let a member read or change all boards, also those to come, or chosen boards only.

    `chosen` keeps what the member reaches now and leaves out boards to come.
    """
    await members.set_reach(actor, member, data.reach)
    return await member_read(actor, member.id)


@api.put(
    "/members/<member_id>/boards/<board_id>", OrganizationMemberRead, find=member_on_board, rule="member.change_access"
)
async def set_member_board(actor: Actor, one: MemberOnBoard, data: MemberBoardUpdate) -> dict[str, Any]:
    """Set what a member may do on one board; other boards stay as they are.

    Less than what the member may do on all boards turns those into chosen boards.
    """
    await members.set_board(actor, one.member, one.board_id, data.access)
    return await member_read(actor, one.member.id)


@api.delete("/members/<member_id>", rule="member.remove")
async def remove_org_member(actor: Actor, member: Member) -> OkResponse:
    """Take a person out of the organization."""
    await members.remove_member(actor, member)
    return OK
