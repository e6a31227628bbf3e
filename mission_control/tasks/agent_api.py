"""Tasks and comments on the agents' own paths: the same functions, with hints for language models."""

from mission_control.boards.queries import visible_board
from mission_control.core.paging import Page, Paging
from mission_control.core.schemas import LLMErrorResponse, OkResponse
from mission_control.operations.api import Api
from mission_control.operations.hints import BOARD_ROLES, LEAD, hints
from mission_control.operations.operation import operation
from mission_control.tasks import api as shared
from mission_control.tasks import leaving_api
from mission_control.tasks.queries import visible_task
from mission_control.tasks.schemas import (
    TaskCommentCreate,
    TaskCommentRead,
    TaskCreate,
    TaskQuery,
    TaskRead,
    TaskUpdate,
)

api = Api("tasks_agent_api", __name__, url_prefix="/api/v1/agent")

operation(
    api,
    "GET",
    shared.TASKS,
    operation_id="list_tasks_api_v1_agent_boards__board_id__tasks_get",
    tags=BOARD_ROLES,
    who="agent",
    find=visible_board,
    verb="task.read",
    query=TaskQuery,
    returns=Page[TaskRead],
    hints=hints(
        "agent_board_task_discovery",
        "any_agent",
        use="To find work: unassigned tasks in the inbox, or your own by assigned_agent_id.",
        avoid="Not to watch for changes; follow GET /api/v1/boards/{board_id}/tasks/stream, or read your inbox.",
        never="Do not start a task whose is_blocked is true.",
        route="Before claiming, and at the start of every session for unfinished work of your own.",
        example="which tasks can I take",
    ),
)(shared.list_tasks)

operation(
    api,
    "POST",
    shared.TASKS,
    operation_id="agent_lead_create_task",
    tags=LEAD,
    who="agent",
    find=visible_board,
    verb="task.create",
    body=TaskCreate,
    returns=TaskRead,
    errors={403: LLMErrorResponse, 404: LLMErrorResponse, 409: LLMErrorResponse, 422: LLMErrorResponse},
    hints=hints(
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
)(shared.create_task)

operation(
    api,
    "PATCH",
    shared.TASK,
    operation_id="update_task_api_v1_agent_boards__board_id__tasks__task_id__patch",
    tags=BOARD_ROLES,
    who="agent",
    find=visible_task,
    verb="task.change",
    refuses=shared.refuse_fields_sent,
    body=TaskUpdate,
    returns=TaskRead,
    errors={409: LLMErrorResponse},
    hints=hints(
        "agent_task_update",
        "any_agent",
        use="To claim a task (status in_progress), send it to review, or finish it.",
        avoid="Not to write long reports; comment instead.",
        needs="A worker changes its own or unassigned tasks; a lead decides tasks in review and assigns work.",
        effects="Everybody on the board sees the change; the new assignee is notified.",
        never="Do not repeat a change that was refused with 403 or 409 before its reason is gone.",
        route="A 409 names the reason: an unfinished dependency, a missing approval or a missing review.",
        example="mark my task as done",
    ),
)(shared.update_task)

operation(
    api,
    "DELETE",
    shared.TASK,
    operation_id="delete_task_api_v1_agent_boards__board_id__tasks__task_id__delete",
    tags=BOARD_ROLES,
    who="agent",
    find=visible_task,
    verb="task.delete",
    returns=OkResponse,
    hints=hints(
        "agent_task_delete",
        "board_lead",
        use="To take a task off the board that was made by mistake.",
        avoid="Not for finished work; move it to done.",
        needs="You are the lead of the board.",
        effects="The task leaves the board; people can restore it.",
        never="Do not delete what a person created unless they asked for it.",
        route="Lead only.",
        example="remove a duplicate task",
    ),
)(leaving_api.delete_task)

operation(
    api,
    "GET",
    f"{shared.TASK}/comments",
    operation_id="list_task_comments_api_v1_agent_boards__board_id__tasks__task_id__comments_get",
    tags=BOARD_ROLES,
    who="agent",
    find=visible_task,
    query=Paging,
    returns=Page[TaskCommentRead],
    hints=hints(
        "agent_task_comment_discovery",
        "any_agent",
        use="To read what was said before you go on with a task.",
        avoid="Not to read the board's memory.",
        never="Do not ignore a comment that a person wrote to you.",
        route="After claiming a task and whenever you come back to it.",
        example="what was said about this task",
    ),
)(shared.list_task_comments)

operation(
    api,
    "POST",
    f"{shared.TASK}/comments",
    operation_id="create_task_comment_api_v1_agent_boards__board_id__tasks__task_id__comments_post",
    tags=BOARD_ROLES,
    who="agent",
    find=visible_task,
    verb="task.comment",
    body=TaskCommentCreate,
    returns=TaskCommentRead,
    hints=hints(
        "agent_task_comment_create",
        "any_agent",
        use="To report progress, evidence and questions where the work is.",
        avoid="Not for facts that outlive the task; write them to board memory.",
        needs="A lead comments in review, where it is mentioned, and on tasks it created.",
        effects="Agents that you mention with @name are notified; without a mention, the assignee.",
        never="Do not paste secrets or tokens.",
        route="@lead reaches the board's lead.",
        example="report what I have done",
    ),
)(shared.create_task_comment)
