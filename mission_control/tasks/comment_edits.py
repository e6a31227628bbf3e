"""Edit and delete comments. The log keeps the fact and the actor, not the text."""

from typing import Any
from uuid import UUID

from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.inbox.notices import WITHDRAWN, requote
from mission_control.runs.attempts import hold_lease
from mission_control.tasks.models import Attachment, Comment
from mission_control.tasks.notices import notify_of_new_mentions, snippet
from mission_control.tasks.queries import visible_task


async def visible_comment(actor: Actor, board_id: UUID, task_id: UUID, comment_id: UUID) -> Comment:
    """Return a comment of a visible task, with the task and its board. Raise NotFound otherwise."""
    task = await visible_task(actor, board_id, task_id)
    comment = await Comment.get_or_none(id=comment_id, task_id=task.id, deleted_at=None)
    if comment is None:
        raise NotFound()
    comment.task = task
    return comment


@command("task.edit_comment")
async def edit_comment(actor: Actor, comment: Comment, message: str) -> Comment:
    """Change the text of a comment, and notify those whom it mentions now and did not before."""
    comment = await _locked(comment)
    before, after = comment.message, message.strip()
    if before == after:
        return comment
    comment.message, comment.edited_at = after, clock.now()
    await comment.save(update_fields=["message", "edited_at"])
    await _requote(comment, before, snippet(after))
    names: dict[str, Any] = {"has_names": True} if "@" in after else {}
    record("task.comment_edited", comment.task, "Comment edited.", comment_id=comment.id, **names)
    await notify_of_new_mentions(actor, comment, before)
    return comment


@command("task.delete_comment")
async def delete_comment(actor: Actor, comment: Comment) -> None:
    """Delete a comment from lists and streams, with its text and files; notices no longer quote it."""
    comment = await _locked(comment)
    before, comment.message, comment.deleted_at = comment.message, "", clock.now()
    await comment.save(update_fields=["message", "deleted_at"])
    await Attachment.filter(comment_id=comment.id).delete()
    await _requote(comment, before, WITHDRAWN)
    record("task.comment_deleted", comment.task, "Comment deleted.", comment_id=comment.id)


async def _requote(comment: Comment, before: str, after: str) -> None:
    organization_id = comment.task.board.organization_id
    await requote(organization_id, "comment_id", comment.id, comment.created_at, snippet(before), after)


async def _locked(comment: Comment) -> Comment:
    await hold_lease(comment.task_id)
    found = await Comment.select_for_update().get_or_none(id=comment.id, deleted_at=None)
    if found is None:
        raise NotFound()
    found.task = comment.task
    return found
