"""Lists of the settings that stay current while they are open: one region each, read as its address asks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from quart import Response, request

from mission_control.core.actor import Actor
from mission_control.live.broker import head_of
from mission_control.web.fragments import render_block
from mission_control.web.regions import Concerns, Reads, Region, View, live_page
from mission_control.web.settings import anybody, settings_page

BLOCK = "things"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView[Asked](View):
    """A list as its reader asked for it."""

    asked: Asked


@dataclass(frozen=True, slots=True)
class LiveList[Asked]:
    """A list below the page of the settings with a key.

    Its template has the block `things` in an element of that id, for which `read` gives the context. `kinds` and
    `signals` are the news that concern it; `may` is who may go on reading it.
    """

    key: str
    path: str
    template: str
    read: Callable[[Actor, Asked], Awaitable[dict[str, Any]]]
    kinds: tuple[str, ...]
    signals: tuple[str, ...] = ()
    may: Callable[[Actor], bool] = anybody

    @property
    def region(self) -> Region[ListView[Asked]]:
        """The list as a region of its page."""
        news = Concerns[ListView[Asked]](self.kinds, self.signals)
        return Region(self.path, f"#{BLOCK}", news, self._html)

    async def _html(self, view: ListView[Asked]) -> str:
        return await render_block(self.template, BLOCK, **await self.read(view.actor, view.asked))

    async def page(self, actor: Actor, asked: Asked, **more: Any) -> str:
        """Render the page; a refused form shows it without a stream of its own."""
        if request.method == "GET":
            here = request.args.to_dict() | {"after": str(await head_of(actor.organization_id))}
            more["live_url"] = f"{self.path}/live?{urlencode(here)}"
        return await settings_page(actor, self.template, self.key, **await self.read(actor, asked), **more)

    async def stream(self, actor: Actor, asked: Asked) -> Response:
        """Return the stream of the page."""

        async def look(viewer: Actor, reads: Reads) -> ListView[Asked] | None:
            if not self.may(viewer):
                return None
            return ListView(actor=viewer, pages=(self.path,), active="settings", reads=reads, asked=asked)

        return await live_page(actor, look)
