"""What a caller sends to change a task; locking tasks, and saving what changed of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID

from mission_control.boards.attempts import refuse_lost_lease
from mission_control.core import times
from mission_control.core.errors import NotFound, existing
from mission_control.core.field_tables import UNSET, Unset
from mission_control.database.records import find, find_all, update
from mission_control.database.sql import rows
from mission_control.events.unit_of_work import record
from mission_control.tasks.fields import TRACKED
from mission_control.tasks.models import Task

type Differences = dict[str, tuple[Any, Any]]  # values before and after, by the field's name


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChange:
    """A change of a task. Its attributes are the fields that have rules; `plain` are the others that were sent."""

    status: str | Unset = UNSET
    assigned_agent_id: UUID | Unset | None = UNSET
    assigned_user_id: UUID | Unset | None = UNSET
    depends_on_task_ids: list[UUID] | Unset = UNSET
    tag_ids: list[UUID] | Unset = UNSET
    parent_id: UUID | Unset | None = UNSET
    blocks_parent: bool | Unset = UNSET
    custom_field_values: Mapping[str, object] | Unset = UNSET
    comment: str | Unset = UNSET
    plain: Mapping[str, object] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        ruled = (field.name for field in fields(self) if field.name != "plain")
        return frozenset(name for name in ruled if getattr(self, name) is not UNSET) | self.plain.keys()


async def save(
    task: Task, before: Task, message: str, kind: str = "", relations: Differences | None = None, **data: Any
) -> bool:
    """Store and record what differs from a copy that was made before. Return False when nothing does.

    `relations` is what changed outside of the task's row. The calling command holds the task.
    """
    pairs = {name: (getattr(before, name), getattr(task, name)) for name in TRACKED}
    changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if not changed and not relations:
        return False
    task.updated_at = times.clock_now()
    await update(task, *changed, "updated_at")
    published = {name: pair for name, pair in (changed | (relations or {})).items() if name != "position"}
    data["before"], data["after"] = ({name: pair[at] for name, pair in published.items()} for at in (0, 1))
    record(kind or ("task.status_changed" if "status" in changed else "task.updated"), task, message, **data)
    return True


async def locked_task(task: Task) -> Task:
    """Lock a task until the running command ends, and return it as it is now.

    Raise NotFound when it has been deleted, and 409 `lease_lost` when the caller sends a stale fence.
    """
    locked = await held_task(task)
    await refuse_lost_lease([locked.id])
    return locked


async def held_task(task: Task) -> Task:
    """Lock like `locked_task`, for a caller that sends its fence in another way."""
    return await existing(present_task(task))


async def present_task(task: Task) -> Task | None:
    """Lock a task that the request did not name, and return it as it is now; None when it has been deleted.

    Check the condition again for which the task was found without a lock.
    """
    locked = await find(Task, "id = ? AND deleted_at IS NULL", task.id, lock=True)
    if locked is not None:
        locked.board = task.board
    return locked


async def neighbour_of(task: Task, status: str, neighbour_id: UUID) -> Task:
    here = "id = ? AND board_id = ? AND status = ? AND deleted_at IS NULL AND id <> ?"
    neighbour = await find(Task, here, neighbour_id, task.board_id, status, task.id)
    if neighbour is None:
        raise NotFound("The neighbouring card is no longer in this column.")
    return neighbour


async def position_next_to(task: Task, neighbour: Task, *, above: bool) -> float:
    here = (task.board_id, task.status)
    side, ways, edge = ("<", ("DESC", ">", "ASC"), -2.0) if above else (">", ("ASC", "<", "DESC"), 2.0)
    beyond = await rows(
        f"SELECT position FROM tasks WHERE board_id = ? AND status = ? AND {LIVING} AND id <> ? AND id <> ?"
        f" AND position {side}= ? AND (position {side} ? OR created_at {ways[1]} ?)"
        f" ORDER BY position {ways[0]}, created_at {ways[2]} LIMIT 1",
        *(*here, task.id, neighbour.id, neighbour.position, neighbour.position, neighbour.created_at),
    )
    bounds = sorted((neighbour.position, beyond[0]["position"] if beyond else neighbour.position + edge))
    middle = sum(bounds) / 2
    return middle if bounds[0] < middle < bounds[1] else await _spread(task, neighbour, above=above)


LIVING = "deleted_at IS NULL AND archived_at IS NULL"


async def _spread(task: Task, neighbour: Task, *, above: bool) -> float:
    """Give the cards of a column other positions, so that there is one beside a neighbour, and return that."""
    where = f"board_id = ? AND status = ? AND {LIVING} AND id <> ? ORDER BY position, created_at DESC"
    column = await find_all(Task, where, task.board_id, task.status, task.id)
    index = next((at for at, other in enumerate(column) if other.id == neighbour.id), len(column) - 1)
    slot = index if above else index + 1
    low = column[slot - 1].position if slot > 0 else column[0].position - 2.0
    for at, other in enumerate(column):
        place = low + 2.0 * (at - slot + 1) if at >= slot else low - 2.0 * (slot - 1 - at)
        await Task.filter(id=other.id).update(position=place)
    return low + 1.0
