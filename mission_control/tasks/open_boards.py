"""Who has a board open, in all processes, and the faces of those people on the page."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from operator import attrgetter
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.boards.queries import PERSON
from mission_control.core.actor import Actor
from mission_control.core.values import parse_id
from mission_control.database.sql import placeholders, rows
from mission_control.log import broker
from mission_control.log.channels import on_notify_family
from mission_control.log.wake import publish_wakeup
from mission_control.tasks.board_view import PAGE, BoardView, of_board
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Region
from mission_control.work.loops import Loop

FAMILY = "board-people"
REPEAT_SECONDS = 20.0
PRESENT_SECONDS = 50.0
TOGETHER_SECONDS = 1.0  # who comes or goes within this time after a change is shown together
AT_ONCE = 50  # names in one notification
MOST_SHOWN = 5

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _People:
    """The people on a board, each until when, and in order; what keeps changes back, and if there was one since."""

    organization_id: UUID
    until: dict[UUID, float] = field(default_factory=dict)
    order: list[UUID] | None = None
    pause: "asyncio.Task[None] | None" = None
    changed: bool = False


_here: Counter[str] = Counter()  # pages of this process, by board and person
_people: dict[UUID, _People] = {}  # of each board, in all processes
_ending: set["asyncio.Task[None]"] = set()  # so that none is collected before it is done


def people_on(board_id: UUID) -> list[UUID]:
    """Return the people on a board in an order of their own."""
    known = _people.get(board_id)
    if known is None:
        return []
    if known.order is None:
        known.order = sorted(known.until, key=attrgetter("int"))
    return known.order


async def keep_presence(actor: Actor, board: Board) -> None:
    """Announce a person as long as a page is open."""
    name = f"{board.organization_id}:{board.id}:{actor.user_id}"
    _here[name] += 1
    try:
        if _here[name] == 1:
            await _publish([name], "here")
        await asyncio.get_running_loop().create_future()
    finally:
        _here[name] -= 1
        if _here[name] <= 0:
            del _here[name]
            _ending.add(task := asyncio.create_task(_publish([name], "gone")))
            task.add_done_callback(_ending.discard)


async def _publish(names: list[str], word: str) -> None:
    try:
        for start in range(0, len(names), AT_ONCE):
            await publish_wakeup(*(f"{FAMILY}:{name}:{word}" for name in names[start : start + AT_ONCE]))
    except Exception:  # the next repetition makes up for it
        _log.debug("who has a board open could not be announced", exc_info=True)


async def repeat() -> None:
    """Announce again who has a board open here, and forget whom no process has announced for a while."""
    await _publish(list(_here), "here")
    now = time.monotonic()
    for board_id, known in list(_people.items()):
        if gone := [one for one, until in known.until.items() if until <= now]:
            for one in gone:
                del known.until[one]
            _changed(board_id, known)


REPETITION = Loop(
    name="announcing who has a board open", look=repeat, pause=REPEAT_SECONDS, when=lambda: bool(_people or _here)
)


@on_notify_family(FAMILY)
def on_presence(channel: str) -> None:
    """Take a notification of the family, and tell the readers of this process when somebody came or went."""
    _, organization, board, person, word = channel.split(":")
    organization_id, board_id, user_id = map(parse_id, (organization, board, person))
    if organization_id is None or board_id is None or user_id is None:
        return
    known, now = _people.setdefault(board_id, _People(organization_id)), time.monotonic()
    was_here = known.until.pop(user_id, None) is not None
    if word == "here":
        known.until[user_id] = now + PRESENT_SECONDS
    if was_here != (word == "here"):
        _changed(board_id, known)


def _changed(board_id: UUID, known: _People) -> None:
    """Tell the readers of a board: of the first change at once, of those that follow it together."""
    known.order = None
    if known.pause is not None and not known.pause.done():
        known.changed = True
        return
    running = broker.current()
    if running is not None:
        running.signal(known.organization_id, {"people_on": str(board_id), "board_id": str(board_id)})
    known.changed, known.pause = False, asyncio.create_task(_keep_back(board_id, known))


async def _keep_back(board_id: UUID, known: _People) -> None:
    await asyncio.sleep(TOGETHER_SECONDS)
    known.pause = None
    if known.changed:
        _changed(board_id, known)
    elif not known.until and _people.get(board_id) is known:
        del _people[board_id]


async def _faces(view: BoardView) -> str:
    others = [one for one in people_on(view.board.id) if one != view.actor.user_id]
    ids = others[: MOST_SHOWN + 1]
    sql = f"SELECT u.id, {PERSON} AS name FROM users u WHERE u.id IN ({placeholders(len(ids))})"
    found = await rows(f"{sql} ORDER BY LOWER({PERSON}), u.id", *ids) if ids else []
    return render_macro("boards/head.html", "people", people=found[:MOST_SHOWN], more=len(others) - MOST_SHOWN)


def _key_of_faces(view: BoardView) -> Hashable:
    """Return what the faces depend on: those whose face is not among them all see the same."""
    known, viewer = _people.get(view.board.id), view.actor.user_id
    if known is None:
        return view.board.id
    first = people_on(view.board.id)[: MOST_SHOWN + 1]
    return view.board.id, viewer if viewer in first else None, viewer in known.until


REGIONS = (Region(PAGE, "#people", of_board(signals=("people_on",)), _faces, key=_key_of_faces),)
