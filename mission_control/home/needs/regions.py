"""The parts of a need's page that stay current: what is asked with its answers, and how many wait."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from markupsafe import Markup

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.events.stream import Batch
from mission_control.home.needs.view import NOTHING, One, Typed, one_of
from mission_control.home.peek import texts_of
from mission_control.needs.polling import NeedNews
from mission_control.web.fragments import read_ahead, render_macro
from mission_control.web.inline_assets import drawn
from mission_control.web.regions import Look, Reads, Region, View

PAGE, TEMPLATE = "need", "needs/one.html"


@dataclass(slots=True)
class Shown:
    """The mark of what an open page shows, and of what it showed before what is rendered now."""

    state: str = ""
    before: str = ""

    def begin(self) -> None:
        self.before = self.state

    def take_back(self) -> None:
        self.state = self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedView(View):
    """The page of one need as somebody sees it at this moment."""

    need_id: str
    shown: Shown = field(default_factory=Shown)

    async def one(self) -> One:
        return await self.reads.get(("need", self.actor.id, self.need_id), lambda: one_of(self.actor, self.need_id))


def looking(need_id: str, organization_id: UUID, shown: Shown) -> Look:
    """Return how an open page is looked at; it ends when the person may no longer answer."""

    async def look(viewer: Actor, reads: Reads) -> NeedView | None:
        shown.begin()
        view = NeedView(
            actor=replace(viewer, organization_id=organization_id),
            pages=(PAGE,),
            active="home",
            has_shell=False,
            reads=reads,
            need_id=need_id,
            shown=shown,
        )
        try:
            await view.one()
        except NotFound:
            return None
        return view

    return look


async def parts_of(one: One, typed: Typed = NOTHING) -> Mapping[str, Markup]:
    """Return the HTML of a page's parts by name."""
    about = one.about
    await read_ahead(*texts_of(about))
    return {
        "asked": Markup(drawn(render_macro(TEMPLATE, "asked", one=one, typed=typed))),
        "head": Markup(drawn(render_macro(TEMPLATE, "head", one=one))),
    }


async def asked(view: NeedView) -> str:
    one = await view.one()
    return str((await parts_of(one))["asked"])


async def asked_changes(view: NeedView, _batch: Batch) -> str | None:
    one = await view.one()
    before, view.shown.state = view.shown.state, one.state
    return "" if before == one.state else None


async def head(view: NeedView) -> str:
    return drawn(render_macro(TEMPLATE, "head", one=await view.one()))


async def count(view: NeedView) -> str:
    return str((await view.one()).place.total or "")


NEWS = NeedNews[NeedView]()
REGIONS = (
    Region(PAGE, "#one", NEWS, asked, changes=asked_changes),
    Region(PAGE, "#one-head", NEWS, head),
    Region(PAGE, "[data-queue-count]", NEWS, count, swap="innerHTML"),
)
