"""What a card of a board shows, from the statement to the template."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from mission_control.approvals.queries import substances_of_approvals
from mission_control.boards.cards import PERSON
from mission_control.boards.days import Due, due_of
from mission_control.boards.presence import SIGNS, is_at_work
from mission_control.boards.statuses import TaskStatus
from mission_control.core import clock, times
from mission_control.core.declared import completed_row
from mission_control.tasks.fields import REWRITTEN, Surface, alike_at, shown_at


class Badge(NamedTuple):
    """What changes somebody's next act, in a word."""

    label: str
    tone: str
    icon: str


class Assignee(NamedTuple):
    """Who a task is given to; the kind is agent or person."""

    name: str
    kind: str


COLUMNS = {
    one.name: one.kind for surface in (Surface.CARD, Surface.TABLE) for one in shown_at(surface) if one.is_column
}


@completed_row(COLUMNS)
@dataclass(frozen=True, slots=True)
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
    person_name: str | None
    comments: int
    dependencies: int
    blockers: int
    approvals: int
    approval_id: UUID | None
    tag_name: str | None
    tag_color: str | None
    total: int = field(default=0, compare=False)  # tasks that stand with it, in its column or in the table
    tags: tuple[tuple[str, str], ...] = ()
    badge: Badge | None = None
    due: Due | None = None
    substance: str = ""

    @property
    def assignee(self) -> Assignee | None:
        """Who has the task."""
        name = self.agent_name or self.person_name
        return Assignee(name, "agent" if self.agent_name else "person") if name else None

    @property
    def done_by(self) -> str | None:
        """The agent that did it, unless it has the task still."""
        return self.worker_name if self.worker_name != (self.agent_name or self.person_name) else None

    @property
    def flag(self) -> str:
        """Why a person must look at it."""
        return self.flag_reason or "No reason was given." if self.flagged_at else ""

    @property
    def others(self) -> list[tuple[str, str]]:
        """The labels and texts of the fields that cards show without a drawing of their own."""
        texts = [(one.label, one.text_of(getattr(self, one.name))) for one in alike_at(Surface.CARD)]
        return [(label, text) for label, text in texts if text]


# One row for each tag of a card, or one without a tag.
CARD = f"""
SELECT t.id AS task_id, t.board_id, t.in_progress_at, t.flagged_at, t.flag_reason,
    {", ".join(f"t.{name}" for name in COLUMNS)},
    r.lease_expires_at AS lease_until, w.name AS worker_name, g.name AS agent_name, {SIGNS},
    CASE WHEN u.id IS NULL THEN NULL ELSE {PERSON} END AS person_name,
    (SELECT COUNT(*) FROM task_comments m WHERE m.task_id = t.id AND m.deleted_at IS NULL) AS comments,
    (SELECT COUNT(*) FROM task_dependencies e JOIN tasks p ON p.id = e.depends_on_task_id
        WHERE e.task_id = t.id AND p.deleted_at IS NULL) AS dependencies,
    (SELECT COUNT(*) FROM task_dependencies e JOIN tasks p ON p.id = e.depends_on_task_id
        WHERE e.task_id = t.id AND p.deleted_at IS NULL AND p.status <> 'done') AS blockers,
    (SELECT COUNT(*) FROM approval_task_links k WHERE k.task_id = t.id) AS approvals,
    (SELECT MIN(CAST(k.approval_id AS TEXT)) FROM approval_task_links k
        WHERE k.task_id = t.id AND k.is_pending) AS approval_id,
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


async def with_substances(cards: list[Card]) -> list[Card]:
    """Return cards that say what their buttons decide about."""
    known = await substances_of_approvals([one.approval_id for one in cards if one.approval_id])
    return [replace(one, substance=known.get(one.approval_id, "")) if one.approval_id else one for one in cards]


def cards_from(found: Sequence[Card]) -> Iterator[Card]:
    """Yield a card with all of its tags for the rows of each task, the first of which has everything else."""
    first: dict[UUID, Card] = {}
    tags: dict[UUID, list[tuple[str, str]]] = {}
    for row in found:
        first.setdefault(row.task_id, row)
        if row.tag_name is not None:
            tags.setdefault(row.task_id, []).append((row.tag_name, f"#{row.tag_color}"))
    now = clock.now()
    for row in first.values():
        meant: dict[str, Any] = {name: REWRITTEN[name](getattr(row, name)) for name in COLUMNS if name in REWRITTEN}
        due = due_of(row.due_at, now, is_done=row.status == "done")
        yield replace(row, **meant, tags=tuple(tags.get(row.task_id, ())), badge=_badge(row, now), due=due)


def _badge(row: Card, now: datetime) -> Badge | None:
    """The one badge that changes what somebody does next, if any."""
    if row.flagged_at:
        return Badge("Needs a person", "ask", "flag")
    if row.approval_id:
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


def _is_at_work(row: Card, now: datetime) -> bool:
    return is_at_work(row.last_seen_at, row.agent_gateway_id, row.run_began_at, now)
