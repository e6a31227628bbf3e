"""What a model reads and ticks on a task: files, all comments, steps."""

from base64 import b64decode
from typing import Any

from mcp_types import ImageContent

from mission_control.tasks.models import ChecklistItem
from tests.cast import Cast
from tests.mcp.clients import connected
from tests.tasks.test_attachments import PNG
from tests.tasks.test_attachments import send as attach

FIRST: Any = 0


async def test_text_file_is_read_in_parts(cast: Cast) -> None:
    task = await cast.add_task()
    text = "Günter sees stars. " * 3000
    (await attach(cast, task, text.encode(), "notes.md", "text/markdown")).ok()
    async with connected(cast.vega) as vega, connected(cast.dan) as dan:
        [file] = (await vega.ok("get_task", task_id=task["id"]))["files"]
        assert (file["name"], file["size"]) == ("notes.md", len(text.encode()))
        about = {"task_id": task["id"], "file_id": file["id"]}
        found, offset = "", FIRST
        while offset is not None:
            part = await vega.ok("files", **about, offset=offset)
            assert part["kind"] == "text" and len(part["text"]) <= 20_000
            found, offset = found + part["text"], part["next_offset"]
        assert found == text and part["total_characters"] == len(text)
        assert (await vega.refused("files", **about, limit=50_001))["status"] == 422
        assert (await dan.ok("files", **about, limit=6))["text"] == "Günter"


async def test_image_is_shown_and_other_bytes_are_not(cast: Cast) -> None:
    task = await cast.add_task()
    image = (await attach(cast, task)).ok()
    other = (await attach(cast, task, b"\x00\x01\x02", "data.bin", "application/octet-stream")).ok()
    large = (await attach(cast, task, PNG + b"\x00" * 2**21, "large.png")).ok()
    async with connected(cast.vega) as vega:
        result = await vega.shown("files", task_id=task["id"], file_id=image["id"])
        [shown] = [one for one in result.content if isinstance(one, ImageContent)]
        assert b64decode(shown.data) == PNG and shown.mime_type == "image/png"
        for file, kind in ((other, "binary"), (large, "image")):
            result = await vega.shown("files", task_id=task["id"], file_id=file["id"])
            assert (result.structured_content or {})["kind"] == kind and len(result.content) == 2


async def test_files_of_other_boards_do_not_exist(cast: Cast) -> None:
    task = await cast.add_task()
    file = (await attach(cast, task)).ok()
    async with connected(cast.mira) as mira, connected(cast.eve) as eve:
        for one in (mira, eve):
            assert (await one.refused("files", task_id=task["id"], file_id=file["id"]))["status"] == 404


async def test_all_comments_are_paged_through(cast: Cast) -> None:
    task = await cast.add_task()
    for number in range(7):
        (await cast.ada.post(f"{cast.task(task)}/comments", {"message": f"Word {number}"})).ok()
    found: list[str] = []
    offset = FIRST
    async with connected(cast.cleo) as cleo:
        while offset is not None:
            page = await cleo.ok("list_comments", task_id=task["id"], limit=3, offset=offset)
            assert page["total"] == 7
            found += [one["message"] for one in page["comments"]]
            offset = page["next_offset"]
    assert found == [f"Word {number}" for number in range(7)]


async def test_steps_are_ticked_and_unticked(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.ada.post(f"{cast.task(task)}/checklist", {"text": "Unlock it"})).ok()
    async with connected(cast.cleo) as client:
        [step] = (await client.ok("get_task", task_id=task["id"]))["checklist"]
        about = {"task_id": task["id"], "step_id": step["id"]}
        assert (await client.ok("tick_step", **about))["is_done"] is True
        assert (await ChecklistItem.get(id=step["id"])).is_done
        assert (await client.ok("tick_step", **about, is_done=False))["is_done"] is False
