"""The tasks on the board."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.boards.statuses import TaskStatus
from mission_control.core.actor import Actor
from mission_control.mcp.adapters import at, at_task, perform
from mission_control.mcp.registry import Arguments, Tools
from mission_control.mcp.shapes import (
    AttemptLine,
    CommentLine,
    FileLine,
    Sentences,
    StepLine,
    TaskDetail,
    WaitingTaskLine,
    status_text,
)
from mission_control.mcp.task_numbers import TaskRef

tools = Tools()

RECENT_COMMENTS, RECENT_ATTEMPTS, MOST_FILES = 50, 10, 100


class TaskFilter(Arguments):
    """Which tasks to list."""

    status: TaskStatus | None = None
    mine: Annotated[bool, Field(description="Only tasks that are assigned to you")] = False
    unassigned: Annotated[bool, Field(description="Only tasks that are assigned to nobody")] = False
    q: Annotated[str | None, Field(max_length=200, description="Words of title or description, or a number")] = None
    why: Annotated[bool, Field(description="Tell for each task what it waits for")] = False
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0)] = 0


class TaskLines(BaseModel):
    """A part of the board's tasks, and how many match in all."""

    tasks: list[WaitingTaskLine]
    total: int


@tools.tool("List tasks", TaskFilter, TaskLines, reads=True)
async def list_tasks(actor: Actor, asked: TaskFilter) -> tuple[str, Any]:
    """List the tasks of your board, newest first.

    Use it to look around, to find unfinished work of your own (mine), or as a lead to see what is in review. To get
    work, call claim_task instead: it picks the best task and gives it to you alone.
    """
    query = {
        "status": asked.status,
        "assigned_agent_id": actor.id if asked.mine else None,
        "unassigned": asked.unassigned or None,
        "q": asked.q,
        "include_waiting": asked.why,
        "limit": asked.limit,
        "offset": asked.offset,
    }
    page = await perform("list_tasks", actor, at(actor), query=query)
    return f"{len(page['items'])} of {page['total']} tasks.", {"tasks": page["items"], "total": page["total"]}


class TaskId(Arguments):
    """Which task."""

    task_id: TaskRef


class TaskDetails(BaseModel):
    """A task, what it waits for, the newest comments (newest last), its steps, files, and earlier attempts."""

    task: TaskDetail
    waiting: Sentences
    comments: list[CommentLine]
    comments_total: int
    checklist: list[StepLine]
    files: list[FileLine]
    attempts: list[AttemptLine]


@tools.tool("Read a task", TaskId, TaskDetails, audience="everybody", reads=True)
async def get_task(actor: Actor, asked: TaskId) -> tuple[str, Any]:
    """Read a task: description, what it waits for, the newest comments, checklist, files, and earlier attempts.

    Call it after claiming and before you do anything: comments may change what is wanted, and the summaries of
    earlier attempts say what was found out already. read_file reads a file, tick_step ticks a step, list_comments
    pages through all comments. 404: no such task where you work.
    """
    ids = await at_task(actor, asked.task_id)
    task = await perform("get_task", actor, ids)
    comments, total = await _newest_comments(actor, ids)
    steps = await perform("list_checklist", actor, ids)
    files = await perform("list_attachments", actor, ids, query={"limit": MOST_FILES})
    reasons = await perform("explain_waiting", actor, ids)
    attempts = await perform("list_task_runs", actor, ids, query={"limit": RECENT_ATTEMPTS})
    values = {
        "task": task,
        "waiting": reasons["reasons"],
        "comments": comments,
        "comments_total": total,
        "checklist": steps["items"],
        "files": files["items"],
        "attempts": attempts["items"],
    }
    return f"{status_text(task)}: {task['title']}", values


async def _newest_comments(actor: Actor, ids: dict[str, UUID]) -> tuple[list[Any], int]:
    page = await perform("list_task_comments", actor, ids, query={"limit": RECENT_COMMENTS})
    if page["total"] > RECENT_COMMENTS:
        skipped = {"limit": RECENT_COMMENTS, "offset": page["total"] - RECENT_COMMENTS}
        page = await perform("list_task_comments", actor, ids, query=skipped)
    return page["items"], page["total"]
