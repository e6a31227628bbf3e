"""What changes a person's place in an organization, and what a member may do on its boards."""

from dataclasses import dataclass
from uuid import UUID

from tortoise.expressions import Q

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden, Invalid, NotFound
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.http import lookups
from mission_control.people.models import Invite, Member, Organization, User
from mission_control.people.organizations.access import (
    LEVELS,
    Access,
    OrganizationBoardAccessSpec,
    Reach,
    Specs,
    boards_here,
    check_boards,
    chosen_boards,
    level,
    replace_access,
)

EVENTS = (
    Kind.named(
        "organization.ownership_transferred",
        "An owner made another person the owner and became an admin.",
        "handed the ownership to",
    ),
    Kind("member.role_changed", "A person got another role in an organization.", "changed the role of"),
    Kind("member.access_changed", "It was changed which boards a person reaches.", "changed the boards of"),
    Kind("member.removed", "A person was taken out of an organization.", "removed"),
    Kind("member.left", "A person left an organization, or deleted their account.", "left the organization"),
)

ONE_OWNER = "An organization needs at least one owner; make somebody else an owner first."


@dataclass(slots=True)
class Held:
    """A member as they are now, with how many owners there are and what the caller is now; all rows are locked."""

    member: Member
    owners: int
    caller_role: str | None

    @property
    def is_last_owner(self) -> bool:
        """Whether nobody else owns the organization."""
        return self.member.role == "owner" and self.owners == 1


async def hold(actor: Actor, member: Member) -> Held:
    """Lock a member, the caller and all owners in one order, so that no two changes see the same owners."""
    mine = actor.memberships.get(member.organization_id)
    concerned = Q(role="owner") | Q(id__in=[member.id] if mine is None else [member.id, mine.id])
    ordered = Member.filter(concerned, organization_id=member.organization_id).order_by("id")
    members = {member.id: member for member in await ordered.select_for_update()}
    if member.id not in members:
        raise NotFound()
    owners = sum(other.role == "owner" for other in members.values())
    if actor.kind == "system":
        return Held(members[member.id], owners, "owner")
    caller = members.get(mine.id) if mine else None
    return Held(members[member.id], owners, caller.role if caller else None)


async def _changeable(actor: Actor, member: Member, role: str = "") -> Held:
    """Hold a member. Raise Forbidden unless the caller administers, and owns where an owner is, or comes to be."""
    locked = await hold(actor, member)
    if locked.caller_role not in ("owner", "admin"):
        raise Forbidden()
    if "owner" in (locked.member.role, role) and locked.caller_role != "owner":
        raise Forbidden("Only owners change who is an owner, and what owners reach.")
    return locked


@command("member.change_role")
async def change_role(actor: Actor, member: Member, role: str, *, with_boards: bool = False) -> Member:
    """Give a member another role; `with_boards` also the boards that go with it. The last owner: Invalid."""
    locked = await _changeable(actor, member, role)
    member = locked.member
    if member.role == role:
        return member
    if locked.is_last_owner:
        raise Invalid(ONE_OWNER)
    if with_boards:
        member.all_boards_read, member.all_boards_write = True, role in ("owner", "admin")
    await _set_role(member, role)
    return member


async def _set_role(member: Member, role: str) -> None:
    before, member.role, member.updated_at = member.role, role, times.clock_now()
    await member.save(update_fields=["role", "all_boards_read", "all_boards_write", "updated_at"])
    lookups.recheck_streams()
    if before == role:
        return
    record(
        "member.role_changed",
        member,
        f"A person's role was changed from {before} to {role}.",
        before={"role": before},
        after={"role": role},
        user_id=member.user_id,
    )
    await end_invites_of(member, still=role)


async def end_invites_of(member: Member, still: str = "member") -> None:
    """Inside a command: end a person's open invitations that their present role could not make."""
    mine = Invite.filter(
        organization_id=member.organization_id, created_by_user_id=member.user_id, accepted_at=None
    ).order_by("id")
    for invite in await mine.select_for_update():
        if still == "owner" or (still == "admin" and invite.role != "owner"):
            continue
        await invite.delete()
        record("invite.revoked", invite, "An invitation ended with the rights of who made it.", role=invite.role)


@command("member.change_access")
async def change_access(actor: Actor, member: Member, *, read: bool, write: bool, boards: Specs) -> Member:
    """Replace what a member reaches; single boards count only without the all-boards flags. Foreign board: Invalid."""
    member = (await _changeable(actor, member)).member
    await check_boards(member.organization_id, boards)
    return await apply_access(member, read=read, write=write, boards=[] if read or write else boards)


async def apply_access(member: Member, *, read: bool, write: bool, boards: Specs) -> Member:
    """Inside a command: store what a locked member reaches, and record it if it changed."""
    before = {"all_boards_read": member.all_boards_read, "all_boards_write": member.all_boards_write}
    after = {"all_boards_read": read, "all_boards_write": write}
    changed = await replace_access(member, boards)
    if not changed and before == after:
        return member
    member.all_boards_read, member.all_boards_write, member.updated_at = read, write, times.clock_now()
    await member.save(update_fields=["all_boards_read", "all_boards_write", "updated_at"])
    record(
        "member.access_changed",
        member,
        "It was changed which boards a person reaches.",
        before=before,
        after={**after, "board_ids": [spec.board_id for spec in boards]},
        user_id=member.user_id,
    )
    lookups.recheck_streams()
    return member


@command("member.remove")
async def remove_member(actor: Actor, member: Member) -> None:
    """Take a person out of an organization. Oneself, or an owner by an admin: Forbidden; the last owner: Invalid."""
    if actor.user_id == member.user_id:
        raise Forbidden("You cannot remove yourself. Leave the organization instead.")
    locked = await _changeable(actor, member)
    if locked.is_last_owner:
        raise Invalid(ONE_OWNER)
    member = locked.member
    record("member.removed", member, "A person was removed.", user_id=member.user_id, role=member.role)
    await end_membership(member)


@command("organization.leave")
async def leave_organization(actor: Actor, organization: Organization) -> None:
    """Leave an organization. Its last owner: Invalid, also when nobody else is left."""
    mine = actor.memberships[organization.id]
    locked = await hold(actor, Member(id=mine.id, organization_id=organization.id))
    if locked.is_last_owner:
        raise Invalid("You are the only owner. Make somebody else an owner first, or delete the organization.")
    record("member.left", locked.member, "A person left.", user_id=locked.member.user_id, role=locked.member.role)
    await end_membership(locked.member)


async def end_membership(member: Member) -> None:
    """Inside a command: delete a membership and the invitations that came of it.

    Who worked there works in their oldest other organization.
    """
    await end_invites_of(member)
    await member.delete()
    other = await Member.filter(user_id=member.user_id).order_by("created_at", "id").first()
    await User.filter(id=member.user_id, active_organization_id=member.organization_id).update(
        active_organization_id=other.organization_id if other else None
    )
    lookups.recheck_streams()


@command("organization.transfer")
async def transfer_ownership(actor: Actor, organization: Organization, member_id: UUID) -> Member:
    """Make a member the owner, with all boards, and the caller an admin. Oneself: Invalid; not a member: NotFound."""
    mine = actor.memberships[organization.id]
    if mine.id == member_id:
        raise Invalid("Choose another member than yourself.")
    locked = await hold(actor, Member(id=member_id, organization_id=organization.id))
    if locked.caller_role != "owner":
        raise Forbidden()
    heir = locked.member
    heir.all_boards_read = heir.all_boards_write = True
    await _set_role(heir, "owner")
    await _set_role(await Member.get(id=mine.id), "admin")
    record(
        "organization.ownership_transferred",
        organization,
        "The ownership was transferred.",
        user_id=heir.user_id,
        member_id=heir.id,
    )
    return heir


@command("member.change_access")
async def set_board(actor: Actor, member: Member, board_id: UUID, access: Access) -> Member:
    """Set what a member may do on one board. A foreign board: Invalid.

    Less than what the member may do on all boards makes each of those boards a chosen one, so that the others stay as
    they are.
    """
    member = (await _changeable(actor, member)).member
    await check_boards(member.organization_id, [OrganizationBoardAccessSpec(board_id=board_id)])
    everywhere, boards = level(member.all_boards_read, member.all_boards_write), await chosen_boards(member.id)
    if LEVELS.index(access) < LEVELS.index(everywhere):
        boards, everywhere = await _reached(member, everywhere, boards), "none"
    if access == everywhere or access == "none":
        boards.pop(board_id, None)
    else:
        boards[board_id] = access
    return await apply_access(member, read=everywhere != "none", write=everywhere == "write", boards=_specs(boards))


@command("member.change_access")
async def set_reach(actor: Actor, member: Member, reach: Reach) -> Member:
    """Let a member read or change all boards, also those to come; or the chosen ones, at first those reached now."""
    member = (await _changeable(actor, member)).member
    if reach != "chosen":
        return await apply_access(member, read=True, write=reach == "all_write", boards=[])
    everywhere, boards = level(member.all_boards_read, member.all_boards_write), await chosen_boards(member.id)
    if everywhere != "none":
        boards = await _reached(member, everywhere, boards)
    return await apply_access(member, read=False, write=False, boards=_specs(boards))


def _specs(boards: dict[UUID, Access]) -> list[OrganizationBoardAccessSpec]:
    return [OrganizationBoardAccessSpec(board_id=id, can_write=access == "write") for id, access in boards.items()]


async def _reached(member: Member, everywhere: Access, boards: dict[UUID, Access]) -> dict[UUID, Access]:
    ids = [board.id for board in await boards_here(member.organization_id)]
    return {board_id: max(boards.get(board_id, "none"), everywhere, key=LEVELS.index) for board_id in ids}
