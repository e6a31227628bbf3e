"""Check, replace and read the dependencies of tasks."""

from uuid import UUID

from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.database.sql import is_postgres, placeholders, rows
from mission_control.tasks.models import TaskDependency


async def dependency_ids(task_id: UUID) -> list[UUID]:
    links = await rows(
        "SELECT d.depends_on_task_id AS id FROM task_dependencies d JOIN tasks p ON p.id = d.depends_on_task_id"
        " WHERE d.task_id = ? AND p.deleted_at IS NULL ORDER BY d.created_at, d.id",
        task_id,
    )
    return [UUID(str(row["id"])) for row in links]


async def check_dependencies(board: Board, task_id: UUID, depends_on: list[UUID]) -> None:
    """Refuse a dependency on the task itself (422), on an unknown task (404) or in a circle (409).

    Lock the board, so that two edits cannot form a cycle together, and the tasks to wait for, so that none of them is
    reopened before the edit is committed.
    """
    if task_id in depends_on:
        raise Invalid("A task cannot depend on itself.")
    if not depends_on:
        return
    await locked_board(board)
    tasks = await rows(
        f"SELECT id FROM tasks WHERE board_id = ? AND deleted_at IS NULL AND id IN ({placeholders(len(depends_on))})"
        f" ORDER BY id{' FOR SHARE' if is_postgres() else ''}",
        board.id,
        *depends_on,
    )
    existing_ids = {str(row["id"]) for row in tasks}
    if missing := [str(task_id) for task_id in depends_on if str(task_id) not in existing_ids]:
        raise NotFound({"message": "Some dependencies are not on this board.", "missing_task_ids": missing})
    await refuse_cycle(board.id, task_id, depends_on)


async def refuse_cycle(board_id: UUID, task_id: UUID, depends_on: list[UUID]) -> None:
    """Raise 409 for dependencies that would form a cycle. Deleted tasks wait for nothing."""
    edges: dict[str, list[str]] = {}
    for row in await rows(
        "SELECT d.task_id, d.depends_on_task_id FROM task_dependencies d JOIN tasks t ON t.id = d.task_id"
        " JOIN tasks p ON p.id = d.depends_on_task_id"
        " WHERE d.board_id = ? AND t.deleted_at IS NULL AND p.deleted_at IS NULL",
        board_id,
    ):
        edges.setdefault(str(row["task_id"]), []).append(str(row["depends_on_task_id"]))
    waiting, seen = [str(task) for task in depends_on], set[str]()
    while waiting:
        awaited = waiting.pop()
        if awaited == str(task_id):
            raise Conflict("These dependencies would form a cycle.")
        if awaited not in seen:
            seen.add(awaited)
            waiting += edges.get(awaited, [])


async def replace_dependencies(board_id: UUID, task_id: UUID, depends_on: list[UUID]) -> None:
    await TaskDependency.filter(task_id=task_id).delete()
    for awaited_id in depends_on:
        await TaskDependency.create(board_id=board_id, task_id=task_id, depends_on_task_id=awaited_id)
