"""Turn a TaskQuery into SQL: the condition and the order of a list."""

from typing import Any
from uuid import UUID

from mission_control.boards.cards import PERSON
from mission_control.boards.priorities import rank_sql, spellings
from mission_control.boards.statuses import STATUSES
from mission_control.core.errors import Invalid
from mission_control.database.sql import placeholders
from mission_control.tasks.query_sql import BLOCKER, NEEDS, STATES, conditions
from mission_control.tasks.schemas import TaskQuery
from mission_control.tasks.task_search import matching

STATUS_RANK = f"CASE t.status {' '.join(f"WHEN '{one}' THEN {rank}" for rank, one in enumerate(STATUSES))} END"
ORDERS = {
    "created_at": "t.created_at",
    "updated_at": "t.updated_at",
    "due_at": "t.due_at",
    "priority": rank_sql("t.priority"),
    "position": "t.position",
    "title": "LOWER(t.title)",
    "number": "t.number",
    "status": STATUS_RANK,
    "assignee": "COALESCE((SELECT LOWER(g.name) FROM agents g WHERE g.id = t.assigned_agent_id),"
    f" (SELECT LOWER({PERSON}) FROM users u WHERE u.id = t.assigned_user_id))",
}
MAY_BE_UNSET = ("due_at", "assignee")
OPEN_DEPENDENCY = f"EXISTS ({BLOCKER})"

Parts = list[tuple[str, list[Any]]]


def where(board_id: UUID, query: TaskQuery, viewer_id: UUID | None = None) -> tuple[str, list[Any]]:
    """Return the condition of a list and its values. Raise Invalid for an unknown status.

    `viewer_id` is the person whom `assignee:me` means.
    """
    parts: Parts = [("t.board_id = ?", [board_id]), *_kept(query), *_states(query), *_owners(query), *_moments(query)]
    if query.priority:
        parts.append(_any_of("LOWER(t.priority)", [word for one in query.priority for word in spellings(one)]))
    if query.tag_id:
        parts.append(_any_of("a.tag_id", list(query.tag_id)))
    parts += matching(query.q or "")
    typed, more = conditions(query.query or "", viewer_id)
    return " AND ".join(text for text, _ in parts) + typed, [one for _, values in parts for one in values] + more


def order(query: TaskQuery) -> str:
    """Return the order of a list: by default the newest first, and unset values last.

    The trash begins with the task that was deleted last.
    """
    if query.deleted and query.sort is None:
        return " ORDER BY t.deleted_at DESC, t.id DESC"
    name = query.sort or "-created_at"
    column, way = ORDERS[name.removeprefix("-")], "DESC" if name.startswith("-") else "ASC"
    unset = f"{column} IS NULL, " if name.removeprefix("-") in MAY_BE_UNSET else ""
    newest = {"ASC": "DESC", "DESC": "ASC"}[way] if column == "t.position" else way
    then = "" if column == "t.created_at" else f", t.created_at {newest}"
    return f" ORDER BY {unset}{column} {way}{then}, t.id {way}"


def statuses(text: str | None) -> list[Any]:
    """Split a comma-separated list of statuses, without blanks."""
    wanted = [part.strip() for part in (text or "").split(",") if part.strip()]
    if strange := [one for one in wanted if one not in STATUSES]:
        raise Invalid(f"Unknown status {strange[0]}; known are {', '.join(STATUSES)}.")
    return wanted


def _kept(query: TaskQuery) -> Parts:
    kept: Parts = [("t.deleted_at IS NOT NULL" if query.deleted else "t.deleted_at IS NULL", [])]
    if not (query.archived or query.deleted):
        kept.append(("t.archived_at IS NULL", []))
    return kept


def _states(query: TaskQuery) -> Parts:
    parts: Parts = []
    if wanted := statuses(query.status):
        parts.append(_any_of("t.status", wanted))
    if query.blocked is True:
        parts.append((f"t.status <> 'done' AND {OPEN_DEPENDENCY}", []))
    if query.blocked is False:
        parts.append((f"(t.status = 'done' OR NOT {OPEN_DEPENDENCY})", []))
    asked = [(NEEDS["approval"], query.needs_approval), (NEEDS["review"], query.needs_review)]
    asked.append((STATES["flagged"], query.flagged))
    parts += [(sql if wanted else f"NOT COALESCE({sql}, FALSE)", []) for sql, wanted in asked if wanted is not None]
    return parts


def _owners(query: TaskQuery) -> Parts:
    parts: Parts = []
    if query.assigned_agent_id is not None:
        parts.append(("t.assigned_agent_id = ?", [query.assigned_agent_id]))
    if query.assigned_user_id is not None:
        parts.append(("t.assigned_user_id = ?", [query.assigned_user_id]))
    if query.unassigned:
        parts.append(("t.assigned_agent_id IS NULL AND t.assigned_user_id IS NULL", []))
    return parts


def _moments(query: TaskQuery) -> Parts:
    wanted = [
        ("t.due_at < ?", query.due_before),
        ("t.due_at >= ?", query.due_after),
        ("t.updated_at >= ?", query.updated_since),
    ]
    return [(text, [moment]) for text, moment in wanted if moment is not None]


def _any_of(column: str, wanted: list[Any]) -> tuple[str, list[Any]]:
    listed = f"{column} IN ({placeholders(len(wanted))})"
    if column == "a.tag_id":
        listed = f"EXISTS (SELECT 1 FROM tag_assignments a WHERE a.task_id = t.id AND {listed})"
    return listed, wanted
