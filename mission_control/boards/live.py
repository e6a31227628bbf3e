"""The regions of the board page, rendered once for everybody with the same rights, and its live stream."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from markupsafe import Markup, escape

from mission_control.boards.cards import CardFilter, Column, columns_of, crew_of, people_of
from mission_control.boards.models import Board
from mission_control.boards.statuses import LABELS
from mission_control.boards.wip_usage import WipUsage, wip_usage_of
from mission_control.core.actor import Actor
from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.web.fragments import partial, render_macro

TEMPLATE, WORK = "boards/regions.html", "ui/work_state.html"
CREW = ("agent.created", "agent.updated", "agent.deleted")
MOVES = ("task.status_changed", "task.lease_expired")
KEPT = 128


@dataclass(frozen=True, slots=True)
class Rights:
    """What decides how a board looks: viewers with equal rights and filters share the rendered bytes."""

    may_write: bool
    is_admin: bool

    @classmethod
    def of(cls, actor: Actor, board: Board) -> "Rights":
        """The rights of somebody on a board."""
        return cls(actor.writes(board), actor.administers(board.organization_id))


@dataclass(slots=True)
class Regions:
    """The live regions as HTML, and what the page around them needs."""

    columns: Markup
    presence: Markup
    note: Markup
    work: Markup
    actions: Markup
    crew: list[dict[str, Any]]

    def partials(self) -> str:
        """The regions for an open page."""
        return (
            partial("#columns", self.columns) + partial("#presence", self.presence) + partial("#board-note", self.note)
        ) + (partial("#board-work", self.work) + partial("#board-work-actions", self.actions))


@dataclass(slots=True)
class Extras:
    """What features above this one add to the stream: the regions of open task panels."""

    panels: Callable[[Board, Rights, list[UUID]], Awaitable[str]] | None = None


extras = Extras()
_shared: OrderedDict[tuple[Any, ...], "asyncio.Future[str]"] = OrderedDict()


async def regions_of(board: Board, rights: Rights, wanted: CardFilter, viewer_id: UUID | None) -> Regions:
    """Read and render the board as it is now."""
    columns = await columns_of(board, wanted, viewer_id)
    wip_usage = await wip_usage_of(board)
    crew = await crew_of(board)
    is_empty = not any(column.total for column in columns)
    return Regions(
        columns=_columns(board, columns, wip_usage, rights, wanted),
        presence=Markup(render_macro(TEMPLATE, "presence", board_id=board.id, crew=crew)),
        note=_note(board, rights, is_empty, wanted, has_agents=bool(crew)),
        work=_work_banner(board, rights),
        actions=_work_actions(board, rights),
        crew=crew,
    )


def _columns(
    board: Board, columns: list[Column], wip_usage: dict[str, WipUsage], rights: Rights, wanted: CardFilter
) -> Markup:
    about: dict[str, Any] = {"board_id": board.id, "may_write": rights.may_write, "wanted": wanted}
    return Markup(render_macro(TEMPLATE, "columns", columns=columns, wip_usage=wip_usage, **about))


def _note(board: Board, rights: Rights, is_empty: bool, wanted: CardFilter, *, has_agents: bool) -> Markup:
    html = render_macro(
        TEMPLATE,
        "note",
        board_id=board.id,
        is_new=is_empty and not wanted.narrows,
        has_agents=has_agents,
        no_match=is_empty and wanted.narrows,
        may_write=rights.may_write,
        is_admin=rights.is_admin,
        needs_goal=not board.goal_confirmed,
    )
    return Markup(html)


def _work_banner(board: Board, rights: Rights) -> Markup:
    """That the board's agents are paused or stopped, since when and why, with the way out."""
    about: dict[str, Any] = {"thing": board, "url": f"/boards/{board.id}/work-state", "whose": board.name}
    html = render_macro(WORK, "work_banner", subject="This board is", may_set=rights.may_write, **about)
    return Markup(html)


def _work_actions(board: Board, rights: Rights) -> Markup:
    """The buttons of the header."""
    if not rights.may_write:
        return Markup("")
    url = f"/boards/{board.id}/work-state"
    return Markup(render_macro(WORK, "work_actions", thing=board, url=url, whose=board.name, compact=True))


async def board_partials(viewer: Actor, board: Board, wanted: CardFilter, batch: Batch) -> str:
    """What a viewer's page must refresh after a batch."""
    events = [event for event in batch.events if event.board_id == board.id]
    seen = sorted(str(signal["agent_id"]) for signal in batch.signals if signal.get("board_id") == str(board.id))
    if not events and not seen:
        return ""
    rights = Rights.of(viewer, board)
    own = viewer.id if wanted.assignee == "me" else None
    moment = int(time.monotonic() / 5) if seen else 0
    seq = batch.events[-1].seq if batch.events else -1
    task_ids = list(dict.fromkeys(event.task_id for event in events if event.task_id is not None))
    key = (board.id, seq, tuple(seen), moment, rights, wanted, own)
    html = await _once(key, lambda: _rendered(board, rights, wanted, viewer.id))
    if any(event.kind in CREW for event in events):
        html += await _once((board.id, seq, "assignees", wanted.assignee), lambda: _assignees(board, wanted.assignee))
    if task_ids and extras.panels is not None:
        html += await _once((board.id, seq, rights, tuple(task_ids)), lambda: _panels(board, rights, task_ids))
    return html + announcement(viewer, events)


async def _rendered(board: Board, rights: Rights, wanted: CardFilter, viewer_id: UUID | None) -> str:
    current = await Board.get_or_none(id=board.id)
    if current is None:
        return ""
    return (
        partial("#board-name", str(escape(current.name)), "innerHTML")
        + (await regions_of(current, rights, wanted, viewer_id)).partials()
    )


async def _assignees(board: Board, chosen: str) -> str:
    """Return the choices of the filter, for a board whose agents changed."""
    offered = {"crew": await crew_of(board), "people": await people_of(board)}
    return partial("#filter-assignee", render_macro(TEMPLATE, "assignees", chosen=chosen, **offered))


async def _panels(board: Board, rights: Rights, task_ids: list[UUID]) -> str:
    return await extras.panels(board, rights, task_ids) if extras.panels else ""


async def _once(key: tuple[Any, ...], make: Callable[[], Awaitable[str]]) -> str:
    """Render for the first who asks; the others wait for the same text. A hang-up cancels nobody else."""
    known = _shared.get(key)
    if known is None:
        known = _shared[key] = asyncio.ensure_future(make())
        while len(_shared) > KEPT:
            _shared.popitem(last=False)
    try:
        return await asyncio.shield(known)
    except BaseException:
        if known.done() and (known.cancelled() or known.exception()):
            _shared.pop(key, None)
        raise


def announcement(viewer: Actor, events: list[Event]) -> str:
    """A sentence for screen readers about the newest move that somebody else made."""
    moves = [one for one in events if one.kind in MOVES and one.actor_id != viewer.id]
    if not moves:
        return ""
    after = orjson.loads(moves[-1].data).get("after", {})
    title = (moves[-1].message or "").partition(": ")[2].rstrip(".")
    by = f" by {moves[-1].actor_name}" if moves[-1].actor_name else ""
    return partial(
        "#announcements",
        str(escape(f"{title} moved to {LABELS.get(after.get('status', ''), 'another column')}{by}.")),
        "innerHTML",
    )
