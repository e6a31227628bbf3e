"""What somebody means who types `new task …` into the palette: the line of quick add, understood."""

import re
from collections.abc import Sequence
from urllib.parse import urlencode

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.search.hits import Group, Hit
from mission_control.tasks.quick_add import QuickTask, understood

_ASKED = re.compile(r"(?:new|add|create)\s+task:?\s+(\S.*)", re.I | re.S)
MOST_BOARDS = 4


async def new_task(actor: Actor, boards: Sequence[Board], current: Board | None, query: str) -> list[Group]:
    """Return what creates the task that a line describes, on the board of the page, else on each that may be chosen."""
    asked = _ASKED.fullmatch(query)
    if asked is None:
        return []
    wanted = [current] if current is not None else boards
    writable = [board for board in wanted if actor.writes(board)][:MOST_BOARDS]
    hits = [await _hit(board, asked[1]) for board in writable]
    return [Group("Do", hits)] if hits else []


async def _hit(board: Board, text: str) -> Hit:
    task = await understood(board, QuickTask(text=text))
    left = task.title.split()
    taken = [word for word in text.split() if word not in left]
    url = f"/boards/{board.id}/tasks/new?{urlencode({'text': text})}"
    return Hit(f"New task: {task.title}", url, "plus", " · ".join([*taken, board.name]))
