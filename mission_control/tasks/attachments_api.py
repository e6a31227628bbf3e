"""Files on tasks, and second thoughts about comments, over HTTP."""

from typing import Any

from quart import Response

from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import OK, ErrorResponse, OkResponse
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.tasks import attachments, comment_edits
from mission_control.tasks.api import TAGS, TASK
from mission_control.tasks.file_types import DOWNLOAD, INLINE_TYPES
from mission_control.tasks.models import Attachment, Comment, Task
from mission_control.tasks.queries import comment_read, visible_task
from mission_control.tasks.schemas import TaskCommentEdit, TaskCommentRead
from mission_control.tasks.uploads import FORM, received_file

api = Api("tasks_attachments_api", __name__, url_prefix="/api/v1")
FILES = f"{TASK}/attachments"
FILE = f"{FILES}/<attachment_id>"
COMMENT = f"{TASK}/comments/<comment_id>"


@operation(
    api,
    "GET",
    FILES,
    operation_id="list_attachments",
    tags=TAGS,
    who="actor",
    find=visible_task,
    query=Paging,
    returns=Page[attachments.AttachmentRead],
)
async def list_attachments(actor: Actor, task: Task, query: Paging) -> dict[str, Any]:
    """List a task's files, oldest first."""
    found, total = await attachments.list_attachments(task, query)
    return page(found, total, query)


@operation(
    api,
    "POST",
    FILES,
    operation_id="attach_file",
    tags=TAGS,
    who="actor",
    find=visible_task,
    verb="task.attach",
    form=FORM,
    returns=attachments.AttachmentRead,
    errors={409: ErrorResponse, 413: ErrorResponse},
)
async def attach_file(actor: Actor, task: Task) -> dict[str, Any]:
    """Put a file on a task, or on a comment of your own.

    The request is a form with the field `file`. What the file is decides its content; images, PDF and plain text can
    be shown by a browser, everything else is only downloaded.
    """
    attachment = await attachments.attach(actor, task, await received_file())
    return await attachments.attachment_read(attachment.id)


@operation(
    api,
    "GET",
    FILE,
    operation_id="get_attachment",
    tags=TAGS,
    who="actor",
    find=attachments.visible_attachment,
    returns=attachments.AttachmentRead,
)
async def get_attachment(actor: Actor, attachment: Attachment) -> dict[str, Any]:
    """Read what a file is, without its bytes."""
    return await attachments.attachment_read(attachment.id)


@operation(
    api,
    "GET",
    f"{FILE}/content",
    operation_id="get_attachment_content",
    tags=TAGS,
    who="actor",
    find=attachments.visible_attachment,
    returns=None,
    media=(DOWNLOAD, *sorted(INLINE_TYPES)),
)
async def get_attachment_content(actor: Actor, attachment: Attachment) -> Response:
    """Read the bytes of a file."""
    return await attachments.content_response(attachment)


@operation(
    api,
    "DELETE",
    FILE,
    operation_id="remove_attachment",
    tags=TAGS,
    who="actor",
    find=attachments.visible_attachment,
    verb="task.detach",
    returns=OkResponse,
)
async def remove_attachment(actor: Actor, attachment: Attachment) -> dict[str, bool]:
    """Remove a file for good."""
    await attachments.detach(actor, attachment)
    return OK


@operation(
    api,
    "GET",
    COMMENT,
    operation_id="get_task_comment",
    tags=TAGS,
    who="actor",
    find=comment_edits.visible_comment,
    returns=TaskCommentRead,
)
async def get_task_comment(actor: Actor, comment: Comment) -> dict[str, Any] | None:
    """Read a comment."""
    return await comment_read(comment.id)


@operation(
    api,
    "PATCH",
    COMMENT,
    operation_id="edit_task_comment",
    tags=TAGS,
    who="actor",
    find=comment_edits.visible_comment,
    verb="task.edit_comment",
    body=TaskCommentEdit,
    returns=TaskCommentRead,
)
async def edit_task_comment(actor: Actor, comment: Comment, data: TaskCommentEdit) -> dict[str, Any] | None:
    """Put other words into a comment of your own."""
    return await comment_read((await comment_edits.edit_comment(actor, comment, data.message)).id)


@operation(
    api,
    "DELETE",
    COMMENT,
    operation_id="delete_task_comment",
    tags=TAGS,
    who="actor",
    find=comment_edits.visible_comment,
    verb="task.delete_comment",
    returns=OkResponse,
)
async def delete_task_comment(actor: Actor, comment: Comment) -> dict[str, bool]:
    """Take a comment away; its author may, and so may administrators."""
    await comment_edits.delete_comment(actor, comment)
    return OK
