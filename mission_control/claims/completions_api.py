"""Handing in work over HTTP."""

import asyncio
from typing import Any

from mission_control.approvals.queries import pending_of
from mission_control.claims.completions import complete_run, uploads_of
from mission_control.claims.queries import CompletionCreate, CompletionRead, run_read
from mission_control.core.actor import Actor
from mission_control.core.schemas import LLMErrorResponse
from mission_control.operations.api import WORKER, Api, hints
from mission_control.tasks.api import TASK
from mission_control.tasks.models import Task
from mission_control.tasks.queries import task_read

api = Api(__name__, below="/agent")
REFUSALS = dict.fromkeys((403, 404, 409, 422), LLMErrorResponse)


@api.post(
    f"{TASK}/completions",
    CompletionRead,
    rule="task.complete",
    errors=REFUSALS,
    hints=hints(
        "agent_task_completion",
        roles=WORKER,
        use="When your work on a task you hold is finished: one call hands in the summary, links, files and figures.",
        avoid="Not for progress in between; comment, and extend your lease.",
        needs="You are a worker and hold the task; send the fence of the assignment.",
        effects="The task goes to review or done with your summary as a comment, your run ends, and people are asked"
        " for the approval that the board may require.",
        never="Do not go on with a task after a 409 with the code lease_lost; it is somebody else's now.",
        route="Any other 409 names a rule of the board that is not met yet; meet it and send the same again.",
        example="hand in my finished work",
    ),
)
async def complete_task(actor: Actor, task: Task, data: CompletionCreate) -> dict[str, Any]:
    """Hand in the work on a task.

    The summary becomes a comment, the files become attachments, and all of it is kept with the run. Where the board
    requires an approval before a task is done, people are asked for it with the summary and the evidence: when they
    approve, the task is done; when they send it back, it returns to your inbox as rework. The board's other rules
    hold: a refusal changes nothing. Sent again with the same fence it answers the same. The whole request has at most
    MAX_FILE_BYTES.
    """
    files = await asyncio.to_thread(uploads_of, data.artifacts)
    run_id = await complete_run(actor, task, data, files)
    approval = await pending_of(task.id)
    return {"task": await task_read(task.id), "run": await run_read(run_id), "approval": approval}
