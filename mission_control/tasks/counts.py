"""How many tasks of a board each of several queries finds."""

from collections.abc import Collection
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.database.sql import rows
from mission_control.tasks.query_sql import conditions


async def counts_of(board: Board, texts: Collection[str], viewer_id: UUID | None) -> dict[str, int]:
    """Return how many tasks each query finds, by its text, in one statement."""
    if not texts:
        return {}
    wanted = list(dict.fromkeys(texts))
    found = [conditions(text, viewer_id) for text in wanted]
    counts = ", ".join(f"COUNT(*) FILTER (WHERE TRUE{sql}) AS n{index}" for index, (sql, _) in enumerate(found))
    [row] = await rows(
        f"SELECT {counts} FROM tasks t WHERE t.board_id = ? AND t.deleted_at IS NULL AND t.archived_at IS NULL",
        *(value for _, values in found for value in values),
        board.id,
    )
    return {text: int(row[f"n{index}"]) for index, text in enumerate(wanted)}
