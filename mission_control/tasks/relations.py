"""The part of a task's change that other tables store: tags and custom fields."""

from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.declared import UNSET
from mission_control.custom_fields.task_values import merge_values
from mission_control.tags.assignment import replace_tags
from mission_control.tasks.changes import Difference, TaskChange
from mission_control.tasks.models import Task

type RelationChanges = dict[str, Difference]
type DependencyChange = tuple[list[UUID], list[UUID]] | None


async def change_relations(
    board: Board, task: Task, change: TaskChange, dependency_change: DependencyChange
) -> RelationChanges:
    """Replace tags and merge custom fields; return what changed outside of the task's row, by the field's name."""
    changes: RelationChanges = {"depends_on_task_ids": dependency_change} if dependency_change else {}
    if change.tag_ids is not UNSET and (tags := await replace_tags(task.id, change.tag_ids)) is not None:
        changes["tag_ids"] = tags
    if change.custom_field_values is not UNSET:
        if (values := await merge_values(board.id, task.id, change.custom_field_values)) is not None:
            changes["custom_field_values"] = values
    return changes
