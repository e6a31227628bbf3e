"""The parts of Home that stay current."""

from typing import Any

from markupsafe import Markup

from mission_control.home.changes import queue_changes
from mission_control.home.listed import GroupRows
from mission_control.home.view import HomeView
from mission_control.live.stream import Batch
from mission_control.metrics import figures
from mission_control.needs.kinds import KINDS, concerns, may_change_needs
from mission_control.web.fragments import partial, render_block, render_macro
from mission_control.web.regions import Concerns, Region

PAGE = "home"
PARTS, ROWS = "home/parts.html", "needs/rows.html"
ASKED = ("approval.requested", "question.asked", "task.flagged")


class _Needs(Concerns[HomeView]):
    """The news about any kind of need, whichever features declare them."""

    def of(self, view: HomeView, batch: Batch) -> Batch | None:
        """Return the part of a batch that some kind of need is about."""
        concerned = concerns()
        signals = {name for one in KINDS.values() for name in one.signals}
        events = [one for one in batch.events if one.kind.startswith(concerned) and may_change_needs(one)]
        mine = str(view.actor.user_id)
        noticed = [one for one in batch.signals if not signals.isdisjoint(one) or one.get("needs_of") == mine]
        return Batch(events, noticed) if events or noticed else None


async def queue(view: HomeView) -> str:
    """Return the list, or what an empty page says."""
    listed = await view.listed()
    calm = await view.calm() if listed.is_empty else None
    found = listed.found
    return await render_block(
        PARTS,
        "queue",
        groups=Markup("").join(map(_group, listed.groups)),
        calm=calm,
        me=view.actor,
        address=view.address,
        new=found.new,
        old=found.older,
        oldest=found.oldest,
        total=max(len(found.new.keys), listed.total - len(found.older.keys)),
        older_rows=Markup("").join(Markup(render_macro(ROWS, "need", item=row.need)) for row in listed.older),
    )


def _group(group: GroupRows) -> Markup:
    return Markup(render_macro(ROWS, "group", group=group))


async def summary(view: HomeView) -> str:
    """Return how many wait."""
    return await render_block(PARTS, "summary", counted=await view.counted())


async def shelf(view: HomeView) -> str:
    """Return the links to what is snoozed and what was decided."""
    return await render_block(PARTS, "shelf", counted=await view.counted(), address=view.address)


async def working(view: HomeView) -> str:
    """Return the agents at work."""
    return await render_block(PARTS, "working", agents=await view.at_work())


async def boards(view: HomeView) -> str:
    """Return the boards at a glance."""
    return await render_block(PARTS, "boards", boards=await view.boards())


async def charts(view: HomeView) -> str:
    """Return the four series."""
    return await render_block(PARTS, "charts", charts=await view.charts(), **ranges(view))


def ranges(view: HomeView) -> dict[str, Any]:
    """Return the ranges that the charts offer."""
    address = view.address
    offered = [(one, figures.SHORT[one], address.url(range=one)) for one in figures.OFFERED]
    words = figures.IN_WORDS[address.range_key]
    return {"range_key": address.range_key, "range_words": words, "ranges": offered}


async def _silence(_view: HomeView) -> None:
    """Return nothing: a page that is opened announces nothing."""


async def _announcement(_view: HomeView, batch: Batch) -> str:
    number = len(batch.events)
    sentence = "Something new needs you." if number == 1 else f"{number} new things need you."
    return partial("#announcements", sentence, "innerHTML")


NEEDS = _Needs()
WORK = Concerns[HomeView](("task.", "agent.", "board."), ("agent_id",))
FIGURES = Concerns[HomeView](("approval.decided", "question.answered", "task.status_changed", "task.run_completed"))
REGIONS = (
    Region(PAGE, "#queue", NEEDS, queue, changes=queue_changes),
    Region(PAGE, "#home-summary", NEEDS, summary, swap="innerHTML"),
    Region(PAGE, "#home-shelf", NEEDS, shelf),
    Region(PAGE, "#home-working", WORK, working, key=lambda view: view.reach),
    Region(PAGE, "#home-boards", Concerns(("task.", "approval.", "question.", "board.")), boards),
    Region(PAGE, "#home-charts", FIGURES, charts),
    Region(PAGE, "#announcements", Concerns(ASKED), _silence, changes=_announcement),
)
