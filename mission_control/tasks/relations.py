"""What changes with a task outside of its row: tags and custom fields."""

from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.custom_fields.task_values import merge_values
from mission_control.tags.assignment import replace_tags
from mission_control.tasks.models import Task

RelationChanges = dict[str, tuple[Any, Any]]
DependencyChange = tuple[list[UUID], list[UUID]] | None


async def change_relations(
    board: Board, task: Task, sent: dict[str, Any], dependency_change: DependencyChange
) -> RelationChanges:
    """Replace tags and merge custom fields; returns what changed outside of the task's row."""
    changes: RelationChanges = {"depends_on_task_ids": dependency_change} if dependency_change else {}
    if "tag_ids" in sent and (tags := await replace_tags(task.id, sent["tag_ids"])) is not None:
        changes["tag_ids"] = tags
    if "custom_field_values" in sent:
        if (values := await merge_values(board.id, task.id, sent["custom_field_values"])) is not None:
            changes["custom_field_values"] = values
    return changes
