"""Move cards as people do, and undo moves."""

from uuid import UUID

from mission_control.approvals.commands import request_approval
from mission_control.approvals.decisions import Verdict, decide_approval
from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import FINISH, asks_to_finish
from mission_control.approvals.schemas import ApprovalCreate
from mission_control.approvals.views import pending_of
from mission_control.core.actor import Actor, can
from mission_control.core.errors import DomainError, ErrorCode
from mission_control.database.sql import rows
from mission_control.events.commands import command
from mission_control.tasks.changes import TaskChange, locked_task
from mission_control.tasks.commands import change_task, move_task
from mission_control.tasks.forms import assignee_value
from mission_control.tasks.models import Task
from mission_control.tasks.rules import last_worker
from mission_control.tasks.schemas import TaskMove
from mission_control.tasks.seen import refuse_unseen


async def position_of(actor: Actor, task: Task) -> dict[str, str]:
    column = await _column(task.board_id, task.status)
    at = column.index(task.id) if task.id in column else 0
    place = {"status": task.status, "assignee": assignee_value(task.assigned_agent_id, task.assigned_user_id)}
    if at + 1 < len(column):
        return place | {"before_task_id": str(column[at + 1])}
    return place | {"after_task_id": str(column[at - 1])} if at > 0 else place


@command("task.move")
async def move_card(actor: Actor, task: Task, move: TaskMove) -> Task:
    """Move a card, and assign the task where the move says to whom, as one that is undone does.

    With `approve`, the actor first approves that the task is finished: a pending request to finish it, else a new one.
    Where several people have to approve, the card stays until the last of them has.
    """
    if move.status == "done" and (move.approve or move.substance is not None):
        locked = await locked_task(task)
        await refuse_unseen(task.id, move.substance)
        if move.approve and not await _approve(actor, locked):
            return locked
    above, below = move.before_task_id, move.after_task_id
    if move.place and not (above or below):
        above, below = await _neighbours(task, move.status, move.place)
    moved = await move_task(actor, task, move.status, above, below)
    if move.assigned_agent_id or move.assigned_user_id:
        assignee = move.model_dump(include={"assigned_agent_id", "assigned_user_id"}, exclude_none=True)
        moved = await change_task(actor, moved, TaskChange(**assignee))
    return moved


async def _neighbours(task: Task, status: str, place: str) -> tuple[UUID | None, UUID | None]:
    """One of the two at most; neither when the card is there already."""
    column = await _column(task.board_id, status)
    at = column.index(task.id) if task.id in column else 0
    match place, [card_id for card_id in column if card_id != task.id]:
        case "up", others if at > 0:
            return others[at - 1], None
        case "down", others if at < len(others):
            return None, others[at]
        case "bottom", [*_, last]:
            return None, last
        case "top", [first, *_]:
            return first, None
    return None, None


async def _column(board_id: UUID, status: str) -> list[UUID]:
    tasks = await rows(
        "SELECT id FROM tasks WHERE board_id = ? AND status = ? AND deleted_at IS NULL AND archived_at IS NULL"
        " ORDER BY position, created_at DESC",
        board_id,
        status,
    )
    return [UUID(str(row["id"])) for row in tasks]


async def _approve(actor: Actor, task: Task) -> bool:
    """Approve that a task is finished. Return False when other people have to approve it too."""
    pending = await pending_of(task.id)
    if pending is not None and asks_to_finish(pending["action_type"]):
        approval = await Approval.get(id=pending["id"])
        approval.board = task.board
        return (await decide_approval(actor, approval, Verdict("approved"))).status == "approved"
    needs_others = task.board.approvals_needed > 1
    reason = f"{actor.name} approved it." if needs_others else f"{actor.name} approved and finished it."
    new = ApprovalCreate(
        action_type=FINISH,
        task_id=task.id,
        status="pending" if needs_others else "approved",
        payload={"reason": reason},
        agent_id=await last_worker(task) if needs_others else None,
    )
    requested = await request_approval(actor, task.board, new)
    if needs_others and requested.agent_id is not None:  # without an agent the person asks, and does not count
        await decide_approval(actor, requested, Verdict("approved"))
    return not needs_others


def may_approve(actor: Actor, task: Task) -> bool:
    return can(actor, "approval.decide", Approval(board=task.board))


def wants_approval(error: Exception) -> bool:
    return (
        isinstance(error, DomainError)
        and isinstance(error.detail, dict)
        and error.detail.get("code") == ErrorCode.TASK_APPROVAL_REQUIRED
    )
