"""What the queue of all boards or of one shows, and how it stays current."""

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from quart import Response, request

from mission_control.approvals import queue
from mission_control.approvals.queue import Item
from mission_control.asks.kinds import KINDS as ASKS
from mission_control.asks.kinds import QueueRow, QueueView
from mission_control.boards.models import Board
from mission_control.boards.queries import still_exists
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.times import iso
from mission_control.core.values import parse_id
from mission_control.log.models import Event
from mission_control.log.stream import Batch
from mission_control.web.fragments import partial, render_block
from mission_control.web.regions import Concerns, Reads, Region, Signal, View, live_page

QUEUE, TEMPLATE = "approvals", "approvals/index.html"
KINDS = ("approval.", "question.", "gateway.request.", "board.", "task.")
ASKED = {"approval.requested": "approval", "question.asked": "question"}


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """What the address asks for: one board or all, a state and a page of the history."""

    board: Board | None
    board_id: UUID | None
    state: str
    page: int
    opened: datetime

    @property
    def base(self) -> str:
        """The queue without any filter."""
        return f"/boards/{self.board.id}/approvals" if self.board else "/approvals"

    @property
    def filters(self) -> dict[str, str]:
        """The parts of it that the query holds."""
        chosen = {"board": "" if self.board else str(self.board_id or ""), "state": self.state}
        return {name: value for name, value in chosen.items() if value}

    @property
    def live(self) -> str:
        """The query of the page's stream."""
        return urlencode({**self.filters, "page": self.page, "opened": iso(self.opened)})

    def at_page(self, page: int) -> str | None:
        """Return the address of another page of the history."""
        return f"{self.base}?{urlencode({**self.filters, 'page': page})}"


def address_of(board: Board | None, opened: datetime) -> QueueAddress:
    """Return what the address of the request asks for."""
    args = request.args
    state, page = args.get("state", ""), args.get("page", "")
    return QueueAddress(
        board=board,
        board_id=board.id if board else parse_id(args.get("board")),
        state=state if state in queue.STATES else "",
        page=int(page) if re.fullmatch(r"[1-9][0-9]{0,4}", page) else 1,
        opened=opened,
    )


async def queue_context(actor: Actor, view: QueueAddress) -> dict[str, object]:
    """Return everything that the page of a queue shows."""
    boards = await queue.boards_in_queue(actor, view.board_id)
    view_of_queue = QueueView(
        boards, view.opened, view.base, show_board=view.board is None, is_of_one_board=view.board_id is not None
    )
    both: list[Item | QueueRow] = [
        *await queue.queue(actor, boards, view.opened),
        *[row for kind in ASKS.values() for row in await kind.queue_rows(actor, view_of_queue)],
    ]
    items = sorted(both, key=lambda one: one.created_at or view.opened)
    decided, total = await queue.history(actor, boards, view.state, view.page)
    waiting = [item for item in items if item.is_pending]
    return {
        "view": view,
        "items": items,
        "waiting": len(waiting),
        "may_select": any(actor.writes(board) for board in boards),
        "oldest": waiting[0].created_at if waiting else None,
        "last_decided": await queue.last_decided_at(boards),
        "decided": decided,
        "total": total,
        "pages": -(-total // queue.PAGE),
        "boards": await queue.boards_in_queue(actor, None),
        "states": list(queue.STATES.items()),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePageView(View):
    """A queue as somebody sees it."""

    address: QueueAddress

    async def block(self, name: str) -> str:
        key = (
            "queue",
            self.actor.id,
            self.address.board_id,
            self.address.state,
            self.address.page,
            self.address.opened,
        )
        context = await self.reads.get(key, lambda: queue_context(self.actor, self.address))
        return await render_block(TEMPLATE, name, **context)


async def queue_stream(actor: Actor, board: Board | None) -> Response:
    address = address_of(board, times.parse_since(request.args.get("opened")) or times.clock_now())
    active = f"board-{board.id}" if board else "approvals"

    async def look(viewer: Actor, reads: Reads) -> QueuePageView | None:
        if board is not None and not (viewer.reads(board) and await still_exists(board)):
            return None
        return QueuePageView(actor=viewer, pages=(QUEUE,), active=active, reads=reads, address=address)

    return await live_page(actor, look)


async def _queue(view: QueuePageView) -> str:
    return await view.block("queue")


async def _summary(view: QueuePageView) -> str:
    return await view.block("summary")


async def _history(view: QueuePageView) -> str | None:
    return await view.block("history") if view.address.page == 1 else None


async def _silence(_view: QueuePageView) -> None:
    """Return nothing: a page that is opened announces nothing."""


async def _announcement(_view: QueuePageView, batch: Batch) -> str:
    asked = [ASKED[one.kind] for one in batch.events]
    what = f"{asked[0]}s" if len(set(asked)) == 1 else "approvals and questions"
    sentence = f"A new {asked[0]} waits for you." if len(asked) == 1 else f"{len(asked)} new {what} wait for you."
    return partial("#announcements", sentence, "innerHTML")


def _is_in_queue(view: QueuePageView, news: Event | Signal) -> bool:
    return isinstance(news, Event) and view.address.board_id in (None, news.board_id)


IN_QUEUE = Concerns[QueuePageView](KINDS, (), _is_in_queue)
REGIONS = (
    Region(QUEUE, "#queue", IN_QUEUE, _queue),
    Region(QUEUE, "#queue-summary", IN_QUEUE, _summary, swap="innerHTML"),
    Region(QUEUE, "#history", IN_QUEUE, _history),
    Region(QUEUE, "#announcements", Concerns(tuple(ASKED), (), _is_in_queue), _silence, changes=_announcement),
)
