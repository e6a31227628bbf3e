"""Pages with tabs, to which rooms add theirs, kept current by one stream; and forms about what they show."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from markupsafe import Markup
from quart import Blueprint, Response, make_response, request
from quart.typing import ResponseReturnValue
from tortoise.models import Model

from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.core.extensions import Part, add
from mission_control.events.broker import head_of
from mission_control.web.actions import Outcome, Refusal
from mission_control.web.forms import EditConflict, Fields, FormInvalid, VersionedForm, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.regions import REGIONS, Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import shell_page

OVERVIEW = "overview"
LEFT = ("after", "tab")


class Viewed(Protocol):
    """A thing as somebody sees it now, and where its page is."""

    @property
    def url(self) -> str: ...


@dataclass(frozen=True, slots=True, eq=False)
class Tab[V: Viewed](Part):
    """A tab of a page: the end of its address, its word, its HTML, the overview's card of it, and who has it.

    `leads_to` is for a tab that is a page of its own: where it is, "" for things that have none.
    """

    page: "TabbedPage[Any, V]"
    key: str
    label: str
    render: Callable[[V], Awaitable[str]] | None = None
    card: Callable[[V], Awaitable[str]] | None = None
    applies: Callable[[V], bool] = lambda viewed: True
    leads_to: Callable[[V], str] | None = None

    def install(self) -> None:
        add(self.page.tabs, self.key, self)

    def url(self, viewed: V) -> str:
        """Where the tab is, "" when the thing does not have it."""
        if self.leads_to is not None:
            return self.leads_to(viewed)
        if not self.applies(viewed):
            return ""
        return viewed.url if self.key == OVERVIEW else f"{viewed.url}/{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TabView[Thing: Model, V: Viewed](View):
    """A page with one of its tabs, as somebody sees it. A thing that was deleted since is None."""

    thing: Thing | None
    key: str
    args: Mapping[str, str]
    see: Callable[[Actor, Thing, Mapping[str, str]], Awaitable[V]]

    async def viewed(self) -> V | None:
        thing = self.thing
        if thing is None:
            return None
        key = (*self.pages, thing.pk, self.actor.id, str(self.args))
        return await self.reads.get(key, lambda: self.see(self.actor, thing, self.args))


@dataclass(frozen=True, kw_only=True)
class TabbedPage[Thing: Model, V: Viewed](Part):
    """The page of a kind of things, which admins see; its regions are its parts and the open tab.

    `see` makes what templates get. `find` reads a thing for a stream: None when it is gone, which the macro `gone` in
    place of the part `gone` says. `parts` are the templates with macros of their names. Tabs that `order` does not name
    follow in the order of the names of their modules.
    """

    name: str
    template: str
    order: tuple[str, ...]
    parts: Mapping[str, str]
    gone: str
    see: Callable[[Actor, Thing, Mapping[str, str]], Awaitable[V]]
    find: Callable[[Actor, Reads, UUID], Awaitable[Thing | None]]
    news: Concerns[TabView[Thing, V]]
    tabs: dict[str, Tab[V]] = field(default_factory=dict)  # those that are installed, by key

    def install(self) -> None:
        REGIONS.extend(self.regions)

    async def show(self, actor: Actor, thing: Thing, key: str) -> str:
        if key not in self.tabs or self.tabs[key].render is None:
            raise NotFound()
        seq = await head_of(actor.organization_id)  # before everything that the page shows
        view = self._view(actor, Reads(), thing, key, request.args)
        viewed, regions = await view.viewed(), await rendered(self.name, view)
        assert viewed is not None
        rest = "".join(
            f"&{name}={value}" for name, value in request.args.items() if name not in LEFT and value.isalnum()
        )
        live_url = f"{viewed.url}/live?tab={key}{rest}&after={seq}"
        context = {"viewed": viewed, "regions": regions, "live_url": live_url}
        return await shell_page(actor, self.template, active=f"{self.name}s", **context)

    async def stream(self, actor: Actor, thing_id: UUID) -> Response:
        """Return the stream of the page. When the thing is deleted, the page says so and stays readable."""
        key, args = request.args.get("tab", ""), request.args.to_dict()

        async def look(viewer: Actor, reads: Reads) -> TabView[Thing, V] | None:
            if not viewer.administers(viewer.organization_id):
                return None
            has_tab = key in self.tabs and self.tabs[key].render is not None
            thing = await self.find(viewer, reads, thing_id)
            return self._view(viewer, reads, thing, key if has_tab else OVERVIEW, args)

        return await live_page(actor, look)

    def _view(
        self, actor: Actor, reads: Reads, thing: Thing | None, key: str, args: Mapping[str, str]
    ) -> TabView[Thing, V]:
        return TabView(
            actor=actor, pages=(self.name,), active=f"{self.name}s", reads=reads,
            thing=thing, key=key, args=args, see=self.see,
        )  # fmt: skip

    def part(self, name: str, viewed: V, key: str = "") -> str:
        if name != "tabs":
            return render_macro(self.parts[name], name, viewed=viewed)
        ordered = [self.tabs[tab_key] for tab_key in self.order if tab_key in self.tabs]
        tabs = [tab for tab in (*ordered, *self.tabs.values()) if tab.url(viewed)]
        return render_macro(self.parts[name], "tabs_of", viewed=viewed, tabs=list(dict.fromkeys(tabs)), active=key)

    async def cards(self, viewed: V) -> dict[str, Markup]:
        tabs = [tab for tab in self.tabs.values() if tab.applies(viewed)]
        return {tab.key: Markup(await tab.card(viewed)) for tab in tabs if tab.card is not None}

    @property
    def regions(self) -> tuple[Region[TabView[Thing, V]], ...]:
        return tuple(
            Region(self.name, f"#{self.name}-{part}", self.news, partial(self._html, part), name=part)
            for part in (*self.parts, "tab")
        )

    async def _html(self, part: str, view: TabView[Thing, V]) -> str | None:
        viewed = await view.viewed()
        if viewed is None:
            return render_macro(self.parts[part], "gone") if part == self.gone else None
        if part != "tab":
            return self.part(part, viewed, view.key)
        render = self.tabs[view.key].render
        return None if render is None else await render(viewed)


@dataclass(frozen=True, kw_only=True)
class FormPage[Thing]:
    """A form about a thing that has such a page: a dialog for htmx, else a page of its own.

    It is sent to `path`, and is there too, or at `asked_at`. `find` returns who asks, and for what. `back` is the tab
    that it leads back to, and what that is called. `form` or `values` say what it shows at first; `context` is what
    the macro takes besides, of a thing that may be gone when a form is refused.
    """

    pages: Blueprint
    path: str
    title: str
    template: str
    macro: str
    back: tuple[str, str]
    find: Callable[..., Awaitable[tuple[Actor, Thing]]]
    form: type[VersionedForm] | None = None
    values: Callable[[Thing, Mapping[str, UUID]], Awaitable[Fields]] | None = None
    context: Callable[[Actor, Any, Mapping[str, UUID]], Awaitable[Mapping[str, object]]] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    asked_at: str = ""
    size: str = ""

    def __post_init__(self) -> None:
        self.pages.add_url_rule(self.asked_at or self.path, f"form {self.path}", self._ask, methods=["GET"])

    async def _ask(self, **ids: UUID) -> ResponseReturnValue:
        actor, thing = await self.find(**ids)
        values: Fields = self.form.shown(thing) if self.form is not None else {}
        if self.values is not None:
            values = await self.values(thing, ids)
        html = await self._html(actor, thing, ids, values, {})
        if is_htmx():
            return render_macro("ui/overlay.html", "form_dialog", title=self.title, html=html, size=self.size)
        return await self._page(actor, ids, html)

    async def refused(self, refusal: Refusal[Any, Any]) -> str:
        """Return the form with what was typed and the reasons; an error page when nobody may send it."""
        refusal.only(FormInvalid, Invalid, Conflict, NotFound)
        typed = await request.form
        values: Fields = {
            name: many if len(many := typed.getlist(name)) > 1 else typed[name] for name in typed
        }  # fmt: skip
        if isinstance(refusal.error, EditConflict):
            values = refusal.values
        html = await self._html(refusal.actor, refusal.page or refusal.found, refusal.ids, values, refusal.errors)
        return html if is_htmx() else await self._page(refusal.actor, refusal.ids, html)

    async def instead(self, outcome: Outcome[Any, Any], macro: str, **context: object) -> ResponseReturnValue:
        """Return a macro in the place of the form: a secret that is shown once."""
        html = Markup(render_macro(self.template, macro, **self._place(outcome.ids), **context))
        page = html if is_htmx() else await self._page(outcome.actor, outcome.ids, html)
        response = await make_response(page)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def _html(
        self, actor: Actor, thing: Thing | None, ids: Mapping[str, UUID], values: Fields, errors: Mapping[str, str]
    ) -> Markup:
        context = dict(await self.context(actor, thing, ids)) if self.context is not None else {}
        context |= {"labels": self.labels} if self.labels else {}
        place = {"url": self._url(ids), **self._place(ids)}
        return Markup(render_macro(self.template, self.macro, values=values, errors=errors, **place, **context))

    async def _page(self, actor: Actor, ids: Mapping[str, UUID], html: Markup) -> str:
        back, active = (self._place(ids)["back"], self.back[1]), self.path.split("/")[1]
        return await shell_page(actor, "layouts/form.html", active=active, title=self.title, back=back, html=html)

    def _place(self, ids: Mapping[str, UUID]) -> dict[str, object]:
        page = "/".join(self._url(ids).split("/")[:3])
        return {"back": f"{page}/{self.back[0]}".removesuffix("/"), "in_dialog": is_htmx()}

    def _url(self, ids: Mapping[str, UUID]) -> str:
        return re.sub(r"<uuid:(\w+)>", lambda part: str(ids[part[1]]), self.path)
