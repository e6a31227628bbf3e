"""A board's page as somebody sees it: with which rights, through which filter, with which task open."""

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from quart import request

from mission_control.boards.models import Board, SavedView
from mission_control.boards.queries import SIGNS, crew_of, is_at_work
from mission_control.boards.views import all_views
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.values import parse_id
from mission_control.database.sql import Row, placeholders, rows
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.events.position import position_of_board
from mission_control.tasks.board.card_filter import OPEN, STANDS_STILL, CardFilter
from mission_control.tasks.board.cards import Card, Order, cards_of, orders_of
from mission_control.tasks.custom_fields.queries import BoardField, fields_of_board
from mission_control.tasks.proposals.commands import open_proposals
from mission_control.tasks.query import LIVING, conditions
from mission_control.web.regions import Concerns, Reads
from mission_control.web.side_panels import AsideView, asked


async def counts_of(board: Board, texts: Collection[str], viewer_id: UUID | None) -> dict[str, int]:
    """Count the tasks of each query, by its text, in one statement."""
    if not texts:
        return {}
    distinct = list(dict.fromkeys(texts))
    filtered = [await conditions(text, viewer_id) for text in distinct]
    counts = ", ".join(
        f"(SELECT COUNT(*) FROM tasks t WHERE t.board_id = ? AND {LIVING}{sql}) AS n{index}"
        for index, (sql, _) in enumerate(filtered)
    )
    [row] = await rows(f"SELECT {counts}", *(value for _, values in filtered for value in (board.id, *values)))
    return {text: int(row[f"n{index}"]) for index, text in enumerate(distinct)}


@dataclass(frozen=True, slots=True)
class WipUsage:
    """The number of tasks in a column, regardless of filters, and its limit."""

    held: int
    limit: int

    @property
    def state(self) -> str:
        """`full`, `over` when people put more into it, or an empty text."""
        if self.held < self.limit:
            return ""
        return "full" if self.held == self.limit else "over"


async def wip_usage_of(board: Board) -> dict[str, WipUsage]:
    limits: dict[str, int] = board.wip_limits or {}
    if not limits:
        return {}
    usage = await rows(
        "SELECT status, COUNT(*) AS held FROM tasks WHERE board_id = ? AND deleted_at IS NULL AND archived_at IS NULL"
        f" AND status IN ({placeholders(len(limits))}) GROUP BY status",
        board.id,
        *limits,
    )
    counts = {row["status"]: int(row["held"]) for row in usage}
    return {status: WipUsage(counts.get(status, 0), limit) for status, limit in limits.items()}


PAGE = "board"  # what surrounds the tasks
COLUMNS, TABLE_PAGE = "board-columns", "board-table"  # the tasks
NOTICES = ("notified", "notify_failed")  # end the kinds that say how a notice was sent
PLACE = "board"  # where asides open
PANEL = "task:"  # begins the name of an open task in the stream's address


@dataclass(frozen=True, slots=True)
class Rights:
    """What decides how a board looks: viewers with equal rights and filters share the rendered bytes."""

    may_write: bool
    is_admin: bool

    @classmethod
    def of(cls, actor: Actor, board: Board) -> "Rights":
        return cls(actor.writes(board), actor.administers(board.organization_id))


@dataclass(frozen=True, slots=True)
class PanelLook:
    """How the timeline of an open task is shown, as the address says: which part, how much, and which comment."""

    show: str = ""  # or talk, runs
    whole: bool = False
    comment_id: UUID | None = None

    @classmethod
    def of(cls, args: Mapping[str, str]) -> "PanelLook":
        show = args.get("show", "")
        whole = args.get("comments") == "all"
        return cls(show if show in ("talk", "runs") else "", whole, parse_id(args.get("comment", "")))

    @property
    def more(self) -> str:
        return f"&{query}" if (query := self.query()) else ""

    def query(self, **changes: str) -> str:
        values = {"show": self.show, "comments": "all" if self.whole else "", "comment": str(self.comment_id or "")}
        return urlencode({name: value for name, value in (values | changes).items() if value})


RUNS = (
    "SELECT r.task_id, r.lease_expires_at, r.parked_at, r.ready_at, s.id, s.seq, s.state, s.failures"
    " FROM tasks t JOIN task_runs r ON r.task_id = t.id AND r.ended_at IS NULL"
    " LEFT JOIN agent_sessions s ON s.run_id = r.id AND s.ended_at IS NULL"
    " WHERE t.board_id = ? AND t.status <> 'done' AND t.deleted_at IS NULL AND t.archived_at IS NULL"
    " ORDER BY r.id, s.id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView(AsideView):
    """A board's page as somebody sees it at this moment."""

    board: Board
    rights: Rights
    wanted: CardFilter
    panel_id: UUID | None = None
    look: PanelLook = PanelLook()

    @property
    def shown(self) -> str:
        return TABLE_PAGE if self.wanted.is_table else COLUMNS

    @property
    def viewer_id(self) -> UUID | None:
        return self.actor.id if self.wanted.asks_who_looks else None

    @property
    def key(self) -> Hashable:
        return self.board.id, self.rights, self.wanted, self.viewer_id, times.reader().key

    async def crew(self) -> list[Row]:
        return await self.reads.get(("crew", self.board.id), lambda: crew_of(self.board))

    async def fields(self) -> list[BoardField]:
        return await self.reads.get(("fields", self.board.id), lambda: fields_of_board(self.board.id))

    async def wip_usage(self) -> dict[str, WipUsage]:
        return await self.reads.get(("wip", self.board.id), lambda: wip_usage_of(self.board))

    async def proposals(self) -> list[Row]:
        return await self.reads.get(("proposals", self.board.id), lambda: open_proposals(self.board.id))

    async def orders(self) -> list[Order]:
        return await self.reads.get(("orders", self.key), lambda: orders_of(self.board, self.wanted, self.viewer_id))

    async def views(self) -> list[SavedView]:
        every = await self.reads.get(("views", self.board.id), lambda: all_views(self.board))
        return [view for view in every if view.is_shared or view.user_id == self.actor.user_id]

    async def counts(self) -> dict[str, int]:
        """Return how many tasks the query, every saved view and every fixed one find, by their texts.

        One statement counts for everybody, and one more what depends on who looks.
        """
        texts = sorted({"", OPEN, STANDS_STILL, self.wanted.text, *(view.query for view in await self.views())})
        own = [text for text in texts if CardFilter(text).asks_who_looks]
        counts = await self._counts([text for text in texts if text not in own], None)
        return counts | (await self._counts(own, self.actor.id) if own else {})

    async def _counts(self, texts: list[str], viewer_id: UUID | None) -> dict[str, int]:
        key = ("counts", self.board.id, tuple(texts), viewer_id, times.reader().key)
        return await self.reads.get(key, lambda: counts_of(self.board, texts, viewer_id))

    async def found(self) -> int:
        return (await self.counts())[self.wanted.text]

    async def cards(
        self, ids: frozenset[UUID], agent_ids: frozenset[str] = frozenset(), session_ids: frozenset[str] = frozenset()
    ) -> list[Card]:
        if not ids and not agent_ids and not session_ids:
            return []
        which = self.board, self.wanted, self.viewer_id, sorted(ids), sorted(agent_ids), sorted(session_ids)
        return await self.reads.get(("cards", self.key, ids, agent_ids, session_ids), lambda: cards_of(*which))


async def state_of_cards(view: BoardView) -> object:
    """Return what the cards depend on: the board's position, the limits that it had when it was looked up, what is not
    in the log (leases, signs of life, what agents do), and the minute, which their words name."""
    board = view.board
    position = await position_of_board(board.organization_id, board.id)
    runs = await rows(RUNS, board.id)
    signs = await rows(f"SELECT g.id, {SIGNS} FROM agents g WHERE g.board_id = ? ORDER BY g.id", board.id)
    now = times.clock_now()
    working = [is_at_work(sign["last_seen_at"], sign["agent_gateway_id"], sign["run_began_at"], now) for sign in signs]
    return position, board.wip_limits, runs, working, now.replace(second=0, microsecond=0)


def view_of(actor: Actor, board: Board, reads: Reads | None = None, panel_id: UUID | None = None) -> BoardView:
    filters, rights = CardFilter.of(request.args), Rights.of(actor, board)
    aside, options = asked(PLACE) if panel_id is None else (None, ())
    open_pages = ["panel"] if panel_id else [aside.page] if aside else []
    pages = (PAGE, TABLE_PAGE if filters.is_table else COLUMNS, *open_pages)
    return BoardView(
        actor=actor, pages=pages, active=f"board-{board.id}", reads=reads or Reads(),
        board=board, rights=rights, wanted=filters, panel_id=panel_id, look=PanelLook.of(request.args),
        aside=aside.name if aside else "", options=options,
    )  # fmt: skip


def is_here(view: BoardView, news: News) -> bool:
    if isinstance(news, Event):
        return news.board_id == view.board.id
    return bool(news.get("board_id") == str(view.board.id))


def is_no_notice(view: BoardView, news: News) -> bool:
    return not (isinstance(news, Event) and news.kind.endswith(NOTICES))


def of_board(
    *kinds: str, signals: tuple[str, ...] = (), about: Callable[[BoardView, News], bool] = is_here
) -> Concerns[BoardView]:
    return Concerns(kinds, signals, lambda view, news: is_here(view, news) and about(view, news))
