"""Check the board's rules for a change of status: P, R, A and C."""

from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.approvals.queries import has_pending, is_finish_approved
from mission_control.boards.models import Board
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, Invalid
from mission_control.database.sql import rows
from mission_control.tasks.changes import TaskSnapshot
from mission_control.tasks.models import Task


def _refusal(code: ErrorCode) -> Conflict:
    return Conflict(code.detail(blocked_by_task_ids=[]))


async def pass_gates(board: Board, task: Task, before: str, *, status_sent: bool) -> None:
    """Raise 409 for a change that the rules P, R or A forbid, in this order."""
    if task.status == before:
        return
    if status_sent and board.block_status_changes_with_pending_approval and await has_pending(task.id):
        raise _refusal(ErrorCode.TASK_HAS_PENDING_APPROVAL)
    if task.status == "done":
        await pass_done_gates(board, task.id, before)


async def pass_done_gates(board: Board, task_id: UUID | None, before: str | None) -> None:
    """Check rules R and A, also for a task that is created as done (no id, no status before)."""
    if board.require_review_before_done and before != "review":
        raise _refusal(ErrorCode.TASK_REVIEW_REQUIRED)
    if board.require_approval_for_done and (task_id is None or not await is_finish_approved(task_id)):
        raise _refusal(ErrorCode.TASK_APPROVAL_REQUIRED)


async def pass_comment_gate(
    board: Board, task: Task, before: TaskSnapshot, comment: str, actor_id: UUID | None
) -> None:
    """Check rule C: a move to review needs a comment, or one by the worker or the actor since the work began."""
    if not board.comment_required_for_review or task.status != "review" or before.status == "review" or comment:
        return
    since = before.previous_in_progress_at or before.in_progress_at
    if since is None or not await _has_comment(task.id, since, [before.assigned_agent_id, actor_id]):
        raise Invalid("A comment is required to send a task to review on this board.")


async def _has_comment(task_id: UUID, since: datetime, authors: list[Any]) -> bool:
    for author in authors:
        if author is None:
            continue
        found = await rows(
            "SELECT 1 AS one FROM task_comments WHERE task_id = ? AND created_at >= ? AND deleted_at IS NULL"
            " AND (agent_id = ? OR user_id = ?) LIMIT 1",
            task_id,
            since,
            author,
            author,
        )
        if found:
            return True
    return False
