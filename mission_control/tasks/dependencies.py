"""Check, replace and read the dependencies of tasks."""

from uuid import UUID

from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.core.errors import Conflict, ErrorCode, Invalid, NotFound
from mission_control.database.sql import is_postgres, placeholders, rows
from mission_control.tasks.models import TaskDependency


async def blockers_of(task_id: UUID) -> list[str]:
    """Return the ids of the unfinished tasks that this one waits for, in the order in which they were added."""
    found = await rows(
        "SELECT d.depends_on_task_id AS id FROM task_dependencies d JOIN tasks p ON p.id = d.depends_on_task_id"
        " WHERE d.task_id = ? AND p.deleted_at IS NULL AND p.status <> 'done' ORDER BY d.created_at, d.id",
        task_id,
    )
    return [str(row["id"]) for row in found]


async def dependency_ids(task_id: UUID) -> list[UUID]:
    found = await rows(
        "SELECT d.depends_on_task_id AS id FROM task_dependencies d JOIN tasks p ON p.id = d.depends_on_task_id"
        " WHERE d.task_id = ? AND p.deleted_at IS NULL ORDER BY d.created_at, d.id",
        task_id,
    )
    return [UUID(str(row["id"])) for row in found]


async def check_dependencies(board: Board, task_id: UUID, wanted: list[UUID]) -> None:
    """Refuse a dependency on the task itself (422), on an unknown task (404) or in a circle (409).

    Lock the board, so that two edits cannot form a cycle together, and the tasks to wait for, so that none of them is
    reopened before the edit is committed.
    """
    if task_id in wanted:
        raise Invalid("A task cannot depend on itself.")
    if not wanted:
        return
    await locked_board(board)
    found = await rows(
        f"SELECT id FROM tasks WHERE board_id = ? AND deleted_at IS NULL AND id IN ({placeholders(len(wanted))})"
        f" ORDER BY id{' FOR SHARE' if is_postgres() else ''}",
        board.id,
        *wanted,
    )
    known = {str(row["id"]) for row in found}
    missing = [str(one) for one in wanted if str(one) not in known]
    if missing:
        raise NotFound({"message": "Some dependencies are not on this board.", "missing_task_ids": missing})
    await refuse_cycle(board.id, task_id, wanted)


async def refuse_cycle(board_id: UUID, task_id: UUID, wanted: list[UUID]) -> None:
    """Raise 409 for dependencies that would form a cycle. Deleted tasks wait for nothing."""
    if await _reaches(board_id, wanted, task_id):
        raise Conflict("These dependencies would form a cycle.")


async def _reaches(board_id: UUID, start: list[UUID], goal: UUID) -> bool:
    edges: dict[str, list[str]] = {}
    for row in await rows(
        "SELECT d.task_id, d.depends_on_task_id FROM task_dependencies d JOIN tasks t ON t.id = d.task_id"
        " JOIN tasks p ON p.id = d.depends_on_task_id"
        " WHERE d.board_id = ? AND t.deleted_at IS NULL AND p.deleted_at IS NULL",
        board_id,
    ):
        edges.setdefault(str(row["task_id"]), []).append(str(row["depends_on_task_id"]))
    waiting, seen = [str(one) for one in start], set[str]()
    while waiting:
        one = waiting.pop()
        if one == str(goal):
            return True
        if one not in seen:
            seen.add(one)
            waiting += edges.get(one, [])
    return False


async def replace_dependencies(board_id: UUID, task_id: UUID, wanted: list[UUID]) -> None:
    """Replace the task's dependencies, in this order."""
    await TaskDependency.filter(task_id=task_id).delete()
    for one in wanted:
        await TaskDependency.create(board_id=board_id, task_id=task_id, depends_on_task_id=one)


def blocked_error(blockers: list[str], *, with_code: bool = True) -> Conflict:
    """Return the refusal to move or assign a blocked task."""
    detail = ErrorCode.TASK_BLOCKED.detail(blocked_by_task_ids=blockers)
    if not with_code:
        del detail["code"]
    return Conflict(detail)
