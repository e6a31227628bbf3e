"""Where a person goes who has just joined an organization."""

from mission_control.database.sql import rows
from mission_control.organizations.models import Member

START = "/"


async def first_place(member: Member) -> str:
    """Return the one board that a new member reaches; the start page where something waits, or none or several are."""
    found = await rows(
        "SELECT b.id FROM boards b WHERE b.organization_id = ? AND b.deleted_at IS NULL AND (? OR EXISTS ("
        " SELECT 1 FROM organization_board_access x WHERE x.board_id = b.id AND x.organization_member_id = ?"
        " AND (x.can_read OR x.can_write))) ORDER BY LOWER(b.name), b.id LIMIT 2",
        member.organization_id,
        member.all_boards_read or member.all_boards_write,
        member.id,
    )
    return f"/boards/{found[0]['id']}" if len(found) == 1 and not await _asks(found[0]["id"]) else START


async def _asks(board_id: object) -> bool:
    return bool(await rows("SELECT 1 FROM approvals WHERE board_id = ? AND status = 'pending' LIMIT 1", board_id))
