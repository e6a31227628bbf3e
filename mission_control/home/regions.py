"""The parts of Home that stay current; news of the list are single rows."""

import hashlib
from dataclasses import dataclass

from markupsafe import Markup

from mission_control.asks.finding import said
from mission_control.asks.kinds import Key
from mission_control.asks.polling import NeedNews
from mission_control.core.actor import Actor
from mission_control.core.values import to_json
from mission_control.home.listing import Found, GroupRows, Versions, answered_by_others, find, place_of
from mission_control.home.view import HomeAddress, HomeView
from mission_control.knowledge import metrics_pages
from mission_control.log.stream import Batch
from mission_control.web.fragments import partial, render_block, render_macro
from mission_control.web.regions import Concerns, Region

PARTS, ROWS = "home/parts.html", "needs/rows.html"
MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class _Change:
    """How the list differs from what the page has: new rows, changed rows, and the names of rows that are gone."""

    added: list[Key]
    changed: list[Key]
    gone: list[str]


async def queue_changes(view: HomeView, _batch: Batch) -> str | None:
    """Return the rows that came, changed or went since the last news of this page; None where all of it is needed."""
    found = await find(view.actor, view.address.include, view.address.everything)
    before = dict(view.sent)
    view.sent.clear()
    view.sent.update(found.versions)
    change = _difference(before, found) if before else None
    if change is None or len(change.added) + len(change.changed) > MOST_ROWS:
        return None
    return await _html(view, change, found)


def state_of(found: Found) -> str:
    """Return a short name for what a page shows: its stream then knows whether that is still so."""
    return hashlib.sha256(to_json(found.versions)).hexdigest()[:16]


async def known_rows(actor: Actor, address: HomeAddress) -> Versions:
    """Return the rows of a page that opens its stream; empty when they have changed since it was read."""
    found = await find(actor, address.include, address.everything)
    return found.versions if address.state == state_of(found) else {}


def _difference(before: Versions, found: Found) -> _Change | None:
    """Return the change, None where a group comes or goes, a row leaves its place, or a new one is not the last."""
    shown, now = found.shown, found.versions
    if {place for place, _ in before.values()} != {place for place, _ in now.values()}:
        return None
    if any(before[name][0] != place for name, (place, _) in now.items() if name in before):
        return None
    added = [key for key in shown if key.name not in before]
    for place in {place_of(key) for key in added}:
        row = [key.name not in before for key in shown if place_of(key) == place]
        if row != sorted(row):
            return None
    changed = [key for key in shown if key.name in before and before[key.name][1] != key.version]
    return _Change(added, changed, [name for name in before if name not in now])


async def _html(view: HomeView, change: _Change, found: Found) -> str:
    needs = {one.id: one for one in await said(view.actor, [*change.added, *change.changed])}
    opened = view.address.opened
    others = {one.id: one for one in await answered_by_others(view.actor, opened)} if change.gone else {}
    html = ""
    for name in change.gone:
        struck = render_macro(ROWS, "answered", one=others[name]) if name in others else ""
        html += partial(_target(name), struck, "outerMorph" if struck else "delete")
    for key in change.changed:
        if key.name in needs:
            html += partial(_target(key.name), render_macro(ROWS, "need", item=needs[key.name]), "outerMorph")
    for key in change.added:
        if key.name in needs:
            html += partial(f"#needs-{place_of(key)}", render_macro(ROWS, "need", item=needs[key.name]), "beforeend")
    html += "".join(partial(f"#count-{place}", str(number), "innerHTML") for place, number in found.numbers.items())
    return html + await _rest(view.address, found)


async def _rest(address: HomeAddress, found: Found) -> str:
    rest = await render_block(PARTS, "rest", address=address, new=found.new, total=len(found.new.keys))
    html = partial("#needs-rest", rest)
    if found.older.keys:
        older = await render_block(PARTS, "older_rest", address=address, old=found.older)
        html += partial("#needs-older-rest", older)
        html += partial("#needs-older-age", render_macro(ROWS, "oldest", since=found.oldest), "innerHTML")
    return html


def _target(name: str) -> str:
    return f"#need-{name.replace(':', '-')}"


PAGE = "home"
ASKED = ("approval.requested", "question.asked", "task.flagged")


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
    return await render_block(PARTS, "summary", counted=await view.counted())


async def shelf(view: HomeView) -> str:
    """Return the links to what is snoozed and what was decided."""
    return await render_block(PARTS, "shelf", counted=await view.counted(), address=view.address)


async def working(view: HomeView) -> str:
    return await render_block(PARTS, "working", agents=await view.at_work())


async def boards(view: HomeView) -> str:
    return await render_block(PARTS, "boards", boards=await view.boards())


async def charts(view: HomeView) -> str:
    """Return the four series."""
    return await render_block(PARTS, "charts", charts=await view.charts(), **ranges(view))


def ranges(view: HomeView) -> dict[str, object]:
    """Return the ranges that the charts offer."""
    address = view.address
    offered = [(key, label, address.url(range=key)) for key, label in metrics_pages.OFFERED.items()]
    words = metrics_pages.IN_WORDS[address.range_key]
    return {"range_key": address.range_key, "range_words": words, "ranges": offered}


async def _silence(_view: HomeView) -> None:
    """Return nothing: a page that is opened announces nothing."""


async def _announcement(_view: HomeView, batch: Batch) -> str:
    number = len(batch.events)
    sentence = "Something new needs you." if number == 1 else f"{number} new things need you."
    return partial("#announcements", sentence, "innerHTML")


NEEDS = NeedNews[HomeView]()
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
