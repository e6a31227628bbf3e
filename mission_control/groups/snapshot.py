"""The state of a group's boards, read with two statements for all of them and one for tags."""

from typing import Any

from mission_control.accounts.names import person_name
from mission_control.boards.models import Board
from mission_control.boards.priorities import canonical, rank_sql
from mission_control.boards.schemas import BoardRead
from mission_control.core.actor import Actor
from mission_control.database.sql import placeholders, rows, wire_moment
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import group_of
from mission_control.groups.schemas import (
    MOST_TASKS,
    BoardGroupRead,
    BoardGroupSnapshotQuery,
    BoardGroupTaskSummary,
    GroupSnapshotQuery,
)
from mission_control.tags.queries import tags_of_tasks

_IN_ORDER = (
    "CASE t.status WHEN 'in_progress' THEN 0 WHEN 'review' THEN 1 WHEN 'inbox' THEN 2 WHEN 'done' THEN 3 ELSE 4 END,"
    f" {rank_sql('t.priority')} DESC,"
    " t.updated_at DESC, t.created_at DESC, t.id DESC"
)
_MOMENTS = {"due_at", "in_progress_at", "created_at", "updated_at"}


async def snapshot_of_group(actor: Actor, group: BoardGroup, query: GroupSnapshotQuery) -> dict[str, Any]:
    """Return the state of a group's boards: those that a person reads, all of them for an agent of the group."""
    boards = group.boards if actor.is_agent else [board for board in group.boards if actor.reads(board)]
    return await _serialize(group, boards, query)


async def snapshot_around(actor: Actor, board: Board, query: BoardGroupSnapshotQuery) -> dict[str, Any]:
    """Return the same for a board's group, without the board itself unless asked for."""
    group = await group_of(board)
    if group is None:
        return {"group": None, "boards": []}
    if not query.include_self:
        group.boards = [one for one in group.boards if one.id != board.id]
    return await snapshot_of_group(actor, group, query)


async def _serialize(group: BoardGroup, boards: list[Board], query: GroupSnapshotQuery) -> dict[str, Any]:
    counts = await _counts(boards)
    tasks = await _summaries(boards, query)
    return {
        "group": BoardGroupRead.of(group),
        "boards": [
            {
                "board": BoardRead.of(board),
                "task_counts": counts.get(str(board.id), {}),
                "tasks": tasks.get(str(board.id), []),
            }
            for board in boards
        ],
    }


async def _counts(boards: list[Board]) -> dict[str, dict[str, int]]:
    if not boards:
        return {}
    found = await rows(
        "SELECT board_id, status, COUNT(*) AS n FROM tasks WHERE deleted_at IS NULL AND archived_at IS NULL"
        f" AND board_id IN ({placeholders(len(boards))}) GROUP BY board_id, status ORDER BY board_id, status",
        *[board.id for board in boards],
    )
    by_board: dict[str, dict[str, int]] = {}
    for row in found:
        by_board.setdefault(str(row["board_id"]), {})[row["status"]] = int(row["n"])
    return by_board


async def _summaries(boards: list[Board], query: GroupSnapshotQuery) -> dict[str, list[dict[str, Any]]]:
    if not boards or not query.per_board_task_limit:
        return {}
    undone = "" if query.include_done else " AND t.status <> 'done'"
    found = await rows(
        "SELECT * FROM (SELECT t.id, t.board_id, t.title, t.status, t.priority, t.assigned_agent_id, t.due_at,"
        " t.in_progress_at, t.created_at, t.updated_at,"
        f" COALESCE(g.name, {person_name('u')}) AS assignee,"
        f" ROW_NUMBER() OVER (PARTITION BY t.board_id ORDER BY {_IN_ORDER}) AS place"
        " FROM tasks t LEFT JOIN agents g ON g.id = t.assigned_agent_id LEFT JOIN users u ON u.id = t.assigned_user_id"
        " WHERE t.deleted_at IS NULL AND t.archived_at IS NULL"
        f" AND t.board_id IN ({placeholders(len(boards))}){undone}) ranked WHERE place <= ? ORDER BY board_id, place",
        *[board.id for board in boards],
        min(query.per_board_task_limit, MOST_TASKS),
    )
    names = {str(board.id): board.name for board in boards}
    tags = await tags_of_tasks([row["id"] for row in found])
    by_board: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        board_id = str(row["board_id"])
        by_board.setdefault(board_id, []).append(_summary(row, names[board_id], tags.get(str(row["id"]), [])))
    return by_board


def _summary(row: dict[str, Any], board_name: str, tags: list[dict[str, Any]]) -> dict[str, Any]:
    named = {**row, "priority": canonical(row["priority"]), "board_name": board_name, "tags": tags}
    return {
        name: wire_moment(named[name]) if name in _MOMENTS else named[name]
        for name in BoardGroupTaskSummary.model_fields
    }
