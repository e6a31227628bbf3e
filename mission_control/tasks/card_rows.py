"""What a card of a board shows, and the rows it is read from."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from mission_control.approvals.substance import substances_of_approvals
from mission_control.boards.cards import PERSON
from mission_control.boards.days import Due, due_of
from mission_control.boards.models import Board
from mission_control.boards.presence import SIGNS, is_at_work
from mission_control.boards.priorities import canonical
from mission_control.boards.statuses import TaskStatus
from mission_control.core import clock, times

# One row for each tag of a card, or one without a tag.
CARD = f"""
SELECT t.id, t.number, t.title, t.status, t.priority, t.due_at, t.in_progress_at, t.flagged_at, t.flag_reason,
    t.created_at, t.updated_at,
    r.lease_expires_at, w.name AS worker_name, g.name AS agent_name, {SIGNS},
    CASE WHEN u.id IS NULL THEN NULL ELSE {PERSON} END AS person_name,
    (SELECT COUNT(*) FROM task_comments m WHERE m.task_id = t.id AND m.deleted_at IS NULL) AS comments,
    (SELECT COUNT(*) FROM task_dependencies e JOIN tasks p ON p.id = e.depends_on_task_id
        WHERE e.task_id = t.id AND p.deleted_at IS NULL) AS dependencies,
    (SELECT COUNT(*) FROM task_dependencies e JOIN tasks p ON p.id = e.depends_on_task_id
        WHERE e.task_id = t.id AND p.deleted_at IS NULL AND p.status <> 'done') AS blockers,
    (SELECT COUNT(*) FROM approval_task_links k WHERE k.task_id = t.id) AS approvals,
    (SELECT MIN(CAST(k.approval_id AS TEXT)) FROM approval_task_links k
        WHERE k.task_id = t.id AND k.is_pending) AS pending_id,
    o.name AS tag_name, o.color AS tag_color
"""
JOINS = """
LEFT JOIN agents g ON g.id = t.assigned_agent_id
LEFT JOIN users u ON u.id = t.assigned_user_id
LEFT JOIN agents w ON w.id = t.review_agent_id AND t.status IN ('review', 'done')
LEFT JOIN task_runs r ON r.task_id = t.id AND r.ended_at IS NULL
LEFT JOIN tag_assignments a ON a.task_id = t.id
LEFT JOIN tags o ON o.id = a.tag_id
"""


@dataclass(slots=True)
class CardRow:
    """A task with everything that its card shows, and one of its tags."""

    id: UUID
    number: int
    title: str
    status: TaskStatus
    priority: str
    due_at: datetime | None
    in_progress_at: datetime | None
    flagged_at: datetime | None
    flag_reason: str | None
    created_at: datetime
    updated_at: datetime
    lease_expires_at: datetime | None
    worker_name: str | None
    agent_name: str | None
    last_seen_at: datetime | None
    agent_gateway_id: UUID | None
    run_began_at: datetime | None
    person_name: str | None
    comments: int
    dependencies: int
    blockers: int
    approvals: int
    pending_id: UUID | None
    tag_name: str | None
    tag_color: str | None
    total: int = 0


class Badge(NamedTuple):
    """What changes somebody's next act, in a word."""

    label: str
    tone: str
    icon: str


class Assignee(NamedTuple):
    """Who a task is given to; the kind is agent or person."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Card:
    """What a card shows. Equal cards look the same."""

    task_id: UUID
    board_id: UUID
    number: int
    title: str
    status: TaskStatus
    priority: str
    badge: Badge | None
    due: Due | None
    tags: tuple[tuple[str, str], ...]
    assignee: Assignee | None
    done_by: str | None
    comments: int
    dependencies: int
    approvals: int
    approval_id: UUID | None
    lease_until: datetime | None
    flag: str
    substance: str = ""


async def with_substances(cards: list[Card]) -> list[Card]:
    """Return cards that say what their buttons decide about."""
    known = await substances_of_approvals([one.approval_id for one in cards if one.approval_id])
    return [replace(one, substance=known.get(one.approval_id, "")) if one.approval_id else one for one in cards]


def cards_from(board: Board, found: list[CardRow]) -> list[tuple[CardRow, Card]]:
    """Return rows as cards with their tags, each with the first of its rows."""
    first: dict[UUID, CardRow] = {}
    tags: dict[UUID, list[tuple[str, str]]] = {}
    for row in found:
        first.setdefault(row.id, row)
        if row.tag_name is not None:
            tags.setdefault(row.id, []).append((row.tag_name, f"#{row.tag_color}"))
    now = clock.now()
    return [(row, _card(board, row, tuple(tags.get(row.id, ())), now)) for row in first.values()]


def _card(board: Board, row: CardRow, tags: tuple[tuple[str, str], ...], now: datetime) -> Card:
    name = row.agent_name or row.person_name
    return Card(
        task_id=row.id,
        board_id=board.id,
        number=row.number,
        title=row.title,
        status=row.status,
        priority=canonical(row.priority),
        badge=_badge(row, now),
        due=due_of(row.due_at, now, is_done=row.status == "done"),
        tags=tags,
        assignee=Assignee(name, "agent" if row.agent_name else "person") if name else None,
        done_by=row.worker_name if row.worker_name != name else None,
        comments=row.comments,
        dependencies=row.dependencies,
        approvals=row.approvals,
        approval_id=row.pending_id,
        lease_until=row.lease_expires_at,
        flag=row.flag_reason or "No reason was given." if row.flagged_at else "",
    )


def _badge(row: CardRow, now: datetime) -> Badge | None:
    """The one badge that changes what somebody does next, if any."""
    if row.flagged_at:
        return Badge("Needs a person", "ask", "flag")
    if row.pending_id:
        return Badge("Needs approval", "ask", "hand")
    if row.status == "done":
        return None
    if row.blockers:
        return Badge("Blocked", "bad", "circle-alert")
    since = row.in_progress_at
    if row.status == "in_progress" and since is not None and _is_at_work(row, now):
        took = times.elapsed(since, now)
        return Badge("Working" if took == "0 m" else f"Working {took}", "run", "loader-circle")
    return None


def _is_at_work(row: CardRow, now: datetime) -> bool:
    return is_at_work(row.last_seen_at, row.agent_gateway_id, row.run_began_at, now)
