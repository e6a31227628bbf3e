"""A board's page as somebody sees it: with which rights, through which filter, with which task open."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from mission_control.boards.cards import crew_of
from mission_control.boards.models import Board, SavedView
from mission_control.boards.statuses import STATUSES
from mission_control.boards.views_queries import all_views
from mission_control.core import zones
from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.live.models import Event
from mission_control.tasks.card_filter import OPEN, CardFilter
from mission_control.tasks.card_rows import Card
from mission_control.tasks.columns import Order, cards_of, orders_of
from mission_control.tasks.counts import counts_of
from mission_control.tasks.wip_usage import WipUsage, wip_usage_of
from mission_control.web.asides import AsideView
from mission_control.web.regions import Concerns

PAGE = "board"  # what surrounds the tasks
COLUMNS, TABLE_PAGE = "board-columns", "board-table"  # the tasks
NOTICES = ("notified", "notify_failed")  # end the kinds that say how a notice was sent
PANEL = "task:"  # begins the name of an open task in the stream's address

News = Event | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rights:
    """What decides how a board looks: viewers with equal rights and filters share the rendered bytes."""

    may_write: bool
    is_admin: bool

    @classmethod
    def of(cls, actor: Actor, board: Board) -> "Rights":
        """Return the rights of somebody on a board."""
        return cls(actor.writes(board), actor.administers(board.organization_id))


@dataclass(frozen=True, slots=True)
class PanelLook:
    """How the timeline of an open task is shown, as the address says: which part, how much, and which comment."""

    show: str = ""  # or talk, runs
    whole: bool = False
    comment_id: UUID | None = None

    @classmethod
    def of(cls, args: Mapping[str, str]) -> "PanelLook":
        """Read an address; unknown values are ignored."""
        show = args.get("show", "")
        whole = args.get("comments") == "all"
        return cls(show if show in ("talk", "runs") else "", whole, parse_id(args.get("comment", "")))

    @property
    def more(self) -> str:
        """The same behind another query."""
        return f"&{query}" if (query := self.query()) else ""

    def query(self, **changes: str) -> str:
        """Return it as the query of an address, empty when it is the usual."""
        values = {
            "show": self.show,
            "comments": "all" if self.whole else "",
            "comment": str(self.comment_id or ""),
        }
        return urlencode({name: value for name, value in (values | changes).items() if value})


def unfolded(args: Mapping[str, str], column: str) -> str:
    """Return the columns that never fold beside an open task: the one in the address, and where the task is."""
    return " ".join(sorted({one for one in (args.get("open"), column) if one in STATUSES}))


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
        """The page of the regions that show the tasks."""
        return TABLE_PAGE if self.wanted.is_table else COLUMNS

    @property
    def viewer_id(self) -> UUID | None:
        """The viewer, where the filter depends on who it is."""
        return self.actor.id if self.wanted.asks_who_looks else None

    @property
    def key(self) -> Hashable:
        """What the cards depend on in addition to the log."""
        return self.board.id, self.rights, self.wanted, self.viewer_id, zones.reader().key

    async def crew(self) -> list[dict[str, Any]]:
        """Return the agents of the board."""
        return await self.reads.get(("crew", self.board.id), lambda: crew_of(self.board))

    async def wip_usage(self) -> dict[str, WipUsage]:
        """Return how much of its limit each column with one holds."""
        return await self.reads.get(("wip", self.board.id), lambda: wip_usage_of(self.board))

    async def orders(self) -> list[Order]:
        """Return how the cards stand in the four columns."""
        return await self.reads.get(("orders", self.key), lambda: orders_of(self.board, self.wanted, self.viewer_id))

    async def views(self) -> list[SavedView]:
        """Return the saved views that the viewer sees, in the order of their tabs."""
        every = await self.reads.get(("views", self.board.id), lambda: all_views(self.board))
        return [one for one in every if one.is_shared or one.user_id == self.actor.user_id]

    async def counts(self) -> dict[str, int]:
        """Return how many tasks the query, every saved view and every fixed one find, by their texts.

        One statement counts for everybody, and one more what depends on who looks.
        """
        texts = sorted({"", OPEN, self.wanted.text, *(one.query for one in await self.views())})
        own = [one for one in texts if CardFilter(one).asks_who_looks]
        counts = await self._counts([one for one in texts if one not in own], None)
        return counts | (await self._counts(own, self.actor.id) if own else {})

    async def _counts(self, texts: list[str], viewer_id: UUID | None) -> dict[str, int]:
        key = ("counts", self.board.id, tuple(texts), viewer_id, zones.reader().key)
        return await self.reads.get(key, lambda: counts_of(self.board, texts, viewer_id))

    async def found(self) -> int:
        """Return how many tasks the query leaves."""
        return (await self.counts())[self.wanted.text]

    async def cards(self, ids: frozenset[UUID], agent_ids: frozenset[str] = frozenset()) -> list[Card]:
        """Return the cards of these tasks, and of what these agents work on."""
        if not ids and not agent_ids:
            return []
        key = ("cards", self.key, ids, agent_ids)
        return await self.reads.get(
            key, lambda: cards_of(self.board, self.wanted, self.viewer_id, sorted(ids), sorted(agent_ids))
        )


def is_here(view: BoardView, news: News) -> bool:
    """Whether something happened on the board that a page shows."""
    if isinstance(news, Event):
        return news.board_id == view.board.id
    return bool(news.get("board_id") == str(view.board.id))


def on_board(
    *kinds: str, signals: tuple[str, ...] = (), about: Callable[[BoardView, News], bool] = is_here
) -> Concerns[BoardView]:
    """News of these kinds from the board that the page shows."""
    return Concerns(kinds, signals, lambda view, news: is_here(view, news) and about(view, news))
