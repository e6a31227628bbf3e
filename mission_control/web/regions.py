"""Regions: the parts of pages that stay current, each declared once where its feature is.

A page is a list of regions. Its stream walks the list for every batch of the log: one function decides which regions
a batch concerns, and what viewers with equal rights see is read and rendered once for all of them: for an `AnyPerson`,
whom no region can ask who it is.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from markupsafe import Markup
from quart import Quart, Response, current_app, request

from mission_control.core import times
from mission_control.core.actor import Actor, AnyPerson, Personal
from mission_control.core.extensions import Part
from mission_control.events import broker
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.events.shared_reads import Shared
from mission_control.events.stream import Batch, message, ping, requested_cursor, respond
from mission_control.http.exchange import EXCHANGE
from mission_control.http.proxies import Scope
from mission_control.http.response_cache import Answer, cache
from mission_control.web.assets import build
from mission_control.web.audience import Audiences, Message, Page, Viewer
from mission_control.web.fragments import as_html, partial

EVERY_PAGE = "*"
_shared: Shared[Any] = Shared(1.0)


class Reads:
    """What the regions of a page read: once for a page that is opened, once for all streams at a state of the log.

    The state is the newest number and signal that this process has delivered. What was read at a state shows that
    state or a newer one, and the next event or signal makes a new state.
    """

    def __init__(self, state: Hashable = None) -> None:
        self._state = state
        self._own: dict[Hashable, Any] = {}

    @property
    def is_shared(self) -> bool:
        """Whether they are those of streams."""
        return self._state is not None

    async def get[T](self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return what `make` gives, made once for each key."""
        if self._state is not None:
            value: T = await _shared.get((key, self._state), make)
            return value
        if key not in self._own:
            self._own[key] = await make()
        value = self._own[key]
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page as somebody sees it at this moment. Pages that show more than the shell extend it.

    `pages` are the lists of regions on it: most have one, an open panel adds its own. Without the shell it has no
    regions of every page.
    """

    actor: Actor
    pages: tuple[str, ...] = ()
    active: str = ""
    has_shell: bool = True
    reads: Reads = field(default_factory=Reads)

    @property
    def lists(self) -> tuple[str, ...]:
        return (*self.pages, EVERY_PAGE) if self.has_shell else self.pages

    @property
    def is_anybodys(self) -> bool:
        """Whether it is rendered once for everybody with equal rights."""
        return isinstance(self.actor, AnyPerson)

    def did(self, event: Event) -> bool:
        return not self.is_anybodys and event.actor_id == self.actor.id


@dataclass(frozen=True, slots=True)
class Concerns[V: View]:
    """Which news a region is about: kinds of events (or how they begin), names in signals, and ids of both."""

    kinds: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    about: Callable[[V, News], bool] = lambda view, news: True

    def of(self, view: V, batch: Batch) -> Batch | None:
        events = [item for item in batch.events if item.kind.startswith(self.kinds) and self.about(view, item)]
        named = (signal for signal in batch.signals if not signal.keys().isdisjoint(self.signals))
        signals = [signal for signal in named if self.about(view, signal)]
        return Batch(events, signals) if events or signals else None


@dataclass(frozen=True, slots=True)
class Region[V: View](Part):
    """A part of a page: where it stands, which news concern it, what it depends on, and its HTML.

    `target` may name attributes of the view in braces. `key` gives what the HTML depends on in addition to the log;
    without one, the HTML depends on the viewer. `render` gives None when the region is not on the page. `changes` gives
    fragments that are smaller than the whole region; None sends the region whole. With `state`, which reads a value
    that changes whenever the HTML may (`http/response_cache.py`), the HTML is kept for the next who opens the page.
    """

    page: str
    target: str
    concerns: Concerns[V]
    render: Callable[[V], Awaitable[str | None]]
    key: Callable[[V], Hashable] | None = None
    changes: Callable[[V, Batch], Awaitable[str | None]] | None = None
    swap: str = "innerMorph"
    name: str = ""
    state: Callable[[V], Awaitable[object]] | None = None

    def install(self) -> None:
        REGIONS.append(self)

    @property
    def slot(self) -> str:
        return self.name or self.target.removeprefix("#")

    async def html(self, view: V) -> str | None:
        if (key := self._key(view)) is None:
            return await self.render(view)
        if self.state is None or view.reads.is_shared:
            return await view.reads.get(key, lambda: self.render(view))

        async def make() -> Answer:
            return Answer(((await self.render(view) or "").encode(),), "")

        return (await cache.answer(key, await self.state(view), make)).pieces[0].decode()

    def _key(self, view: V) -> Hashable:
        if self.key is None:
            return None
        try:
            return self.page, self.target, times.reader().key, view.is_anybodys, self.key(view)
        except Personal:
            return None

    async def fragment(self, view: V, swap: str = "") -> str:
        html = await self.html(view)
        return "" if html is None else partial(self.target.format_map(_Attributes(view)), html, swap or self.swap)

    async def news(self, view: V, concern: Batch) -> str:
        """Return the fragments that bring an open page up to date after news that concern the region."""
        if (make := self.changes) is None:
            return await self.fragment(view)
        if (key := self._key(view)) is None:
            changes = await make(view, concern)
        else:
            which = (tuple(event.seq for event in concern.events), tuple(map(id, concern.signals)))
            changes = await view.reads.get((key, which), lambda: make(view, concern))
        return await self.fragment(view) if changes is None else changes


def announcements[V: View](page: str, concerns: Concerns[V], words: Callable[[V, Batch], Awaitable[str]]) -> Region[V]:
    async def on_opening(_view: V) -> None:
        return None

    async def on_news(view: V, batch: Batch) -> str:
        sentence = await words(view, batch)
        return partial("#announcements", as_html(sentence), "innerHTML") if sentence else ""

    return Region(page, "#announcements", concerns, on_opening, changes=on_news)


class _Attributes(dict[str, Any]):
    """The attributes of a view by name, for the braces in a target."""

    def __init__(self, view: View) -> None:
        self._view = view

    def __missing__(self, name: str) -> Any:
        return getattr(self._view, name)


# The installed regions, in the order in which they are sent.
REGIONS: list[Region[Any]] = []


def _on(*pages: str) -> list[Region[Any]]:
    return [region for region in REGIONS if region.page in pages]


async def rendered(page: str, view: View) -> dict[str, Markup]:
    """Return the HTML of a page's regions by their names, for a page that is being opened."""
    return {region.slot: Markup(await region.html(view) or "") for region in _on(page)}


async def fragment(page: str, name: str, view: View, swap: str = "") -> str:
    return "".join([await region.fragment(view, swap) for region in _on(page) if region.slot == name])


async def fragments(page: str, view: View) -> str:
    return "".join([await region.fragment(view) for region in _on(page)])


async def news(view: View, batch: Batch) -> str:
    """Return the fragments that bring an open page up to date after a batch: the one place that decides which."""
    return "".join([await _news(region, view, batch) for region in _on(*view.lists)])


async def _news(region: Region[Any], view: View, batch: Batch) -> str:
    if batch.missed_signals and region.concerns.signals:
        return await region.fragment(view)
    concern = region.concerns.of(view, batch)
    return "" if concern is None else await region.news(view, concern)


Look = Callable[[Actor, Reads], Awaitable[View | None]]
_AUDIENCES = "mission_control.audiences"
OF_ONE_VIEWER = ("after", "at")  # what the address of a stream says about what its page has already


@dataclass(frozen=True, slots=True)
class _LivePage(Page[Region[Any]]):
    """A page with regions, whose viewers `look` at it."""

    app: Quart
    organization_id: UUID
    look: Look
    take_back: Callable[[], None]

    async def news(self, actor: Actor, batch: Batch, seen: int) -> str | None:
        async with self._seen(actor, seen) as view:
            return None if view is None else await news(view, batch)

    async def shared(self, anybody: AnyPerson, batch: Batch, seen: int) -> list[str | Region[Any]] | None:
        async with self._seen(anybody, seen) as view:
            if view is None:
                return None
            parts: list[str | Region[Any]] = []
            for region in _on(*view.lists):
                try:
                    parts.append(await _news(region, view, batch))
                except Personal:
                    parts.append(region)
            return parts

    async def filled(self, actor: Actor, batch: Batch, seen: int, parts: list[str | Region[Any]]) -> str | None:
        async with self._seen(actor, seen) as view:
            if view is None:
                return None
            return "".join([part if isinstance(part, str) else await _news(part, view, batch) for part in parts])

    @asynccontextmanager
    async def _seen(self, actor: Actor, seen: int) -> AsyncIterator[View | None]:
        times.read_by(actor)
        async with self.app.app_context():  # a stream runs after its request, outside of every context
            yield await self.look(actor, Reads(broker.known_state(self.organization_id, seen)))


async def live_page(
    actor: Actor,
    look: Look,
    background: Callable[[], Coroutine[object, object, None]] | None = None,
    *,
    is_shared: bool = False,
    take_back: Callable[[], None] = lambda: None,
) -> Response:
    """Return the stream of a page: the news of its regions, and of those of every page.

    `look` gives the page as the viewer sees it now, or None when it is no longer theirs. It is called for every batch
    with the rights that the viewer has at that moment. A page that `is_shared` has a `look` that depends on nothing but
    its arguments and the address: it is called once for all viewers with equal rights. `take_back` is called when
    what was rendered last is not sent. The stream ends with the session; `background` runs as long.
    """
    app: Quart = current_app._get_current_object()
    organization_id, scope = actor.organization_id, cast("Scope", request.scope)
    cursor, packs = await requested_cursor(organization_id), request.accept_encodings.quality("gzip") > 0
    viewer = Viewer(actor, scope[EXCHANGE], cursor, request.args.get("at"), packs=packs)
    query = frozenset((name, value) for name, value in request.args.items(multi=True) if name not in OF_ONE_VIEWER)
    key = (organization_id, request.path, query) if is_shared else viewer
    page = _LivePage(app, organization_id, look, take_back)
    audiences: Audiences[Region[Any]] = app.extensions.setdefault(_AUDIENCES, Audiences())

    async def source() -> AsyncIterator[bytes]:
        joined = audiences.joined(key, organization_id, page, is_shared=is_shared)
        async with (
            joined as (audience, running),
            _running(background),
            aclosing(audience.watch(viewer, running)) as sent,
        ):
            yield viewer.encoded(Message(ping() + message(build(), event="build")))  # nothing later can be missed
            async for news in sent:
                yield viewer.encoded(news)
        yield viewer.end()

    response = respond(source())
    if packs:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    return response


@asynccontextmanager
async def _running(work: Callable[[], Coroutine[object, object, None]] | None) -> AsyncIterator[None]:
    task = None if work is None else asyncio.create_task(work())
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
