"""Tasks and comments over HTTP. People and agents share the functions; the agents' mirror has its own paths."""

from quart import Response

from mission_control.approvals.schemas import StreamQuery
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.values import OK, ErrorResponse, JsonObject, LLMErrorResponse, OkResponse, Page, Paging, page
from mission_control.http.operation_api import Api, hints
from mission_control.tasks import attachments, commands, comments, queries, schemas
from mission_control.tasks.models import Attachment, Comment, Task
from mission_control.tasks.quick_add import QuickTask, understood
from mission_control.tasks.rules import refuse_fields
from mission_control.tasks.snapshots.streams import CACHED_SNAPSHOT, board_snapshot, stream_of_tasks

api = Api(__name__, "tasks", who="actor")
BLOCKED = {409: schemas.BlockedTaskError}
TASKS = "/boards/<board_id>/tasks"
TASK = "/boards/<board_id>/tasks/<task_id>"


@api.get(
    TASKS,
    Page[schemas.TaskRead],
    rule="task.read",
    cached=queries.CACHED_LIST,
    agents=hints(
        "agent_board_task_discovery",
        use="To find work: unassigned tasks in the inbox, or your own by assigned_agent_id.",
        avoid="Not to watch for changes; follow GET /api/v1/boards/{board_id}/tasks/stream, or read your inbox.",
        never="Do not start a task whose is_blocked is true.",
        route="Before claiming, and at the start of every session for unfinished work of your own.",
        example="which tasks can I take",
    ),
)
async def list_tasks(actor: Actor, board: Board, query: schemas.TaskQuery) -> JsonObject:
    """List tasks, newest first."""
    return page(*await queries.list_tasks(board, query, actor.user_id), query)


@api.get(f"{TASKS}/stream", rule="task.read", is_stream=True)
async def stream_tasks(actor: Actor, board: Board, query: StreamQuery) -> Response:
    """Follow tasks and comments as they change.

    A message tells what happened and carries the task as it is when the message is sent, so a replay may give its
    newest title twice and an older one never. `task` is null when it is deleted or archived by then.
    """
    return await stream_of_tasks(actor, board)


@api.post(
    TASKS,
    schemas.TaskRead,
    who="user",
    rule="task.create",
    errors=BLOCKED,
    agents=hints(
        "delegate_work",
        "board_lead",
        use="To split a goal into work that workers can take.",
        avoid="Not to describe progress; comment on the task that exists.",
        needs="You are the lead of the board.",
        effects="The task appears on the board and its assignee is notified.",
        never="Do not assign it to a lead, and do not set status or assignee while it waits for other tasks.",
        route="Lead only; a worker asks the lead in a comment.",
        example="give a worker a new piece of work",
    ),
    agents_errors=dict.fromkeys((403, 404, 409, 422), LLMErrorResponse),
)
async def create_task(actor: Actor, board: Board, data: schemas.TaskCreate) -> JsonObject:
    """Put a new task on a board."""
    return await queries.task_read((await commands.create_task(actor, board, data)).id)


@api.post(f"{TASKS}/lines", schemas.TaskRead, who="user", rule="task.create")
async def quick_add_task(actor: Actor, board: Board, data: QuickTask) -> JsonObject:
    """Put a task on a board that one line describes, such as `Renew the certificate @Kit #shop !high due:fri`.

    A name, tag, priority or day that does not exist stays in the title. Days are those of UTC.
    """
    above = await Task.get_or_none(id=data.after_task_id, board_id=board.id, deleted_at=None)
    task = await commands.create_task(actor, board, await understood(board, data), above=above)
    return await queries.task_read(task.id)


@api.get(
    TASK,
    schemas.TaskRead,
    cached=queries.CACHED_TASK,
    hints=hints(
        "agent_task_lookup",
        use="To read one task whose id you know, from a notice, a mention or a claim.",
        avoid="Not to look for tasks; list them. Not to learn what was said about it; list its comments.",
        never="Do not ask in a loop whether it has changed; read your inbox with wait_seconds.",
        route="With the id from the inbox; the board's id is your own board's.",
        example="what is this task about",
    ),
)
async def get_task(actor: Actor, task: Task) -> JsonObject:
    """Read a task."""
    return await queries.task_read(task.id)


@api.patch(
    TASK,
    schemas.TaskRead,
    rule="task.change",
    refuses=lambda actor, task, raw: refuse_fields(actor, task, schemas.TaskUpdate.names_in(raw)),
    errors=BLOCKED,
    agents=hints(
        "agent_task_update",
        use="To claim a task (status in_progress), send it to review, or finish it.",
        avoid="Not to write long reports; comment instead.",
        needs="A worker changes its own or unassigned tasks; a lead decides tasks in review and assigns work.",
        effects="Everybody on the board sees the change; the new assignee is notified.",
        never="Do not repeat a change that was refused with 403 or 409 before its reason is gone.",
        route="A 409 names the reason: an unfinished dependency, a missing approval or a missing review.",
        example="mark my task as done",
    ),
    agents_errors={409: LLMErrorResponse},
)
async def update_task(actor: Actor, task: Task, data: schemas.TaskUpdate) -> JsonObject:
    """Change a task; only the fields that are sent.

    What a person, a worker and a lead may change differs, and the board's rules may refuse a change of status.
    """
    return await queries.task_read((await commands.change_task(actor, task, data.change())).id)


@api.get(
    f"{TASK}/comments",
    Page[schemas.TaskCommentRead],
    agents=hints(
        "agent_task_comment_discovery",
        use="To read what was said before you go on with a task.",
        avoid="Not to read the board's memory.",
        never="Do not ignore a comment that a person wrote to you.",
        route="After claiming a task and whenever you come back to it.",
        example="what was said about this task",
    ),
)
async def list_task_comments(actor: Actor, task: Task, query: Paging) -> JsonObject:
    """List a task's comments, oldest first."""
    return page(*await queries.list_comments(task, query), query)


@api.post(
    f"{TASK}/comments",
    schemas.TaskCommentRead,
    rule="task.comment",
    agents=hints(
        "agent_task_comment_create",
        use="To report progress, evidence and questions where the work is.",
        avoid="Not for facts that outlive the task; write them to board memory.",
        needs="A lead comments in review, where it is mentioned, and on tasks it created.",
        effects="Agents that you mention with @name are notified; without a mention, the assignee.",
        never="Do not paste secrets or tokens.",
        route="@lead reaches the board's lead.",
        example="report what I have done",
    ),
)
async def create_task_comment(actor: Actor, task: Task, data: schemas.TaskCommentCreate) -> JsonObject:
    """Comment on a task."""
    return queries.new_comment_read(actor, await comments.add_comment(actor, task, data.message))


@api.get(
    "/boards/<board_id>/snapshot", schemas.BoardSnapshot, tags=("boards",), rule="board.read", cached=CACHED_SNAPSHOT
)
async def get_board_snapshot(actor: Actor, board: Board, query: schemas.SnapshotQuery) -> JsonObject:
    """Read everything on a board at one moment."""
    return await board_snapshot(actor, board, query)


FILES = f"{TASK}/attachments"
FILE = f"{FILES}/<attachment_id>"
COMMENT = f"{TASK}/comments/<comment_id>"


@api.get(FILES, Page[attachments.AttachmentRead])
async def list_attachments(actor: Actor, task: Task, query: Paging) -> JsonObject:
    """List a task's files, oldest first."""
    return page(*await attachments.list_attachments(task, query), query)


@api.post(
    FILES,
    attachments.AttachmentRead,
    rule="task.attach",
    errors={409: ErrorResponse, 413: ErrorResponse},
    form=attachments.FORM,
)
async def attach_file(actor: Actor, task: Task) -> JsonObject:
    """Put a file on a task, or on a comment of your own.

    The request is a form with the field `file`. What the file is decides its content; images, PDF and plain text can
    be shown by a browser, everything else is only downloaded.
    """
    attachment = await attachments.attach(actor, task, await attachments.received_file())
    return await attachments.attachment_read(attachment.id)


@api.get(FILE, attachments.AttachmentRead)
async def get_attachment(actor: Actor, attachment: Attachment) -> JsonObject:
    """Read what a file is, without its bytes."""
    return await attachments.attachment_read(attachment.id)


@api.get(f"{FILE}/content", media=(attachments.DOWNLOAD, *sorted(attachments.INLINE_TYPES)))
async def get_attachment_content(actor: Actor, attachment: Attachment) -> Response:
    """Read the bytes of a file."""
    return await attachments.content_response(attachment)


@api.delete(FILE, rule="task.detach")
async def remove_attachment(actor: Actor, attachment: Attachment) -> OkResponse:
    """Remove a file for good."""
    await attachments.detach(actor, attachment)
    return OK


@api.get(COMMENT, schemas.TaskCommentRead)
async def get_task_comment(actor: Actor, comment: Comment) -> JsonObject | None:
    """Read a comment."""
    return await queries.comment_read(comment.id)


@api.patch(COMMENT, schemas.TaskCommentRead, rule="task.edit_comment")
async def edit_task_comment(actor: Actor, comment: Comment, data: schemas.TaskCommentEdit) -> JsonObject | None:
    """Put other words into a comment of your own."""
    return await queries.comment_read((await comments.edit_comment(actor, comment, data.message)).id)


@api.delete(COMMENT, rule="task.delete_comment")
async def delete_task_comment(actor: Actor, comment: Comment) -> OkResponse:
    """Take a comment away; its author may, and so may administrators."""
    await comments.delete_comment(actor, comment)
    return OK
