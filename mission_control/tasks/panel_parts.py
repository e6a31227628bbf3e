"""What a task's panel shows next to its facts: its tags, its steps, and files that people and agents put there."""

from mission_control.boards.view import BoardView
from mission_control.core.paging import Paging
from mission_control.tags.queries import tags_of_tasks
from mission_control.tasks.attachments import list_attachments
from mission_control.tasks.checklist import MOST, list_items
from mission_control.tasks.models import Task
from mission_control.tasks.panel import Panel
from mission_control.tasks.panel_view import of_panel, panel_region
from mission_control.web.fragments import render_macro

TEMPLATE = "tasks/parts.html"
ALL = Paging(limit=MOST, offset=0)


async def tags(_view: BoardView, panel: Panel) -> str:
    """Return all tags; empty when there is none."""
    found = (await tags_of_tasks([panel.id])).get(str(panel.id), [])
    return render_macro(TEMPLATE, "tags", tags=found) if found else ""


async def checklist(_view: BoardView, panel: Panel) -> str:
    """Return the steps, with forms for viewers who may change them; empty when there is none."""
    steps, _ = await list_items(Task(id=panel.id), ALL)
    return render_macro(TEMPLATE, "steps", panel=panel, steps=steps) if steps else ""


async def files(_view: BoardView, panel: Panel) -> str:
    """Return the files that no run shows; empty when there is none."""
    found, _ = await list_attachments(Task(id=panel.id), ALL)
    attached = [file | {"size": size_in_words(file["size"])} for file in found if file["run_id"] is None]
    return render_macro(TEMPLATE, "files", panel=panel, files=attached) if attached else ""


def size_in_words(size: int) -> str:
    """Return a number of bytes as people read it: `340 B`, `12 kB`, `1.5 MB`."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


REGIONS = (
    panel_region("tags", of_panel("task.updated"), tags),
    panel_region("checklist", of_panel("task.checklist"), checklist),
    panel_region("files", of_panel("task.file_", "task.comment_deleted", "task.run_completed"), files),
)
