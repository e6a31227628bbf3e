"""What a task waits for, over HTTP."""

from typing import Any
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.schemas import ErrorResponse
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.tasks import commands
from mission_control.tasks.api import TAGS, TASK
from mission_control.tasks.models import Task
from mission_control.tasks.queries import task_read, visible_task
from mission_control.tasks.schemas import TaskDependencyCreate, TaskRead

api = Api("task_dependencies_api", __name__, url_prefix="/api/v1")


@operation(
    api,
    "POST",
    f"{TASK}/dependencies",
    operation_id="add_dependency",
    tags=TAGS,
    who="actor",
    find=visible_task,
    verb="task.change_dependencies",
    body=TaskDependencyCreate,
    returns=TaskRead,
    errors={409: ErrorResponse},
)
async def add_dependency(actor: Actor, task: Task, data: TaskDependencyCreate) -> dict[str, Any]:
    """Make a task wait for another one of its board.

    A dependency that exists is a no-op. Tasks that would wait for each other in a circle: 409.
    """
    await commands.add_dependency(actor, task, data.task_id)
    return await task_read(task.id)


async def task_and_dependency(
    actor: Actor, board_id: UUID, task_id: UUID, depends_on_task_id: UUID
) -> tuple[Task, UUID]:
    """Return a task and the id of a task that it may wait for."""
    return await visible_task(actor, board_id, task_id), depends_on_task_id


@operation(
    api,
    "DELETE",
    f"{TASK}/dependencies/<depends_on_task_id>",
    operation_id="remove_dependency",
    tags=TAGS,
    who="actor",
    find=task_and_dependency,
    verb="task.change_dependencies",
    returns=TaskRead,
    errors={409: ErrorResponse},
)
async def remove_dependency(actor: Actor, found: tuple[Task, UUID]) -> dict[str, Any]:
    """Let a task no longer wait for another one. A dependency that does not exist is a no-op."""
    await commands.remove_dependency(actor, *found)
    return await task_read(found[0].id)
