"""Close requests that became moot: what a run asked ends with it, and a request to finish with its hand-in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mission_control.approvals.decisions import CLOSED, close_approval, locked_approval
from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.approvals.payloads import asks_to_finish
from mission_control.boards.models import Board
from mission_control.commands.reactions import Reactions
from mission_control.commands.unit_of_work import record
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict
from mission_control.database.sql import rows, select
from mission_control.live.log import NewEvent
from mission_control.runs.attempts import OVER, RESUMED, STANDING, WAITS, current_runs

reactions = Reactions()

CHANGES = ("task.status_changed", "task.updated", "task.deleted")
DECISIVE = {"status", "attempt", "assigned_agent_id", "assigned_user_id"}
MOVED_ON = "The task has moved on since. Its agent can ask again."

_COLUMNS = (
    " a.id AS approval_id, a.action_type, t.id AS task_id,"
    f" CASE WHEN r.id IS NOT NULL THEN {STANDING} END AS standing, t.status"
)
_LINKED = (
    f"SELECT l.id AS link_id, l.asked_attempt = t.attempt AS is_present,{_COLUMNS} FROM approval_task_links l"
    " JOIN approvals a ON a.id = l.approval_id JOIN tasks t ON t.id = l.task_id"
    " LEFT JOIN task_runs r ON r.id = l.run_id"
)
_WITHOUT_TASK = (
    f"SELECT CAST(NULL AS UUID) AS link_id, FALSE AS is_present,{_COLUMNS} FROM task_runs r"
    " JOIN approvals a ON a.run_id = r.id JOIN tasks t ON t.id = r.task_id WHERE r.task_id = ?"
    " AND a.status = 'pending' AND NOT EXISTS (SELECT 1 FROM approval_task_links l WHERE l.approval_id = a.id)"
)


@dataclass(frozen=True, slots=True)
class _Ask:
    """A request as it concerns one task; without a link it belongs to a run of the task and names no task."""

    link_id: UUID | None
    is_present: bool | None
    approval_id: UUID
    action_type: str
    task_id: UUID
    standing: str | None
    status: str

    @property
    def is_moot(self) -> bool:
        """Whether its decision no longer has an effect."""
        if self.link_id is not None and asks_to_finish(self.action_type):
            return self.status == "done" or (not self.is_present and self.standing != WAITS)
        return self.standing == OVER


def why_moot(event: NewEvent) -> str | None:
    """Return what happened to a task, as a sentence; None for a change that makes nothing moot, such as a hand-in."""
    if event.kind == "task.deleted":
        return "The task was deleted."
    after: Mapping[str, Any] = event.data.get("after") or {}
    status = after.get("status")
    if not DECISIVE & after.keys() or (status == "review" and event.data["before"]["status"] == "in_progress"):
        return None
    if status == "done":
        return "The task is done."
    if status == "inbox":
        return "The work was sent back." if after.get("rework_at") else "The task went back to the inbox."
    return "Work on the task began anew." if status else "The task was given to somebody else."


@reactions.to(*CHANGES)
async def close_moot_approvals(actor: Actor, event: NewEvent) -> None:
    """Close what a change of a task made moot, and carry on what its agent asked before its lease ran out."""
    why, task_id = why_moot(event), event.scope.task_id
    if why is None or task_id is None:
        return
    is_over = event.kind == "task.deleted" or event.data["after"].get("status") == "done"
    pending = f"{_LINKED} WHERE l.task_id = ? AND l.is_pending UNION ALL {_WITHOUT_TASK}"
    for ask in await select(_Ask, pending, task_id, task_id):
        if is_over or ask.is_moot:
            await close_ask(ask.approval_id, ask.link_id, ask.task_id, why)
        elif ask.standing == RESUMED:
            await _carry_on(ask)


async def _carry_on(ask: _Ask) -> None:
    run_id = (await current_runs([ask.task_id])).get(ask.task_id)
    await Approval.filter(id=ask.approval_id, run_id__isnull=False).update(run_id=run_id)
    if ask.link_id is not None:
        await ApprovalTask.filter(id=ask.link_id).update(run_id=run_id)


async def close_ask(approval_id: UUID, link_id: UUID | None, task_id: UUID, why: str) -> None:
    """Close a pending approval for one task, and all of it when it concerns no other. The caller holds the task."""
    approval = await Approval.get(id=approval_id)
    approval.board = await Board.get(id=approval.board_id)
    approval = await locked_approval(approval)
    if approval.status != "pending":  # decided since it was found
        return
    if link_id is not None:
        await ApprovalTask.filter(id=link_id).update(is_pending=False, outcome=CLOSED, outcome_reason=why)
    if link_id is None or not await _concerns_another(approval_id):
        await close_approval(approval, task_id, why)
        return
    record(
        "approval.task_closed",
        approval.scope(task_id),
        f"One task of an approval is no longer asked about: {approval.action_type}. {why}",
        agent_id=approval.agent_id,
        approval_id=approval.id,
        task_ids=[task_id],
        note=why,
    )


async def _concerns_another(approval_id: UUID) -> bool:
    return bool(
        await rows(
            "SELECT 1 AS one FROM approval_task_links l JOIN tasks t ON t.id = l.task_id"
            " WHERE l.approval_id = ? AND l.is_pending AND t.deleted_at IS NULL",
            approval_id,
        )
    )


async def refuse_moot(approval_id: UUID, restored: Mapping[str, str]) -> None:
    """Raise Conflict for a decided approval that would be moot as soon as it waits again.

    `restored` are the tasks that return to the state in which it was asked.
    """
    asks = await select(_Ask, f"{_LINKED} WHERE l.approval_id = ?", approval_id)
    if asks and all(ask.is_moot and str(ask.task_id) not in restored for ask in asks):
        raise Conflict(ErrorCode.APPROVAL_CLOSED.detail(MOVED_ON))
