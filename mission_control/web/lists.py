"""Pages with a list: the orders that a list offers, and lists that stay current while they are open."""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, cast
from urllib.parse import urlencode

from quart import Blueprint, Response, request

from mission_control.core.actor import Actor, can, require
from mission_control.core.extensions import Part
from mission_control.events.broker import head_of
from mission_control.web.fragments import render_block
from mission_control.web.regions import REGIONS, Concerns, Reads, Region, View, live_page
from mission_control.web.shell import SettingsPage, settings_page, shell_page, signed_in

MOST_FIRST = 10**6


@dataclass(frozen=True, slots=True)
class Order:
    """An order that a list offers: what it is called, and what its rows are sorted by.

    `rank` sorts rows that have been read; without one they stay as they come, and equal ones do in any order. `sql` is
    for lists that are read in parts; it ends with the id, so that no row is on two pages.
    """

    label: str
    rank: Callable[[Any], Any] | None = None
    greatest_first: bool = False
    sql: str = ""

    def sorted[Row](self, found: Iterable[Row]) -> list[Row]:
        return list(found) if self.rank is None else sorted(found, key=self.rank, reverse=self.greatest_first)


type Orders = Mapping[str, Order]


def greatest(label: str, rank: Callable[[Any], Any]) -> Order:
    return Order(label, rank, greatest_first=True)


def order_asked(orders: Orders) -> str:
    """Return the key of the wanted order; the first of `orders` unless a known one is asked."""
    asked = request.args.get("order", "")
    return asked if asked in orders else next(iter(orders))


def ordering(orders: Orders, order: str) -> dict[str, object]:
    """Return what `ui/order.html` needs."""
    return {"orders": {key: one.label for key, one in orders.items()}, "order": order}


def number_asked(name: str) -> int:
    """Return a number in the address, 0 for what is none."""
    return max(0, min(request.args.get(name, 0, type=int), MOST_FIRST))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a list asks for: its order, and the number of rows before the first one."""

    order: str
    first: int

    @classmethod
    def of_request(cls, orders: Orders) -> Self:
        """Read the address; what it cannot mean is left out."""
        return cls(order_asked(orders) if orders else "", number_asked("from"))


class Pages(Blueprint, Part):
    """Pages, with the regions of those that are lists."""

    def __init__(self, name: str, import_name: str) -> None:
        super().__init__(name, import_name)
        self.regions: list[Region[Any]] = []

    def install(self) -> None:
        REGIONS.extend(self.regions)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView[Q: Hashable](View):
    """A list as its reader asked for it."""

    asked: Q


@dataclass(frozen=True, kw_only=True)
class LiveList[Q: Hashable]:
    """A page with a list that stays current while it is open: its address, its stream and its regions in one.

    `place` is its page of the settings, or its name in the sidebar, then with a `path`. Each of `blocks` is a block of
    the template in an element of that id, for which `read` gives the context. `asks` reads what the address asks for;
    without it that is one of `orders` and the first row. `around` gives what only the page shows, not its stream.

    Who may not `verb` gets no page, or the template `instead`; who loses that right loses the stream. `is_shared`:
    everybody who may read it sees the same.
    """

    pages: Pages
    place: SettingsPage | str
    template: str
    read: Callable[[Actor, Q], Awaitable[Mapping[str, object]]]
    news: Concerns[Any]
    path: str = ""
    verb: str = ""
    instead: str = ""
    blocks: tuple[str, ...] = ("things",)
    orders: Orders = field(default_factory=dict)
    asks: Callable[[], Q] | None = None
    around: Callable[[Actor], Awaitable[Mapping[str, object]]] | None = None
    is_shared: bool = False

    def __post_init__(self) -> None:
        name = self.address.strip("/").replace("/", "_")
        self.pages.add_url_rule(self.address, name, self._page, methods=["GET"])
        self.pages.add_url_rule(f"{self.address}/live", f"{name}_live", self._stream, methods=["GET"])
        self.pages.regions += [self._region(block) for block in self.blocks]

    @property
    def address(self) -> str:
        return self.path or cast("SettingsPage", self.place).path

    def asked(self) -> Q:
        """Return what the address of the request asks for; what it cannot mean is left out."""
        return self.asks() if self.asks is not None else cast("Q", Asked.of_request(self.orders))

    async def show(self, actor: Actor, **more: object) -> str:
        """Render the page; a refused form shows it without a stream of its own."""
        asked = self.asked()
        if request.method == "GET":
            here = request.args.to_dict() | {"after": str(await head_of(actor.organization_id))}
            more["live_url"] = f"{self.address}/live?{urlencode(here)}"
        around = await self.around(actor) if self.around is not None else {}
        context = {**await self._context(actor, asked), **around, **more}
        if isinstance(self.place, SettingsPage):
            return await settings_page(actor, self.template, self.place.key, **context)
        return await shell_page(actor, self.template, active=self.place, **context)

    async def _page(self) -> str:
        actor = await signed_in()
        if self.verb and self.instead and not can(actor, self.verb):
            return await shell_page(actor, self.instead, active=str(self.place))
        return await self.show(self._admitted(actor))

    async def _stream(self) -> Response:
        actor, asked = self._admitted(await signed_in()), self.asked()
        active = self.place if isinstance(self.place, str) else "settings"

        async def look(viewer: Actor, reads: Reads) -> ListView[Q] | None:
            if self.verb and not can(viewer, self.verb):
                return None
            return ListView(actor=viewer, pages=(self.address,), active=active, reads=reads, asked=asked)

        return await live_page(actor, look)

    def _admitted(self, actor: Actor) -> Actor:
        if self.verb:
            require(actor, self.verb)
        return actor

    async def _context(self, actor: Actor, asked: Q) -> dict[str, object]:
        order = ordering(self.orders, asked.order) if isinstance(asked, Asked) and self.orders else {}
        return {**order, **await self.read(actor, asked)}

    def _region(self, block: str) -> Region[ListView[Q]]:
        def key(view: ListView[Q]) -> Hashable:
            return view.actor.organization_id, None if self.is_shared else view.actor.id, view.asked

        async def html(view: ListView[Q]) -> str:
            context = await view.reads.get((self.address, key(view)), lambda: self._context(view.actor, view.asked))
            return await render_block(self.template, block, **context)

        return Region(self.address, f"#{block.replace('_', '-')}", self.news, html, key)
