"""Ask for the approval that a board requires when work is submitted.

Nothing is asked when a request to finish the task is pending or approved in this attempt. A task has one pending
approval at a time: while another kind is pending, the request follows once that one is decided.
"""

from typing import Any

from mission_control.approvals.commands import ask_to_finish
from mission_control.approvals.decisions import close_approval, locked_approval, task_ids_of
from mission_control.approvals.finishing import asks_to_finish
from mission_control.approvals.models import Approval
from mission_control.approvals.queries import is_finish_approved
from mission_control.commands.reactions import Reactions
from mission_control.commands.unit_of_work import acting_as
from mission_control.core.actor import Actor, system
from mission_control.database.sql import as_json, rows
from mission_control.live.log import NewEvent
from mission_control.runs.models import Run
from mission_control.tasks.models import Task

reactions = Reactions()

REPLACED = "Closed because the work was handed in anew, with a request of its own."
CERTAIN = 100.0


async def ask_for_approval(actor: Actor, task: Task, run: Run, confidence: float | None = None) -> None:
    """Ask people whether a task is finished, unless they were asked already. The calling command holds the task."""
    if task.status != "review" or not task.board.require_approval_for_done:
        return
    if await is_finish_approved(task.id) or await _must_wait(actor, task):
        return
    payload: dict[str, Any] = {"reason": run.summary, "evidence": as_json(run.evidence) or [], "fence": run.fence}
    if confidence is not None:
        payload["confidence"] = confidence
    await ask_to_finish(task.board, task.id, run, payload, CERTAIN if confidence is None else confidence)


async def _must_wait(actor: Actor, task: Task) -> bool:
    """Return whether an approval of the task is pending. Close a request to finish an earlier attempt."""
    found = await rows(
        "SELECT l.approval_id, l.asked_attempt FROM approval_task_links l WHERE l.task_id = ? AND l.is_pending", task.id
    )
    for row in found:
        pending = await Approval.get(id=row["approval_id"])
        pending.board = task.board
        pending = await locked_approval(pending)
        is_outdated = asks_to_finish(pending.action_type) and row["asked_attempt"] != task.attempt
        if not is_outdated or len(await task_ids_of(pending)) > 1:
            return True
        with acting_as(system(task.board.organization_id)) as itself:
            await close_approval(itself, pending, task.id, REPLACED)
    return False


@reactions.to("approval.decided")
async def ask_after_another(actor: Actor, event: NewEvent) -> None:
    """Ask for submitted tasks that waited for another approval, once that one is decided."""
    for task_id in event.data["task_ids"]:
        task = await Task.get_or_none(id=task_id, deleted_at=None, status="review").select_related("board")
        if task is None or await _was_answered(task, event):
            continue
        run = await Run.get_or_none(task_id=task.id, fence=task.fence, state="completed", summary__isnull=False)
        if run is not None and not await Approval.exists(run_id=run.id):
            with acting_as(system(task.board.organization_id)) as itself:
                await ask_for_approval(itself, task, run)


async def _was_answered(task: Task, event: NewEvent) -> bool:
    """Return whether this decision was about finishing this attempt of the task."""
    if not asks_to_finish(event.data["action_type"]):
        return False
    link = await rows(
        "SELECT asked_attempt FROM approval_task_links WHERE approval_id = ? AND task_id = ?",
        event.data["approval_id"],
        task.id,
    )
    return bool(link) and link[0]["asked_attempt"] == task.attempt
