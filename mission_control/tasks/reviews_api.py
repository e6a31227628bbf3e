"""Reviews of tasks by people."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.operations.api import Api
from mission_control.tasks import reviews
from mission_control.tasks.models import Task
from mission_control.tasks.queries import task_read
from mission_control.tasks.schemas import BlockedTaskError, TaskRead, TaskReview

api = Api(__name__, "tasks")


@api.post("/boards/<board_id>/tasks/<task_id>/reviews", TaskRead, rule="task.review", errors={409: BlockedTaskError})
async def review_task(actor: Actor, task: Task, data: TaskReview) -> dict[str, Any]:
    """Finish a task in review, or send it back to the agent that did it, with your note; 409 when it left review."""
    await reviews.review_task(actor, task, data)
    return await task_read(task.id)
