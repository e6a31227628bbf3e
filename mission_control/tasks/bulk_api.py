"""Many tasks at once, and the archive, over HTTP."""

from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.core.schemas import ErrorResponse
from mission_control.operations.api import Api
from mission_control.operations.operation import operation
from mission_control.tasks import archive, bulk
from mission_control.tasks.api import TAGS, TASK, TASKS
from mission_control.tasks.models import Task
from mission_control.tasks.queries import list_tasks, task_read, visible_task
from mission_control.tasks.schemas import TaskQuery, TaskRead

api = Api("tasks_bulk_api", __name__, url_prefix="/api/v1")


@operation(
    api,
    "POST",
    f"{TASKS}/changes",
    operation_id="update_tasks",
    tags=TAGS,
    who="actor",
    find=visible_board,
    verb="task.bulk",
    body=bulk.TaskChanges,
    returns=bulk.TaskBulkRead,
    errors={409: bulk.TaskBulkError},
)
async def update_tasks(actor: Actor, board: Board, data: bulk.TaskChanges) -> dict[str, Any]:
    """Change many tasks, each in its own way: fields, tags, column and place, archive and trash.

    Every task passes the rules that hold for it alone. With `atomic`, the default, one refusal leaves all as it was.
    """
    return await bulk.answer_of(data, await bulk.change_tasks(actor, board, data))


@operation(
    api,
    "POST",
    f"{TASKS}/bulk",
    instead="POST /api/v1/boards/{board_id}/tasks/changes",
    operation_id="change_tasks",
    tags=TAGS,
    who="actor",
    find=visible_board,
    verb="task.bulk",
    body=bulk.TaskBulk,
    returns=bulk.TaskBulkRead,
    errors={409: bulk.TaskBulkError},
)
async def change_tasks(actor: Actor, board: Board, data: bulk.TaskBulk) -> dict[str, Any]:
    """Change many tasks, all in the same way."""
    wanted = data.changes()
    return await bulk.answer_of(wanted, await bulk.change_tasks(actor, board, wanted))


@operation(
    api,
    "GET",
    "/boards/<board_id>/trash",
    operation_id="list_deleted_tasks",
    tags=TAGS,
    who="actor",
    find=visible_board,
    verb="task.read",
    query=Paging,
    returns=Page[TaskRead],
)
async def list_deleted_tasks(actor: Actor, board: Board, query: Paging) -> dict[str, Any]:
    """List what was deleted from a board and can be restored, newest first."""
    found, total = await list_tasks(board, TaskQuery(limit=query.limit, offset=query.offset, deleted=True))
    return page(found, total, query)


@operation(
    api,
    "POST",
    "/boards/<board_id>/archivals",
    former=("/boards/<board_id>/archive",),
    operation_id="archive_old_tasks",
    tags=TAGS,
    who="actor",
    find=visible_board,
    verb="task.archive_old",
    body=archive.ArchiveRequest,
    returns=archive.ArchiveRead,
)
async def archive_old_tasks(actor: Actor, board: Board, data: archive.ArchiveRequest) -> dict[str, list[UUID]]:
    """Archive the tasks that were done before a moment."""
    return {"archived_task_ids": await archive.archive_old_tasks(actor, board, data.done_before)}


@operation(
    api,
    "POST",
    f"{TASK}/archivals",
    operation_id="archive_task",
    tags=TAGS,
    who="actor",
    find=visible_task,
    verb="task.archive",
    returns=TaskRead,
    errors={409: ErrorResponse},
)
async def archive_task(actor: Actor, task: Task) -> dict[str, Any]:
    """Archive a done task; lists show it only when asked to."""
    await archive.archive_task(actor, task)
    return await task_read(task.id)


@operation(
    api,
    "DELETE",
    f"{TASK}/archivals",
    operation_id="unarchive_task",
    tags=TAGS,
    who="actor",
    find=visible_task,
    verb="task.archive",
    returns=TaskRead,
)
async def unarchive_task(actor: Actor, task: Task) -> dict[str, Any]:
    """Put an archived task back on its board."""
    await archive.unarchive_task(actor, task)
    return await task_read(task.id)
