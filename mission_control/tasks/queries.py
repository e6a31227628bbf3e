"""Reading tasks: raw SQL into wire shapes, a fixed number of statements whatever the number of rows."""

from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound
from mission_control.core.paging import Paging
from mission_control.database.sql import placeholders, rows, wire_moment
from mission_control.tasks.models import STATUSES, Comment, Task
from mission_control.tasks.schemas import TaskQuery

COLUMNS = (
    "t.id, t.board_id, t.number, t.title, t.description, t.status, t.priority, t.due_at, t.assigned_agent_id,"
    " t.assigned_user_id, t.created_by_user_id, t.in_progress_at, t.created_at, t.updated_at"
)
NEWEST_FIRST = " ORDER BY t.created_at DESC, t.id DESC"


async def visible_task(actor: Actor, board_id: UUID, task_id: UUID) -> Task:
    """A live task on a board that exists for this actor; NotFound otherwise."""
    task = await any_task(actor, board_id, task_id)
    if task.deleted_at is not None:
        raise NotFound()
    return task


async def any_task(actor: Actor, board_id: UUID, task_id: UUID) -> Task:
    """The same, deleted ones included."""
    board = await visible_board(actor, board_id)
    task = await Task.get_or_none(id=task_id, board_id=board.id)
    if task is None:
        raise NotFound()
    task.board = board
    return task


async def list_tasks(board: Board, query: TaskQuery) -> tuple[list[dict[str, Any]], int]:
    """The board's tasks, newest first, and how many there are. Unknown status: Invalid."""
    where, values = "t.board_id = ? AND t.deleted_at IS NULL", [board.id]
    if statuses := _statuses(query.status):
        where += f" AND t.status IN ({placeholders(len(statuses))})"
        values += statuses
    if query.assigned_agent_id is not None:
        where, values = where + " AND t.assigned_agent_id = ?", [*values, query.assigned_agent_id]
    if query.unassigned:
        where += " AND t.assigned_agent_id IS NULL AND t.assigned_user_id IS NULL"
    [total] = await rows(f"SELECT COUNT(*) AS n FROM tasks t WHERE {where}", *values)
    page = f"SELECT {COLUMNS} FROM tasks t WHERE {where}{NEWEST_FIRST} LIMIT ? OFFSET ?"
    found = await rows(page, *values, query.limit, query.offset)
    edges = await _edges_of([row["id"] for row in found])
    return [wire_task(row, edges) for row in found], int(total["n"])


def _statuses(text: str | None) -> list[Any]:
    wanted = [part.strip() for part in (text or "").split(",") if part.strip()]
    if strange := [one for one in wanted if one not in STATUSES]:
        raise Invalid(f"Unknown status {strange[0]}; known are {', '.join(STATUSES)}.")
    return wanted


async def task_read(task_id: UUID) -> dict[str, Any]:
    """One task in its wire shape."""
    found = await rows(f"SELECT {COLUMNS} FROM tasks t WHERE t.id = ?", task_id)
    if not found:
        raise NotFound()
    return wire_task(found[0], await _edges_of([task_id]))


Edges = dict[str, list[tuple[str, bool]]]


async def _edges_of(task_ids: list[Any]) -> Edges:
    if not task_ids:
        return {}
    return _grouped(
        await rows(
            "SELECT d.task_id, d.depends_on_task_id, p.status FROM task_dependencies d"
            " JOIN tasks p ON p.id = d.depends_on_task_id"
            f" WHERE p.deleted_at IS NULL AND d.task_id IN ({placeholders(len(task_ids))})"
            " ORDER BY d.created_at, d.id",
            *task_ids,
        )
    )


async def edges_of_board(board_id: UUID) -> Edges:
    """What every task of a board depends on, and which of that is unfinished."""
    return _grouped(
        await rows(
            "SELECT d.task_id, d.depends_on_task_id, p.status FROM task_dependencies d"
            " JOIN tasks p ON p.id = d.depends_on_task_id"
            " WHERE p.deleted_at IS NULL AND d.board_id = ? ORDER BY d.created_at, d.id",
            board_id,
        )
    )


def _grouped(found: list[dict[str, Any]]) -> Edges:
    edges: Edges = {}
    for row in found:
        edges.setdefault(str(row["task_id"]), []).append((str(row["depends_on_task_id"]), row["status"] != "done"))
    return edges


def wire_task(row: dict[str, Any], edges: Edges) -> dict[str, Any]:
    """A row of `COLUMNS` as TaskRead."""
    waits_for = edges.get(str(row["id"]), [])
    blockers = [one for one, is_open in waits_for if is_open] if row["status"] != "done" else []
    return {
        "title": row["title"],
        "description": row["description"],
        "status": row["status"],
        "priority": row["priority"],
        "due_at": wire_moment(row["due_at"]),
        "assigned_agent_id": row["assigned_agent_id"],
        "depends_on_task_ids": [one for one, _ in waits_for],
        "tag_ids": [],
        "id": row["id"],
        "board_id": row["board_id"],
        "created_by_user_id": row["created_by_user_id"],
        "in_progress_at": wire_moment(row["in_progress_at"]),
        "created_at": wire_moment(row["created_at"]),
        "updated_at": wire_moment(row["updated_at"]),
        "blocked_by_task_ids": blockers,
        "is_blocked": bool(blockers),
        "tags": [],
        "custom_field_values": {},
        "number": row["number"],
        "assigned_user_id": row["assigned_user_id"],
    }


async def list_comments(task: Task, paging: Paging) -> tuple[list[dict[str, Any]], int]:
    """The task's comments, oldest first, and how many there are."""
    found = await rows(
        f"{COMMENTS} WHERE c.task_id = ? ORDER BY c.created_at, c.id LIMIT ? OFFSET ?",
        task.id,
        paging.limit,
        paging.offset,
    )
    return [wire_comment(row) for row in found], await Comment.filter(task_id=task.id).count()


async def comment_read(comment_id: UUID) -> dict[str, Any] | None:
    """One comment in its wire shape."""
    found = await rows(f"{COMMENTS} WHERE c.id = ?", comment_id)
    return wire_comment(found[0]) if found else None


COMMENTS = (
    "SELECT c.id, c.message, c.agent_id, c.user_id, c.task_id, c.created_at, c.author_name,"
    " COALESCE(a.name, c.author_name) AS agent_name,"
    " COALESCE(u.preferred_name, u.name, u.email, 'User') AS user_name"
    " FROM task_comments c LEFT JOIN users u ON u.id = c.user_id LEFT JOIN agents a ON a.id = c.agent_id"
)


def wire_comment(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `COMMENTS` as TaskCommentRead."""
    return {
        "id": row["id"],
        "message": row["message"],
        "agent_id": row["agent_id"],
        "task_id": row["task_id"],
        "created_at": wire_moment(row["created_at"]),
        "author": {"id": row["user_id"], "name": row["user_name"]} if row["user_id"] is not None else None,
    }
