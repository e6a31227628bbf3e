"""Tasks and comments over HTTP. People and agents share the functions; the agents' mirror has its own paths."""

from collections.abc import Mapping
from typing import Any

from quart import Response

from mission_control.approvals.schemas import StreamQuery
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.operations.api import Api
from mission_control.operations.hints import hints
from mission_control.operations.operation import operation
from mission_control.tasks import commands
from mission_control.tasks.comments import add_comment
from mission_control.tasks.live import stream_of_tasks
from mission_control.tasks.models import Task
from mission_control.tasks.queries import comment_read, task_read, visible_task
from mission_control.tasks.queries import list_comments as comments_page
from mission_control.tasks.queries import list_tasks as tasks_page
from mission_control.tasks.quick_add import QuickTask, understood
from mission_control.tasks.rules import refuse_fields
from mission_control.tasks.schemas import (
    BlockedTaskError,
    BoardSnapshot,
    SnapshotQuery,
    TaskCommentCreate,
    TaskCommentRead,
    TaskCreate,
    TaskQuery,
    TaskRead,
    TaskUpdate,
)
from mission_control.tasks.snapshot import board_snapshot

api = Api("tasks_api", __name__, url_prefix="/api/v1")
TAGS = ("tasks",)
BLOCKED = {409: BlockedTaskError}
TASKS = "/boards/<board_id>/tasks"
TASK = "/boards/<board_id>/tasks/<task_id>"


@operation(
    api,
    "GET",
    TASKS,
    operation_id="list_tasks_api_v1_boards__board_id__tasks_get",
    tags=TAGS,
    who="actor",
    find=visible_board,
    verb="task.read",
    query=TaskQuery,
    returns=Page[TaskRead],
)
async def list_tasks(actor: Actor, board: Board, query: TaskQuery) -> dict[str, Any]:
    """List tasks, newest first."""
    found, total = await tasks_page(board, query, actor.user_id)
    return page(found, total, query)


@operation(
    api,
    "GET",
    f"{TASKS}/stream",
    operation_id="stream_tasks_api_v1_boards__board_id__tasks_stream_get",
    tags=TAGS,
    who="actor",
    find=visible_board,
    verb="task.read",
    query=StreamQuery,
    returns=None,
    is_stream=True,
)
async def stream_tasks(actor: Actor, board: Board, query: StreamQuery) -> Response:
    """Follow tasks and comments as they change.

    A message tells what happened and carries the task as it is when the message is sent, so a replay may give its
    newest title twice and an older one never. `task` is null when it is deleted or archived by then.
    """
    return await stream_of_tasks(actor, board)


@operation(
    api,
    "POST",
    TASKS,
    operation_id="create_task_api_v1_boards__board_id__tasks_post",
    tags=TAGS,
    who="user",
    find=visible_board,
    verb="task.create",
    body=TaskCreate,
    returns=TaskRead,
    errors=BLOCKED,
)
async def create_task(actor: Actor, board: Board, data: TaskCreate) -> dict[str, Any]:
    """Put a new task on a board."""
    return await task_read((await commands.create_task(actor, board, data)).id)


@operation(
    api,
    "POST",
    f"{TASKS}/lines",
    former=(f"{TASKS}/quick",),
    operation_id="quick_add_task",
    tags=TAGS,
    who="user",
    find=visible_board,
    verb="task.create",
    body=QuickTask,
    returns=TaskRead,
)
async def quick_add_task(actor: Actor, board: Board, data: QuickTask) -> dict[str, Any]:
    """Put a task on a board that one line describes, such as `Renew the certificate @Kit #shop !high due:fri`.

    A name, tag, priority or day that does not exist stays in the title. Days are those of UTC.
    """
    above = await Task.get_or_none(id=data.after_task_id, board_id=board.id, deleted_at=None)
    task = await commands.create_task(actor, board, await understood(board, data), above=above)
    return await task_read(task.id)


@operation(
    api,
    "GET",
    TASK,
    operation_id="get_task",
    tags=(*TAGS, "agent-lead", "agent-worker"),
    who="actor",
    find=visible_task,
    returns=TaskRead,
    hints=hints(
        "agent_task_lookup",
        "any_agent",
        use="To read one task whose id you know, from a notice, a mention or a claim.",
        avoid="Not to look for tasks; list them. Not to learn what was said about it; list its comments.",
        never="Do not ask in a loop whether it has changed; read your inbox with wait_seconds.",
        route="With the id from the inbox; the board's id is your own board's.",
        example="what is this task about",
    ),
)
async def get_task(actor: Actor, task: Task) -> dict[str, Any]:
    """Read a task."""
    return await task_read(task.id)


def refuse_fields_sent(actor: Actor, task: Task, raw: Mapping[str, Any]) -> None:
    """403 for fields that an agent of this role never changes."""
    refuse_fields(actor, task, TaskUpdate.names_in(raw))


@operation(
    api,
    "PATCH",
    TASK,
    operation_id="update_task_api_v1_boards__board_id__tasks__task_id__patch",
    tags=TAGS,
    who="actor",
    find=visible_task,
    verb="task.change",
    refuses=refuse_fields_sent,
    body=TaskUpdate,
    returns=TaskRead,
    errors=BLOCKED,
)
async def update_task(actor: Actor, task: Task, data: TaskUpdate) -> dict[str, Any]:
    """Change a task; only the fields that are sent.

    What a person, a worker and a lead may change differs, and the board's rules may refuse a change of status.
    """
    await commands.change_task(actor, task, data.change())
    return await task_read(task.id)


@operation(
    api,
    "GET",
    f"{TASK}/comments",
    operation_id="list_task_comments_api_v1_boards__board_id__tasks__task_id__comments_get",
    tags=TAGS,
    who="actor",
    find=visible_task,
    query=Paging,
    returns=Page[TaskCommentRead],
)
async def list_task_comments(actor: Actor, task: Task, query: Paging) -> dict[str, Any]:
    """List a task's comments, oldest first."""
    found, total = await comments_page(task, query)
    return page(found, total, query)


@operation(
    api,
    "POST",
    f"{TASK}/comments",
    operation_id="create_task_comment_api_v1_boards__board_id__tasks__task_id__comments_post",
    tags=TAGS,
    who="actor",
    find=visible_task,
    verb="task.comment",
    body=TaskCommentCreate,
    returns=TaskCommentRead,
)
async def create_task_comment(actor: Actor, task: Task, data: TaskCommentCreate) -> dict[str, Any] | None:
    """Comment on a task."""
    return await comment_read((await add_comment(actor, task, data.message)).id)


@operation(
    api,
    "GET",
    "/boards/<board_id>/snapshot",
    operation_id="get_board_snapshot_api_v1_boards__board_id__snapshot_get",
    tags=("boards",),
    who="actor",
    find=visible_board,
    verb="board.read",
    query=SnapshotQuery,
    returns=BoardSnapshot,
)
async def get_board_snapshot(actor: Actor, board: Board, query: SnapshotQuery) -> dict[str, Any]:
    """Read everything on a board at one moment."""
    return await board_snapshot(board, archived=query.archived)
