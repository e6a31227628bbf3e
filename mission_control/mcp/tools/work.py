"""Taking up work, telling how it goes, and handing it in."""

from base64 import b64encode
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from mission_control.approvals.payloads import asks_to_finish
from mission_control.claims.queries import ClaimReason, LeaseExtended, LeaseRead
from mission_control.core.actor import Actor
from mission_control.core.schemas import OkResponse
from mission_control.mcp.adapters import at, holding, perform
from mission_control.mcp.registry import Arguments, Tools
from mission_control.mcp.shapes import ApprovalState, AttemptLine, CommentLine, TaskDetail, TaskLine, status_text
from mission_control.mcp.task_numbers import TaskRef

tools = Tools()

Fence = Annotated[int, Field(ge=1, description="The fence of your lease, as claim_task answered it")]


class Wanted(Arguments):
    """What kind of work you want, for how long, and how long to wait for it."""

    wait_seconds: Annotated[int, Field(ge=0, le=50, description="How long to wait when there is none")] = 30
    task_id: Annotated[TaskRef | None, Field(description="This task and no other; it is not waited for")] = None
    tags: Annotated[list[str] | None, Field(max_length=50, description="Only tasks with any of these tags")] = None
    lease_seconds: Annotated[int, Field(ge=1, le=86_400, description="How long it is yours, from now")] = 900


class Claimed(BaseModel):
    """Your task and your lease of it; both null when there was nothing to do."""

    task: TaskDetail | None
    lease: LeaseRead | None
    reason: ClaimReason | None = None


@tools.tool("Claim a task", Wanted, Claimed, role="worker")
async def claim_task(actor: Actor, asked: Wanted) -> tuple[str, Any]:
    """Get the best task that you may work on. It is yours alone, in progress, until the lease ends.

    Call it whenever you are free. Without work it waits up to wait_seconds and answers task null; call it again then,
    nothing else is needed. Pass lease.fence to every later call about the task, and extend_lease before
    lease.expires_at. To get back to a task that you hold already (after a lost answer; list_tasks with mine shows it),
    name its task_id: you get the same fence and a new end.

    A pause or a used-up budget is waited for too; `reason` says which it was: call again. With wait_seconds 0 it is 409
    agent_paused, board_paused, organization_paused or budget_exhausted. claims_disabled: the lead hands out work here;
    read_inbox. For a named task: task_already_claimed, task_not_claimable, wip_limit_reached and others say why you
    cannot have it; claim another.
    """
    answer = await perform("claim_task", actor, at(actor), body=asked.model_dump())
    task, lease = answer["task"], answer["lease"]
    if task is None:
        why = answer["reason"]["message"] if answer["reason"] else "There is nothing to do at the moment."
        return f"{why} Call again.", answer
    until = f"{lease['expires_at']:%H:%M:%S} UTC"
    return f"Task #{task['number']} is yours until {until}, with fence {lease['fence']}: {task['title']}", answer


class Longer(Arguments):
    """Until when you need the task, counted from now."""

    task_id: TaskRef
    fence: Fence
    lease_seconds: Annotated[int, Field(ge=1, le=86_400, description="How long it is yours, from now")] = 900


@tools.tool("Extend your lease", Longer, LeaseExtended, role="worker", repeats=True)
async def extend_lease(actor: Actor, asked: Longer) -> tuple[str, Any]:
    """Keep a task for longer. Call it at about half of the lease's time while you still work on the task.

    409 lease_lost: the lease ended and the task went back or to somebody else. Stop working on it, keep nothing that
    you did not hand in for certain, and claim anew.
    """
    body = {"fence": asked.fence, "lease_seconds": asked.lease_seconds}
    answer = await perform("extend_lease", actor, at(actor, task_id=asked.task_id), body=body)
    return f"It is yours until {answer['lease']['expires_at']:%H:%M:%S} UTC.", answer


class GivenBack(Arguments):
    """Which task you give back, and why."""

    task_id: TaskRef
    fence: Fence
    reason: Annotated[str, Field(min_length=1, max_length=2_000, description="What the next one should know")]


@tools.tool("Give a task back", GivenBack, OkResponse, role="worker")
async def release_task(actor: Actor, asked: GivenBack) -> tuple[str, Any]:
    """Give back a task that you cannot or must not finish. It returns to the inbox, and others can claim it.

    Always better than letting the lease run out, which counts as a failed attempt. 409 lease_lost: you no longer
    hold it; there is nothing to give back.
    """
    body = {"fence": asked.fence, "reason": asked.reason}
    answer = await perform("release_lease", actor, at(actor, task_id=asked.task_id), body=body)
    return "It is back in the inbox.", answer


class Remark(Arguments):
    """Something to say about a task."""

    task_id: TaskRef
    message: Annotated[str, Field(min_length=1, description="Markdown; @name notifies an agent, @lead the lead")]
    fence: Annotated[int | None, Field(ge=1, description="The fence of your lease, when the task is yours")] = None


@tools.tool("Comment on a task", Remark, CommentLine)
async def comment(actor: Actor, asked: Remark) -> tuple[str, Any]:
    """Report progress, ask a question or answer one, where the work is.

    People and agents of the board see it immediately; agents that you mention with @name are notified. Comment on
    what others need to know (a decision, a surprise, an obstacle), not on every step. Facts that outlive
    the task go to remember; the end of the work goes to finish_task. A lead comments on tasks in review, on tasks it
    made, and where it is mentioned (403 otherwise). 409 lease_lost: stop working on the task.
    """
    ids = at(actor, task_id=asked.task_id)
    body = {"message": asked.message}
    return "Said.", await perform("create_task_comment", holding(actor, asked.fence), ids, body=body)


class Link(BaseModel):
    """Something that shows what was done."""

    url: Annotated[str, Field(description="An http or https address")]
    title: str | None = None


class TextFile(BaseModel):
    """A small text file that your work made."""

    name: Annotated[str, Field(min_length=1, description="Such as report.md")]
    text: str


class HandIn(Arguments):
    """What you did, what shows it, and what it used up."""

    task_id: TaskRef
    fence: Fence
    summary: Annotated[str, Field(min_length=1, max_length=100_000, description="What you did and found; Markdown")]
    status: Annotated[
        Literal["review", "done"] | None,
        Field(description="Leave it out: the board knows whether work is reviewed before it is done"),
    ] = None
    evidence: Annotated[list[Link], Field(max_length=50, description="Pull requests, test runs, documents")] = []
    files: Annotated[list[TextFile], Field(max_length=20, description="Kept with the task")] = []
    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0
    cost_usd: Annotated[Decimal, Field(ge=0, description="US dollars")] = Decimal(0)
    model: Annotated[str | None, Field(max_length=200)] = None


class HandedIn(BaseModel):
    """The task as it is now, your attempt, which has ended, and the approval that the task waits for, if any."""

    task: TaskLine
    run: AttemptLine
    approval: ApprovalState | None


@tools.tool("Finish a task", HandIn, HandedIn, role="worker", repeats=True)
async def finish_task(actor: Actor, asked: HandIn) -> tuple[str, Any]:
    """Hand in your work on a task that you hold: summary, evidence, small files, usage. Your lease ends with it.

    The summary becomes a comment, and the task goes to review or done as the board wants it. Where a person has to
    approve first, the answer carries the approval that people see now, and your part is over: when they approve,
    the task is done; when they send it back, claim_task returns it to you, and their note is its newest comment
    (get_task). Called again with the same fence it answers the same, so repeat it after a lost connection. 409
    lease_lost: somebody else has the task; stop. Every other 409 names a rule that is not met, such as an
    unfinished dependency (comment, then release_task). A refusal changes nothing; you still hold the task.
    """
    body = asked.model_dump(exclude={"task_id", "files"})
    body["artifacts"] = [_artifact(one) for one in asked.files]
    ids = at(actor, task_id=asked.task_id)
    answer = await perform("complete_task", actor, ids, body=body)
    return f"{status_text(answer['task'])}." + _what_follows(answer["approval"]), answer


def _what_follows(approval: dict[str, Any] | None) -> str:
    if approval is None:
        return ""
    if asks_to_finish(approval["action_type"]):
        return " It is done when a person approves it."
    return f" People have yet to decide about {approval['action_type']}."


def _artifact(file: TextFile) -> dict[str, str]:
    return {"name": file.name, "content_base64": b64encode(file.text.encode()).decode(), "content_type": "text/plain"}
