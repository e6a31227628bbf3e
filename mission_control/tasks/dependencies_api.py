"""What a task waits for, over HTTP."""

from typing import Any
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.schemas import ErrorResponse
from mission_control.operations.api import Api
from mission_control.tasks import commands
from mission_control.tasks.api import TASK
from mission_control.tasks.models import Task
from mission_control.tasks.queries import task_read, visible_task
from mission_control.tasks.schemas import TaskDependencyCreate, TaskRead

api = Api(__name__, "tasks", who="actor")


@api.post(f"{TASK}/dependencies", TaskRead, rule="task.change_dependencies", errors={409: ErrorResponse})
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


@api.delete(
    f"{TASK}/dependencies/<depends_on_task_id>",
    TaskRead,
    find=task_and_dependency,
    rule="task.change_dependencies",
    errors={409: ErrorResponse},
)
async def remove_dependency(actor: Actor, found: tuple[Task, UUID]) -> dict[str, Any]:
    """Let a task no longer wait for another one. A dependency that does not exist is a no-op."""
    await commands.remove_dependency(actor, *found)
    return await task_read(found[0].id)
