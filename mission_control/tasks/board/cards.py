"""What a card of a board shows, from the statement to the template."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup
from quart import current_app

from mission_control.approvals.queries import parts_of_approvals
from mission_control.boards.days import Due, due_of
from mission_control.boards.hand_in_counts import counted_of
from mission_control.boards.models import Board
from mission_control.boards.parking import ASKED_PERSON, HOLD_JOIN, HOLD_UNTIL
from mission_control.boards.queries import PERSON, SEEN_IN, SIGNS, SILENT_AFTER, STUCK_AT, is_at_work, shortly
from mission_control.boards.statuses import STATUSES, TaskStatus
from mission_control.core import times
from mission_control.core.field_tables import completed_row
from mission_control.core.programs import program_name
from mission_control.core.substance import substance_of
from mission_control.database.sql import Condition, placeholders, select
from mission_control.tasks.board.card_filter import CardFilter
from mission_control.tasks.fields import FIELDS, REWRITTEN, Surface, alike_at
from mission_control.tasks.query import LIVING
from mission_control.tasks.seen import code_seen
from mission_control.web.fragments import render_macro


class Badge(NamedTuple):
    label: str
    tone: str
    icon: str


class Assignee(NamedTuple):
    name: str
    kind: str


class Line(NamedTuple):
    """What an agent does on a task, since when, and how long that is in words, from a minute on."""

    text: str
    since: datetime
    took: str
    tone: str = ""
    until: datetime | None = None


OLD_AFTER = timedelta(minutes=5)  # what an agent did last is marked from then on

COLUMNS = {field.name: field.kind for field in FIELDS if field.is_column and field.on & {Surface.CARD, Surface.TABLE}}
SHOWN_AS = [(name, REWRITTEN[name]) for name in COLUMNS if name in REWRITTEN]


@completed_row(COLUMNS)
@dataclass(slots=True, unsafe_hash=True)
class Card:
    """A task with everything that its card and its row of the table show. Equal cards look the same.

    The table of fields adds its columns to those that are named here, in the order of the statement (which is faster).
    What stands last is made of the others.
    """

    task_id: UUID
    board_id: UUID
    in_progress_at: datetime | None
    flagged_at: datetime | None
    flag_reason: str | None
    title: str
    status: TaskStatus
    priority: str
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime = field(compare=False)
    number: int
    lease_until: datetime | None
    worker_name: str | None
    agent_name: str | None
    last_seen_at: datetime | None = field(compare=False)
    agent_gateway_id: UUID | None
    run_began_at: datetime | None = field(compare=False)
    held_since: datetime | None = field(compare=False)
    parked_at: datetime | None
    ready_at: datetime | None
    asked_name: str | None
    hold_program: str | None
    hold_host: str | None
    hold_until: datetime | None
    session_state: str | None
    doing: str | None
    doing_at: datetime | None
    failures: int | None
    failing: str | None
    session_seen_at: datetime | None = field(compare=False)
    budget_over_on: str | None
    person_name: str | None
    comments: int
    dependencies: int
    blockers: int
    parent_number: int | None
    parts: int
    parts_done: int
    approvals: int
    approval_id: UUID | None
    tag_name: str | None
    tag_color: str | None
    total: int = field(default=0, compare=False)  # tasks that stand with it, in its column or in the table
    tags: tuple[tuple[str, str], ...] = ()
    badge: Badge | None = None
    line: Line | None = None
    due: Due | None = None
    others: tuple[tuple[str, str], ...] = ()  # labels and texts of the fields that have no drawing of their own
    substance: str = ""
    code: Badge | None = None
    seen: str = ""
    facts: tuple[Badge, ...] = ()  # what was counted of the work, two at most
    opens: bool = False  # by the key of approving: it brings code, or a check of it failed
    approving: str = "Approve"

    @property
    def assignee(self) -> Assignee | None:
        name = self.agent_name or self.person_name
        return Assignee(name, "agent" if self.agent_name else "person") if name else None

    @property
    def done_by(self) -> str | None:
        """The agent that did it, unless it has the task still."""
        return self.worker_name if self.worker_name != (self.agent_name or self.person_name) else None

    @property
    def flag(self) -> str:
        return self.flag_reason or "No reason was given." if self.flagged_at else ""


FOR_EVER = "9999-12-31"
# The last day on which a budget of the agent, the board or the organization is used up; a budget in total has no end.
BUDGET_OVER_ON = f"""(SELECT MAX(CASE WHEN x.period = 'total' THEN '{FOR_EVER}' ELSE x.exceeded_on END) FROM budgets x
        WHERE x.exceeded_on IS NOT NULL AND x.organization_id = (SELECT b.organization_id FROM boards b
        WHERE b.id = t.board_id) AND (x.agent_id = t.assigned_agent_id OR x.board_id = t.board_id
        OR (x.agent_id IS NULL AND x.board_id IS NULL)))"""
# One row for each tag of a card, or one without a tag.
CARD = f"""
SELECT t.id AS task_id, t.board_id, t.in_progress_at, t.flagged_at, t.flag_reason,
    {", ".join(f"t.{name}" for name in COLUMNS)},
    r.lease_expires_at AS lease_until, w.name AS worker_name, g.name AS agent_name, {SIGNS},
    r.started_at AS held_since, r.parked_at, r.ready_at,
    CASE WHEN r.parked_at IS NOT NULL THEN {ASKED_PERSON} END AS asked_name,
    wh.program AS hold_program, wh.host_label AS hold_host, {HOLD_UNTIL} AS hold_until,
    s.state AS session_state, s.doing, s.doing_at, s.failures, s.failing, s.last_seen_at AS session_seen_at,
    CASE WHEN t.status = 'in_progress' AND t.assigned_agent_id IS NOT NULL THEN {BUDGET_OVER_ON} END AS budget_over_on,
    CASE WHEN u.id IS NULL THEN NULL ELSE {PERSON} END AS person_name,
    (SELECT COUNT(*) FROM task_comments m WHERE m.task_id = t.id AND m.deleted_at IS NULL) AS comments,
    (SELECT COUNT(*) FROM task_dependencies e JOIN tasks p ON p.id = e.depends_on_task_id
        WHERE e.task_id = t.id AND p.deleted_at IS NULL) AS dependencies,
    (SELECT COUNT(*) FROM task_dependencies e JOIN tasks p ON p.id = e.depends_on_task_id
        WHERE e.task_id = t.id AND p.deleted_at IS NULL AND p.status <> 'done') AS blockers,
    (SELECT h.number FROM tasks h WHERE h.id = t.parent_id AND h.deleted_at IS NULL) AS parent_number,
    (SELECT COUNT(*) FROM tasks c WHERE c.parent_id = t.id AND c.deleted_at IS NULL) AS parts,
    (SELECT COUNT(*) FROM tasks c WHERE c.parent_id = t.id AND c.deleted_at IS NULL
        AND c.status = 'done') AS parts_done,
    (SELECT COUNT(*) FROM approval_task_links k WHERE k.task_id = t.id) AS approvals,
    (SELECT MIN(CAST(k.approval_id AS TEXT)) FROM approval_task_links k
        WHERE k.task_id = t.id AND k.is_pending) AS approval_id,
    o.name AS tag_name, o.color AS tag_color
"""
JOINS = f"""
LEFT JOIN agents g ON g.id = t.assigned_agent_id
LEFT JOIN users u ON u.id = t.assigned_user_id
LEFT JOIN agents w ON w.id = t.review_agent_id AND t.status IN ('review', 'done')
LEFT JOIN task_runs r ON r.task_id = t.id AND r.ended_at IS NULL
{HOLD_JOIN}
LEFT JOIN agent_sessions s ON s.id = {SEEN_IN}
LEFT JOIN tag_assignments a ON a.task_id = t.id
LEFT JOIN tags o ON o.id = a.tag_id
"""


async def _read(sql: str, *values: object) -> list[Card]:
    cards = [*cards_from(await select(Card, sql, *values))]
    parts = await parts_of_approvals([card.approval_id for card in cards if card.approval_id])
    for card in cards:
        if card.approval_id is not None and card.approval_id in parts:
            card.substance = substance_of(parts[card.approval_id])
    return await with_code(cards)


async def with_code(cards: list[Card]) -> list[Card]:
    codes = await code_seen([card.task_id for card in cards if card.status == "review"])
    counted = await counted_of([card.task_id for card in cards if card.status == "review" or card.approval_id])
    for card in cards:
        if card.task_id in codes:
            code, card.seen = codes[card.task_id]
            if code.pushed:
                card.code = Badge("Changed since the hand-in", "warn", "code")
        if card.task_id in counted:
            work = counted[card.task_id]
            card.facts = tuple(Badge(item.text, item.tone, item.icon) for item in work.facts[:2])
            card.opens = work.is_failing or work.diff_url is not None
            card.approving, _ = work.approving("")
    return cards


def cards_from(cards: Sequence[Card]) -> Iterator[Card]:
    """Yield a card with all of its tags for the rows of each task, the first of which has everything else."""
    first: dict[UUID, Card] = {}
    tags: dict[UUID, list[tuple[str, str]]] = {}
    for row in cards:
        first.setdefault(row.task_id, row)
        if row.tag_name is not None:
            tags.setdefault(row.task_id, []).append((row.tag_name, f"#{row.tag_color}"))
    now = times.clock_now()
    for row in first.values():
        for name, meant in SHOWN_AS:
            setattr(row, name, meant(getattr(row, name)))
        row.tags, row.badge = tuple(tags.get(row.task_id, ())), _badge(row, now)
        row.line = _line(row, now) if row.status == "in_progress" and row.agent_name else None
        row.due = due_of(row.due_at, now, is_done=row.status == "done")
        row.others = tuple(_others(row, now))
        yield row


def _others(row: Card, now: datetime) -> Iterator[tuple[str, str]]:
    """Leave out moments that have come: they no longer hold anything."""
    for one in alike_at(Surface.CARD):
        value = getattr(row, one.name)
        if not (isinstance(value, datetime) and value <= now) and (text := one.text_of(value)):
            yield one.label, text


def _badge(row: Card, now: datetime) -> Badge | None:
    if row.flagged_at:
        return Badge("Needs a person", "ask", "flag")
    if row.approval_id:
        return Badge("Needs approval", "ask", "hand")
    if row.status == "done":
        return None
    if row.blockers:
        return Badge("Blocked", "bad", "circle-alert")
    return _badge_of_work(row, now) if row.status == "in_progress" and row.in_progress_at else None


def _badge_of_work(row: Card, now: datetime) -> Badge | None:
    if row.ready_at:
        return Badge("Answered", "run", "play")
    if row.hold_until:
        return Badge("Paused", "warn", "hourglass")
    if row.parked_at or row.session_state == "waiting":
        return Badge("Asks you", "ask", "hand")
    if row.budget_over_on and row.budget_over_on >= now.date().isoformat():
        return Badge("Out of budget", "bad", "gauge")
    if (row.failures or 0) >= STUCK_AT:
        return Badge("Stuck", "bad", "rotate-ccw")
    signs = [sign for sign in (row.held_since, row.last_seen_at, row.session_seen_at) if sign is not None]
    is_working = is_at_work(row.last_seen_at, row.agent_gateway_id, row.run_began_at, now)
    if row.held_since and now - max(signs) >= SILENT_AFTER and (row.session_state or not is_working):
        return Badge(f"Silent {times.elapsed(max(signs), now)}", "warn", "hourglass")
    if row.session_state and not row.doing:
        return Badge("Starts", "run", "loader-circle")
    if not (is_working or row.session_state):
        return None
    return Badge(f"Working {times.elapsed(row.in_progress_at or now, now)}", "run", "loader-circle")


def _line(row: Card, now: datetime) -> Line | None:
    if row.ready_at:
        return _since("has its answer and goes on", row.ready_at, now)
    if row.hold_until and row.hold_program and row.parked_at:
        worker = f"{program_name(row.hold_program, row.hold_program)} on {row.hold_host}"
        return Line(f"waits for {worker}", row.parked_at, "", "warn", row.hold_until)
    if row.parked_at:
        whom = f" of {row.asked_name}" if row.asked_name else ""
        return _since(f"waits for an answer{whom}", row.parked_at, now)
    if not row.doing or row.doing_at is None:
        return None
    if (row.failures or 0) >= STUCK_AT:
        return _since(f"{row.failures} times: {shortly(row.failing or row.doing)}", row.doing_at, now, "bad")
    return _since(shortly(row.doing), row.doing_at, now, "warn" if now - row.doing_at >= OLD_AFTER else "")


def _since(text: str, since: datetime, now: datetime, tone: str = "") -> Line:
    return Line(text, since, times.age(since, now) if now - since >= timedelta(minutes=1) else "", tone)


FIRST = 50  # cards of a column, until somebody asks for all

MOST = 500  # of a column that was asked for whole

# The tasks that a filter leaves on a board, with the place of each in its column.
PLACED = f"""
SELECT t.id, t.number, t.status,
    ROW_NUMBER() OVER (PARTITION BY t.status ORDER BY t.position, t.created_at DESC) AS place,
    COUNT(*) OVER (PARTITION BY t.status) AS total
FROM tasks t
WHERE t.board_id = ? AND {LIVING}
"""
# The first tasks of one column, which an index holds in their order, and how many it has.
IN_COLUMN = f"""
SELECT q.id, q.number, q.status, ROW_NUMBER() OVER (ORDER BY q.position, q.created_at DESC) AS place,
    (SELECT COUNT(*) FROM tasks t WHERE t.board_id = ? AND t.status = '{{status}}' AND {LIVING}) AS total
FROM (SELECT t.id, t.number, t.status, t.position, t.created_at FROM tasks t
    WHERE t.board_id = ? AND t.status = '{{status}}' AND {LIVING}
    ORDER BY t.position, t.created_at DESC LIMIT {{limit}}) q
"""


@dataclass(slots=True)
class PlacedRow:
    id: UUID
    number: int
    status: TaskStatus
    total: int


@dataclass(slots=True)
class Column:
    status: str
    total: int = 0
    cards: list[Card] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    status: str
    rows: list[PlacedRow] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.rows[0].total if self.rows else 0

    @property
    def ids(self) -> list[UUID]:
        return [row.id for row in self.rows]

    @property
    def numbers(self) -> str:
        """The numbers from the top, as the module `cards` of the page reads them."""
        return " ".join(str(row.number) for row in self.rows)


async def columns_of(board: Board, filters: CardFilter, viewer_id: UUID | None) -> list[Column]:
    placed, values = await _placed(board, filters, viewer_id)
    cards = await _read(
        f"WITH placed AS ({placed}) {CARD}, q.total FROM placed q CROSS JOIN tasks t {JOINS} WHERE t.id = q.id"
        " ORDER BY q.status, q.place, a.created_at, a.id",
        *values,
    )
    columns = {status: Column(status) for status in STATUSES}
    for card in cards:
        column = columns[card.status]
        column.total = card.total
        column.cards.append(card)
    return list(columns.values())


async def orders_of(board: Board, filters: CardFilter, viewer_id: UUID | None) -> list[Order]:
    placed, values = await _placed(board, filters, viewer_id)
    orders = {status: Order(status) for status in STATUSES}
    for row in await select(
        PlacedRow,
        f"WITH placed AS ({placed}) SELECT q.id, q.number, q.status, q.total FROM placed q ORDER BY q.status, q.place",
        *values,
    ):
        orders[row.status].rows.append(row)
    return list(orders.values())


async def cards_of(
    board: Board,
    filters: CardFilter,
    viewer_id: UUID | None,
    ids: Collection[UUID],
    agent_ids: Collection[str] = (),
    session_ids: Collection[str] = (),
) -> list[Card]:
    narrowed, values = await filters.conditions(viewer_id)
    chosen = [f"t.id IN ({placeholders(len(ids))})"] if ids else []
    if agent_ids:
        chosen.append(f"t.status = 'in_progress' AND t.assigned_agent_id IN ({placeholders(len(agent_ids))})")
    if session_ids:
        serving = f"SELECT x.task_id FROM agent_sessions x WHERE x.id IN ({placeholders(len(session_ids))})"
        chosen.append(f"t.id IN ({serving})")
    return await _read(
        f"{CARD} FROM tasks t {JOINS} WHERE t.board_id = ? AND {LIVING}"
        f" AND ({' OR '.join(chosen)}){narrowed} ORDER BY t.number, a.created_at, a.id",
        *(board.id, *ids, *agent_ids, *session_ids, *values),
    )


def limit_of(filters: CardFilter, status: str) -> int:
    return MOST if status in filters.whole else FIRST


async def _placed(board: Board, filters: CardFilter, viewer_id: UUID | None) -> Condition:
    limits = {status: limit_of(filters, status) for status in STATUSES}
    narrowed, values = await filters.conditions(viewer_id)
    if not narrowed:
        columns = " UNION ALL ".join(IN_COLUMN.format(status=column, limit=limit) for column, limit in limits.items())
        return columns, [board.id] * 2 * len(limits)
    first = " OR ".join(f"(q.status = '{column}' AND q.place <= {limit})" for column, limit in limits.items())
    return f"SELECT q.* FROM ({PLACED}{narrowed}) q WHERE {first}", [board.id, *values]


KEPT = 3000  # cards, about 1.5 KB each


def cards_html(cards: list[Card], may_move: bool) -> Markup:
    """Equal cards are rendered once for each zone of their readers and day there."""
    zone, render = times.reader(), _rendered.__wrapped__ if current_app.debug else _rendered
    return Markup("".join([render(card, may_move, zone, times.today(zone)) for card in cards]))


@lru_cache(KEPT)
def _rendered(card: Card, may_move: bool, _zone: ZoneInfo, _today: date) -> str:
    return render_macro("ui/card.html", "card", one=card, may_move=may_move)
