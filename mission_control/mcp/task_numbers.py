"""Tasks that tools are told by number, as people write them: `#3`, `3`."""

import re
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, NotFound
from mission_control.core.ids import parse_id
from mission_control.mcp.adapters import home
from mission_control.tasks.models import Task

TaskRef = Annotated[UUID, Field(description="Its id or number, such as #3")]
NUMBER = re.compile(r"\s*#?(\d{1,9})\s*")
MOST_NAMED = 5


async def with_task_ids(actor: Actor, given: dict[str, Any]) -> dict[str, Any]:
    """Return arguments of a tool in which every task has its id: `...task_id` and `...task_ids` may have numbers."""
    found = dict(given)
    for name, value in given.items():
        if name.endswith("task_id"):
            found[name] = await _id_of(actor, value, given)
        elif name.endswith("task_ids") and isinstance(value, list):
            found[name] = [await _id_of(actor, one, given) for one in value]
    return found


async def _id_of(actor: Actor, value: Any, given: dict[str, Any]) -> Any:
    """Return the id of a task that a value numbers; what is no number as it is, for the schema."""
    if isinstance(value, bool) or not (written := NUMBER.fullmatch(str(value))):
        return value
    number = int(written[1])
    present = Task.filter(number=number, deleted_at=None).filter(board_id__in=await _boards(actor, given))
    found = await present.limit(MOST_NAMED).values_list("id", "board__name")
    if not found:
        raise NotFound(f"There is no task #{number} where you work.")
    if len(found) > 1:
        where = ", ".join(f"{task_id} on {board}" for task_id, board in found)
        raise Conflict(f"Several boards have a task #{number}. Give its id: {where}.")
    return found[0][0]


async def _boards(actor: Actor, given: dict[str, Any]) -> list[UUID]:
    """Return where to look: the agent's board; the board that a person named, else all that the person reads."""
    if actor.is_agent:
        return [home(actor)]
    visible = Board.visible_to(actor)
    if (board_id := parse_id(given.get("board_id"))) is not None:
        visible = visible.filter(id=board_id)
    return [one.id for one in await visible.only("id")]
