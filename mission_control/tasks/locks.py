"""Lock a task until the running command ends.

Tasks are locked with NO KEY everywhere: rows that refer to one (runs, comments, dependencies) can still be written,
so that two commands that hold two tasks do not wait for each other.
"""

from mission_control.core.errors import NotFound
from mission_control.database.records import find
from mission_control.runs.attempts import refuse_lost_lease
from mission_control.tasks.models import Task


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
