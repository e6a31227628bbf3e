"""Finish or send back tasks in review when an approval that asks to finish them is decided.

Approved tasks are done where every other rule allows it. Rejected ones return to the agent that submitted them.
Reopening the approval, or another decision, undoes that unless something else has happened to the task.
"""

from typing import Any
from uuid import UUID

from mission_control.approvals.finishing import asks_to_finish
from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.boards.models import Board
from mission_control.commands.reactions import Reactions
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Forbidden, Invalid
from mission_control.live.log import NewEvent
from mission_control.runs.tracking import track_run
from mission_control.tasks.changes import TaskChange, TaskSnapshot
from mission_control.tasks.commands import change_task, save_change
from mission_control.tasks.comments import write_comment
from mission_control.tasks.dependencies import blockers_of
from mission_control.tasks.locks import present_task
from mission_control.tasks.models import Task
from mission_control.tasks.rules import assign_to_lead, enter, is_worker, last_worker

reactions = Reactions()

FINISHED, NOT_FINISHED, SENT_BACK = "finished", "not_finished", "sent_back"


@reactions.to("approval.decided")
async def finish_or_send_back(actor: Actor, event: NewEvent) -> None:
    """Finish or send back the tasks in review of a decided approval."""
    decision = event.data["decision"]
    for task in await _taken_back(actor, event):
        await _link(event, task).update(decided_attempt=task.attempt)
    if decision == "rejected" or not asks_to_finish(event.data["action_type"]):
        return
    for task in await _tasks(event.data["task_ids"]):
        if task.status != "review":
            continue
        reason = None
        if decision == "approved":
            reason = await _finish(actor, task)
            outcome = FINISHED if reason is None else NOT_FINISHED
        elif await _send_back(actor, task, event.data["approval_id"], event.data["note"]):
            outcome = SENT_BACK
        else:
            continue
        await _link(event, task).update(outcome=outcome, outcome_reason=reason)


async def _tasks(task_ids: list[UUID]) -> list[Task]:
    """Return the tasks as they are now, locked; the decision has locked them already."""
    found = await Task.filter(id__in=task_ids, deleted_at=None).order_by("id").select_related("board")
    return [task for one in found if (task := await present_task(one)) is not None]


def _link(event: NewEvent, task: Task) -> Any:
    return ApprovalTask.filter(approval_id=event.data["approval_id"], task_id=task.id)


async def _finish(actor: Actor, task: Task) -> str | None:
    """Move a task to done. Return the rule that forbids it, as a sentence."""
    try:
        await change_task(actor, task, TaskChange(status="done"))
    except (Conflict, Forbidden, Invalid) as error:  # raised before anything is written
        return await _open_dependencies(task) or error.sentence
    return None


async def _open_dependencies(task: Task) -> str:
    found = await Task.filter(id__in=await blockers_of(task.id)).order_by("number")
    return f"It waits for {', '.join(f'#{one.number} {one.title}' for one in found)}." if found else ""


async def _send_back(actor: Actor, task: Task, approval_id: UUID, note: str | None) -> bool:
    """Return a task to its agent as rework. Return False when no agent has worked on it."""
    agent_id = await last_worker(task.board, task) or await _requester(task.board, approval_id)
    if agent_id is None and task.review_agent_id is None:
        return False
    now = clock.now()
    if note:
        await write_comment(actor, task, note, notify=False)
    before = TaskSnapshot(task)
    enter(task, "inbox")
    task.assigned_agent_id = agent_id
    task.rework_at = now if agent_id else None
    await track_run(actor, task, before)
    await save_change(actor, task.board, task, before, {})
    return True


async def _requester(board: Board, approval_id: UUID) -> UUID | None:
    """Return the agent that asked, when it is a worker of the board."""
    approval = await Approval.get(id=approval_id)
    return approval.agent_id if await is_worker(board, approval.agent_id) else None


@reactions.to("approval.reopened")
async def take_back_outcomes(actor: Actor, event: NewEvent) -> None:
    """Return the tasks of a reopened approval to review, unless something else happened to them."""
    await _taken_back(actor, event)


async def _taken_back(actor: Actor, event: NewEvent) -> list[Task]:
    outcomes: dict[str, str] = event.data["outcomes"]
    found = []
    for task in await _tasks([UUID(one) for one in outcomes]):
        finished = outcomes[str(task.id)] == FINISHED and task.status == "done"
        sent_back = outcomes[str(task.id)] == SENT_BACK and task.status == "inbox" and task.rework_at is not None
        if finished or sent_back:
            before = TaskSnapshot(task)
            enter(task, "review")
            await assign_to_lead(task.board, task, before.status)
            task.archived_at = None
            await track_run(actor, task, before)
            await save_change(actor, task.board, task, before, {})
            await _link(event, task).update(asked_attempt=task.attempt)
            found.append(task)
    return found
