"""Request and reopen approvals. `decisions.py` decides and closes them."""

from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.approvals import closures, decisions, votes
from mission_control.approvals.decisions import Verdict
from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.approvals.payloads import FINISH
from mission_control.approvals.queries import outcomes_of
from mission_control.approvals.schemas import ApprovalCreate, ApprovalUpdate
from mission_control.boards.attempts import current_runs, only_run_of, refuse_lost_lease
from mission_control.boards.models import Board, Run
from mission_control.boards.parking import park_asker
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Invalid, NotFound
from mission_control.core.values import JsonObject
from mission_control.database.records import insert
from mission_control.database.sql import placeholders, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.needs.deadlines import COLUMNS, put_deadline
from mission_control.needs.models import AskedPerson

EVENTS = (
    Kind("approval.requested", "Somebody asked for a decision."),
    Kind("approval.reopened", "A decided approval is pending again."),
)


@command("approval.request")
async def request_approval(actor: Actor, board: Board, new: ApprovalCreate) -> Approval:
    """Request a decision by people.

    An agent's request is always pending and its own. Raise Conflict for a task with a pending approval, NotFound for
    tasks that are not on the board.
    """
    task_ids = new.all_task_ids()
    _refuse_missing(task_ids, await decisions.held_tasks(board.id, task_ids))
    await refuse_lost_lease(task_ids)
    status, agent_id = ("pending", actor.agent_id) if actor.is_agent else (new.status, new.agent_id)
    on_board = "SELECT 1 AS one FROM agents WHERE id = ? AND board_id = ?"
    if not actor.is_agent and agent_id is not None and not await rows(on_board, agent_id, board.id):
        raise NotFound("The agent is not on this board.")
    approval = Approval(
        board_id=board.id,
        agent_id=agent_id,
        requested_by_user_id=actor.user_id,
        action_type=new.action_type,
        payload=new.payload,
        confidence=new.confidence or 0,
        rubric_scores=new.rubric_scores,
        status=status,
    )
    approval.board = board
    if status == "pending":
        await _refuse_conflicts(task_ids)
        await put_deadline(approval, board, new)
    elif status == "approved" and board.approvals_needed > 1:
        raise Conflict(ErrorCode.APPROVAL_NEEDS_SEVERAL.detail("Several people have to approve this. Ask for it."))
    else:
        decisions.resolve(approval, actor, status, None)
    runs = await current_runs(task_ids)
    if len(task_ids) == 1:
        approval.run_id = runs.get(task_ids[0])
    elif not task_ids and actor.is_agent:
        approval.run_id = await only_run_of(actor.agent_id, actor.fence)
    await save_request(approval, task_ids, runs)
    await park_asker(actor, [approval.run_id, *runs.values()], new)
    return approval


async def ask_to_finish(
    board: Board, task_id: UUID, run: Run, payload: JsonObject, confidence: float | None
) -> Approval:
    """Request, in the name of the agent, to finish a submitted task. The calling command holds the task.

    No other approval of the task may be pending.
    """
    approval = Approval(
        board_id=board.id,
        agent_id=run.agent_id,
        action_type=FINISH,
        payload={**payload, "confidence": confidence},
        confidence=confidence or 0,
        status="pending",
        run_id=run.id,
    )
    approval.board = board
    await save_request(approval, [task_id], {task_id: run.id})
    return approval


async def save_request(approval: Approval, task_ids: list[UUID], runs: dict[UUID, UUID]) -> None:
    """Store a request with its tasks and the runs that ask, and record it."""
    await insert(approval)
    await _link(approval, task_ids, runs)
    facts = {"action_type": approval.action_type, "status": approval.status}
    decisions.record_change("approval.requested", approval, "Approval requested", task_ids, **facts)


def _refuse_missing(task_ids: list[UUID], existing_ids: set[str]) -> None:
    missing = [str(task_id) for task_id in task_ids if str(task_id) not in existing_ids]
    if missing:
        raise NotFound({"message": "Some tasks are not on this board.", "missing_task_ids": missing})


async def _refuse_conflicts(task_ids: list[UUID]) -> None:
    """Raise Conflict when one of the tasks has a pending approval. The calling command holds the tasks."""
    if not task_ids:
        return
    links = await rows(
        "SELECT l.task_id, l.approval_id FROM approval_task_links l JOIN approvals a ON a.id = l.approval_id"
        f" WHERE l.is_pending AND l.task_id IN ({placeholders(len(task_ids))}) ORDER BY l.task_id, a.created_at",
        *task_ids,
    )
    first: dict[str, str] = {}
    for row in links:
        first.setdefault(str(row["task_id"]), str(row["approval_id"]))
    if first:
        raise conflict(first)


def conflict(pending: dict[str, str]) -> Conflict:
    conflicts = [{"task_id": task, "approval_id": approval} for task, approval in sorted(pending.items())]
    return Conflict({"message": "A task of this request has a pending approval already.", "conflicts": conflicts})


async def _link(approval: Approval, task_ids: list[UUID], runs: dict[UUID, UUID]) -> None:
    """Store the tasks of a request. Of those that another agent works on it alone asks whether its attempt is over."""
    if not task_ids:
        return
    pending = approval.status == "pending"
    tasks = await rows(
        "SELECT t.id, t.attempt FROM tasks t JOIN approvals a ON a.id = ?"
        f" WHERE t.id IN ({placeholders(len(task_ids))}) AND NOT EXISTS (SELECT 1 FROM task_runs r"
        " WHERE r.task_id = t.id AND r.ended_at IS NULL AND r.agent_id <> a.agent_id"
        " AND a.requested_by_user_id IS NULL)",
        approval.id,
        *task_ids,
    )
    attempts = {UUID(str(row["id"])): row["attempt"] for row in tasks}
    links = [
        ApprovalTask(
            approval_id=approval.id,
            task_id=task_id,
            is_pending=pending,
            asked_attempt=attempts.get(task_id),
            run_id=runs.get(task_id),
            decided_attempt=None if pending else attempts.get(task_id),
        )
        for task_id in task_ids
    ]
    try:
        async with in_transaction():
            await insert(*links)
    except IntegrityError:
        raise conflict(dict.fromkeys(map(str, task_ids), "")) from None


@command("approval.decide")
async def reopen_approval(actor: Actor, approval: Approval) -> Approval:
    """Reopen a decided approval, or take back one's own approval of one that waits for others.

    Raise Conflict when a task has another pending one, or all of them have moved on, NotFound when no task is left.

    The effects of the decision on tasks are undone where nothing else happened to them: see `tasks/reviews.py`.
    """
    task_ids, existing_ids = await decisions.hold_tasks_of(approval)
    approval = await decisions.locked_approval(approval)
    decisions.refuse_closed(approval)
    if approval.status == "pending":
        if await votes.withdraw(approval, actor.user_id):
            approval.updated_at = times.clock_now()
            await approval.save(update_fields=["updated_at"])
            decisions.record_change("approval.vote_withdrawn", approval, "Approval taken back", task_ids)
        return approval
    if approval.is_outside:
        raise Conflict(ErrorCode.APPROVAL_FINAL.detail())
    before, outcomes = approval.decision, await outcomes_of(approval.id)
    if not existing_ids and not outcomes:
        _refuse_missing(task_ids, existing_ids)
    await _refuse_conflicts(task_ids)
    over = await closures.moot_links(approval.id, outcomes)
    await votes.forget(approval, actor.user_id)
    await AskedPerson.filter(kind="approval", subject_id=approval.id).delete()
    approval.status, approval.updated_at = "pending", times.clock_now()
    approval.escalated, approval.escalated_at = 0, approval.updated_at
    approval.decision = approval.note = approval.resolved_at = None
    approval.resolved_by_user_id = approval.resolved_by_kind = None
    approval.decide_by = approval.otherwise = approval.otherwise_user_id = None
    await approval.save(update_fields=[*COLUMNS])
    await decisions.save_decision(approval)
    await closures.close_links(over, closures.MOVED_ON)
    what = "Approval re-opened"
    decisions.record_change("approval.reopened", approval, what, task_ids, before=before, outcomes=outcomes)
    return approval


async def change_approval(actor: Actor, approval: Approval, change: ApprovalUpdate) -> Approval:
    decision = change.decision or change.status
    if decision is None or change.status == "pending":
        if change.note is not None:
            raise Invalid("Send a note only together with a decision.")
        return await reopen_approval(actor, approval) if change.status == "pending" else approval
    decisions.refuse_closed(approval)
    if change.decision is None and approval.status == change.status and change.note is None:
        return approval
    verdict = Verdict(decision, change.note, seen=change.substance, then=change.then)
    return await decisions.decide_approval(actor, approval, verdict)
