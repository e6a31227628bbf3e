"""Turn a TaskQuery into SQL. What people can type is a spelling of the words of a query; the rest stands here."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from mission_control.boards.statuses import STATUSES
from mission_control.core import clock
from mission_control.core.errors import Invalid
from mission_control.tasks.fields import BY_NAME
from mission_control.tasks.query_sql import conditions_of, order_of
from mission_control.tasks.query_words import Word, words_of
from mission_control.tasks.schemas import TaskQuery


def condition_of(board_id: UUID, query: TaskQuery, viewer_id: UUID | None = None) -> tuple[str, list[Any]]:
    """Return the condition of a list and its values. Raise Invalid for an unknown status.

    `viewer_id` is the person whom `assignee:me` means.
    """
    kept = "IS NOT NULL" if query.deleted else "IS NULL" if query.archived else "IS NULL AND t.archived_at IS NULL"
    since = [query.updated_since] if query.updated_since is not None else []
    changed = " AND t.updated_at >= ?" if since else ""
    words = (*_words_in(query), *words_of(query.query or "", clock.now()))
    narrowed, values = conditions_of(words, viewer_id)
    return f"t.board_id = ? AND t.deleted_at {kept}{changed}{narrowed}", [board_id, *since, *values]


def _words_in(query: TaskQuery) -> Iterator[Word]:
    """Yield the parameters of a list as the words that people would type."""
    if wanted := statuses(query.status):
        yield _word("status", *wanted)
    for key, value, wanted_so in (
        ("is", "blocked", query.blocked),
        ("needs", "approval", query.needs_approval),
        ("needs", "review", query.needs_review),
        ("is", "flagged", query.flagged),
        ("is", "unassigned", query.unassigned or None),
    ):
        if wanted_so is not None:
            yield _word(key, value, is_excluded=not wanted_so)
    for key, sign, asked in (
        ("assignee", "agent:", query.assigned_agent_id),
        ("assignee", "user:", query.assigned_user_id),
        ("due", "<", query.due_before and query.due_before.isoformat()),
        ("due", ">=", query.due_after and query.due_after.isoformat()),
    ):
        if asked is not None:
            yield _word(key, f"{sign}{asked}")
    if query.priority:
        yield _word("priority", *query.priority)
    if query.tag_id:
        yield _word("tag", *map(str, query.tag_id))
    yield Word(query.q or "")


def _word(key: str, *values: str, is_excluded: bool = False) -> Word:
    return Word("", key, values, is_excluded)


def ordering(query: TaskQuery) -> str:
    """Return the order of a list: by default the newest first, and unset values last.

    The trash begins with the task that was deleted last.
    """
    if query.deleted and query.sort is None:
        return " ORDER BY t.deleted_at DESC, t.id DESC"
    sort = query.sort or "-created_at"
    field, way = BY_NAME[sort.removeprefix("-")], "DESC" if sort.startswith("-") else "ASC"
    column = order_of(field)
    unset = f"{column} IS NULL, " if field.is_nullable else ""
    newest = {"ASC": "DESC", "DESC": "ASC"}[way] if field.name == "position" else way
    then = "" if field.name == "created_at" else f", t.created_at {newest}"
    return f" ORDER BY {unset}{column} {way}{then}, t.id {way}"


def statuses(text: str | None) -> list[str]:
    """Split a comma-separated list of statuses, without blanks."""
    wanted = [part.strip() for part in (text or "").split(",") if part.strip()]
    if strange := [one for one in wanted if one not in STATUSES]:
        raise Invalid(f"Unknown status {strange[0]}; known are {', '.join(STATUSES)}.")
    return wanted
