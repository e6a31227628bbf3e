"""The files of a task in its panel, and what of them can be shown."""

import csv
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from mission_control.core import clock
from mission_control.core.paging import Paging
from mission_control.database.sql import as_json, as_moment, rows
from mission_control.tasks.attachments import MOST, list_attachments
from mission_control.tasks.board_view import BoardView
from mission_control.tasks.file_types import INLINE_TYPES
from mission_control.tasks.models import AttachmentContent, Task
from mission_control.tasks.panel import Panel
from mission_control.tasks.panel_view import of_panel, own_key, panel_region
from mission_control.web.fragments import render_macro

TEMPLATE = "tasks/files.html"
LONGEST_PREVIEW = 200_000  # bytes
MOST_LINES = 2000
MOST_ROWS, MOST_CELLS = 200, 40

KB = 1024


@dataclass(frozen=True, slots=True)
class FileShown:
    """A file of a task, ready to be shown."""

    id: Any
    name: str
    content_type: str
    size: str
    by: str
    created_at: datetime
    content_url: str
    may_remove: bool

    @property
    def is_image(self) -> bool:
        """Whether browsers show it as a picture."""
        return self.content_type.startswith("image/") and self.content_type in INLINE_TYPES

    @property
    def has_preview(self) -> bool:
        """Whether the page itself can show it."""
        return self.is_image or self.content_type == "text/plain"


@dataclass(slots=True)
class Preview:
    """What is shown of a text: a table, the lines of a diff, Markdown, or the text as it is."""

    text: str = ""
    markdown: str = ""
    table: list[list[str]] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    is_cut: bool = False


def size_in_words(size: int) -> str:
    """Return a number of bytes as people read it, where 1 MB is 1,024 kB: `340 B`, `12 kB`, `1.5 MB`, `10 MB`."""
    if size < KB:
        return f"{size} B"
    return f"{size / KB:.0f} kB" if size < KB**2 else f"{size / KB**2:.1f}".removesuffix(".0") + " MB"


def file_shown(file: dict[str, Any], panel_url: str, by: str, *, may_remove: bool) -> FileShown:
    """Return a file as `attachments.py` answers it, ready to be shown."""
    return FileShown(
        id=file["id"],
        name=file["name"],
        content_type=file["content_type"],
        size=size_in_words(file["size"]),
        by=by,
        created_at=as_moment(file["created_at"]) or clock.now(),
        content_url=f"/api/v1{panel_url}/attachments/{file['id']}/content",
        may_remove=may_remove,
    )


async def files(view: BoardView, panel: Panel) -> str:
    """Return links to the evidence of the last run that had some, and all files; empty when there are none."""
    found, _ = await list_attachments(Task(id=panel.id), Paging(limit=MOST, offset=0))
    last = await rows(
        "SELECT evidence FROM task_runs WHERE task_id = ? AND evidence IS NOT NULL ORDER BY fence DESC LIMIT 1",
        panel.id,
    )
    evidence = as_json(last[0]["evidence"]) or [] if last else []
    if not found and not evidence:
        return ""
    names = {str(one["id"]): one["name"] for one in panel.agents}
    shown = [
        file_shown(
            file,
            panel.url,
            file["author"]["name"] if file["author"] else names.get(str(file["agent_id"]), ""),
            may_remove=panel.may_write and (view.rights.is_admin or _is_own(file, view)),
        )
        for file in found
    ]
    return render_macro(TEMPLATE, "files", panel=panel, files=shown, evidence=evidence)


def _is_own(file: dict[str, Any], view: BoardView) -> bool:
    return file["author"] is not None and str(file["author"]["id"]) == str(view.actor.id)


async def preview_of(name: str, content_type: str, attachment_id: Any) -> Preview:
    """Return what of a file's text is shown; empty for what is no text."""
    if content_type != "text/plain":
        return Preview()
    stored = await AttachmentContent.get(attachment_id=attachment_id)
    content = bytes(stored.content)
    text = content[:LONGEST_PREVIEW].decode("utf-8", "ignore")
    return _read(name.lower(), text, is_cut=len(content) > LONGEST_PREVIEW)


def _read(name: str, text: str, *, is_cut: bool) -> Preview:
    if name.endswith((".csv", ".tsv")):
        return _table(text, "\t" if name.endswith(".tsv") else ",", is_cut=is_cut)
    if name.endswith((".diff", ".patch")):
        lines = text.splitlines()
        shown = [(_line_kind(line), line) for line in lines[:MOST_LINES]]
        return Preview(lines=shown, is_cut=is_cut or len(lines) > MOST_LINES)
    if name.endswith((".md", ".markdown")):
        return Preview(markdown=text[:50_000], is_cut=is_cut or len(text) > 50_000)
    return Preview(text=text, is_cut=is_cut)


def _line_kind(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "file"
    return {"+": "in", "-": "out", "@": "at"}.get(line[:1], "")


def _table(text: str, delimiter: str, *, is_cut: bool) -> Preview:
    try:
        found = list(islice(csv.reader(text.splitlines(), delimiter=delimiter), MOST_ROWS + 1))
    except csv.Error:
        return Preview(text=text, is_cut=is_cut)
    table = [[cell[:500] for cell in line[:MOST_CELLS]] for line in found[:MOST_ROWS] if line]
    is_cut = is_cut or len(found) > MOST_ROWS or any(len(line) > MOST_CELLS for line in found)
    return Preview(text=text, table=table, is_cut=is_cut)


NEWS = of_panel("task.file_", "task.comment_deleted", "task.run_completed")
REGIONS = (panel_region("files", NEWS, files, key=own_key),)
