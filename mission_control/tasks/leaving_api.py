"""Tasks leave their board and come back, over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.schemas import OK, ErrorResponse, OkResponse
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.tasks import leaving
from mission_control.tasks.api import TAGS, TASK
from mission_control.tasks.models import Task
from mission_control.tasks.queries import any_task, task_read, visible_task
from mission_control.tasks.schemas import TaskRead

api = Api("task_leaving_api", __name__, url_prefix="/api/v1")


@operation(
    api,
    "DELETE",
    TASK,
    operation_id="delete_task_api_v1_boards__board_id__tasks__task_id__delete",
    tags=TAGS,
    who="user",
    find=visible_task,
    verb="task.delete",
    returns=OkResponse,
)
async def delete_task(actor: Actor, task: Task) -> dict[str, bool]:
    """Take a task off its board; a restoration brings it back."""
    await leaving.delete_task(actor, task)
    return OK


@operation(
    api,
    "POST",
    f"{TASK}/restorations",
    operation_id="restore_task",
    tags=TAGS,
    who="user",
    find=any_task,
    verb="task.restore",
    returns=TaskRead,
    errors={409: ErrorResponse},
)
async def restore_task(actor: Actor, task: Task) -> dict[str, Any]:
    """Put a deleted task back.

    Tasks that wait for it wait again, and started ones return to the inbox. So does the task itself when its work
    cannot continue.
    """
    await leaving.restore_task(actor, task)
    return await task_read(task.id)


@operation(
    api,
    "POST",
    f"{TASK}/erasures",
    operation_id="erase_task",
    tags=TAGS,
    who="user",
    find=any_task,
    verb="task.erase",
    returns=OkResponse,
    errors={409: ErrorResponse},
)
async def erase_task(actor: Actor, task: Task) -> dict[str, bool]:
    """Delete a task of the trash for good, with its comments, files and runs. Only the log keeps that it was there."""
    await leaving.erase_task(actor, task)
    return OK
