"""What changes with a task outside of its row: tags and custom fields."""

from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.custom_fields.task_values import merge_values
from mission_control.tags.assignment import replace_tags
from mission_control.tasks.models import Task

Beside = dict[str, tuple[Any, Any]]
Rewired = tuple[list[UUID], list[UUID]] | None


async def change_beside(board: Board, task: Task, sent: dict[str, Any], rewired: Rewired) -> Beside:
    """Replace tags and merge custom fields; returns what changed outside of the task's row."""
    beside: Beside = {"depends_on_task_ids": rewired} if rewired else {}
    if "tag_ids" in sent and (tags := await replace_tags(task.id, sent["tag_ids"])) is not None:
        beside["tag_ids"] = tags
    if "custom_field_values" in sent:
        if (values := await merge_values(board.id, task.id, sent["custom_field_values"])) is not None:
            beside["custom_field_values"] = values
    return beside
