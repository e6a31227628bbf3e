"""Files on tasks and comments."""

import asyncio
import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from typing import Any
from urllib.parse import quote
from uuid import UUID

from quart import Response, request
from werkzeug.formparser import FormDataParser

from mission_control.approvals.schemas import PersonRef
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Forbidden, Invalid, NotFound, existing, schema_error
from mission_control.core.values import JsonObject, Paging, Schema, parse_id, wanted_id
from mission_control.database.sql import Row, rows, wire_moment
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.http.registry import lookup
from mission_control.people.accounts.names import person_name
from mission_control.tasks.changes import locked_task
from mission_control.tasks.models import Attachment, AttachmentContent, Comment, Task
from mission_control.tasks.queries import part_of_task, visible_task

EVENTS = (
    Kind("task.file_attached", "A file was put on a task or on a comment.", "attached a file to"),
    Kind("task.file_removed", "A file was removed from a task for good.", "removed a file of"),
)

DOWNLOAD = "application/octet-stream"
SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
INLINE_TYPES = {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"}
MARKUP = re.compile(rb"^\s*(<\?xml|<!doctype|<!--|<[a-z][a-z0-9:-]*[\s/>])", re.IGNORECASE)
NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
ACTIVE_TEXT = {"text/html", "text/xml", "text/javascript", "text/ecmascript"}


def checked_type(content: bytes, claimed: str) -> str:
    """Return the type to store for a file: one that browsers may show, else a download.

    Raise Invalid for a file that claims to be an image, a PDF or text and is not.
    """
    detected = _detected_type(content)
    claimed = claimed.lower()
    if claimed.startswith("text/") and claimed not in ACTIVE_TEXT:
        is_other = detected != "text/plain" and not (detected == DOWNLOAD and _is_text(content))
    else:
        is_other = claimed in INLINE_TYPES and claimed != detected
    if is_other:
        raise Invalid(f"The file says that it is {claimed}, but its content is not.")
    return detected


def _detected_type(content: bytes) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if (name := next((name for signature, name in SIGNATURES if content.startswith(signature)), None)) is not None:
        return name
    is_program = content.startswith(b"#!") or MARKUP.match(content.removeprefix(b"\xef\xbb\xbf"))
    return DOWNLOAD if is_program or not _is_text(content) else "text/plain"


def _is_text(content: bytes) -> bool:
    if NO_TEXT.search(content):
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


LONGEST_NAME = 255
FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "comment_id": {"type": "string", "format": "uuid", "description": "A comment of the caller's on this task"},
    },
}


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    content_type: str
    content: bytes
    sha256: str
    comment_id: UUID | None = None


async def received_file() -> Upload:
    body: Any = await request.get_data()
    return await asyncio.to_thread(_read, body, request.mimetype, dict(request.mimetype_params))


def _read(body: bytes, mimetype: str, parameters: dict[str, str]) -> Upload:
    parser = FormDataParser(stream_factory=lambda *_, **__: BytesIO(), max_form_parts=10, silent=False)
    try:
        _, form, files = parser.parse(BytesIO(body), mimetype, len(body), parameters)
    except ValueError:
        raise Invalid([schema_error("multipart_invalid", ["body"], "The form cannot be read")]) from None
    file = files.get("file")
    if file is None:
        raise Invalid([schema_error("missing", ["body", "file"], "Field required")])
    if len(files.getlist("file")) > 1:
        raise Invalid([schema_error("too_many_files", ["body", "file"], "Send one file at a time")])
    upload = uploaded(file.filename or "", file.stream.read(), file.mimetype)
    comment_id, text = None, form.get("comment_id", "")
    if text.strip() and (comment_id := parse_id(text.strip())) is None:
        raise Invalid([schema_error("uuid_parsing", ["body", "comment_id"], wanted_id(["comment_id"]), text)])
    return replace(upload, comment_id=comment_id)


def uploaded(name: str, content: bytes, claimed: str) -> Upload:
    """Raise Invalid for a file that is not of the type that it claims."""
    return Upload(kept_name(name), checked_type(content, claimed), content, hashlib.sha256(content).hexdigest())


def kept_name(filename: str) -> str:
    last = re.split(r"[/\\]", filename)[-1].encode("utf-8", "replace").decode()
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "", last).strip(" .")[-LONGEST_NAME:] or "file"


MOST = 100
SELECT = (
    "SELECT f.id, f.task_id, f.comment_id, f.name, f.content_type, f.size, f.sha256, f.agent_id, f.user_id AS author,"
    f" f.created_at, f.run_id, {person_name('u', 'User')} AS user_name FROM task_attachments f"
    " LEFT JOIN users u ON u.id = f.user_id LEFT JOIN task_comments c ON c.id = f.comment_id"
    " WHERE c.deleted_at IS NULL"
)


class AttachmentRead(Schema):
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


@lookup
async def visible_attachment(actor: Actor, board_id: UUID, task_id: UUID, attachment_id: UUID) -> Attachment:
    """Raise NotFound also for files of deleted comments."""
    attachment = await part_of_task(Attachment, await visible_task(actor, board_id, task_id), attachment_id)
    if attachment.comment_id and await Comment.filter(id=attachment.comment_id).exclude(deleted_at=None).exists():
        raise NotFound()
    return attachment


async def list_attachments(task: Task, paging: Paging) -> tuple[list[Row], int]:
    [total] = await rows(
        "SELECT COUNT(*) AS n FROM task_attachments f LEFT JOIN task_comments c ON c.id = f.comment_id"
        " WHERE c.deleted_at IS NULL AND f.task_id = ?",
        task.id,
    )
    attachments = await rows(
        f"{SELECT} AND f.task_id = ? ORDER BY f.created_at, f.id LIMIT ? OFFSET ?", task.id, paging.limit, paging.offset
    )
    return [_serialize(row) for row in attachments], int(total["n"])


async def attachment_read(attachment_id: UUID) -> Row:
    attachments = await rows(f"{SELECT} AND f.id = ?", attachment_id)
    if not attachments:
        raise NotFound()
    return _serialize(attachments[0])


def _serialize(row: Row) -> Row:
    name, author_id = row.pop("user_name"), row["author"]
    author = {"id": author_id, "name": name} if author_id is not None else None
    return row | {"author": author, "created_at": wire_moment(row["created_at"])}


@command("task.attach")
async def attach(actor: Actor, task: Task, upload: Upload, run_id: UUID | None = None) -> Attachment:
    """Attach a file to a task, or to one of the actor's comments there. Raise Conflict for more than 100 files."""
    task = await locked_task(task)
    if upload.comment_id is not None:
        comment = await existing(
            Comment.get_or_none(id=upload.comment_id, task_id=task.id, deleted_at=None),
            "There is no such comment on this task.",
        )
        if actor.id not in (comment.agent_id, comment.user_id):
            raise Forbidden("Files go on your own comments, or on the task.")
    if await Attachment.filter(task_id=task.id).count() >= MOST:
        raise Conflict(f"A task has at most {MOST} files.")
    facts: JsonObject = {"comment_id": upload.comment_id, "name": upload.name, "size": len(upload.content)}
    facts["sha256"] = upload.sha256
    by: Row = {"agent_id": actor.agent_id, "user_id": actor.user_id, "run_id": run_id}
    attachment = await Attachment.create(task_id=task.id, content_type=upload.content_type, **facts, **by)
    await AttachmentContent.create(attachment_id=attachment.id, content=upload.content)
    record("task.file_attached", task, f"File attached: {upload.name}.", attachment_id=attachment.id, **facts)
    return attachment


@command("task.detach")
async def detach(actor: Actor, attachment: Attachment) -> None:
    """Delete a file permanently; the log keeps its name and hash."""
    task = await locked_task(attachment.task)
    if not await Attachment.filter(id=attachment.id).delete():
        raise NotFound()
    facts: JsonObject = {"attachment_id": attachment.id, "name": attachment.name, "sha256": attachment.sha256}
    record("task.file_removed", task, f"File removed: {attachment.name}.", **facts)


async def content_response(attachment: Attachment) -> Response:
    """Browsers show only types that cannot run code."""
    is_inline, tag = attachment.content_type in INLINE_TYPES, f'"{attachment.sha256}"'
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-_. ") else "_" for char in attachment.name)
    name = f"filename=\"{plain}\"; filename*=UTF-8''{quote(attachment.name, safe='')}"
    headers = {
        "Content-Disposition": f"{'inline' if is_inline else 'attachment'}; {name}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache",
        "ETag": tag,
    }
    etags = request.headers.get("If-None-Match", "")
    if tag in (etag.strip().removeprefix("W/") for etag in etags.split(",")):
        return Response("", 304, headers)
    stored = await AttachmentContent.get(attachment_id=attachment.id)
    kind = attachment.content_type if is_inline else DOWNLOAD
    content_type = f"{kind}; charset=utf-8" if kind == "text/plain" else kind
    return Response(bytes(stored.content), 200, headers, content_type=content_type)
