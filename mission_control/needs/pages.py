"""The page of one approval, question or request of a gateway: kept current, with the form of its deadline."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from markupsafe import Markup
from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, NotFound, existing
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.needs.deadlines import HOURS
from mission_control.needs.kinds import QueueRow
from mission_control.needs.recipients import writers
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, done, is_htmx
from mission_control.web.fragments import PageContext, render_block, render_macro
from mission_control.web.regions import Concerns, Reads, Region, View, live_page
from mission_control.web.shell import safe_next, shell_page, signed_in

OTHERWISE = {"remind": "remind everybody", "ask": "ask somebody else"}
NOTHING_TYPED: PageContext = {"sentence": "", "typed": "", "values": {}, "errors": {}}


@dataclass(frozen=True, kw_only=True)
class AnswerPage[T]:
    """The page of one thing of a kind, with its stream: `find` looks it up by the ids of the path, `item` reads it.

    `news` are the kinds of events, by how they begin, that concern it. `otherwise` says what may happen without an
    answer, and `next_url` where an answer leads. Its template has a block for each of `parts`. Things of boards are the
    rule; what is of no board says who sees it, and what is about it.
    """

    pages: Blueprint
    path: str
    kind: str
    template: str
    find: Callable[..., Awaitable[T]]
    item: Callable[[Actor, T], Awaitable[Any]]
    news: tuple[str, ...]
    otherwise: Callable[[Any], dict[str, str]] = field(default=lambda _item: OTHERWISE)
    next_url: Callable[[Any], str] = field(default=lambda item: str(item.url))
    parts: tuple[str, ...] = ("row", "deadline", "asked")

    def __post_init__(self) -> None:
        self.pages.add_url_rule(self.path, f"{self.kind}_page", self._page, methods=["GET"])
        self.pages.add_url_rule(f"{self.path}/live", f"{self.kind}_live", self._stream, methods=["GET"])

    async def is_there(self, viewer: Actor, thing: Any) -> bool:
        return viewer.reads(thing.board) and await type(thing).filter(id=thing.id, board__deleted_at=None).exists()

    def is_about(self, thing: Any, news: Event) -> bool:
        return bool(news.board_id == thing.board_id)

    def at_home(self, actor: Actor, thing: T) -> Actor:
        return actor

    async def context(self, actor: Actor, thing: Any, reads: Reads) -> PageContext:
        """Return what the page shows while nobody typed anything; `item` is None when it is gone."""
        item = await reads.get((self.kind, thing.id, actor.id), lambda: self.item(actor, thing))
        found = {**NOTHING_TYPED, "item": item, "next_url": self.next_url(item) if item is not None else ""}
        if item is not None and "deadline" in self.parts:
            people = await reads.get(("writers", thing.board_id), lambda: writers(thing.board))
            found |= {"people": people, "hours": HOURS, "otherwise": self.otherwise(item)}
        return found

    async def again(self, actor: Actor, thing: T, **typed: object) -> str:
        """Return it as it is now with what was typed: its row for htmx, else its page. NotFound when it is gone."""
        if not is_htmx():
            return await self._whole(actor, thing, **typed)
        item = await existing(self.item(actor, thing))
        context = {**NOTHING_TYPED, **typed, "item": item}
        next_url = safe_next(context["values"].get("next") or self.next_url(item))
        return await render_block(self.template, "row", **context, next_url=next_url)

    async def refused_answer(self, refusal: Refusal[T, object]) -> str:
        """Answer what was typed with the reason; the thing as it is when somebody else was faster."""
        error = refusal.error
        if isinstance(error, FormInvalid | Invalid):
            errors = {name or "answer": text for name, text in refusal.errors.items()}
            return await self.again(refusal.actor, refusal.found, values=refusal.values, errors=errors)
        if isinstance(error, Conflict):
            typed = refusal.values.get("answer") or ""
            return await self.again(refusal.actor, refusal.found, sentence=error.sentence, typed=typed)
        raise error

    async def _whole(self, actor: Actor, thing: T, **typed: object) -> str:
        context = await self.context(actor, thing, Reads()) | typed
        if context["item"] is None:
            raise NotFound()
        context["next_url"] = safe_next(context["values"].get("next") or context["next_url"])
        return await shell_page(self.at_home(actor, thing), self.template, active="approvals", **context)

    async def _page(self, **ids: UUID) -> str:
        actor = await signed_in()
        return await self._whole(actor, await self.find(actor, **ids))

    async def _stream(self, **ids: UUID) -> Response:
        actor = await signed_in()
        thing = await self.find(actor, **ids)

        async def look(viewer: Actor, reads: Reads) -> AnswerPageView | None:
            view = AnswerPageView(
                actor=viewer, pages=(self.kind,), active="approvals", reads=reads, page=self, thing=thing
            )  # fmt: skip
            return view if await self.is_there(viewer, thing) else None

        return await live_page(self.at_home(actor, thing), look)

    @property
    def regions(self) -> tuple[Region[Any], ...]:
        news = Concerns["AnswerPageView"](self.news, (), _concerns)
        return tuple(Region(self.kind, f"#{self.kind}-{name}", news, _block(name)) for name in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPageView(View):
    """The page of one thing as somebody sees it."""

    page: AnswerPage[Any]
    thing: Any


def _concerns(view: AnswerPageView, news: News) -> bool:
    return isinstance(news, Event) and view.page.is_about(view.thing, news)


def _block(name: str) -> Callable[[AnswerPageView], Awaitable[str | None]]:
    async def render(view: AnswerPageView) -> str | None:
        context = await view.page.context(view.actor, view.thing, view.reads)
        return await render_block(view.page.template, name, **context) if context["item"] is not None else None

    return render


def queue_row(item: Any, is_pending: bool, macro: str, **shown: object) -> QueueRow:
    """Return the row of something in a queue; `macro` is `template#name`."""
    template, _, name = macro.partition("#")
    return QueueRow(item.created_at, is_pending, Markup(render_macro(template, name, item=item, **shown)))


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
        return done(_asked_at(), toast="The deadline is set.")

    @action(pages, f"{path}/deadline/removal", performs=removes)
    async def remove_deadline(outcome: Outcome[object, None]) -> ResponseReturnValue:
        return done(_asked_at(), toast="It waits without a deadline.")


def _asked_at() -> str:
    return request.path.partition("/deadline")[0]
