"""The steps of a task in its panel."""

from mission_control.core.paging import Paging
from mission_control.tasks.board_view import BoardView
from mission_control.tasks.checklist import MOST, list_items
from mission_control.tasks.models import Task
from mission_control.tasks.panel import Panel
from mission_control.tasks.panel_view import of_panel, panel_region
from mission_control.web.fragments import render_macro

TEMPLATE = "tasks/parts.html"
ALL = Paging(limit=MOST, offset=0)


async def checklist(_view: BoardView, panel: Panel) -> str:
    """Return the steps, with forms for viewers who may change them; empty when there is none."""
    steps, _ = await list_items(Task(id=panel.id), ALL)
    return render_macro(TEMPLATE, "steps", panel=panel, steps=steps) if steps else ""


REGIONS = (panel_region("checklist", of_panel("task.checklist"), checklist),)
