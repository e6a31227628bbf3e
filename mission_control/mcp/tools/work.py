"""Taking up work, telling how it goes, and handing it in."""

from base64 import b64encode
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from mission_control.core.actor import Actor
from mission_control.mcp.doors import at, holding, perform
from mission_control.mcp.registry import Arguments, tool
from mission_control.mcp.shapes import AttemptLine, CommentLine, Ref, TaskLine

Fence = Annotated[int, Field(ge=1, description="The fence of your lease, as claim_task answered it")]


class Remark(Arguments):
    """Something to say about a task."""

    task_id: Ref
    message: Annotated[str, Field(min_length=1, description="Markdown; @name tells somebody, @lead the lead")]
    fence: Annotated[int | None, Field(ge=1, description="The fence of your lease, when the task is yours")] = None


@tool("Comment on a task", Remark, CommentLine)
async def comment(actor: Actor, asked: Remark) -> tuple[str, Any]:
    """Report progress, ask a question or answer one, where the work is.

    People and agents of the board see it at once; whoever you mention with @name is told. Comment on what others
    would want to know (a decision, a surprise, something that is in the way), not on every step. Facts that outlive
    the task go to remember; the end of the work goes to finish_task. A lead comments on tasks in review, on tasks it
    made, and where it is mentioned (403 otherwise). 409 lease_lost: stop working on the task.
    """
    ids = at(actor, task_id=asked.task_id)
    body = {"message": asked.message}
    return "Said.", await perform("agent_task_comment_create", holding(actor, asked.fence), ids, body=body)


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

    task_id: Ref
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
    """The task as it is now, and your attempt, which has ended."""

    task: TaskLine
    run: AttemptLine


@tool("Finish a task", HandIn, HandedIn, role="worker", repeats=True)
async def finish_task(actor: Actor, asked: HandIn) -> tuple[str, Any]:
    """Hand in your work on a task that you hold: summary, evidence, small files, usage. Your lease ends with it.

    The summary becomes a comment, and the task goes to review or done as the board wants it. Called again with the
    same fence it answers the same, so repeat it after a lost connection. 409 lease_lost: somebody else has the task;
    stop. Every other 409 names a rule that is not met: an approval (request_approval, wait_for_decision, then again),
    an unfinished dependency (comment, then release_task). A refusal changes nothing; you still hold the task.
    """
    body = asked.model_dump(exclude={"task_id", "files"})
    body["artifacts"] = [_artifact(one) for one in asked.files]
    ids = at(actor, task_id=asked.task_id)
    answer = await perform("agent_task_completion", actor, ids, body=body)
    return f"Task #{answer['task']['number']} is in {answer['task']['status']}.", answer


def _artifact(file: TextFile) -> dict[str, str]:
    return {"name": file.name, "content_base64": b64encode(file.text.encode()).decode(), "content_type": "text/plain"}
