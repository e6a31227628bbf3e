"""Select the task to assign to a worker: one statement that holds every rule and the order."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from mission_control.boards.priorities import rank_sql
from mission_control.core import clock
from mission_control.core.ids import parse_id
from mission_control.database.sql import as_id, is_postgres, placeholders, rows
from mission_control.tasks.filters import OPEN_DEPENDENCY

# What may be assigned by claims: no assignee, nothing that blocks it, on a board that accepts claims.
# The board is read once, not joined to every task.
OPEN = (
    "t.board_id = ? AND t.status = 'inbox' AND t.deleted_at IS NULL AND t.archived_at IS NULL"
    " AND t.assigned_user_id IS NULL AND t.flagged_at IS NULL AND (t.retry_at IS NULL OR t.retry_at <= ?)"
    f" AND NOT (SELECT b.only_lead_can_change_status FROM boards b WHERE b.id = ?) AND NOT {OPEN_DEPENDENCY}"
    " AND NOT ((SELECT b.block_status_changes_with_pending_approval FROM boards b WHERE b.id = ?) AND EXISTS ("
    "SELECT 1 FROM approval_task_links l WHERE l.task_id = t.id AND l.is_pending))"
)
TAGGED = "SELECT 1 FROM tag_assignments x JOIN tags g ON g.id = x.tag_id WHERE x.task_id = t.id"
# What was sent back to the agent first, then its other work; then by priority, which each full day of waiting lifts by
# one step; then by due date and age.
ORDER = (
    " ORDER BY CASE WHEN t.assigned_agent_id IS NULL THEN 2 WHEN t.rework_at IS NULL THEN 1 ELSE 0 END,"
    f" CASE {rank_sql('t.priority')} WHEN 4 THEN 0"
    " WHEN 3 THEN CASE WHEN t.created_at <= ? THEN 0 ELSE 1 END"
    " WHEN 2 THEN CASE WHEN t.created_at <= ? THEN 0 WHEN t.created_at <= ? THEN 1 ELSE 2 END"
    " ELSE CASE WHEN t.created_at <= ? THEN 0 WHEN t.created_at <= ? THEN 1 WHEN t.created_at <= ? THEN 2 ELSE 3 END"
    " END, CASE WHEN t.due_at IS NULL THEN 1 ELSE 0 END, t.due_at, t.created_at, t.id"
)
# The token with which work is asked for has not ended, and may work.
WORKS = (
    "EXISTS (SELECT 1 FROM tokens c WHERE c.id = ? AND c.revoked_at IS NULL"
    " AND (c.expires_at IS NULL OR c.expires_at > ?) AND (c.scopes IS NULL"
    " OR CAST(c.scopes AS TEXT) LIKE '%\"work\"%' OR CAST(c.scopes AS TEXT) LIKE '%\"lead\"%'))"
)
# Tasks read per poll; as many workers can claim at the same moment without missing one.
SEEN = 50

Part = tuple[str, list[Any]]


class Search(NamedTuple):
    """The worker and the tasks that it looks for.

    `capabilities` are the tags (slugs) of unassigned tasks that the agent accepts, `tags` those that it asks for (slugs
    or ids); None: any. `token_id` is the token of the request, if it has one.
    """

    agent_id: UUID | None
    board_id: UUID
    capabilities: Sequence[str] | None
    tags: Sequence[str] | None
    token_id: UUID | None = None


async def see_best(search: Search) -> list[UUID]:
    """Return the first tasks that an agent could claim, the best first."""
    return await _ids(search, None, f" LIMIT {SEEN}")


async def hold_best(search: Search, seen: Sequence[UUID]) -> UUID | None:
    """Lock and return the best of some tasks, skipping those that other commands hold.

    Return None also when the token of the request has been revoked or lost its scope.
    """
    found = await _ids(search, seen, " LIMIT 1" + (" FOR NO KEY UPDATE SKIP LOCKED" if is_postgres() else ""))
    return found[0] if found else None


async def _ids(search: Search, among: Sequence[UUID] | None, end: str) -> list[UUID]:
    where, values = _where(search, among)
    found = await rows(f"SELECT t.id FROM tasks t WHERE {where}{ORDER}{end}", *values, *_days_ago())
    return [known for row in found if (known := as_id(row["id"])) is not None]


def _where(search: Search, among: Sequence[UUID] | None) -> Part:
    parts = [open_on(search.board_id), _its_own_or_free(search)]
    if search.tags is not None:
        parts.append(_tagged(search.tags))
    if among is not None:
        parts.append((f"t.id IN ({placeholders(len(among))})", list(among)))
    if among is not None and search.token_id is not None:
        parts.append((WORKS, [search.token_id, clock.now()]))
    return " AND ".join(text for text, _ in parts), [value for _, values in parts for value in values]


def _its_own_or_free(search: Search) -> Part:
    """Match tasks assigned to the agent, whatever their tags, and unassigned ones with tags that it accepts."""
    takes, values = ("TRUE", []) if search.capabilities is None else _tagged(search.capabilities)
    return f"(t.assigned_agent_id = ? OR (t.assigned_agent_id IS NULL AND {takes}))", [search.agent_id, *values]


def open_on(board_id: UUID) -> Part:
    """Match the tasks of a board that can be claimed at all."""
    return OPEN, [board_id, clock.now(), board_id, board_id]


def _tagged(names: Sequence[str]) -> Part:
    """Match tasks with any of these tags, given by slug or id."""
    if not names:
        return "FALSE", []
    ids = [known for name in names if (known := parse_id(name)) is not None]
    named = f"g.slug IN ({placeholders(len(names))})"
    also = f" OR g.id IN ({placeholders(len(ids))})" if ids else ""
    return f"EXISTS ({TAGGED} AND ({named}{also}))", [*names, *ids]


def _days_ago() -> list[Any]:
    """Return the thresholds of `ORDER`: for high, medium, and everything below."""
    one, two, three = (clock.now() - timedelta(days=days) for days in (1, 2, 3))
    return [one, two, one, three, two, one]


async def carries(task_id: UUID, names: Sequence[str] | None) -> bool:
    """Return whether a task has any of these tags, given by slug or id; None matches always."""
    if names is None:
        return True
    where, values = _tagged(names)
    return bool(await rows(f"SELECT 1 AS one FROM tasks t WHERE t.id = ? AND {where}", task_id, *values))
