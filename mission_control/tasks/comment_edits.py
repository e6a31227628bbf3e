"""Changing one's mind about a comment. The log keeps what was said."""

from uuid import UUID

from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.command import command, record
from mission_control.core.errors import NotFound
from mission_control.runs.fence import hold_lease
from mission_control.tasks import policy as policy
from mission_control.tasks.models import Comment
from mission_control.tasks.queries import visible_task


async def visible_comment(actor: Actor, board_id: UUID, task_id: UUID, comment_id: UUID) -> Comment:
    """A comment on a task that exists for this actor, with the task and its board; NotFound otherwise."""
    task = await visible_task(actor, board_id, task_id)
    comment = await Comment.get_or_none(id=comment_id, task_id=task.id, deleted_at=None)
    if comment is None:
        raise NotFound()
    comment.task = task
    return comment


@command("task.edit_comment")
async def edit_comment(actor: Actor, comment: Comment, message: str) -> Comment:
    """Put other words into a comment of one's own."""
    comment = await _locked(comment)
    before, after = comment.message, message.strip()
    if before == after:
        return comment
    comment.message, comment.edited_at = after, clock.now()
    await comment.save(update_fields=["message", "edited_at"])
    record("task.comment_edited", comment.task, after, comment_id=comment.id, before=before, after=after)
    return comment


@command("task.delete_comment")
async def delete_comment(actor: Actor, comment: Comment) -> None:
    """Take a comment out of lists and streams."""
    comment = await _locked(comment)
    comment.deleted_at = clock.now()
    await comment.save(update_fields=["deleted_at"])
    record("task.comment_deleted", comment.task, "Comment deleted.", comment_id=comment.id)


async def _locked(comment: Comment) -> Comment:
    await hold_lease(comment.task_id)
    found = await Comment.select_for_update().get_or_none(id=comment.id, deleted_at=None)
    if found is None:
        raise NotFound()
    found.task = comment.task
    return found
