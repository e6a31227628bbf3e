"""The deleted and the archived tasks of all boards, as pages of the settings."""

from functools import partial
from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.boards.trash_pages import SETTINGS, TRASH
from mission_control.boards.view import Rights
from mission_control.core.actor import Actor
from mission_control.core.paging import Paging
from mission_control.core.policy import can
from mission_control.tasks.queries import gone_tasks
from mission_control.web.live_list import LiveList
from mission_control.web.shell import signed_in

pages = Blueprint("tasks_gone_pages", __name__)
SIZE = 50
KINDS = {"tasks": "trash", "archive": "archive"}


async def _listed(which: str, actor: Actor, first: int) -> dict[str, Any]:
    found, total = await gone_tasks(actor, KINDS[which], Paging(limit=SIZE, offset=first))
    return {
        "which": which,
        "tasks": found,
        "total": total,
        "first": first,
        "size": SIZE,
        "writable": {task["board_id"] for task in found if Rights.of(actor, task["board"]).may_write},
        "may_erase": can(actor, "board.create", actor.organization_id),
    }


def _list(which: str) -> LiveList[int]:
    read = partial(_listed, which)
    return LiveList(SETTINGS.key, f"{TRASH}/{which}", "tasks/gone_everywhere.html", read, ("task.", "board."))


LISTS = {which: _list(which) for which in KINDS}


def _first() -> int:
    return max(0, min(request.args.get("from", 0, type=int), 10**6))


@pages.get(f"{TRASH}/<any(tasks, archive):which>")
async def show(which: str) -> ResponseReturnValue:
    """Show the deleted or the archived tasks of all boards, newest first."""
    return await LISTS[which].page(await signed_in(), _first())


@pages.get(f"{TRASH}/<any(tasks, archive):which>/live")
async def live(which: str) -> Response:
    """Keep the list live."""
    return await LISTS[which].stream(await signed_in(), _first())
