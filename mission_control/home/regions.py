"""Home as somebody sees it: what the address asks for, what the page reads, and its parts that stay current."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from markupsafe import Markup
from quart import request

from mission_control.boards.queries import board_rows, boards_of, who_can_share
from mission_control.core import times
from mission_control.core.actor import Actor, can
from mission_control.core.times import iso
from mission_control.core.values import parse_id, to_json
from mission_control.database.sql import Row, rows
from mission_control.events.stream import Batch
from mission_control.home import listing
from mission_control.home.absences.commands import shown_absence
from mission_control.home.absences.report import report_of
from mission_control.home.absences.telling import has_news, words_of
from mission_control.home.listing import (
    MOST_LISTED,
    Found,
    Listed,
    Versions,
    answered_by_others,
    find,
    listed,
    place_of,
)
from mission_control.home.working import AtWork, at_work
from mission_control.metrics import pages as metrics_pages
from mission_control.metrics.counting import BeingCounted
from mission_control.metrics.dashboard import overview
from mission_control.metrics.schemas import RangeKey
from mission_control.needs.kinds import Key
from mission_control.needs.lookup import render_needs
from mission_control.needs.polling import NeedNews
from mission_control.needs.queries import Counted, Filter, count, find_keys
from mission_control.needs.schemas import Include
from mission_control.web.fragments import partial, render_block, render_macro
from mission_control.web.regions import Concerns, Region, View, announcements

OPEN = ("inbox", "in_progress", "review")


@dataclass(frozen=True, slots=True)
class BoardLine:
    """The open work of a board, as parts of the widest board's, and how much of it waits for the reader."""

    id: UUID
    name: str
    parts: tuple[tuple[int, float, float], ...]
    open: int
    waiting: int

    @property
    def in_words(self) -> str:
        numbers = [number for number, _, _ in self.parts]
        return "{} in the inbox, {} in progress, {} in review".format(*numbers)


async def board_lines(actor: Actor, waiting: dict[UUID, int]) -> list[BoardLine]:
    """Return the actor's boards on one scale; `waiting` has the needs by board."""
    found = await board_rows(actor)
    most = max((sum(int(row[status]) for status in OPEN) for row in found), default=0) or 1
    lines = []
    for row in found:
        board_id, parts, left = UUID(str(row["id"])), [], 0.0
        for status in OPEN:
            width = 100 * int(row[status]) / most
            parts.append((int(row[status]), round(left, 1), round(max(0.0, width - 1.2), 1)))
            left += width
        total = sum(number for number, _, _ in parts)
        lines.append(BoardLine(board_id, row["name"], tuple(parts), total, waiting.get(board_id, 0)))
    return lines


DENSE_FROM = 12


@dataclass(frozen=True, slots=True)
class HomeAddress:
    """What the address asks for: which needs, how many, whether old ones are unfolded, how tight, the charts' range."""

    opened: datetime
    include: Include = "waiting"
    everything: bool = False
    older: bool = False
    layout: str = ""
    peek: str = ""
    range_key: RangeKey = metrics_pages.DEFAULT
    state: str = ""

    @classmethod
    def of_request(cls) -> "HomeAddress":
        args = request.args
        layout = args.get("view", "")
        return cls(
            opened=times.parse_since(args.get("opened")) or times.clock_now(),
            include="snoozed" if args.get("show") == "snoozed" else "waiting",
            everything=args.get("all") == "1",
            older=args.get("older") == "1",
            layout=layout if layout in ("dense", "roomy") else "",
            peek=args.get("peek", "")[:100],
            range_key=metrics_pages.range_named(args.get("range")),
            state=args.get("state", "")[:16],
        )

    def query(self, **changes: str) -> dict[str, str]:
        """Return the address's query as it is with changes; usual values are left out."""
        now = {
            "show": "snoozed" if self.include == "snoozed" else "",
            "all": "1" if self.everything else "",
            "older": "1" if self.older else "",
            "view": self.layout,
            "range": "" if self.range_key == metrics_pages.DEFAULT else self.range_key,
        }
        return {name: value for name, value in (now | changes).items() if value}

    def url(self, **changes: str) -> str:
        query = urlencode(self.query(**changes))
        return f"/?{query}" if query else "/"

    def live(self, after: int, layout: str, state: str) -> str:
        """Return the address of the page's stream; `state` names the rows that the page has."""
        more = {"opened": iso(self.opened), "after": after, "state": state}
        return f"/home/live?{urlencode({**self.query(view=layout), **more})}"


@dataclass(slots=True)
class Sent:
    """The rows that an open page has, empty if unknown; and those that it had before what is rendered now."""

    rows: Versions = field(default_factory=dict)
    before: Versions = field(default_factory=dict)

    def begin(self) -> None:
        self.before = self.rows

    def take_back(self) -> None:
        self.rows = self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView(View):
    """Home as somebody sees it at this moment."""

    address: HomeAddress
    sent: Sent = field(default_factory=Sent)

    async def listed(self) -> Listed:
        address = self.address
        wanted = address.include, address.everything, address.opened
        return await self.reads.get(("home", self.actor.id, *wanted), lambda: listed(self.actor, *wanted))

    async def counted(self) -> Counted:
        return await self.reads.get(("home-counted", self.actor.id), lambda: count(self.actor))

    async def at_work(self) -> list[AtWork]:
        return await self.reads.get(("at-work", self.reach), lambda: at_work(self.actor))

    @property
    def reach(self) -> tuple[Any, ...]:
        whole, single = self.actor.readable_boards()
        return self.actor.organization_id, self.actor.organization_id in whole, tuple(sorted(map(str, single)))

    async def boards(self) -> list[BoardLine]:
        keys = await find_keys(self.actor, Filter(), MOST_LISTED)
        return await board_lines(self.actor, Counter(key.board_id for key in keys if key.board_id is not None))

    async def charts(self) -> list[metrics_pages.Chart]:
        return metrics_pages.charts_of(*await overview(self.actor, self.address.range_key), self.actor.id)

    async def calm(self) -> Row:
        """Return what an empty page says: the first steps, or what happened last and what comes later."""
        actor = self.actor
        boards = await boards_of(actor)
        keys = await find_keys(actor, Filter(include="snoozed"), 5)
        people = (
            "SELECT 1 FROM organization_members WHERE organization_id = ? UNION ALL"
            " SELECT 1 FROM organization_invites WHERE organization_id = ? AND accepted_at IS NULL LIMIT 2"
        )
        owners = (actor.organization_id, actor.organization_id)
        return {
            "boards": boards,
            "may_create": can(actor, "board.create", actor.organization_id),
            "may_hire": can(actor, "agent.manage"),
            "may_answer": any(actor.writes(board) for board in boards),
            "has_agents": bool(
                await rows("SELECT 1 FROM agents WHERE organization_id = ? LIMIT 1", actor.organization_id)
            ),
            "helpers": [] if boards else await who_can_share(actor),
            "is_alone": actor.administers(actor.organization_id) and len(await rows(people, *owners)) < 2,
            "last": await listing.last_answered(actor),
            "agents": await self.at_work(),
            "snoozed": await render_needs(actor, keys),
            "due": await _due(actor),
        }


async def _due(actor: Actor) -> list[Row]:
    return await rows(
        "SELECT t.id, t.number, t.title, t.due_at, t.board_id, b.name AS board_name FROM tasks t"
        " JOIN boards b ON b.id = t.board_id WHERE b.organization_id = ? AND b.deleted_at IS NULL"
        " AND t.deleted_at IS NULL AND t.status <> 'done' AND t.assigned_user_id = ? AND t.due_at >= ?"
        " ORDER BY t.due_at, t.id LIMIT 5",
        actor.organization_id,
        actor.id,
        times.clock_now(),
    )


PARTS, ASIDE, ROWS = "home/parts.html", "home/aside.html", "needs/rows.html"
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
    before, view.sent.rows = view.sent.rows, found.versions
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
    needs = {one.id: one for one in await render_needs(view.actor, [*change.added, *change.changed])}
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
    address = view.address
    rest = await render_block(PARTS, "rest", address=address, new=found.new, total=len(found.new.keys))
    html += partial("#needs-rest", rest)
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
    listed = await view.listed()
    calm = await view.calm() if not listed.groups and not listed.older else None
    found = listed.found
    return await render_block(
        PARTS,
        "queue",
        groups=Markup("").join(Markup(render_macro(ROWS, "group", group=group)) for group in listed.groups),
        calm=calm,
        me=view.actor,
        address=view.address,
        new=found.new,
        old=found.older,
        oldest=found.oldest,
        total=max(len(found.new.keys), listed.total - len(found.older.keys)),
        older_rows=Markup("").join(Markup(render_macro(ROWS, "need", item=one)) for one in listed.older),
    )


async def absence(view: HomeView) -> str:
    """Tell what happened while the reader was away; nothing where that is closed, or nothing happened."""
    away = await shown_absence(view.actor)
    if away is None or view.address.include == "snoozed":
        return ""
    waiting = (await view.counted()).counts.total
    report = await report_of(view.actor, away.since, away.until, waiting)
    return render_macro("home/absence.html", "block", report=words_of(report)) if has_news(report) else ""


async def summary(view: HomeView) -> str:
    return await render_block(PARTS, "summary", counted=await view.counted())


async def shelf(view: HomeView) -> str:
    return await render_block(PARTS, "shelf", counted=await view.counted(), address=view.address)


async def working(view: HomeView) -> str:
    return await render_block(PARTS, "working", agents=await view.at_work())


async def working_changes(view: HomeView, batch: Batch) -> str | None:
    """Return the lines of agents that reported something, when nothing else happened."""
    if batch.events or any("session_id" not in one for one in batch.signals):
        return None
    tasks = {task_id for one in batch.signals if (task_id := parse_id(str(one.get("task_id", "")))) is not None}
    found = await at_work(view.actor, sorted(tasks)) if tasks else []
    return "".join(partial(f"#{one.row_id}", render_macro(ASIDE, "now_row", one=one), "outerMorph") for one in found)


async def boards(view: HomeView) -> str:
    return await render_block(PARTS, "boards", boards=await view.boards())


async def charts(view: HomeView) -> str:
    chosen = view.address.range_key
    offered = [(key, label, view.address.url(range=key)) for key, label in metrics_pages.OFFERED.items()]
    more = {"range_key": chosen, "range_words": metrics_pages.IN_WORDS[chosen], "ranges": offered}
    try:
        return await render_block(PARTS, "charts", charts=await view.charts(), counting="", **more)
    except BeingCounted as error:
        return await render_block(PARTS, "charts", charts=[], counting=metrics_pages.being_counted(error), **more)


async def _announcement(_view: HomeView, batch: Batch) -> str:
    number = len(batch.events)
    return "Something new needs you." if number == 1 else f"{number} new things need you."


NEEDS = NeedNews[HomeView]()
WORK = Concerns[HomeView](("task.", "agent.", "board.", "session."), ("agent_id", "session_id"))
FIGURES = Concerns[HomeView](
    ("approval.decided", "question.answered", "task.status_changed", "task.run_completed"), metrics_pages.SIGNALS
)
REGIONS = (
    Region(PAGE, "#queue", NEEDS, queue, changes=queue_changes),
    Region(PAGE, "#home-absence", NEEDS, absence, swap="innerHTML"),
    Region(PAGE, "#home-summary", NEEDS, summary, swap="innerHTML"),
    Region(PAGE, "#home-shelf", NEEDS, shelf),
    Region(PAGE, "#home-working", WORK, working, key=lambda view: view.reach, changes=working_changes),
    Region(PAGE, "#home-boards", Concerns(("task.", "approval.", "question.", "board.")), boards),
    Region(PAGE, "#home-charts", FIGURES, charts),
    announcements(PAGE, Concerns(ASKED), _announcement),
)
