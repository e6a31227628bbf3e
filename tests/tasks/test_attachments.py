"""Files on tasks and comments: what is taken, how it is served, by whom, and what was recorded."""

from io import BytesIO
from typing import Any
from uuid import uuid4

import orjson
import pytest
from quart import Quart
from quart.datastructures import FileStorage

from mission_control.tasks import attachments
from mission_control.tasks.attachments import DOWNLOAD, INLINE_TYPES, kept_name
from mission_control.tasks.models import Attachment, AttachmentContent
from tests.cast import API, Answer, Caller, Cast, events, head

pytestmark = pytest.mark.dialect

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
SAFE = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def send(
    cast: Cast,
    task: Any,
    content: bytes = PNG,
    name: str = "sky.png",
    kind: str = "image/png",
    by: Caller | None = None,
    field: str = "file",
    **form: str,
) -> Answer:
    """Attach a file, as Cleo or somebody else."""
    caller = by or cast.cleo
    client = cast.app.test_client(use_cookies=False)
    file = FileStorage(BytesIO(content), filename=name, content_type=kind)
    response = await client.post(
        f"/api/v1{cast.task(task)}/attachments", headers=caller.headers, files={field: file}, form=form
    )
    text: Any = await response.get_data()
    return Answer(response.status_code, orjson.loads(text), response.headers)


async def test_repeated_upload_with_a_key_attaches_once(cast: Cast) -> None:
    """Every client divides each try's form by another random line, and it is the same request all the same."""
    task = await cast.add_task()

    async def tried(boundary: str, content: bytes) -> Answer:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="sky.png"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Idempotency-Key": "a-file"}
        response = await cast.app.test_client(use_cookies=False).post(
            f"/api/v1{cast.task(task)}/attachments", headers=cast.cleo.headers | kind, data=body
        )
        text: Any = await response.get_data()
        return Answer(response.status_code, orjson.loads(text), response.headers)

    first = (await tried("one-line", PNG)).ok()
    assert (await tried("another-line", PNG)).ok() == first
    assert await Attachment.filter(task_id=task["id"]).count() == 1
    (await tried("a-third-line", b"something else")).refused(422)


async def test_picture_is_attached_to_a_task(cast: Cast) -> None:
    task = await cast.add_task()
    before = await head(cast)
    found = (await send(cast, task)).ok()
    assert list(found) == [
        "id", "task_id", "comment_id", "name", "content_type", "size", "sha256", "agent_id", "author", "created_at",
        "run_id",
    ]  # fmt: skip
    assert (found["name"], found["content_type"], found["size"]) == ("sky.png", "image/png", len(PNG))
    assert found["author"] == {"id": str(cast.cleo.id), "name": "Cleo"} and found["agent_id"] is None
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id, str(event.task_id)) == ("task.file_attached", cast.cleo.id, task["id"])
    assert orjson.loads(event.data)["sha256"] == found["sha256"]
    path = f"{cast.task(task)}/attachments"
    assert (await cast.dan.get(path)).ok()["items"] == [found]
    assert (await cast.vega.get(f"{path}/{found['id']}")).ok() == found
    answer = await cast.vega.get(f"{path}/{found['id']}/content")
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, PNG, "image/png")
    assert {name: answer.headers[name] for name in SAFE} == SAFE
    assert answer.headers["Content-Disposition"] == "inline; filename=\"sky.png\"; filename*=UTF-8''sky.png"
    assert answer.headers["ETag"] == f'"{found["sha256"]}"'
    again = await cast.dan.get(f"{path}/{found['id']}/content", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(("content", "name", "kind", "stored", "served", "way"), [
    (b"\xff\xd8\xff\xe0rest", "a.jpg", "image/jpeg", "image/jpeg", "image/jpeg", "inline"),
    (b"GIF89a....", "a.gif", "", "image/gif", "image/gif", "inline"),
    (b"RIFF1234WEBPVP8 ", "a.webp", "image/webp", "image/webp", "image/webp", "inline"),
    (b"%PDF-1.7 ...", "a.pdf", "application/pdf", "application/pdf", "application/pdf", "inline"),
    ("Grüße\n".encode(), "a.md", "text/markdown", "text/plain", "text/plain; charset=utf-8", "inline"),
    (b'{"a": 1}', "a.json", "application/json", "text/plain", "text/plain; charset=utf-8", "inline"),
    (b"", "empty", "application/octet-stream", "text/plain", "text/plain; charset=utf-8", "inline"),
    (b"<!DOCTYPE html><script>1</script>", "a.html", "text/html", *["application/octet-stream"] * 2, "attachment"),
    (b"  <svg onload='1'/>", "a.svg", "image/svg+xml", *["application/octet-stream"] * 2, "attachment"),
    (b"\xef\xbb\xbf<?xml version='1.0'?>", "a.txt", "text/plain", *["application/octet-stream"] * 2, "attachment"),
    (b"\x7fELF\x02\x01\x01\x00", "run", "application/x-elf", *["application/octet-stream"] * 2, "attachment"),
    (b"MZ\x90\x00\x03", "run.exe", "", *["application/octet-stream"] * 2, "attachment"),
    (b"#!/bin/sh\nrm x", "run.sh", "text/x-sh", *["application/octet-stream"] * 2, "attachment"),
    (b"PK\x03\x04\x00", "a.zip", "application/zip", *["application/octet-stream"] * 2, "attachment"),
])  # fmt: skip
async def test_content_type_comes_from_the_content(
    cast: Cast, content: bytes, name: str, kind: str, stored: str, served: str, way: str
) -> None:
    task = await cast.add_task()
    found = (await send(cast, task, content, name, kind, by=cast.vega)).ok()
    assert (found["content_type"], found["agent_id"], found["author"]) == (stored, str(cast.vega.id), None)
    answer = await cast.ada.get(f"{cast.task(task)}/attachments/{found['id']}/content")
    assert (answer.body, answer.headers["Content-Type"]) == (content, served)
    assert answer.headers["Content-Disposition"].startswith(way)
    assert {one: answer.headers[one] for one in SAFE} == SAFE


@pytest.mark.parametrize(("content", "kind"), [
    (b"no picture", "image/png"), (PNG, "image/jpeg"), (b"\x00\x01", "text/plain"), (b"\xff\xfe", "text/csv"),
    (b"no pdf", "application/pdf"),
])  # fmt: skip
async def test_file_with_a_false_type_is_refused(cast: Cast, content: bytes, kind: str) -> None:
    assert isinstance((await send(cast, await cast.add_task(), content, "file", kind)).refused(422), str)
    assert await AttachmentContent.all().count() == 0


@pytest.mark.parametrize(("given", "kept"), [
    ("../../etc/passwd", "passwd"), ("C:\\temp\\a.png", "a.png"), ("...", "file"), ("a\u202egnp.exe", "agnp.exe"),
    ("Grüße 1.png", "Grüße 1.png"), ("x" * 300 + ".png", "x" * 251 + ".png"), ('a";b.png', 'a";b.png'),
])  # fmt: skip
async def test_file_names_are_sanitized(cast: Cast, given: str, kept: str) -> None:
    assert kept_name(given) == kept
    task = await cast.add_task()
    found = (await send(cast, task)).ok()
    await Attachment.filter(id=found["id"]).update(name=kept)
    answer = await cast.ada.get(f"{cast.task(task)}/attachments/{found['id']}/content")
    assert answer.headers["Content-Disposition"].count('"') == 2


async def test_non_multipart_upload_is_refused(cast: Cast) -> None:
    task = await cast.add_task()
    path = f"{cast.task(task)}/attachments"
    [item] = (await cast.cleo.post(path, {"file": "x"})).refused(422)
    assert item["loc"] == ["body", "file"]
    [item] = (await send(cast, task, field="picture")).refused(422)
    assert item["loc"] == ["body", "file"]
    part = 'Content-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\na\r\n'
    both = f"--x\r\n{part}--x\r\n{part}--x--\r\n".encode()
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    [item] = (await cast.cleo.call("POST", path, data=both, headers=broken)).refused(422)
    assert (item["loc"], item["msg"]) == (["body", "file"], "Send one file at a time")
    (await cast.cleo.call("POST", path, data=b"--y\r\n", headers=broken)).refused(422)
    (await cast.cleo.call("POST", path, data=b"", headers={"Content-Type": "multipart/form-data"})).refused(422)
    [item] = (await send(cast, task, comment_id="x")).refused(422)
    assert item["loc"] == ["body", "comment_id"]
    assert await Attachment.all().count() == 0


async def test_uploads_have_their_own_size_limit(app: Quart, cast: Cast) -> None:
    task = await cast.add_task()
    settings = app.config["SETTINGS"]
    assert settings.max_body_bytes < settings.max_file_bytes
    (await send(cast, task, b"a" * (settings.max_body_bytes + 1), "a.txt", "text/plain")).ok()
    (await send(cast, task, b"a" * settings.max_file_bytes, "a.txt", "text/plain")).refused(413)
    assert await Attachment.all().count() == 1


async def test_picture_is_attached_to_a_comment(cast: Cast) -> None:
    task = await cast.add_task()
    comments = f"{cast.task(task)}/comments"
    own = (await cast.cleo.post(comments, {"message": "See"})).ok()
    others = (await cast.vega.post(comments, {"message": "Look"})).ok()
    found = (await send(cast, task, comment_id=own["id"])).ok()
    assert found["comment_id"] == own["id"]
    assert isinstance((await send(cast, task, comment_id=others["id"])).refused(403), str)
    assert isinstance((await send(cast, task, comment_id=str(uuid4()))).refused(404), str)
    assert isinstance((await send(cast, await cast.add_task(), comment_id=own["id"])).refused(404), str)
    path = f"{cast.task(task)}/attachments"
    (await cast.cleo.delete(f"{comments}/{own['id']}")).ok()
    listed = (await cast.ada.get(path)).ok()
    assert (listed["items"], listed["total"]) == ([], 0)
    (await cast.ada.get(f"{path}/{found['id']}")).refused(404)
    (await cast.ada.get(f"{path}/{found['id']}/content")).refused(404)


async def test_attachment_is_removed(cast: Cast) -> None:
    task = await cast.add_task()
    path = f"{cast.task(task)}/attachments"
    for author, remover in ((cast.cleo, cast.cleo), (cast.vega, cast.vega), (cast.vega, cast.ben)):
        found = (await send(cast, task, by=author)).ok()
        before = await head(cast)
        assert (await remover.delete(f"{path}/{found['id']}")).ok() == {"ok": True}
        [event] = await events(before, organization_id=cast.organization.id)
        assert (event.kind, event.actor_id) == ("task.file_removed", remover.id)
        (await remover.delete(f"{path}/{found['id']}")).refused(404)
    assert await AttachmentContent.all().count() == 0


async def test_all_accepted_types_are_documented(cast: Cast) -> None:
    path = f"{API}/boards/{{board_id}}/tasks/{{task_id}}/attachments/{{attachment_id}}/content"
    document = (await cast.nobody.get("/openapi.json")).ok()
    assert set(document["paths"][path]["get"]["responses"]["200"]["content"]) == {*INLINE_TYPES, DOWNLOAD}


async def test_number_of_attachments_is_limited(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST", 1)
    task = await cast.add_task()
    (await send(cast, task)).ok()
    assert isinstance((await send(cast, task)).refused(409), str)
