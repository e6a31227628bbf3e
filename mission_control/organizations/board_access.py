"""Change what a member may do on single boards, and on all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from mission_control.commands.command import command
from mission_control.core.actor import Actor
from mission_control.database.sql import rows
from mission_control.organizations.access import check_boards
from mission_control.organizations.levels import LEVELS, Access, Reach, level
from mission_control.organizations.members import apply_access, hold, only_owners_touch_owners
from mission_control.organizations.models import Member


@dataclass(slots=True)
class BoardSpec:
    """Access to one board."""

    board_id: UUID
    can_read: bool
    can_write: bool


@command("member.change_access")
async def set_board(actor: Actor, member: Member, board_id: UUID, access: Access) -> Member:
    """Set what a member may do on one board. A foreign board: Invalid.

    Less than what the member may do on all boards makes each of those boards a chosen one, so that the others stay as
    they are.
    """
    held = await hold(actor, member)
    member = held.member
    only_owners_touch_owners(held, member.role)
    await check_boards(member.organization_id, [BoardSpec(board_id, True, False)])
    everywhere = level(member.all_boards_read, member.all_boards_write)
    boards = await _chosen(member)
    if LEVELS.index(access) < LEVELS.index(everywhere):
        boards = {one: max(boards.get(one, "none"), everywhere, key=LEVELS.index) for one in await _boards(member)}
        everywhere = "none"
    if access == everywhere or access == "none":
        boards.pop(board_id, None)
    else:
        boards[board_id] = access
    return await apply_access(member, read=everywhere != "none", write=everywhere == "write", boards=_specs(boards))


@command("member.change_access")
async def set_reach(actor: Actor, member: Member, reach: Reach) -> Member:
    """Let a member read or change all boards, also those to come; or the chosen ones, at first those reached now."""
    held = await hold(actor, member)
    member = held.member
    only_owners_touch_owners(held, member.role)
    if reach != "chosen":
        return await apply_access(member, read=True, write=reach == "all_write", boards=[])
    everywhere, boards = level(member.all_boards_read, member.all_boards_write), await _chosen(member)
    if everywhere != "none":
        boards = {one: max(boards.get(one, "none"), everywhere, key=LEVELS.index) for one in await _boards(member)}
    return await apply_access(member, read=False, write=False, boards=_specs(boards))


def _specs(boards: dict[UUID, Access]) -> Sequence[BoardSpec]:
    return [BoardSpec(one, True, access == "write") for one, access in boards.items()]


async def _boards(member: Member) -> list[UUID]:
    found = await rows(
        "SELECT id FROM boards WHERE organization_id = ? AND deleted_at IS NULL ORDER BY id", member.organization_id
    )
    return [UUID(str(row["id"])) for row in found]


async def _chosen(member: Member) -> dict[UUID, Access]:
    found = await rows(
        "SELECT x.board_id, x.can_read, x.can_write FROM organization_board_access x"
        " JOIN boards b ON b.id = x.board_id WHERE x.organization_member_id = ? AND b.deleted_at IS NULL",
        member.id,
    )
    return {
        UUID(str(row["board_id"])): level(bool(row["can_read"]), bool(row["can_write"]))
        for row in found
        if row["can_read"] or row["can_write"]
    }
