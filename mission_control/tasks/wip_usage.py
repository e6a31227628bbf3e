"""How full the columns with a limit are."""

from dataclasses import dataclass

from mission_control.boards.models import Board
from mission_control.database.sql import placeholders, rows


@dataclass(frozen=True, slots=True)
class WipUsage:
    """The number of tasks in a column, regardless of filters, and its limit."""

    held: int
    limit: int

    @property
    def state(self) -> str:
        """`full`, `over` when people put more into it, or an empty text."""
        if self.held < self.limit:
            return ""
        return "full" if self.held == self.limit else "over"


async def wip_usage_of(board: Board) -> dict[str, WipUsage]:
    """Return how full each column with a limit is, in one statement."""
    limits: dict[str, int] = board.wip_limits or {}
    if not limits:
        return {}
    found = await rows(
        "SELECT status, COUNT(*) AS held FROM tasks WHERE board_id = ? AND deleted_at IS NULL"
        f" AND status IN ({placeholders(len(limits))}) GROUP BY status",
        board.id,
        *limits,
    )
    held = {row["status"]: int(row["held"]) for row in found}
    return {status: WipUsage(held.get(status, 0), limit) for status, limit in limits.items()}
