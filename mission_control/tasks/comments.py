"""Comment on tasks."""

from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.notices import WITHDRAWN, requote
from mission_control.agents.queries import mentions
from mission_control.boards.attempts import hold_lease
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden, NotFound, existing
from mission_control.core.values import JsonObject, new_id
from mission_control.database.records import find, insert
from mission_control.database.sql import rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.http.registry import lookup
from mission_control.tasks.models import Attachment, Comment, Task
from mission_control.tasks.notices import notify_of_comment, snippet
from mission_control.tasks.queries import part_of_task, visible_task

EVENTS = (
    Kind("task.comment", "Somebody said something about a task; the event has the comment's id and not its words."),
    Kind("task.comment_edited", "An author put other words into a comment.", "edited a comment on"),
    Kind(
        "task.comment_deleted",
        "A comment was taken out of lists and streams, and its words and files are gone.",
        "deleted a comment on",
    ),
)


@command("task.comment")
async def add_comment(actor: Actor, task: Task, message: str) -> Comment:
    """Comment on a task. A lead may do so only in review, when mentioned, or on a task that it created.

    Raise NotFound when the task has been deleted.
    """
    if actor.fence is not None:
        await hold_lease(task.id)
    if not await rows("SELECT 1 AS one FROM tasks WHERE id = ? AND deleted_at IS NULL", task.id):
        raise NotFound()
    if actor.is_agent and actor.is_lead and task.status != "review" and task.auto_reason != f"lead_agent:{actor.id}":
        await _require_mention(actor, task)
    return await write_comment(actor, task, message)


async def _require_mention(actor: Actor, task: Task) -> None:
    lead = await existing(find(Agent, "id = ?", actor.id))
    comments = await Comment.filter(task_id=task.id, message__contains="@", deleted_at=None).only("id", "message")
    if not any(mentions(comment.message, lead) for comment in comments):
        raise Forbidden("A lead comments on tasks in review, tasks it created, and where it is mentioned.")


async def write_comment(actor: Actor, task: Task, message: str, *, notify: bool = True) -> Comment:
    """Store a comment, record its event, which has its id but not its text, and notify agents."""
    comment = Comment(
        id=new_id(),
        task_id=task.id,
        agent_id=actor.agent_id,
        user_id=actor.user_id,
        author_name=None if actor.is_user else actor.name,
        message=message.strip(),
        created_at=times.clock_now(),
    )
    await insert(comment)
    names: JsonObject = {"has_names": True} if "@" in message else {}
    record("task.comment", task, "Comment written.", event_id=comment.id, comment_id=comment.id, **names)
    if notify:
        await notify_of_comment(actor, task, comment)
    return comment


@lookup
async def visible_comment(actor: Actor, board_id: UUID, task_id: UUID, comment_id: UUID) -> Comment:
    return await part_of_task(Comment, await visible_task(actor, board_id, task_id), comment_id, deleted_at=None)


@command("task.edit_comment")
async def edit_comment(actor: Actor, comment: Comment, message: str) -> Comment:
    """Change the text of a comment, and notify those whom it mentions now and did not before."""
    comment = await _locked(comment)
    before, after = comment.message, message.strip()
    if before == after:
        return comment
    comment.message, comment.edited_at = after, times.clock_now()
    await comment.save(update_fields=["message", "edited_at"])
    await _requote(comment, before, snippet(after))
    names: JsonObject = {"has_names": True} if "@" in after else {}
    record("task.comment_edited", comment.task, "Comment edited.", comment_id=comment.id, **names)
    if "@" in after:
        await notify_of_comment(actor, comment.task, comment, before)
    return comment


@command("task.delete_comment")
async def delete_comment(actor: Actor, comment: Comment) -> None:
    """Delete a comment from lists and streams, with its text and files; notices no longer quote it."""
    comment = await _locked(comment)
    before, comment.message, comment.deleted_at = comment.message, "", times.clock_now()
    await comment.save(update_fields=["message", "deleted_at"])
    await Attachment.filter(comment_id=comment.id).delete()
    await _requote(comment, before, WITHDRAWN)
    record("task.comment_deleted", comment.task, "Comment deleted.", comment_id=comment.id)


async def _requote(comment: Comment, before: str, after: str) -> None:
    organization_id = comment.task.board.organization_id
    await requote(organization_id, "comment_id", comment.id, comment.created_at, snippet(before), after)


async def _locked(comment: Comment) -> Comment:
    await hold_lease(comment.task_id)
    locked = await existing(Comment.select_for_update().get_or_none(id=comment.id, deleted_at=None))
    locked.task = comment.task
    return locked
