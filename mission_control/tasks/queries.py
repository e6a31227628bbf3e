"""Read tasks as they are answered, with a fixed number of statements whatever the number of rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import orjson
from tortoise.models import Model

from mission_control.boards.models import Board
from mission_control.boards.queries import on_visible_board
from mission_control.boards.statuses import STATUSES
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import ErrorCode, Invalid, NotFound, existing
from mission_control.core.field_tables import REQUIRED, completed_row
from mission_control.core.values import Paging, page
from mission_control.database.sql import (
    Row,
    as_moment,
    first_of_all,
    in_list,
    placeholders,
    rows,
    select,
    select_columns,
    wire_moment,
)
from mission_control.events.position import Position
from mission_control.http.registry import lookup
from mission_control.http.response_cache import Cached
from mission_control.people.accounts.names import person_name
from mission_control.tasks.custom_fields.queries import Values, values_of_tasks
from mission_control.tasks.fields import BY_NAME, FIELDS, REWRITTEN
from mission_control.tasks.fields import COLUMNS as COLUMNS_OF_ANSWERS
from mission_control.tasks.models import Comment, Task
from mission_control.tasks.query import Word, conditions_of, order_of, words_of
from mission_control.tasks.schemas import TaskQuery
from mission_control.tasks.snapshots.caching import (
    ById,
    array_of,
    by_id,
    current_parts,
    listed,
    rendered_parts,
    same_for_all,
    state_of_board,
)
from mission_control.tasks.tags.commands import Tags, tags_of_tasks
from mission_control.tasks.waiting import add_reasons


def _words_in(query: TaskQuery) -> Iterator[Word]:
    if chosen := statuses(query.status):
        yield Word("", "status", tuple(chosen))
    for key, value, wanted_so in (
        ("is", "blocked", query.blocked),
        ("needs", "approval", query.needs_approval),
        ("needs", "review", query.needs_review),
        ("is", "flagged", query.flagged),
        ("is", "unassigned", query.unassigned or None),
    ):
        if wanted_so is not None:
            yield Word("", key, (value,), not wanted_so)
    for key, sign, operand in (
        ("assignee", "agent:", query.assigned_agent_id),
        ("assignee", "user:", query.assigned_user_id),
        ("due", "<", query.due_before and query.due_before.isoformat()),
        ("due", ">=", query.due_after and query.due_after.isoformat()),
    ):
        if operand is not None:
            yield Word("", key, (f"{sign}{operand}",))
    if query.priority:
        yield Word("", "priority", tuple(query.priority))
    if query.tag_id:
        yield Word("", "tag", tuple(map(str, query.tag_id)))
    yield Word(query.q or "")


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
    named = [part.strip() for part in (text or "").split(",") if part.strip()]
    if strange := [word for word in named if word not in STATUSES]:
        raise Invalid(f"Unknown status {strange[0]}; known are {', '.join(STATUSES)}.")
    return named


@completed_row(COLUMNS_OF_ANSWERS)
@dataclass(slots=True)
class TaskRow:
    """A task as the database has it: every column that answers show. These are named for the code that reads them."""

    id: UUID
    board_id: UUID
    number: int
    title: str
    description: str | None
    status: str
    priority: str
    due_at: datetime | None
    assigned_agent_id: UUID | None
    assigned_user_id: UUID | None
    in_progress_at: datetime | None
    created_at: datetime
    archived_at: datetime | None
    deleted_at: datetime | None


# The keys of queries whose values are no days.
TIMELESS = ("", "status", "is", "needs", "has", "parent", "assignee", "priority", "tag")
COLUMN_NAMES = tuple(column.name for column in fields(TaskRow))
COLUMNS = ", ".join(f"t.{name}" for name in COLUMN_NAMES)
KINDS = {name: COLUMNS_OF_ANSWERS[name] for name in COLUMN_NAMES}
ANSWER = tuple(field.name for field in FIELDS if field.is_answered and field.answer_default is REQUIRED)


@lookup
async def visible_task(actor: Actor, board_id: UUID, task_id: UUID) -> Task:
    """Raise NotFound for what is not visible; an agent reads that its task was deleted."""
    task = await any_task(actor, board_id, task_id)
    if task.deleted_at is not None:
        raise NotFound(ErrorCode.TASK_DELETED.detail()) if actor.is_agent else NotFound()
    return task


async def any_task(actor: Actor, board_id: UUID, task_id: UUID) -> Task:
    """Deleted tasks are among them."""
    return await on_visible_board(Task, actor, board_id, task_id)


async def part_of_task[Part: Model](part: type[Part], task: Task, part_id: UUID, **conditions: None) -> Part:
    row: Any = await existing(part.get_or_none(id=part_id, task_id=task.id, **conditions))
    row.task = task
    return cast(Part, row)


async def listed_tasks(board: Board, query: TaskQuery, viewer_id: UUID | None) -> tuple[list[str], int]:
    """Return the ids of the board's tasks, newest first unless another order is asked for, and their number.

    `viewer_id` is the person who asks, if it is one, whom `assignee:me` means. Raise Invalid for an unknown status.
    """
    living = "IS NOT NULL" if query.deleted else "IS NULL" if query.archived else "IS NULL AND t.archived_at IS NULL"
    since = [query.updated_since] if query.updated_since is not None else []
    words = (*_words_in(query), *words_of(query.query or "", times.clock_now()))
    narrowed, more = await conditions_of(words, viewer_id)
    where = f"t.board_id = ? AND t.deleted_at {living}{' AND t.updated_at >= ?' if since else ''}{narrowed}"
    values = [board.id, *since, *more]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM tasks t WHERE {where}", *values)
    page = f"SELECT t.id FROM tasks t WHERE {where}{ordering(query)} LIMIT ? OFFSET ?"
    ordered = await rows(page, *values, query.limit, query.offset)
    return [str(row["id"]) for row in ordered], int(total["n"])


async def list_tasks(board: Board, query: TaskQuery, viewer_id: UUID | None = None) -> tuple[list[Row], int]:
    ids, total = await listed_tasks(board, query, viewer_id)
    tasks = by_id(await tasks_read(ids))
    listed = [tasks[task_id] for task_id in ids if task_id in tasks]
    if query.include_waiting:
        await add_reasons(listed)
    return listed, total


def depends_on_time(query: TaskQuery) -> bool:
    """Whether the same list may show other tasks later, or other words about them, though nothing changed."""
    words = words_of(query.query or "", times.clock_now())
    return query.include_waiting or any(word.key not in TIMELESS for word in words)


async def _render_list(actor: Actor, board: Board, query: TaskQuery, position: Position) -> Row:
    parts = await current_parts(board, position)

    async def read() -> tuple[list[str], int]:
        return await listed_tasks(board, query, actor.user_id)

    is_by_age = query.model_fields_set <= {"limit", "offset"}
    ids, total = await (listed(parts, ("tasks", query.limit, query.offset), read) if is_by_age else read())
    items: Any = await array_of(parts, "task", ids, _tasks_by_id)
    return page(items, total, query)


async def _render_task(actor: Actor, task: Task, query: None, position: Position) -> object:
    rendered = await rendered_parts(await current_parts(task.board, position), "task", [str(task.id)], _tasks_by_id)
    if not rendered:
        raise NotFound()
    return orjson.Fragment(rendered[0])


async def _tasks_by_id(ids: list[str]) -> ById:
    return by_id(await tasks_read(ids))


def _viewer_of_list(actor: Actor, query: TaskQuery) -> tuple[UUID | None] | None:
    return None if depends_on_time(query) else (actor.user_id,) if query.query else (None,)


CACHED_LIST = Cached(state_of_board, _viewer_of_list, _render_list)
CACHED_TASK = Cached(state_of_board, same_for_all, _render_task)


async def gone_tasks(boards: Sequence[Board], kind: str, paging: Paging) -> tuple[list[Row], int]:
    if not boards:
        return [], 0
    by_id = {str(board.id): board for board in boards}
    moment, gone = ("t.deleted_at", "") if kind == "trash" else ("t.archived_at", " AND t.deleted_at IS NULL")
    where = f"FROM tasks t WHERE {moment} IS NOT NULL{gone} AND t.board_id"
    [total] = await rows(f"SELECT COUNT(*) AS n {where} IN ({placeholders(len(by_id))})", *by_id)
    each = f"SELECT t.id, t.number, t.title, t.status, t.board_id, {moment} AS gone_at {where} = ?"
    order = "gone_at DESC, id DESC"
    sql, values = first_of_all(each, [[board_id] for board_id in by_id], order, paging.limit, paging.offset)
    deleted = await rows(sql, *values)
    tasks = [row | {"gone_at": as_moment(row["gone_at"]), "board": by_id[str(row["board_id"])]} for row in deleted]
    return tasks, int(total["n"])


# What other tables have of a task `t`. Most tasks have none of it.
RELATED = (
    "EXISTS (SELECT 1 FROM task_dependencies d WHERE d.task_id = t.id)"
    " OR EXISTS (SELECT 1 FROM tasks c WHERE c.parent_id = t.id)"
    " OR EXISTS (SELECT 1 FROM tag_assignments a WHERE a.task_id = t.id)"
    " OR EXISTS (SELECT 1 FROM board_task_custom_fields f WHERE f.board_id = t.board_id)"
)


async def task_read(task_id: UUID) -> Row:
    columns = await select_columns(
        KINDS | {"has_more": bool}, f"SELECT {COLUMNS}, {RELATED} AS has_more FROM tasks t WHERE t.id = ?", task_id
    )
    if not columns["id"]:
        raise NotFound()
    if any(columns.pop("has_more")):
        return (await tasks_of(columns["board_id"][0], columns))[0]
    return serialize_tasks(columns, NO_RELATIONS)[0]


async def tasks_read(task_ids: Sequence[UUID | str]) -> list[Row]:
    if not task_ids:
        return []
    listed, ids = in_list(task_ids)
    columns = await select_columns(KINDS, f"SELECT {COLUMNS} FROM tasks t WHERE t.id IN ({listed})", *ids)
    return await tasks_of(columns["board_id"][0], columns) if columns["id"] else []


async def tasks_of(board_id: object, columns: dict[str, Sequence[Any]]) -> list[Row]:
    listed, ids = in_list(columns["id"])
    edges = await _edges(listed, ids) if ids else {}
    relations = Relations(edges, await tags_of_tasks(ids), await values_of_tasks(board_id, ids))
    return serialize_tasks(columns, relations)


@dataclass(slots=True)
class Edge:
    task_id: str
    other_id: str
    status: str
    is_part: bool


@dataclass(slots=True)
class Relations:
    """What other rows say of some tasks: what they wait for and their parts, their tags, their custom fields."""

    edges: dict[str, list[Edge]]
    tags: Tags
    values: Values

    def of(self, ids: Sequence[str], statuses: Sequence[str]) -> dict[str, Sequence[Any]]:
        edges = [[edge for edge in self.edges.get(task_id, ()) if not edge.is_part] for task_id in ids]
        parts = [[edge.status == "done" for edge in self.edges.get(task_id, ()) if edge.is_part] for task_id in ids]
        tags = [self.tags.get(task_id, []) for task_id in ids]
        blockers = [
            [] if status == "done" else [edge.other_id for edge in waited if edge.status != "done"]
            for waited, status in zip(edges, statuses, strict=True)
        ]
        return {
            "depends_on_task_ids": [[edge.other_id for edge in waited] for waited in edges],
            "tag_ids": [[tag["id"] for tag in own] for own in tags],
            "blocked_by_task_ids": blockers,
            "is_blocked": [bool(own) for own in blockers],
            "parts_count": [len(own) for own in parts],
            "parts_done_count": [sum(own) for own in parts],
            "tags": tags,
            "custom_field_values": [self.values.of(task_id) for task_id in ids],
        }


NO_RELATIONS = Relations({}, {}, Values([], []))
EDGES = """
    SELECT d.task_id, d.depends_on_task_id AS other_id, p.status, FALSE AS is_part, d.created_at, d.id
    FROM task_dependencies d
    JOIN tasks p ON p.id = d.depends_on_task_id
    WHERE p.deleted_at IS NULL AND d.task_id IN ({listed})
    UNION ALL SELECT c.parent_id, c.id, c.status, TRUE, c.created_at, c.id
    FROM tasks c
    WHERE c.deleted_at IS NULL AND c.parent_id IN ({listed})
"""


async def _edges(listed: str, ids: Sequence[str]) -> dict[str, list[Edge]]:
    edges: dict[str, list[Edge]] = {}
    sql = f"SELECT task_id, other_id, status, is_part FROM ({EDGES.format(listed=listed)}) e ORDER BY created_at, id"
    for edge in await select(Edge, sql, *ids, *ids):
        edges.setdefault(edge.task_id, []).append(edge)
    return edges


def serialize_tasks(columns: dict[str, Sequence[Any]], relations: Relations) -> list[Row]:
    """Columns that no task has come last."""
    values: Row = dict.fromkeys(ANSWER) | columns | relations.of(columns["id"], columns["status"])
    for name, rewrite in REWRITTEN.items():
        rewritten = {value: rewrite(value) for value in set(values[name])}
        values[name] = [rewritten[value] for value in values[name]]
    return [dict(zip(values, values_of_task, strict=True)) for values_of_task in zip(*values.values(), strict=True)]


async def list_comments(task: Task, paging: Paging) -> tuple[list[Row], int]:
    comments = await rows(
        f"{COMMENTS} WHERE c.task_id = ? AND c.deleted_at IS NULL ORDER BY c.created_at, c.id LIMIT ? OFFSET ?",
        task.id,
        paging.limit,
        paging.offset,
    )
    return [serialize_comment(row) for row in comments], await Comment.filter(task_id=task.id, deleted_at=None).count()


async def comment_read(comment_id: UUID) -> Row | None:
    comments = await rows(f"{COMMENTS} WHERE c.id = ? AND c.deleted_at IS NULL", comment_id)
    return serialize_comment(comments[0]) if comments else None


def new_comment_read(actor: Actor, comment: Comment) -> Row:
    written = {name: getattr(comment, name) for name in ("id", "message", "agent_id", "user_id", "task_id")}
    moments = {name: getattr(comment, name) for name in ("created_at", "edited_at")}
    return serialize_comment(written | moments | {"user_name": actor.name})


COMMENTS = (
    "SELECT c.id, c.message, c.agent_id, c.user_id, c.task_id, c.created_at, c.edited_at, c.author_name,"
    " COALESCE(a.name, c.author_name) AS agent_name,"
    f" {person_name('u', 'User')} AS user_name"
    " FROM task_comments c LEFT JOIN users u ON u.id = c.user_id LEFT JOIN agents a ON a.id = c.agent_id"
)


def serialize_comment(row: Row) -> Row:
    return {
        "id": row["id"],
        "message": row["message"],
        "agent_id": row["agent_id"],
        "task_id": row["task_id"],
        "created_at": wire_moment(row["created_at"]),
        "author": {"id": row["user_id"], "name": row["user_name"]} if row["user_id"] is not None else None,
        "edited_at": wire_moment(row["edited_at"]),
    }
