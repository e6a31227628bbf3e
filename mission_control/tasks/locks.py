"""Holding a task until the running command ends.

Tasks are held without their key, here and everywhere: what refers to one (a run, a comment, a dependency) can be
written meanwhile, so that two commands which hold two tasks do not wait for each other because of it.
"""

from mission_control.core.errors import NotFound
from mission_control.database.records import find
from mission_control.runs.fence import refuse_lost_lease
from mission_control.tasks.models import Task


async def locked_task(task: Task) -> Task:
    """The task as it is now, held until the running command ends.

    NotFound when it was deleted meanwhile; 409 `lease_lost` when the caller names a fence that is over.
    """
    found = await held_task(task)
    await refuse_lost_lease([found.id])
    return found


async def held_task(task: Task) -> Task:
    """As `locked_task`, for a hand-out that the caller names in another way."""
    found = await present_task(task)
    if found is None:
        raise NotFound()
    return found


async def present_task(task: Task) -> Task | None:
    """A task that the caller did not name, as it is now, held; None when it was deleted since it was found.

    Whoever found it without holding it must ask anew what it was found for.
    """
    found = await find(Task, "id = ? AND deleted_at IS NULL", task.id, lock=True)
    if found is not None:
        found.board = task.board
    return found
