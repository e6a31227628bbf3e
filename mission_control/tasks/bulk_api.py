"""Many tasks at once, and the archive, over HTTP."""

from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import ErrorResponse
from mission_control.operations.api import Api
from mission_control.tasks import archive, bulk
from mission_control.tasks.api import TASK, TASKS
from mission_control.tasks.models import Task
from mission_control.tasks.queries import list_tasks, task_read
from mission_control.tasks.schemas import TaskQuery, TaskRead

api = Api(__name__, "tasks", who="actor")


@api.post(f"{TASKS}/changes", bulk.TaskBulkRead, rule="task.bulk", errors={409: bulk.TaskBulkError})
async def update_tasks(actor: Actor, board: Board, data: bulk.TaskChanges) -> dict[str, Any]:
    """Change many tasks, each in its own way: fields, tags, column and place, archive and trash.

    Every task passes the rules that hold for it alone. With `atomic`, the default, one refusal leaves all as it was.
    """
    return await bulk.answer_of(data, await bulk.change_tasks(actor, board, data))


@api.post(
    f"{TASKS}/bulk",
    bulk.TaskBulkRead,
    rule="task.bulk",
    errors={409: bulk.TaskBulkError},
    instead="POST /api/v1/boards/{board_id}/tasks/changes",
)
async def change_tasks(actor: Actor, board: Board, data: bulk.TaskBulk) -> dict[str, Any]:
    """Change many tasks, all in the same way."""
    wanted = data.changes()
    return await bulk.answer_of(wanted, await bulk.change_tasks(actor, board, wanted))


@api.get("/boards/<board_id>/trash", Page[TaskRead], rule="task.read")
async def list_deleted_tasks(actor: Actor, board: Board, query: Paging) -> dict[str, Any]:
    """List what was deleted from a board and can be restored, newest first."""
    found, total = await list_tasks(board, TaskQuery(limit=query.limit, offset=query.offset, deleted=True))
    return page(found, total, query)


@api.post(
    "/boards/<board_id>/archivals", archive.ArchiveRead, rule="task.archive_old", former=("/boards/<board_id>/archive",)
)
async def archive_old_tasks(actor: Actor, board: Board, data: archive.ArchiveRequest) -> dict[str, list[UUID]]:
    """Archive the tasks that were done before a moment."""
    return {"archived_task_ids": await archive.archive_old_tasks(actor, board, data.done_before)}


@api.post(f"{TASK}/archivals", TaskRead, rule="task.archive", errors={409: ErrorResponse})
async def archive_task(actor: Actor, task: Task) -> dict[str, Any]:
    """Archive a done task; lists show it only when asked to."""
    await archive.archive_task(actor, task)
    return await task_read(task.id)


@api.delete(f"{TASK}/archivals", TaskRead, rule="task.archive")
async def unarchive_task(actor: Actor, task: Task) -> dict[str, Any]:
    """Put an archived task back on its board."""
    await archive.unarchive_task(actor, task)
    return await task_read(task.id)
