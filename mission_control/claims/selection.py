"""Which task a worker is handed: one statement with every rule and the order in it."""

from collections.abc import Collection, Hashable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from mission_control.core import clock
from mission_control.core.ids import parse_id
from mission_control.database.sql import as_id, is_postgres, placeholders, rows
from mission_control.tasks.filters import OPEN_DEPENDENCY

# What may be handed out at all: nobody's hands, no person, nothing that holds it, on a board that takes claims.
OPEN = (
    "t.board_id = ? AND t.status = 'inbox' AND t.deleted_at IS NULL AND t.archived_at IS NULL"
    " AND t.assigned_user_id IS NULL AND t.flagged_at IS NULL AND (t.retry_at IS NULL OR t.retry_at <= ?)"
    f" AND NOT b.only_lead_can_change_status AND NOT {OPEN_DEPENDENCY}"
    " AND NOT (b.block_status_changes_with_pending_approval AND EXISTS ("
    "SELECT 1 FROM approval_task_links l WHERE l.task_id = t.id AND l.is_pending))"
)
TASKS = "FROM tasks t JOIN boards b ON b.id = t.board_id"
TAGGED = "SELECT 1 FROM tag_assignments x JOIN tags g ON g.id = x.tag_id WHERE x.task_id = t.id"
# Own work first; then by priority, which each full day of waiting lifts by one step; then by due date and age.
ORDER = (
    " ORDER BY CASE WHEN t.assigned_agent_id IS NULL THEN 1 ELSE 0 END,"
    " CASE LOWER(t.priority) WHEN 'urgent' THEN 0 WHEN 'critical' THEN 0"
    " WHEN 'high' THEN CASE WHEN t.created_at <= ? THEN 0 ELSE 1 END"
    " WHEN 'medium' THEN CASE WHEN t.created_at <= ? THEN 0 WHEN t.created_at <= ? THEN 1 ELSE 2 END"
    " ELSE CASE WHEN t.created_at <= ? THEN 0 WHEN t.created_at <= ? THEN 1 WHEN t.created_at <= ? THEN 2 ELSE 3 END"
    " END, CASE WHEN t.due_at IS NULL THEN 1 ELSE 0 END, t.due_at, t.created_at, t.id LIMIT 1"
)

Part = tuple[str, list[Any]]


async def best(
    agent_id: UUID | None,
    board_id: UUID,
    capabilities: Sequence[str] | None,
    tags: Sequence[str] | None,
    *,
    hold: bool,
) -> UUID | None:
    """The task that an agent is to be handed next, or None.

    `capabilities` are the tags (slugs) that it takes, `tags` those it asks for (slugs or ids); None is any. With
    `hold` the task is locked until the running command ends, and one that another command holds is passed over.
    """
    where, values = _where(agent_id, board_id, capabilities, tags)
    lock = " FOR NO KEY UPDATE OF t SKIP LOCKED" if hold and is_postgres() else ""
    found = await rows(f"SELECT t.id {TASKS} WHERE {where}{ORDER}{lock}", *values, *_days_ago())
    return as_id(found[0]["id"]) if found else None


def _where(
    agent_id: UUID | None, board_id: UUID, capabilities: Sequence[str] | None, tags: Sequence[str] | None
) -> Part:
    parts: list[Part] = [
        (OPEN, [board_id, clock.now()]),
        ("(t.assigned_agent_id IS NULL OR t.assigned_agent_id = ?)", [agent_id]),
    ]
    if capabilities is not None:
        parts.append(_tagged(capabilities))
    if tags is not None:
        parts.append(_tagged(tags))
    return " AND ".join(text for text, _ in parts), [value for _, values in parts for value in values]


def _tagged(names: Sequence[str]) -> Part:
    """A task that carries any of these tags, given by slug or id."""
    if not names:
        return "FALSE", []
    ids = [known for name in names if (known := parse_id(name)) is not None]
    named = f"g.slug IN ({placeholders(len(names))})"
    also = f" OR g.id IN ({placeholders(len(ids))})" if ids else ""
    return f"EXISTS ({TAGGED} AND ({named}{also}))", [*names, *ids]


def _days_ago() -> list[Any]:
    """The thresholds of `ORDER`: for high, medium, and everything below."""
    one, two, three = (clock.now() - timedelta(days=days) for days in (1, 2, 3))
    return [one, two, one, three, two, one]


async def is_open_for(agents: Collection[Hashable], board_id: UUID) -> bool:
    """Whether a board has work that is nobody's, or one of these agents'; their limits and tags are not asked."""
    found = await rows(f"SELECT DISTINCT t.assigned_agent_id AS id {TASKS} WHERE {OPEN}", board_id, clock.now())
    return any(row["id"] is None or as_id(row["id"]) in agents for row in found)


async def carries(task_id: UUID, names: Sequence[str] | None) -> bool:
    """Whether a task has any of these tags, given by slug or id; None asks for none."""
    if names is None:
        return True
    where, values = _tagged(names)
    return bool(await rows(f"SELECT 1 AS one FROM tasks t WHERE t.id = ? AND {where}", task_id, *values))
