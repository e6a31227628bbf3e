"""The page of one approval or question: kept current, with the form of its deadline."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.asks.deadlines import HOURS, writers
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.log.models import Event
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, Form, done
from mission_control.web.fragments import render_block
from mission_control.web.regions import Concerns, Reads, Region, Signal, View, live_page

if TYPE_CHECKING:
    from mission_control.boards.models import Board

OTHERWISE = {"remind": "remind everybody", "ask": "ask somebody else"}


@dataclass(frozen=True, slots=True)
class AskPage[I]:
    """The page of one thing of a kind: `items` reads it, `otherwise` says what may happen without an answer.

    `idle` is what its template has besides while nobody typed anything.
    """

    kind: str
    template: str
    model: Any
    item: Callable[[Actor, "Board", UUID], Awaitable[I | None]]
    otherwise: Callable[[I], dict[str, str]]
    idle: Callable[["Board"], dict[str, Any]]

    async def context(self, actor: Actor, board: "Board", subject: UUID, reads: Reads | None = None) -> dict[str, Any]:
        """Return what the page shows; `item` is None when it is gone."""
        reads = reads or Reads()
        item = await reads.get((self.kind, subject, actor.id), lambda: self.item(actor, board, subject))
        people = await reads.get(("writers", board.id), lambda: writers(board))
        otherwise = self.otherwise(item) if item is not None else {}
        return {**self.idle(board), "item": item, "people": people, "hours": HOURS, "otherwise": otherwise}

    async def stream(self, actor: Actor, board: "Board", subject: UUID) -> Response:

        async def look(viewer: Actor, reads: Reads) -> AskView | None:
            is_there = viewer.reads(board) and await self.model.filter(id=subject, board__deleted_at=None).exists()
            view = AskView(
                actor=viewer, pages=(self.kind,), active="approvals", reads=reads, page=self, board=board,
                subject=subject,
            )  # fmt: skip
            return view if is_there else None

        return await live_page(actor, look)

    def regions(self, *kinds: str) -> tuple[Region[Any], ...]:
        """Return the parts of the page that events of its board concern, of kinds by how they begin."""
        news = Concerns["AskView"](kinds, (), _is_on_board)
        parts = ("row", "deadline", "asked")
        return tuple(Region(self.kind, f"#{self.kind}-{name}", news, _block(name)) for name in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskView(View):
    """The page of one thing as somebody sees it."""

    page: AskPage[Any]
    board: "Board"
    subject: UUID

    async def block(self, name: str) -> str:
        context = await self.page.context(self.actor, self.board, self.subject, self.reads)
        return await render_block(self.page.template, name, **context)


def _block(name: str) -> Callable[[AskView], Awaitable[str]]:
    async def render(view: AskView) -> str:
        return await view.block(name)

    return render


def _is_on_board(view: AskView, news: Event | Signal) -> bool:
    return isinstance(news, Event) and news.board_id == view.board.id


class DeadlineForm(Form):
    """How many hours are left, and what happens otherwise; a person counts only where somebody is asked."""

    hours: Literal["1", "4", "24", "72", "168"]
    otherwise: str = "remind"
    person: UUID | None = None

    def body(self, found: Any) -> Fields:
        return {
            "decide_by": times.clock_now() + timedelta(hours=int(self.hours)),
            "otherwise": self.otherwise,
            "otherwise_user_id": self.person if self.otherwise == "ask" else None,
        }


def deadline_actions(pages: Blueprint, path: str, sets: str, removes: str, form: type[DeadlineForm]) -> None:
    """Add the forms of a deadline to the page at a path; `sets` and `removes` name the operations."""

    @action(pages, f"{path}/deadline", performs=sets, form=form)
    async def set_deadline(outcome: Outcome[object, DeadlineForm]) -> ResponseReturnValue:
        """Set the deadline."""
        return done(_asked_at(), toast="The deadline is set.")

    @action(pages, f"{path}/deadline/removal", performs=removes)
    async def remove_deadline(outcome: Outcome[object, None]) -> ResponseReturnValue:
        """Remove the deadline."""
        return done(_asked_at(), toast="It waits without a deadline.")


def _asked_at() -> str:
    return request.path.partition("/deadline")[0]
