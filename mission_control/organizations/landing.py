"""Where a person goes who has just joined an organization."""

from mission_control.database.sql import rows
from mission_control.organizations.models import Member

START = "/"


async def first_place(member: Member) -> str:
    """Return the one board that a new member reaches, or the start page where there are several, or none."""
    found = await rows(
        "SELECT b.id FROM boards b WHERE b.organization_id = ? AND b.deleted_at IS NULL AND (? OR EXISTS ("
        " SELECT 1 FROM organization_board_access x WHERE x.board_id = b.id AND x.organization_member_id = ?"
        " AND (x.can_read OR x.can_write))) ORDER BY LOWER(b.name), b.id LIMIT 2",
        member.organization_id,
        member.all_boards_read or member.all_boards_write,
        member.id,
    )
    return f"/boards/{found[0]['id']}" if len(found) == 1 else START
