"""Files on tasks, and second thoughts about comments, over HTTP."""

from typing import Any

from quart import Response

from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import OK, ErrorResponse, OkResponse
from mission_control.operations.api import Api
from mission_control.tasks import attachments, comment_edits
from mission_control.tasks.api import TASK
from mission_control.tasks.file_types import DOWNLOAD, INLINE_TYPES
from mission_control.tasks.models import Attachment, Comment, Task
from mission_control.tasks.queries import comment_read
from mission_control.tasks.schemas import TaskCommentEdit, TaskCommentRead
from mission_control.tasks.uploads import FORM, received_file

api = Api(__name__, "tasks", who="actor")
FILES = f"{TASK}/attachments"
FILE = f"{FILES}/<attachment_id>"
COMMENT = f"{TASK}/comments/<comment_id>"


@api.get(FILES, Page[attachments.AttachmentRead])
async def list_attachments(actor: Actor, task: Task, query: Paging) -> dict[str, Any]:
    """List a task's files, oldest first."""
    found, total = await attachments.list_attachments(task, query)
    return page(found, total, query)


@api.post(
    FILES, attachments.AttachmentRead, rule="task.attach", errors={409: ErrorResponse, 413: ErrorResponse}, form=FORM
)
async def attach_file(actor: Actor, task: Task) -> dict[str, Any]:
    """Put a file on a task, or on a comment of your own.

    The request is a form with the field `file`. What the file is decides its content; images, PDF and plain text can
    be shown by a browser, everything else is only downloaded.
    """
    attachment = await attachments.attach(actor, task, await received_file())
    return await attachments.attachment_read(attachment.id)


@api.get(FILE, attachments.AttachmentRead)
async def get_attachment(actor: Actor, attachment: Attachment) -> dict[str, Any]:
    """Read what a file is, without its bytes."""
    return await attachments.attachment_read(attachment.id)


@api.get(f"{FILE}/content", media=(DOWNLOAD, *sorted(INLINE_TYPES)))
async def get_attachment_content(actor: Actor, attachment: Attachment) -> Response:
    """Read the bytes of a file."""
    return await attachments.content_response(attachment)


@api.delete(FILE, rule="task.detach")
async def remove_attachment(actor: Actor, attachment: Attachment) -> OkResponse:
    """Remove a file for good."""
    await attachments.detach(actor, attachment)
    return OK


@api.get(COMMENT, TaskCommentRead)
async def get_task_comment(actor: Actor, comment: Comment) -> dict[str, Any] | None:
    """Read a comment."""
    return await comment_read(comment.id)


@api.patch(COMMENT, TaskCommentRead, rule="task.edit_comment")
async def edit_task_comment(actor: Actor, comment: Comment, data: TaskCommentEdit) -> dict[str, Any] | None:
    """Put other words into a comment of your own."""
    return await comment_read((await comment_edits.edit_comment(actor, comment, data.message)).id)


@api.delete(COMMENT, rule="task.delete_comment")
async def delete_task_comment(actor: Actor, comment: Comment) -> OkResponse:
    """Take a comment away; its author may, and so may administrators."""
    await comment_edits.delete_comment(actor, comment)
    return OK
