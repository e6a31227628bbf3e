"""The numbers of the logs under which an answer stays true: as long as they stand still, what it shows does."""

from collections.abc import Sequence
from uuid import UUID

from mission_control.database.sql import Row, placeholders, rows

ACCOUNT_HEAD = "account_log"  # the row of `instance_settings` with the head of the account log

# Of a board: its newest event, the newest that concerns the whole organization, such as of a tag, and the head of the
# account log, which has every change of a person's name. Of an organization: all of its events.
_EVERYWHERE = f"""
    SELECT (SELECT MAX(seq) FROM events WHERE organization_id = ? AND board_id IS NULL) AS everywhere,
        (SELECT value FROM instance_settings WHERE name = '{ACCOUNT_HEAD}') AS accounts"""
_BOARD = f"{_EVERYWHERE}, (SELECT MAX(seq) FROM events WHERE board_id = ?) AS here"
_ORGANIZATION = f"""
    SELECT log_seq AS everywhere, (SELECT value FROM instance_settings WHERE name = '{ACCOUNT_HEAD}') AS accounts
    FROM organizations WHERE id = ?"""

type Position = tuple[int, int, int]


async def position_of_board(organization_id: UUID, board_id: UUID) -> Position:
    """Return the newest number of a board, that of its organization's other events, and the account log's head."""
    [row] = await rows(_BOARD, organization_id, board_id)
    return _position(row)


async def positions_of_boards(organization_id: UUID, board_ids: Sequence[UUID]) -> dict[UUID, tuple[str, Position]]:
    if not board_ids:
        return {}
    positions = await rows(
        "SELECT b.id, b.name, (SELECT MAX(e.seq) FROM events e WHERE e.board_id = b.id) AS here, p.everywhere,"
        " p.accounts"
        f" FROM boards b CROSS JOIN ({_EVERYWHERE}) p WHERE b.id IN ({placeholders(len(board_ids))})",
        organization_id,
        *board_ids,
    )
    return {UUID(str(row["id"])): (row["name"], _position(row)) for row in positions}


async def position_of_organization(organization_id: UUID) -> Position:
    """Return the newest number of an organization, and the account log's head."""
    positions = await rows(_ORGANIZATION, organization_id)
    return (0, int(positions[0]["everywhere"]), _number(positions[0]["accounts"])) if positions else (0, 0, 0)


def _position(row: Row) -> Position:
    return row["here"] or 0, row["everywhere"] or 0, _number(row["accounts"])


def _number(head: str | None) -> int:
    return int(head.partition(":")[0]) if head else 0
