"""What a caller sends to change a task, and what a task was before."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from mission_control.boards.attempts import refuse_lost_lease
from mission_control.boards.models import Board
from mission_control.core.declared import UNSET, Unset
from mission_control.core.errors import NotFound
from mission_control.database.records import find
from mission_control.tasks.custom_field_queries import merge_values
from mission_control.tasks.fields import PLAIN, TRACKED
from mission_control.tasks.models import Task
from mission_control.tasks.tags import replace_tags

type Difference = tuple[Any, Any]  # a value before and after


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChange:
    """A change of a task. Its attributes are the fields that have rules; `plain` are the others that were sent."""

    status: str | Unset = UNSET
    assigned_agent_id: UUID | Unset | None = UNSET
    assigned_user_id: UUID | Unset | None = UNSET
    depends_on_task_ids: list[UUID] | Unset = UNSET
    tag_ids: list[UUID] | Unset = UNSET
    custom_field_values: Mapping[str, object] | Unset = UNSET
    comment: str | Unset = UNSET
    plain: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return the change that sets some fields to these values, which are valid."""
        ruled = {name: value for name, value in values.items() if name not in PLAIN}
        return cls(**ruled, plain={name: value for name, value in values.items() if name in PLAIN})

    @property
    def names(self) -> frozenset[str]:
        """The names of the fields that were sent."""
        ruled = (one.name for one in fields(self) if one.name != "plain")
        return frozenset(name for name in ruled if getattr(self, name) is not UNSET) | self.plain.keys()


class TaskSnapshot:
    """What a task was before it changed: every column that a change can alter."""

    status: str
    assigned_agent_id: UUID | None
    assigned_user_id: UUID | None
    in_progress_at: datetime | None
    previous_in_progress_at: datetime | None
    flagged_at: datetime | None
    flag_reason: str | None

    def __init__(self, task: Task) -> None:
        for name in TRACKED:
            setattr(self, name, getattr(task, name))

    def changed(self, task: Task) -> dict[str, Difference]:
        """Return the columns that differ now, by name: their values before and after."""
        pairs = {name: (getattr(self, name), getattr(task, name)) for name in TRACKED}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


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


async def locked_task(task: Task) -> Task:
    """Lock a task until the running command ends, and return it as it is now.

    Raise NotFound when it has been deleted, and 409 `lease_lost` when the caller sends a stale fence.
    """
    found = await held_task(task)
    await refuse_lost_lease([found.id])
    return found


async def held_task(task: Task) -> Task:
    """Lock like `locked_task`, for a caller that sends its fence in another way."""
    found = await present_task(task)
    if found is None:
        raise NotFound()
    return found


async def present_task(task: Task) -> Task | None:
    """Lock a task that the request did not name, and return it as it is now; None when it has been deleted.

    Check the condition again for which the task was found without a lock.
    """
    found = await find(Task, "id = ? AND deleted_at IS NULL", task.id, lock=True)
    if found is not None:
        found.board = task.board
    return found


async def position_next_to(task: Task, neighbour_id: UUID, *, above: bool) -> float:
    """The position right before or after another card of the column; NotFound when that one is gone."""
    column = [
        one
        for one in await Task.filter(board_id=task.board_id, status=task.status, deleted_at=None)
        .order_by("position", "-created_at")
        .only("id", "position")
        if one.id != task.id
    ]
    index = next((at for at, one in enumerate(column) if one.id == neighbour_id), None)
    if index is None:
        raise NotFound("The neighbouring card is no longer in this column.")
    slot = index if above else index + 1
    low = column[slot - 1].position if slot > 0 else column[0].position - 2.0
    high = column[slot].position if slot < len(column) else column[-1].position + 2.0
    middle = (low + high) / 2
    if not low < middle < high:
        for at, one in enumerate(column):
            await Task.filter(id=one.id).update(
                position=low + 2.0 * (at - slot + 1) if at >= slot else low - 2.0 * (slot - 1 - at)
            )
        return low + 1.0
    return middle
