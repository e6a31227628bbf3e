"""Tasks leave their board and come back, over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.schemas import OK, ErrorResponse, OkResponse
from mission_control.operations.api import BOARD_ROLES, Api, hints
from mission_control.tasks import leaving
from mission_control.tasks.api import TASK
from mission_control.tasks.models import Task
from mission_control.tasks.queries import any_task, task_read
from mission_control.tasks.schemas import TaskRead

api = Api(__name__, "tasks")


@api.delete(
    TASK,
    rule="task.delete",
    agents=hints(
        "agent_task_delete",
        "board_lead",
        roles=BOARD_ROLES,
        use="To take a task off the board that was made by mistake.",
        avoid="Not for finished work; move it to done.",
        needs="You are the lead of the board.",
        effects="The task leaves the board; people can restore it.",
        never="Do not delete what a person created unless they asked for it.",
        route="Lead only.",
        example="remove a duplicate task",
    ),
)
async def delete_task(actor: Actor, task: Task) -> OkResponse:
    """Take a task off its board; a restoration brings it back."""
    await leaving.delete_task(actor, task)
    return OK


@api.post(f"{TASK}/restorations", TaskRead, find=any_task, rule="task.restore", errors={409: ErrorResponse})
async def restore_task(actor: Actor, task: Task) -> dict[str, Any]:
    """Put a deleted task back.

    Tasks that wait for it wait again, and started ones return to the inbox. So does the task itself when its work
    cannot continue.
    """
    await leaving.restore_task(actor, task)
    return await task_read(task.id)


@api.post(f"{TASK}/erasures", find=any_task, rule="task.erase", errors={409: ErrorResponse})
async def erase_task(actor: Actor, task: Task) -> OkResponse:
    """Delete a task of the trash for good, with its comments, files and runs. Only the log keeps that it was there."""
    await leaving.erase_task(actor, task)
    return OK
