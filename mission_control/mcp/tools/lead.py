"""What a lead does: make work, hand it out, judge it, and talk to its workers."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field

from mission_control.commands.transaction import atomically
from mission_control.core.actor import Actor
from mission_control.core.declared import completed
from mission_control.core.schemas import OkResponse
from mission_control.mcp.adapters import at, perform
from mission_control.mcp.registry import Arguments, Tools
from mission_control.mcp.shapes import Priority, Ref, TaskDetail
from mission_control.mcp.task_numbers import TaskRef
from mission_control.tasks.fields import to_ask

tools = Tools()


@completed(to_ask())
class NewTask(Arguments):
    """A task to be made."""

    title: Annotated[str, Field(min_length=1, description="What is to be achieved, in one line")]
    priority: Priority = "medium"
    assigned_agent_id: Annotated[UUID | None, Field(description="A worker; left out, the first that claims it")] = None
    depends_on_task_ids: Annotated[list[TaskRef], Field(description="Tasks that must be done before this one")] = []


@tools.tool("Make a task", NewTask, TaskDetail, role="lead")
async def create_task(actor: Actor, asked: NewTask) -> tuple[str, Any]:
    """Put a new task on the board. For leads.

    Create tasks that one worker can finish in one go, and say when they are done. Leave the assignee out
    unless it must be somebody: workers claim what fits them. Name what it depends on instead of ordering by hand.
    404: an unknown worker or task. 409: it waits for other tasks and cannot have an assignee yet.
    """
    task = await perform("create_task", actor, at(actor), body=asked.model_dump())
    return f"Task #{task['number']} is on the board.", task


class Assignment(Arguments):
    """Which task goes to whom."""

    task_id: TaskRef
    agent_id: Annotated[UUID | None, Field(description="A worker of who_am_i; left out, the task is nobody's")] = None


@tools.tool("Assign a task", Assignment, TaskDetail, role="lead", repeats=True)
async def assign_task(actor: Actor, asked: Assignment) -> tuple[str, Any]:
    """Assign a task to a worker, who is notified; without agent_id, unassign it. For leads.

    403: a lead cannot be given tasks. 409 with blocked_by_task_ids: the task waits for those; assign it when they are
    done.
    """
    task = await _change(actor, asked.task_id, {"assigned_agent_id": asked.agent_id})
    return f"Task #{task['number']} is assigned." if asked.agent_id else f"Task #{task['number']} is nobody's.", task


class Review(Arguments):
    """The judgement about a task in review."""

    task_id: TaskRef
    verdict: Annotated[
        Literal["done", "send_back"],
        BeforeValidator(lambda verdict: "send_back" if verdict == "rework" else verdict),  # its former name
        Field(description="done: it is as wanted; send_back: back to its worker"),
    ]
    comment: Annotated[str, Field(min_length=1, description="Why, or what is to be changed; Markdown")]


@tools.tool("Review a task", Review, TaskDetail, role="lead")
async def review_task(actor: Actor, asked: Review) -> tuple[str, Any]:
    """Judge a task in review: accept it, or send it back to its worker with what is to be changed. For leads.

    Read the task first (get_task): the summary of the last attempt says what was done. A refusal changes nothing.
    403: the task is not in review. 409 with the code of a rule: the board asks for an approval by a person before it is
    done; request_approval, wait_for_decision, and review again.
    """
    task = await atomically(actor, lambda: _judge(actor, asked))
    return f"Task #{task['number']} is {'done' if asked.verdict == 'done' else 'back with its worker'}.", task


async def _judge(actor: Actor, asked: Review) -> Any:
    ids = at(actor, task_id=asked.task_id)
    await perform("create_task_comment", actor, ids, body={"message": asked.comment})
    return await _change(actor, asked.task_id, {"status": "done" if asked.verdict == "done" else "inbox"})


class Nudge(Arguments):
    """A word to a worker."""

    agent_id: Ref
    message: Annotated[str, Field(min_length=1, max_length=10_000)]


@tools.tool("Nudge a worker", Nudge, OkResponse, role="lead")
async def nudge(actor: Actor, asked: Nudge) -> tuple[str, Any]:
    """Put a word into the inbox of a worker that is silent or stuck. For leads.

    Not to assign work (assign_task) and not to talk about a task (comment). 404: no such agent on your board.
    """
    ids = at(actor, agent_id=asked.agent_id)
    answer = await perform("agent_lead_nudge_agent", actor, ids, body={"message": asked.message})
    return "It is in the worker's inbox.", answer


async def _change(actor: Actor, task_id: UUID, change: dict[str, Any]) -> Any:
    return await perform("update_task", actor, at(actor, task_id=task_id), body=change)
