"""The deleted and the archived tasks of all boards, as pages of the settings."""

from functools import partial
from typing import Any

from mission_control.boards.trash_pages import SETTINGS, TRASH
from mission_control.core.actor import Actor
from mission_control.core.paging import Paging
from mission_control.core.policy import can
from mission_control.tasks.board_view import Rights
from mission_control.tasks.queries import gone_tasks
from mission_control.web.lists import Asked, LiveList, Pages
from mission_control.web.regions import Concerns, View

pages = Pages("tasks_gone_pages", __name__)
SIZE = 50
KINDS = {"tasks": "trash", "archive": "archive"}


async def _listed(which: str, actor: Actor, asked: Asked) -> dict[str, Any]:
    found, total = await gone_tasks(actor, KINDS[which], Paging(limit=SIZE, offset=asked.first))
    return {
        "which": which,
        "tasks": found,
        "total": total,
        "first": asked.first,
        "size": SIZE,
        "writable": {task["board_id"] for task in found if Rights.of(actor, task["board"]).may_write},
        "may_erase": can(actor, "board.create", actor.organization_id),
    }


for _which in KINDS:
    LiveList(
        pages=pages, place=SETTINGS, path=f"{TRASH}/{_which}", template="tasks/gone_everywhere.html",
        read=partial(_listed, _which), news=Concerns[View](("task.", "board.")),
    )  # fmt: skip
