"""Find the waiting workers for which there may be work, with two statements for any number of workers and tasks."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.claims import selection
from mission_control.core.ids import parse_id
from mission_control.database.sql import as_id, as_json, rows
from mission_control.tasks.limits import Limits, full

# The agents of a board that have not as much in their own hands as their limit allows.
WITH_CAPACITY = (
    "SELECT a.id, a.claim_tags FROM agents a WHERE a.board_id = ? AND (a.wip_limit IS NULL OR a.wip_limit > ("
    "SELECT COUNT(*) FROM tasks t WHERE t.assigned_agent_id = a.id AND t.status = 'in_progress'"
    " AND t.deleted_at IS NULL))"
)
# Whose open work is, and which tags are on it; as few rows as there are different ones.
OFFERED = (
    "SELECT DISTINCT t.assigned_agent_id AS agent_id, g.id AS tag_id, g.slug FROM tasks t"
    " LEFT JOIN tag_assignments x ON x.task_id = t.id LEFT JOIN tags g ON g.id = x.tag_id WHERE "
)


class Waiter(NamedTuple):
    """A waiting worker and the tags (slugs or ids) that it asks for; no tags: any task."""

    agent_id: UUID | None
    tags: tuple[str, ...]


async def waiters_with_work(waiters: Collection[Any], board: Board) -> set[Waiter]:
    """Return the waiters for which there may be work on a board.

    The result is complete, and may hold a waiter too many when its tags are of two kinds.
    """
    if not waiters:
        return set()
    offers = await _offers(board)
    if not offers or await full(Limits.of(None, board.wip_limits), None, board.id) is not None:
        return set()
    able = {as_id(row["id"]): as_json(row["claim_tags"]) for row in await rows(WITH_CAPACITY, board.id)}
    return {
        one
        for one in waiters
        if one.agent_id in able
        for offer, taken in ((offers.get(None), able[one.agent_id]), (offers.get(one.agent_id), None))
        if offer is not None and _has_any(offer, taken) and _has_any(offer, one.tags or None)
    }


def _has_any(tags: frozenset[str], names: Sequence[str] | None) -> bool:
    """Return whether one of these names is the slug or id of a tag; None matches always."""
    return names is None or any(name in tags or str(parse_id(name)) in tags for name in names)


async def _offers(board: Board) -> dict[UUID | None, frozenset[str]]:
    where, values = selection.open_on(board.id)
    found: dict[UUID | None, set[str]] = {}
    for row in await rows(f"{OFFERED}{where}", *values):
        tags: set[Any] = found.setdefault(as_id(row["agent_id"]), set())
        if row["tag_id"] is not None:
            tags.update((str(as_id(row["tag_id"])), row["slug"]))
    return {agent_id: frozenset(tags) for agent_id, tags in found.items()}
