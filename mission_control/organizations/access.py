"""Board access of members: per board, copied from an invitation, replaced."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from mission_control.core import clock
from mission_control.core.errors import Invalid
from mission_control.database.sql import placeholders, rows
from mission_control.organizations.models import BoardAccess, Invite, InviteBoardAccess, Member


class Spec(Protocol):
    """Access to one board."""

    board_id: UUID
    can_read: bool
    can_write: bool


async def check_boards(organization_id: UUID, specs: Sequence[Spec]) -> None:
    """Refuse boards that are not in the organization."""
    if not specs:
        return
    known = await rows(
        "SELECT COUNT(*) AS count FROM boards WHERE organization_id = ? AND deleted_at IS NULL"
        f" AND id IN ({placeholders(len(specs))})",
        organization_id,
        *(spec.board_id for spec in specs),
    )
    if known[0]["count"] != len(specs):
        raise Invalid("A board of the list is not in this organization.")


async def replace_access(member: Member, specs: Sequence[Spec]) -> bool:
    """Replace a member's access to existing boards; access to deleted boards stays. Return whether it changed."""
    live = await rows(
        "SELECT x.id, x.board_id, x.can_read, x.can_write FROM organization_board_access x"
        " JOIN boards b ON b.id = x.board_id WHERE x.organization_member_id = ? AND b.deleted_at IS NULL",
        member.id,
    )
    before = {(str(row["board_id"]), bool(row["can_read"]), bool(row["can_write"])) for row in live}
    if before == {(str(spec.board_id), spec.can_read, spec.can_write) for spec in specs}:
        return False
    await BoardAccess.filter(id__in=[row["id"] for row in live]).delete()
    await BoardAccess.bulk_create([_row(member, spec) for spec in specs])
    return True


async def copy_access(invite: Invite, member: Member) -> None:
    """Copy the board access of an invitation to a new member."""
    offered = await InviteBoardAccess.filter(organization_invite_id=invite.id)
    await BoardAccess.bulk_create([_row(member, one) for one in offered])


async def merge_access(invite: Invite, member: Member) -> None:
    """Add the board access of an invitation to a member's own; nothing is removed."""
    held = {one.board_id: one for one in await BoardAccess.filter(organization_member_id=member.id)}
    for offer in await InviteBoardAccess.filter(organization_invite_id=invite.id):
        row = held.get(offer.board_id) or BoardAccess(
            organization_member_id=member.id, board_id=offer.board_id, can_read=False
        )
        row.can_read = row.can_read or offer.can_read or offer.can_write
        row.can_write = row.can_write or offer.can_write
        row.updated_at = clock.now()
        await row.save()


def _row(member: Member, spec: Spec) -> BoardAccess:
    return BoardAccess(
        organization_member_id=member.id, board_id=spec.board_id, can_read=spec.can_read, can_write=spec.can_write
    )
