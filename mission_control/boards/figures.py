"""What the settings of a board show beside its fields."""

from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.database.sql import placeholders, rows


async def group_choices(actor: Actor, organization_id: UUID) -> list[tuple[UUID, str]]:
    """Return the groups of an organization that somebody can see, by name: those in which they read a board, or all."""
    condition, values = "organization_id = ?", [organization_id]
    whole, single = actor.readable_boards()
    if organization_id not in whole:
        if not single:
            return []
        boards = f"SELECT board_group_id FROM boards WHERE deleted_at IS NULL AND id IN ({placeholders(len(single))})"
        condition, values = f"{condition} AND id IN ({boards})", [*values, *single]
    found = await rows(
        f"SELECT id, name FROM board_groups WHERE {condition} ORDER BY LOWER(name), id LIMIT 200", *values
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
