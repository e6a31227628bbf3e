"""What the settings of a board show beside its fields."""

from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.database.sql import rows


async def group_choices(organization_id: UUID) -> list[tuple[UUID, str]]:
    """Return the groups that a board can be in, by name."""
    found = await rows(
        "SELECT id, name FROM board_groups WHERE organization_id = ? ORDER BY LOWER(name), id LIMIT 200",
        organization_id,
    )
    return [(row["id"], row["name"]) for row in found]


async def figures_of(board: Board) -> dict[str, Any]:
    """Return how many webhooks, agents and tasks a board has, and the names of its custom fields and tags."""
    [counts] = await rows(
        "SELECT (SELECT COUNT(*) FROM board_webhooks w WHERE w.board_id = ?) AS webhooks,"
        " (SELECT COUNT(*) FROM agents g WHERE g.board_id = ?) AS agents,"
        " (SELECT COUNT(*) FROM tasks t WHERE t.board_id = ? AND t.deleted_at IS NULL) AS tasks",
        *[board.id] * 3,
    )
    fields = await rows(
        "SELECT d.label, d.field_key FROM board_task_custom_fields b"
        " JOIN task_custom_field_definitions d ON d.id = b.field_id"
        " WHERE b.board_id = ? ORDER BY LOWER(d.field_key) LIMIT 50",
        board.id,
    )
    tags = await rows(
        "SELECT DISTINCT g.name, LOWER(g.name) AS sort_name FROM tag_assignments a JOIN tags g ON g.id = a.tag_id"
        " JOIN tasks t ON t.id = a.task_id WHERE t.board_id = ? AND t.deleted_at IS NULL ORDER BY sort_name LIMIT 50",
        board.id,
    )
    return {
        **counts,
        "fields": [row["label"] or row["field_key"] for row in fields],
        "tags": [row["name"] for row in tags],
    }
