"""Cards over HTTP: moved to another place, and copied."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.operations.api import Api
from mission_control.tasks import duplicating
from mission_control.tasks.api import BLOCKED, TASK
from mission_control.tasks.models import Task
from mission_control.tasks.moves import move_card
from mission_control.tasks.queries import task_read
from mission_control.tasks.schemas import TaskMove, TaskRead

api = Api(__name__, "tasks", who="actor")


@api.post(f"{TASK}/moves", TaskRead, rule="task.move", errors=BLOCKED)
async def move_task(actor: Actor, task: Task, data: TaskMove) -> dict[str, Any]:
    """Put a card into a column, and there before or after another card.

    A change of status must pass the same rules as when it is sent with PATCH. Where a board wants an approval before
    a task is done, a person can approve and finish it in one act.
    """
    await move_card(actor, task, data)
    return await task_read(task.id)


@api.post(f"{TASK}/duplicates", TaskRead, rule="task.duplicate")
async def duplicate_task(actor: Actor, task: Task) -> dict[str, Any]:
    """Copy a task into the inbox: what is to be done, and nothing of what was done about it.

    The copy has the title, description, priority, tags, custom fields, dependencies and steps, a due date that is not
    over, and no assignee. It has no comments, files, approvals and runs.
    """
    return await task_read((await duplicating.duplicate_task(actor, task)).id)
