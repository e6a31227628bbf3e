"""Reading a file out of a `multipart/form-data` request."""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

from quart import request
from werkzeug.formparser import FormDataParser

from mission_control.core.errors import Invalid, schema_error
from mission_control.core.ids import parse_id
from mission_control.tasks.file_types import checked_type

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
    """A file that somebody sent."""

    name: str
    content_type: str
    content: bytes
    sha256: str
    comment_id: UUID | None


async def received_file() -> Upload:
    """The file of the running request; Invalid when there is none, or it is not what it claims."""
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
    content = file.stream.read()
    return Upload(
        name=kept_name(file.filename or ""),
        content_type=checked_type(content, file.mimetype),
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        comment_id=_comment_id(form.get("comment_id", "")),
    )


def kept_name(given: str) -> str:
    """The last part of a file's name, without what could mislead or break out; `file` when nothing is left."""
    last = re.split(r"[/\\]", given)[-1].encode("utf-8", "replace").decode()
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "", last).strip(" .")[-LONGEST_NAME:] or "file"


def _comment_id(text: str) -> UUID | None:
    if not text.strip():
        return None
    if (known := parse_id(text.strip())) is None:
        raise Invalid([schema_error("uuid_parsing", ["body", "comment_id"], "Input should be a valid UUID", text)])
    return known
