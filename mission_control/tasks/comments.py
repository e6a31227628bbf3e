"""Comment on tasks."""

from typing import Any

from mission_control.agents.models import Agent
from mission_control.agents.queries import mentions
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden, NotFound
from mission_control.core.ids import new_id
from mission_control.database.records import find, insert
from mission_control.database.sql import rows
from mission_control.runs.attempts import hold_lease
from mission_control.tasks.models import Comment, Task
from mission_control.tasks.notices import notify_of_comment


@command("task.comment")
async def add_comment(actor: Actor, task: Task, message: str) -> Comment:
    """Comment on a task. A lead may do so only in review, when mentioned, or on a task that it created.

    Raise NotFound when the task has been deleted.
    """
    if actor.fence is not None:
        await hold_lease(task.id)
    if not await rows("SELECT 1 AS one FROM tasks WHERE id = ? AND deleted_at IS NULL", task.id):
        raise NotFound()
    if actor.is_agent and actor.is_lead:
        await _refuse_lead(actor, task)
    return await write_comment(actor, task, message)


async def write_comment(actor: Actor, task: Task, message: str, *, notify: bool = True) -> Comment:
    """Store a comment, record its event, which has its id but not its text, and notify agents."""
    comment = Comment(
        id=new_id(),
        task_id=task.id,
        agent_id=actor.agent_id,
        user_id=actor.user_id,
        author_name=None if actor.is_user else actor.name,
        message=message.strip(),
        created_at=clock.now(),
    )
    await insert(comment)
    names: dict[str, Any] = {"has_names": True} if "@" in message else {}
    record("task.comment", task, "Comment written.", event_id=comment.id, comment_id=comment.id, **names)
    if notify:
        await notify_of_comment(actor, task.board, task, comment)
    return comment


async def _refuse_lead(actor: Actor, task: Task) -> None:
    if task.status == "review" or task.auto_reason == f"lead_agent:{actor.id}":
        return
    lead = await find(Agent, "id = ?", actor.id)
    if lead is None:
        raise NotFound()
    for comment in await Comment.filter(task_id=task.id, message__contains="@", deleted_at=None).only("id", "message"):
        if mentions(comment.message, lead):
            return
    raise Forbidden("A lead comments on tasks in review, tasks it created, and where it is mentioned.")
