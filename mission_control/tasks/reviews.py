"""Review a task: a person finishes it, or sends it back to the agent that did it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from mission_control.approvals.decisions import CLOSED
from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.approvals.payloads import asks_to_finish
from mission_control.boards.attempts import track_run
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Forbidden, Invalid
from mission_control.core.substance import Parts, refuse_changed
from mission_control.database.sql import as_json, placeholders, rows
from mission_control.log.commands import command
from mission_control.log.event_log import NewEvent
from mission_control.log.unit_of_work import Reactions
from mission_control.tasks.changes import TaskChange, TaskSnapshot, locked_task, present_task
from mission_control.tasks.commands import change_task, save_change
from mission_control.tasks.comments import write_comment
from mission_control.tasks.dependencies import blockers_of
from mission_control.tasks.leaving import delete_task, restore_task
from mission_control.tasks.models import Task
from mission_control.tasks.moves import move_card
from mission_control.tasks.notices import notify_reviewer
from mission_control.tasks.rules import assign_to_lead, enter, is_worker, last_worker
from mission_control.tasks.schemas import TaskMove, TaskReview

_SELECT = (
    "SELECT t.id, t.number, t.title, t.description, t.flag_reason, t.fence, r.agent_name, r.summary, r.evidence"
    " FROM tasks t LEFT JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence WHERE t.id IN ({})"
)


async def parts_of_tasks(task_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    """Return what is decided about tasks, by their ids."""
    if not task_ids:
        return {}
    found = await rows(_SELECT.format(placeholders(len(task_ids))), *task_ids)
    return {
        UUID(str(row["id"])): {
            "title": f"#{row['number']} {row['title']}",
            "description": row["description"],
            "result": [row["summary"], as_json(row["evidence"])],
            "run": row["agent_name"] and f"attempt {row['fence']} by {row['agent_name']}",
            "failure": row["flag_reason"],
        }
        for row in found
    }


@command("task.review")
async def review_task(actor: Actor, task: Task, review: TaskReview) -> Task:
    """Finish a task in review, approved in the person's name, or send it back. Raise Conflict when it left review."""
    task = await locked_task(task)
    if task.status != "review":
        raise Conflict(ErrorCode.TASK_NOT_IN_REVIEW.detail())
    refuse_changed(review.substance, (await parts_of_tasks([task.id]))[task.id])
    if review.decision == "approved":
        if review.note:
            await write_comment(actor, task, review.note, notify=False)
        return await move_card(actor, task, TaskMove(status="done", approve=True))
    return await _send_back(actor, task, str(review.note), await last_worker(task.board, task))


async def _send_back(actor: Actor, task: Task, note: str, agent_id: UUID | None) -> Task:
    now = times.clock_now()
    await write_comment(actor, task, note, notify=False)
    before = TaskSnapshot(task)
    enter(task, "inbox")
    task.assigned_agent_id = agent_id
    task.rework_at = now if agent_id else None
    await track_run(actor, task, before)
    await save_change(actor, task.board, task, before, {})
    return task


reactions = Reactions()

FINISHED, NOT_FINISHED, SENT_BACK = "finished", "not_finished", "sent_back"
# What became of rejected work, by what the person said.
REJECTED = {"inbox": "returned", "mine": "taken_over", "trash": "deleted"}


@reactions.to("approval.decided")
async def finish_or_send_back(actor: Actor, event: NewEvent) -> None:
    """Finish, send back or end the tasks in review whose hand-in a decided approval is about."""
    decision = event.data["decision"]
    await _taken_back(actor, event)
    if not asks_to_finish(event.data["action_type"]):
        return
    for task in await _handed_in(event):
        reason = None
        if decision == "approved":
            reason = await _finish(actor, task)
            outcome = FINISHED if reason is None else NOT_FINISHED
        elif decision == "rejected":
            outcome = await _end(actor, task, event.data["then"], event.data["note"])
        elif await _return_to_worker(actor, task, event.data["approval_id"], event.data["note"]):
            outcome = SENT_BACK
        else:
            continue
        [attempt] = await Task.filter(id=task.id).values_list("attempt", flat=True)
        await _link(event, task).update(outcome=outcome, outcome_reason=reason, decided_attempt=attempt)


async def _handed_in(event: NewEvent) -> list[Task]:
    """Return the tasks in review whose present attempt the approval was asked about."""
    links = await ApprovalTask.filter(approval_id=event.data["approval_id"])
    asked = {link.task_id: link.asked_attempt for link in links if link.outcome != CLOSED}
    tasks = await _tasks(list(asked))
    return [task for task in tasks if task.status == "review" and task.attempt == asked[task.id]]


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


async def _return_to_worker(actor: Actor, task: Task, approval_id: UUID, note: str | None) -> bool:
    """Return a task to its agent as rework. Return False when no agent has worked on it."""
    agent_id = await last_worker(task.board, task) or await _requester(task.board, approval_id)
    if agent_id is None and task.review_agent_id is None:
        return False
    now = times.clock_now()
    if note:
        await write_comment(actor, task, note, notify=False)
    before = TaskSnapshot(task)
    enter(task, "inbox")
    task.assigned_agent_id = agent_id
    task.rework_at = now if agent_id else None
    await track_run(actor, task, before)
    await save_change(actor, task.board, task, before, {})
    return True


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


async def _requester(board: Board, approval_id: UUID) -> UUID | None:
    """Return the agent that asked, when it is a worker of the board."""
    approval = await Approval.get(id=approval_id)
    return approval.agent_id if await is_worker(board, approval.agent_id) else None


@reactions.to("task.status_changed")
async def notify_lead_of_review(actor: Actor, event: NewEvent) -> None:
    """Notify the lead that a task waits in review, once it is known whether people were asked about it."""
    after = event.data["after"]
    if after.get("status") != "review" or after.get("assigned_agent_id") in (None, actor.agent_id):
        return
    waits = Task.filter(id=event.scope.task_id, status="review", assigned_agent__is_board_lead=True)
    for task in await waits.select_related("board"):
        await notify_reviewer(task.board, task)


@reactions.to("approval.reopened")
async def take_back_outcomes(actor: Actor, event: NewEvent) -> None:
    """Return the tasks of a reopened approval to review, unless something else happened to them."""
    await _taken_back(actor, event)


async def _taken_back(actor: Actor, event: NewEvent) -> None:
    outcomes: dict[str, str] = event.data["outcomes"]
    deleted = [UUID(one) for one, outcome in outcomes.items() if outcome == REJECTED["trash"]]
    for task in await Task.filter(id__in=deleted).order_by("id").select_related("board"):
        await restore_task(actor, task)
    for task in await _tasks([UUID(one) for one in outcomes]):
        if not _still(task, outcomes[str(task.id)]):
            continue
        before = TaskSnapshot(task)
        if task.status != "review":
            enter(task, "review")
            await assign_to_lead(task.board, task, before.status)
        task.archived_at = None
        await track_run(actor, task, before)
        await save_change(actor, task.board, task, before, {})
        await _link(event, task).update(asked_attempt=task.attempt, decided_attempt=task.attempt)


def _still(task: Task, outcome: str) -> bool:
    """Return whether a task is still where the decision put it."""
    is_free = task.assigned_agent_id is None and task.assigned_user_id is None
    where = {
        FINISHED: task.status == "done",
        SENT_BACK: task.status == "inbox" and task.rework_at is not None,
        REJECTED["inbox"]: task.status == "inbox" and is_free,
        REJECTED["mine"]: task.status == "in_progress" and task.assigned_user_id is not None,
        REJECTED["trash"]: task.status == "review",
    }
    return where.get(outcome, False)
