"""Ask for the approval that a board requires when work is submitted.

Nothing is asked when a request to finish the task is pending or approved in this attempt. A task has one pending
approval at a time: while another kind is pending, the request follows once that one is decided.
"""

from typing import Any
from uuid import UUID

from mission_control.approvals.closing import close_ask
from mission_control.approvals.commands import ask_to_finish
from mission_control.approvals.finishing import asks_to_finish
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
        "SELECT l.id, l.approval_id, l.asked_attempt, a.action_type FROM approval_task_links l"
        " JOIN approvals a ON a.id = l.approval_id WHERE l.task_id = ? AND l.is_pending",
        task.id,
    )
    for row in found:
        if not asks_to_finish(row["action_type"]) or row["asked_attempt"] == task.attempt:
            return True
        await close_ask(UUID(str(row["approval_id"])), UUID(str(row["id"])), task.id, REPLACED)
    return False


@reactions.to("approval.decided", "approval.closed")
async def ask_after_another(actor: Actor, event: NewEvent) -> None:
    """Ask for submitted tasks that waited for another approval, once that one is decided."""
    for task_id in event.data["task_ids"]:
        task = await Task.get_or_none(id=task_id, deleted_at=None).select_related("board")
        if task is not None and not await _was_answered(task, event):
            await _ask_anew(task)


@reactions.to("task.status_changed", "task.restored")
async def ask_for_returned_work(actor: Actor, event: NewEvent) -> None:
    """Ask for submitted work that is put back into review, such as by an undone move, after its request was closed."""
    if event.kind == "task.status_changed" and not _returns_to_review(event):
        return
    task = await Task.get_or_none(id=event.scope.task_id, deleted_at=None).select_related("board")
    if task is not None:
        await _ask_anew(task)


def _returns_to_review(event: NewEvent) -> bool:
    before, after = event.data["before"], event.data["after"]
    return bool(after.get("status") == "review" and before["status"] != "in_progress")


async def _ask_anew(task: Task) -> None:
    """Ask in the name of the agent that handed the work in, unless it reports later: its report then asks."""
    if task.status != "review" or not task.board.require_approval_for_done:
        return
    run = await Run.get_or_none(task_id=task.id, fence=task.fence, state="completed", summary__isnull=False)
    if run is not None:
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
