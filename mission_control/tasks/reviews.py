"""Review a task: a person finishes it, or sends it back to the agent that did it."""

from uuid import UUID

from mission_control.commands.command import command
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict
from mission_control.core.substance import refuse_changed
from mission_control.runs.attempts import track_run
from mission_control.tasks.changes import TaskSnapshot
from mission_control.tasks.commands import save_change
from mission_control.tasks.comments import write_comment
from mission_control.tasks.locks import locked_task
from mission_control.tasks.models import Task
from mission_control.tasks.moves import move_card
from mission_control.tasks.rules import enter, last_worker
from mission_control.tasks.schemas import TaskMove, TaskReview
from mission_control.tasks.substance import parts_of_tasks


@command("task.review")
async def review_task(actor: Actor, task: Task, review: TaskReview) -> Task:
    """Finish a task in review, approved in the person's name, or send it back. Raise Conflict when it left review."""
    task = await locked_task(task)
    if task.status != "review":
        raise Conflict(ErrorCode.TASK_NOT_IN_REVIEW.detail())
    refuse_changed(review.substance, (await parts_of_tasks([task.id]))[task.id])
    if review.decision == "approved":
        if review.note:
            await write_comment(actor, task, review.note, notify=False)
        return await move_card(actor, task, TaskMove(status="done", approve=True))
    return await _send_back(actor, task, str(review.note), await last_worker(task.board, task))


async def _send_back(actor: Actor, task: Task, note: str, agent_id: UUID | None) -> Task:
    now = clock.now()
    await write_comment(actor, task, note, notify=False)
    before = TaskSnapshot(task)
    enter(task, "inbox")
    task.assigned_agent_id = agent_id
    task.rework_at = now if agent_id else None
    await track_run(actor, task, before)
    await save_change(actor, task.board, task, before, {})
    return task
