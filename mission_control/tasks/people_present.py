"""Which people have a board open. Pages say so in their process, and every process learns of it; nothing is stored.

A presence ends by itself when nobody repeats it.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from mission_control.boards.cards import PERSON
from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.database.sql import placeholders, rows
from mission_control.live import broker
from mission_control.live.wake import publish_wakeup
from mission_control.tasks.board_view import PAGE, BoardView, on_board
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Region

FAMILY = "board-people"
REPEAT_SECONDS = 20.0
PRESENT_SECONDS = 50.0
MOST_SHOWN = 5

_log = logging.getLogger(__name__)
_here: Counter[str] = Counter()  # pages of this process, by board and person
_until: dict[UUID, dict[UUID, float]] = {}  # the people of each board, in all processes


def people_on(board_id: UUID) -> list[UUID]:
    """Return the people who have a board open."""
    now, present = time.monotonic(), _until.get(board_id, {})
    return sorted(one for one, until in present.items() if until > now)


def keeps_presence(actor: Actor, board_id: UUID, organization_id: UUID) -> Callable[[], Coroutine[Any, Any, None]]:
    """Return what runs as long as a page is open."""

    async def run() -> None:
        name = f"{organization_id}:{board_id}:{actor.user_id}"
        _here[name] += 1
        try:
            while True:
                await _publish(name, "here")
                await asyncio.sleep(REPEAT_SECONDS)
        finally:
            _here[name] -= 1
            if _here[name] <= 0:
                del _here[name]
                _ending.add(task := asyncio.create_task(_publish(name, "gone")))
                task.add_done_callback(_ending.discard)

    return run


_ending: set["asyncio.Task[None]"] = set()  # so that none is collected before it is done


async def _publish(name: str, word: str) -> None:
    try:
        await publish_wakeup(f"{FAMILY}:{name}:{word}")
    except Exception:  # the next repetition makes up for it
        _log.debug("who has a board open could not be announced", exc_info=True)


def on_presence(channel: str) -> None:
    """Take a notification of the family, and tell the readers of this process when somebody came or went."""
    _, organization, board, person, word = channel.split(":")
    ids = [parse_id(one) for one in (organization, board, person)]
    organization_id, board_id, user_id = ids
    if organization_id is None or board_id is None or user_id is None:
        return
    before = people_on(board_id)
    present = {one: until for one, until in _until.get(board_id, {}).items() if until > time.monotonic()}
    if word == "here":
        present[user_id] = time.monotonic() + PRESENT_SECONDS
    else:
        present.pop(user_id, None)
    if present:
        _until[board_id] = present
    else:
        _until.pop(board_id, None)
    running = broker.current()
    if running is not None and people_on(board_id) != before:
        running.signal(organization_id, {"people_on": board, "board_id": board})


async def _people(view: BoardView) -> str:
    others = [one for one in people_on(view.board.id) if one != view.actor.user_id]
    found = await _named(others[: MOST_SHOWN + 1]) if others else []
    return render_macro("boards/head.html", "people", people=found[:MOST_SHOWN], more=len(others) - MOST_SHOWN)


async def _named(ids: list[UUID]) -> list[dict[str, Any]]:
    return await rows(
        f"SELECT u.id, {PERSON} AS name FROM users u WHERE u.id IN ({placeholders(len(ids))})"
        f" ORDER BY LOWER({PERSON}), u.id",
        *ids,
    )


REGIONS = (
    Region(
        PAGE,
        "#people",
        on_board(signals=("people_on",)),
        _people,
        key=lambda view: (view.board.id, view.actor.id),
    ),
)
