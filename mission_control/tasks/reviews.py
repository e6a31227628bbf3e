"""Review a task: a person finishes it, or sends it back to the agent that did it."""

from copy import copy
from typing import Any
from uuid import UUID

from mission_control.approvals.decisions import CLOSED, Verdict, decide_approval
from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.approvals.payloads import asks_to_finish
from mission_control.approvals.views import pending_of
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Forbidden, Invalid
from mission_control.events.commands import command
from mission_control.events.event_log import NewEvent
from mission_control.events.unit_of_work import reacts_to
from mission_control.tasks.changes import TaskChange, locked_task, present_task
from mission_control.tasks.commands import change_task, save_change
from mission_control.tasks.comments import write_comment
from mission_control.tasks.models import Task
from mission_control.tasks.moves import move_card
from mission_control.tasks.notices import notify_reviewer
from mission_control.tasks.removal import delete_task, restore_task
from mission_control.tasks.rules import assign_to_lead, blockers_of, enter, is_worker, last_worker
from mission_control.tasks.schemas import TaskMove, TaskReview
from mission_control.tasks.seen import refuse_unseen


@command("task.review")
async def review_task(actor: Actor, task: Task, review: TaskReview) -> Task:
    """Finish a task in review, approved in the person's name, or send it back. Raise Conflict when it left review.

    Either way the pending request to finish it is decided, if there is one.
    """
    task = await locked_task(task)
    if task.status != "review":
        raise Conflict(ErrorCode.TASK_NOT_IN_REVIEW.detail())
    await refuse_unseen(task.id, review.substance)
    if review.decision == "approved":
        if words := review.words():
            await write_comment(actor, task, words, notify=False)
        return await move_card(actor, task, TaskMove(status="done", approve=True))
    return await _return(actor, task, review.words())


async def _return(actor: Actor, task: Task, note: str) -> Task:
    """Send a task back: by the pending request to finish it, if there is one, which `finish_or_send_back` follows."""
    agent_id, pending = await last_worker(task), await pending_of(task.id)
    if agent_id is None or pending is None or not asks_to_finish(pending["action_type"]):
        return await _send_back(actor, task, note, agent_id)
    approval = await Approval.get(id=pending["id"])
    approval.board = task.board
    await decide_approval(actor, approval, Verdict("changes_requested", note))
    return task


async def _send_back(actor: Actor, task: Task, note: str | None, agent_id: UUID | None) -> Task:
    """Return a task to its agent as rework; as nobody's when there is none."""
    now = times.clock_now()
    if note:
        await write_comment(actor, task, note, notify=False)
    before = copy(task)
    enter(task, "inbox")
    task.assigned_agent_id = agent_id
    task.rework_at = now if agent_id else None
    await save_change(actor, task, before)
    return task


FINISHED, NOT_FINISHED, SENT_BACK = "finished", "not_finished", "sent_back"
# What became of rejected work, by what the person said.
REJECTED = {"inbox": "returned", "mine": "taken_over", "trash": "deleted"}


@reacts_to("approval.decided")
async def finish_or_send_back(actor: Actor, event: NewEvent) -> None:
    """Finish, send back or end the tasks in review whose present attempt a decided approval is about."""
    decision, note = event.data["decision"], event.data["note"]
    await take_back_outcomes(actor, event)
    if not asks_to_finish(event.data["action_type"]):
        return
    links = await ApprovalTask.filter(approval_id=event.data["approval_id"])
    attempts = {link.task_id: link.asked_attempt for link in links if link.outcome != CLOSED}
    for task in await _present(list(attempts)):
        if task.status != "review" or task.attempt != attempts[task.id]:
            continue
        reason = None
        if decision == "approved":
            reason = await finish(actor, task)
            outcome = FINISHED if reason is None else NOT_FINISHED
        elif decision == "rejected":
            outcome = await _end(actor, task, event.data["then"], note)
        else:
            agent_id = await last_worker(task) or await _requester(task, event.data["approval_id"])
            if agent_id is None and task.review_agent_id is None:
                continue  # no agent has worked on it
            await _send_back(actor, task, note, agent_id)
            outcome = SENT_BACK
        [attempt] = await Task.filter(id=task.id).values_list("attempt", flat=True)
        await _link(event, task).update(outcome=outcome, outcome_reason=reason, decided_attempt=attempt)


async def _present(task_ids: list[UUID]) -> list[Task]:
    tasks = await Task.filter(id__in=task_ids, deleted_at=None).order_by("id").select_related("board")
    return [task for seen in tasks if (task := await present_task(seen)) is not None]


def _link(event: NewEvent, task: Task) -> Any:
    return ApprovalTask.filter(approval_id=event.data["approval_id"], task_id=task.id)


async def finish(actor: Actor, task: Task) -> str | None:
    """Move a task to done. Return the rule that forbids it, as a sentence."""
    try:
        await change_task(actor, task, TaskChange(status="done"))
    except (Conflict, Forbidden, Invalid) as error:  # raised before anything is written
        awaited = await Task.filter(id__in=await blockers_of(task.id)).order_by("number")
        names = ", ".join(f"#{blocker.number} {blocker.title}" for blocker in awaited)
        return f"It waits for {names}." if awaited else error.sentence
    return None


async def _end(actor: Actor, task: Task, then: str, note: str | None) -> str:
    """End rejected work: its task returns to the inbox as nobody's, becomes the person's, or goes to the trash."""
    if note:
        await write_comment(actor, task, note, notify=False)
    if then == "trash":
        await delete_task(actor, task)
    elif then == "mine":
        await change_task(actor, task, TaskChange(status="in_progress", assigned_user_id=actor.user_id))
    else:
        await change_task(actor, task, TaskChange(status="inbox"))
    return REJECTED[then]


async def _requester(task: Task, approval_id: UUID) -> UUID | None:
    approval = await Approval.get(id=approval_id)
    return approval.agent_id if await is_worker(task.board, approval.agent_id) else None


@reacts_to("task.status_changed")
async def notify_lead_of_review(actor: Actor, event: NewEvent) -> None:
    """Notify the lead that a task waits in review, once it is known whether people were asked about it."""
    after = event.data["after"]
    if after.get("status") != "review" or after.get("assigned_agent_id") in (None, actor.agent_id):
        return
    waits = Task.filter(id=event.scope.task_id, status="review", assigned_agent__is_board_lead=True)
    for task in await waits.select_related("board"):
        await notify_reviewer(task)


@reacts_to("approval.reopened")
async def take_back_outcomes(actor: Actor, event: NewEvent) -> None:
    """Return the tasks of a reopened approval to review, unless something else happened to them."""
    outcomes: dict[str, str] = event.data["outcomes"]
    deleted = [UUID(task_id) for task_id, outcome in outcomes.items() if outcome == REJECTED["trash"]]
    for task in await Task.filter(id__in=deleted).order_by("id").select_related("board"):
        await restore_task(actor, task)
    for task in await _present([UUID(task_id) for task_id in outcomes]):
        if not _is_there(task, outcomes[str(task.id)]):
            continue
        before = copy(task)
        if task.status != "review":
            enter(task, "review")
            await assign_to_lead(task)
        task.archived_at = None
        await save_change(actor, task, before)
        await _link(event, task).update(asked_attempt=task.attempt, decided_attempt=task.attempt)


def _is_there(task: Task, outcome: str) -> bool:
    is_free = task.assigned_agent_id is None and task.assigned_user_id is None
    where = {
        FINISHED: task.status == "done",
        SENT_BACK: task.status == "inbox" and task.rework_at is not None,
        REJECTED["inbox"]: task.status == "inbox" and is_free,
        REJECTED["mine"]: task.status == "in_progress" and task.assigned_user_id is not None,
        REJECTED["trash"]: task.status == "review",
    }
    return where.get(outcome, False)
