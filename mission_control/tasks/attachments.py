"""Files on tasks and comments."""

from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel
from quart import Response, request

from mission_control.accounts.names import person_name
from mission_control.approvals.schemas import PersonRef
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Forbidden, NotFound
from mission_control.core.ids import new_id
from mission_control.core.paging import Paging
from mission_control.database.sql import rows, wire_moment
from mission_control.tasks.file_types import DOWNLOAD, INLINE_TYPES
from mission_control.tasks.locks import locked_task
from mission_control.tasks.models import Attachment, AttachmentContent, Comment, Task
from mission_control.tasks.queries import visible_task
from mission_control.tasks.uploads import Upload

MOST = 100
SELECT = (
    "SELECT f.id, f.task_id, f.comment_id, f.agent_id, f.user_id, f.name, f.content_type, f.size, f.sha256,"
    f" f.created_at, f.run_id, {person_name('u', 'User')} AS user_name FROM task_attachments f"
    " LEFT JOIN users u ON u.id = f.user_id LEFT JOIN task_comments c ON c.id = f.comment_id"
    " WHERE c.deleted_at IS NULL"
)


class AttachmentRead(BaseModel):
    """A file; `agent_id` is null when a person attached it, whom `author` then names."""

    id: UUID
    task_id: UUID
    comment_id: UUID | None
    name: str
    content_type: str
    size: int
    sha256: str
    agent_id: UUID | None
    author: PersonRef | None
    created_at: datetime
    run_id: UUID | None


async def visible_attachment(actor: Actor, board_id: UUID, task_id: UUID, attachment_id: UUID) -> Attachment:
    """Return a file of a visible task. Raise NotFound otherwise, also for files of deleted comments."""
    task = await visible_task(actor, board_id, task_id)
    attachment = await Attachment.get_or_none(id=attachment_id, task_id=task.id)
    if attachment is None:
        raise NotFound()
    if attachment.comment_id and await Comment.filter(id=attachment.comment_id).exclude(deleted_at=None).exists():
        raise NotFound()
    attachment.task = task
    return attachment


async def list_attachments(task: Task, paging: Paging) -> tuple[list[dict[str, Any]], int]:
    """Return the task's files, oldest first, and their number."""
    [total] = await rows(
        "SELECT COUNT(*) AS n FROM task_attachments f LEFT JOIN task_comments c ON c.id = f.comment_id"
        " WHERE c.deleted_at IS NULL AND f.task_id = ?",
        task.id,
    )
    found = await rows(
        f"{SELECT} AND f.task_id = ? ORDER BY f.created_at, f.id LIMIT ? OFFSET ?",
        task.id,
        paging.limit,
        paging.offset,
    )
    return [_serialize(row) for row in found], int(total["n"])


async def attachment_read(attachment_id: UUID) -> dict[str, Any]:
    """Return one file as it is answered, without its content."""
    found = await rows(f"{SELECT} AND f.id = ?", attachment_id)
    if not found:
        raise NotFound()
    return _serialize(found[0])


def _serialize(row: dict[str, Any]) -> dict[str, Any]:
    plain = ("id", "task_id", "comment_id", "name", "content_type", "size", "sha256", "agent_id")
    author = {"id": row["user_id"], "name": row["user_name"]} if row["user_id"] is not None else None
    later = {"author": author, "created_at": wire_moment(row["created_at"]), "run_id": row["run_id"]}
    return {name: row[name] for name in plain} | later


@command("task.attach")
async def attach(actor: Actor, task: Task, upload: Upload, run_id: UUID | None = None) -> Attachment:
    """Attach a file to a task, or to one of the actor's comments there. Raise Conflict for more than 100 files."""
    task = await locked_task(task)
    await _check_comment(actor, task, upload.comment_id)
    if await Attachment.filter(task_id=task.id).count() >= MOST:
        raise Conflict(f"A task has at most {MOST} files.")
    attachment = await Attachment.create(
        id=new_id(),
        task_id=task.id,
        comment_id=upload.comment_id,
        run_id=run_id,
        agent_id=actor.agent_id,
        user_id=actor.user_id,
        name=upload.name,
        content_type=upload.content_type,
        size=len(upload.content),
        sha256=upload.sha256,
    )
    await AttachmentContent.create(attachment_id=attachment.id, content=upload.content)
    record(
        "task.file_attached",
        task,
        f"File attached: {upload.name}.",
        attachment_id=attachment.id,
        comment_id=upload.comment_id,
        name=upload.name,
        size=attachment.size,
        sha256=upload.sha256,
    )
    return attachment


async def _check_comment(actor: Actor, task: Task, comment_id: UUID | None) -> None:
    if comment_id is None:
        return
    comment = await Comment.get_or_none(id=comment_id, task_id=task.id, deleted_at=None)
    if comment is None:
        raise NotFound("There is no such comment on this task.")
    if actor.id not in (comment.agent_id, comment.user_id):
        raise Forbidden("Files go on your own comments, or on the task.")


@command("task.detach")
async def detach(actor: Actor, attachment: Attachment) -> None:
    """Delete a file permanently; the log keeps its name and hash."""
    task = await locked_task(attachment.task)
    if not await Attachment.filter(id=attachment.id).delete():
        raise NotFound()
    record(
        "task.file_removed",
        task,
        f"File removed: {attachment.name}.",
        attachment_id=attachment.id,
        name=attachment.name,
        sha256=attachment.sha256,
    )


async def content_response(attachment: Attachment) -> Response:
    """Return the content of a file; browsers show only types that cannot run code."""
    tag = f'"{attachment.sha256}"'
    known = request.headers.get("If-None-Match", "")
    if tag in (one.strip().removeprefix("W/") for one in known.split(",")):
        return Response("", 304, _headers(attachment, tag))
    stored = await AttachmentContent.get(attachment_id=attachment.id)
    kind = attachment.content_type if attachment.content_type in INLINE_TYPES else DOWNLOAD
    content_type = f"{kind}; charset=utf-8" if kind == "text/plain" else kind
    return Response(bytes(stored.content), 200, _headers(attachment, tag), content_type=content_type)


def _headers(attachment: Attachment, tag: str) -> dict[str, str]:
    way = "inline" if attachment.content_type in INLINE_TYPES else "attachment"
    plain = "".join(one if one.isascii() and (one.isalnum() or one in "-_. ") else "_" for one in attachment.name)
    return {
        "Content-Disposition": f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(attachment.name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache",
        "ETag": tag,
    }
