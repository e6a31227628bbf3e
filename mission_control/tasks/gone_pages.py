"""The deleted and the archived tasks of all boards, as pages of the settings."""

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.trash_pages import SETTINGS, TRASH
from mission_control.boards.view import Rights
from mission_control.core.paging import Paging
from mission_control.core.policy import can
from mission_control.tasks.queries import gone_tasks
from mission_control.web.settings import settings_page
from mission_control.web.shell import signed_in

pages = Blueprint("tasks_gone_pages", __name__)
SIZE = 50
KINDS = {"tasks": "trash", "archive": "archive"}


@pages.get(f"{TRASH}/<any(tasks, archive):which>")
async def show(which: str) -> ResponseReturnValue:
    """Show the deleted or the archived tasks of all boards, newest first."""
    actor = await signed_in()
    first = max(0, min(request.args.get("from", 0, type=int), 10**6))
    found, total = await gone_tasks(actor, KINDS[which], Paging(limit=SIZE, offset=first))
    writable = {task["board_id"] for task in found if Rights.of(actor, task["board"]).may_write}
    return await settings_page(
        actor,
        "tasks/gone_everywhere.html",
        SETTINGS.key,
        which=which,
        tasks=found,
        total=total,
        first=first,
        size=SIZE,
        writable=writable,
        may_erase=can(actor, "board.create", actor.organization_id),
    )
