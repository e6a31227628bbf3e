"""What a lead does: make work, hand it out, judge it, and talk to its workers."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field

from mission_control.commands.transaction import atomically
from mission_control.mcp.arguments import REQUIRED, own, shown, takes
from mission_control.mcp.registry import Call, Said, Tools
from mission_control.mcp.shapes import ID, TASK, TASK_DETAIL, new_task

tools = Tools()
Verdict = Annotated[
    Literal["done", "send_back"],
    BeforeValidator(lambda verdict: "send_back" if verdict == "rework" else verdict),  # its former name
]
Word = Annotated[str, Field(min_length=1)]


@tools.tool(
    "Make a task",
    takes("create_task", **new_task("A worker; left out, the first that claims it")),
    TASK_DETAIL,
    role="lead",
)
async def create_task(call: Call) -> Said:
    """Put a new task on the board. For leads.

    Create tasks that one worker can finish in one go, and say when they are done. Leave the assignee out
    unless it must be somebody: workers claim what fits them. Name what it depends on instead of ordering by hand.
    404: an unknown worker or task. 409: it waits for other tasks and cannot have an assignee yet.
    """
    task = await call.perform()
    return f"Task #{task['number']} is on the board.", task


@tools.tool(
    "Assign a task",
    takes(
        "update_task",
        task_id=TASK,
        agent_id=shown(
            "A worker of who_am_i; left out, the task is nobody's", "assigned_agent_id", kind=UUID | None, default=None
        ),
    ),
    TASK_DETAIL,
    role="lead",
    repeats=True,
)
async def assign_task(call: Call) -> Said:
    """Assign a task to a worker, who is notified; without agent_id, unassign it. For leads.

    403: a lead cannot be given tasks. 409 with blocked_by_task_ids: the task waits for those; assign it when they are
    done.
    """
    task = await call.perform()
    return f"Task #{task['number']} is assigned." if call["agent_id"] else f"Task #{task['number']} is nobody's.", task


@tools.tool(
    "Review a task",
    takes(
        "update_task",
        task_id=TASK,
        verdict=own(Verdict, REQUIRED, "done: it is as wanted; send_back: back to its worker"),
        comment=own(Word, REQUIRED, "Why, or what is to be changed; Markdown"),
    ),
    TASK_DETAIL,
    role="lead",
)
async def review_task(call: Call) -> Said:
    """Judge a task in review: accept it, or send it back to its worker with what is to be changed. For leads.

    Read the task first (get_task): the summary of the last attempt says what was done. A refusal changes nothing.
    403: the task is not in review. 409 with the code of a rule: the board asks for an approval by a person before it is
    done; request_approval, wait_for_decision, and review again.
    """
    is_done = call["verdict"] == "done"

    async def judge() -> Any:
        await call.about("create_task_comment", message=call["comment"])
        return await call.perform(status="done" if is_done else "inbox")

    task = await atomically(call.actor, judge)
    return f"Task #{task['number']} is {'done' if is_done else 'back with its worker'}.", task


@tools.tool("Nudge a worker", takes("agent_lead_nudge_agent", agent_id=ID, message=""), role="lead")
async def nudge(call: Call) -> Said:
    """Put a word into the inbox of a worker that is silent or stuck. For leads.

    Not to assign work (assign_task) and not to talk about a task (comment). 404: no such agent on your board.
    """
    return "It is in the worker's inbox.", await call.perform()
