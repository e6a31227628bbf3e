"""The sections of a task's panel as regions, and the frame around them."""

import csv
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from mission_control.approvals.needs import asked_items
from mission_control.core import times
from mission_control.core.text.diffs import FileDiff, parsed
from mission_control.core.values import Paging
from mission_control.database.sql import Row, as_json, as_moment, rows
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.events.stream import Batch
from mission_control.tasks.attachments import INLINE_TYPES, list_attachments
from mission_control.tasks.attachments import MOST as MOST_FILES
from mission_control.tasks.board.view import BoardView
from mission_control.tasks.checklist import MOST, list_items
from mission_control.tasks.forms import fields_of
from mission_control.tasks.models import AttachmentContent, Task
from mission_control.tasks.panel.frame import (
    PAGE,
    Panel,
    any_panel_in,
    concerns_panel,
    of_panel,
    own_key,
    panel_in,
    panel_key,
    panel_region,
)
from mission_control.tasks.panel.related_tasks import WAYS, Linked, linked_to
from mission_control.tasks.tags.commands import tags_of_organization, tags_of_tasks
from mission_control.web.fragments import read_ahead, render_macro
from mission_control.web.regions import Concerns, Region

TITLE = "tasks/panel_title.html"
TEXT, GONE, APPROVALS = "tasks/panel_text.html", "tasks/panel_gone.html", "tasks/panel_approvals.html"
TASK = (
    "task.updated", "task.status_changed", "task.lease_expired", "task.archived", "task.unarchived", "task.restored",
)  # fmt: skip


async def title(_view: BoardView, panel: Panel) -> str:
    return render_macro(TITLE, "title", panel=panel)


async def text(_view: BoardView, panel: Panel) -> str:
    await read_ahead(panel.description or "", names=panel.names)
    return render_macro(TEXT, "text", panel=panel)


async def approvals(view: BoardView, panel: Panel) -> str:
    pending = await rows("SELECT approval_id FROM approval_task_links WHERE task_id = ? AND is_pending", panel.id)
    items = await asked_items(view.actor, [view.board], [UUID(str(row["approval_id"])) for row in pending])
    newest_first = sorted(items, key=lambda item: item.created_at, reverse=True)
    return render_macro(APPROVALS, "approvals", panel=panel, approvals=newest_first)


async def deleted(view: BoardView) -> str | None:
    panel = await any_panel_in(view)
    return None if panel is None or not panel.is_deleted else render_macro(GONE, "deleted", panel=panel)


async def restored(view: BoardView) -> str | None:
    panel = await panel_in(view)
    return None if panel is None else render_macro(GONE, "reload", panel=panel)


CREW = ("agent.created", "agent.updated", "agent.deleted")
DEFINITIONS = ("tag.", "custom_field.")


async def facts(view: BoardView, panel: Panel) -> str:
    links: Linked = await view.reads.get(("links", panel.id), lambda: linked_to(panel.id))
    tags = (await tags_of_tasks([panel.id])).get(str(panel.id), [])
    fields = await fields_of(panel.board_id, panel.id)
    missing = [field for field in fields if field.is_missing]
    return render_macro(
        "tasks/props.html", "props", panel=panel, links=links, ways=WAYS, tags=tags,
        all_tags=await tags_of_organization(view.board.organization_id) if panel.may_write else [],
        may_create_tags=panel.may_write and view.rights.is_admin,
        fields=[field for field in fields if not field.is_offered and (len(missing) < 2 or not field.is_missing)],
        together=missing if len(missing) > 1 else [], offered=[field for field in fields if field.is_offered],
    )  # fmt: skip


async def fact_changes(view: BoardView, batch: Batch) -> str | None:
    """Leave out what concerns neither the task, nor one that is linked to it, nor those who could do it."""
    panel = await panel_in(view)
    if panel is None:
        return ""
    assignee = panel.assignee_value.removeprefix("agent:")
    if any(signal["agent_id"] == assignee for signal in batch.signals):
        return None
    near = [event for event in batch.events if event.kind.startswith("task.")]
    if len(near) < len(batch.events) or any(
        concerns_panel(view, event) or str(panel.id) in event.data for event in near
    ):
        return None
    links: Linked = await view.reads.get(("links", panel.id), lambda: linked_to(panel.id))
    at_work = {str(agent["task_id"]) for agent in panel.agents}
    linked = not links.ids.isdisjoint(event.task_id for event in near)
    return None if linked or any(str(event.task_id) in at_work for event in near) else ""


def _may_concern(view: BoardView, news: News) -> bool:
    if isinstance(news, Event):
        if news.kind.startswith("task.") and news.kind.endswith(("notified", "notify_failed")):
            return False
        return news.board_id == view.board.id or (news.board_id is None and news.kind.startswith(DEFINITIONS))
    return bool(news.get("board_id") == str(view.board.id))


NEWS = Concerns[BoardView](("task.", *CREW, *DEFINITIONS), ("agent_id",), _may_concern)


async def checklist(_view: BoardView, panel: Panel) -> str:
    steps, _ = await list_items(Task(id=panel.id), Paging(limit=MOST, offset=0))
    return render_macro("tasks/parts.html", "steps", panel=panel, steps=steps) if steps else ""


FILES = "tasks/files.html"
LONGEST_PREVIEW = 200_000  # bytes
MOST_LINES = 2000
MOST_ROWS, MOST_CELLS = 200, 40

KB = 1024


@dataclass(slots=True)
class Preview:
    """What is shown of a text: a table, a diff by file, Markdown, or the text as it is."""

    text: str = ""
    markdown: str = ""
    table: list[list[str]] = field(default_factory=list)
    diffs: list[FileDiff] = field(default_factory=list)
    is_cut: bool = False


def size_in_words(size: int) -> str:
    """`340 B`, `12 kB`, `1.5 MB`, `10 MB`: 1 MB is 1,024 kB."""
    if size < KB:
        return f"{size} B"
    return f"{size / KB:.0f} kB" if size < KB**2 else f"{size / KB**2:.1f}".removesuffix(".0") + " MB"


def file_shown(file: Row, panel_url: str, by: str, *, may_remove: bool) -> Row:
    kind = file["content_type"]
    is_image = kind.startswith("image/") and kind in INLINE_TYPES
    return file | {
        "size": size_in_words(file["size"]),
        "by": by,
        "created_at": as_moment(file["created_at"]) or times.clock_now(),
        "content_url": f"/api/v1{panel_url}/attachments/{file['id']}/content",
        "may_remove": may_remove,
        "is_image": is_image,
        "has_preview": is_image or kind == "text/plain",
    }


async def files(view: BoardView, panel: Panel) -> str:
    attachments, _ = await list_attachments(Task(id=panel.id), Paging(limit=MOST_FILES, offset=0))
    last = await rows(
        "SELECT evidence FROM task_runs WHERE task_id = ? AND evidence IS NOT NULL ORDER BY fence DESC LIMIT 1",
        panel.id,
    )
    evidence = as_json(last[0]["evidence"]) or [] if last else []
    if not attachments and not evidence:
        return ""
    names, previews = {str(agent["id"]): agent["name"] for agent in panel.agents}, []
    for file in attachments:
        author = file["author"] or {"id": "", "name": names.get(str(file["agent_id"]), "")}
        may_remove = panel.may_write and (view.rights.is_admin or str(author["id"]) == str(view.actor.id))
        previews.append(file_shown(file, panel.url, author["name"], may_remove=may_remove))
    return render_macro(FILES, "files", panel=panel, files=previews, evidence=evidence)


async def preview_of(name: str, content_type: str, attachment_id: object) -> Preview:
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
        return Preview(text=text, diffs=parsed(text, "", MOST_LINES), is_cut=is_cut)
    if name.endswith((".md", ".markdown")):
        return Preview(markdown=text[:50_000], is_cut=is_cut or len(text) > 50_000)
    return Preview(text=text, is_cut=is_cut)


def _table(text: str, delimiter: str, *, is_cut: bool) -> Preview:
    try:
        lines = list(islice(csv.reader(text.splitlines(), delimiter=delimiter), MOST_ROWS + 1))
    except csv.Error:
        return Preview(text=text, is_cut=is_cut)
    table = [[cell[:500] for cell in line[:MOST_CELLS]] for line in lines[:MOST_ROWS] if line]
    is_cut = is_cut or len(lines) > MOST_ROWS or any(len(line) > MOST_CELLS for line in lines)
    return Preview(text=text, table=table, is_cut=is_cut)


FILE_NEWS = of_panel("task.file_", "task.comment_deleted", "task.run_completed")
PANEL, RESTORED = "#task-{panel_id}-panel", of_panel("task.restored")
REGIONS = (
    Region(PAGE, PANEL, of_panel("task.deleted"), deleted, panel_key, name="deleted"),
    Region(PAGE, f"{PANEL}-gone", RESTORED, restored, panel_key, swap="outerHTML", name="gone"),
    panel_region("title", of_panel(*TASK), title),
    panel_region("text", of_panel(*TASK), text),
    panel_region("approvals", of_panel("approval.", "task.run_completed", *TASK), approvals),
    panel_region("facts", NEWS, facts, fact_changes),
    panel_region("files", FILE_NEWS, files, key=own_key),
    panel_region("checklist", of_panel("task.checklist"), checklist),
)
