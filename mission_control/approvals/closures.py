"""Close approvals that became moot: what a run asked ends with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from mission_control.approvals.decisions import CLOSED, locked_approval, record_change, resolve, save_decision
from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.approvals.payloads import CHANNEL, asks_to_finish
from mission_control.boards.attempts import IS_CURRENT
from mission_control.boards.models import Board
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, ErrorCode
from mission_control.database.sql import rows, select
from mission_control.events.event_log import Kind, NewEvent
from mission_control.events.unit_of_work import notify, reacts_to

EVENTS = (
    Kind("approval.closed", "A pending approval became moot: its work was sent back, given away, done or deleted."),
    Kind("approval.task_closed", "A pending approval became moot for one of its tasks, and waits for the others."),
)

CHANGES = ("task.status_changed", "task.updated", "task.deleted")
DECISIVE = {"status", "attempt", "assigned_agent_id", "assigned_user_id"}
MOVED_ON = "The task has moved on since. Its agent can ask again."

_COLUMNS = (
    f" a.id AS approval_id, a.action_type, t.id AS task_id, r.id IS NOT NULL AND NOT {IS_CURRENT} AS is_over, t.status,"
    " t.deleted_at IS NOT NULL AS is_deleted"
)
_LINKED = (
    f"SELECT l.id AS link_id, l.asked_attempt = t.attempt AS is_present,{_COLUMNS} FROM approval_task_links l"
    " JOIN approvals a ON a.id = l.approval_id JOIN tasks t ON t.id = l.task_id"
    " LEFT JOIN task_runs r ON r.id = l.run_id"
)
_WITHOUT_TASK = (
    f"SELECT CAST(NULL AS UUID) AS link_id, FALSE AS is_present,{_COLUMNS} FROM task_runs r"
    " JOIN approvals a ON a.run_id = r.id JOIN tasks t ON t.id = r.task_id"
    " WHERE NOT EXISTS (SELECT 1 FROM approval_task_links l WHERE l.approval_id = a.id)"
)


@dataclass(frozen=True, slots=True)
class _Ask:
    """A request as it concerns one task; without a link it belongs to a run of the task and names no task."""

    link_id: UUID | None
    is_present: bool | None
    approval_id: UUID
    action_type: str
    task_id: UUID
    is_over: bool
    status: str
    is_deleted: bool

    @property
    def is_moot(self) -> bool:
        if self.is_deleted:
            return True
        if self.link_id is not None and asks_to_finish(self.action_type):
            return self.status == "done" or not self.is_present
        return self.is_over


def why_moot(event: NewEvent) -> str | None:
    """None for a change that makes nothing moot, such as a hand-in."""
    if event.kind == "task.deleted":
        return "The task was deleted."
    after: Mapping[str, object] = event.data.get("after") or {}
    status = after.get("status")
    if not DECISIVE & after.keys() or (status == "review" and event.data["before"]["status"] == "in_progress"):
        return None
    if status == "done":
        return "The task is done."
    if status == "inbox":
        return "The work was sent back." if after.get("rework_at") else "The task went back to the inbox."
    return "Work on the task began anew." if status else "The task was given to somebody else."


@reacts_to(*CHANGES)
async def close_moot_approvals(actor: Actor, event: NewEvent) -> None:
    """Close what a change of a task made moot: what its run asked ends with it."""
    why, task_id = why_moot(event), event.scope.task_id
    if why is None or task_id is None:
        return
    is_over = event.kind == "task.deleted" or event.data["after"].get("status") == "done"
    pending = (
        f"{_LINKED} WHERE l.task_id = ? AND l.is_pending"
        f" UNION ALL {_WITHOUT_TASK} AND r.task_id = ? AND a.status = 'pending'"
    )
    for ask in await select(_Ask, pending, task_id, task_id):
        if is_over or ask.is_moot:
            await close_ask(ask.approval_id, ask.link_id, ask.task_id, why)


async def close_ask(approval_id: UUID, link_id: UUID | None, task_id: UUID, why: str) -> None:
    """Close a pending approval for one task, and all of it when it concerns no other. The caller holds the task.

    A gateway that asked is told no.
    """
    approval = await Approval.get(id=approval_id)
    approval.board = await Board.get(id=approval.board_id)
    approval = await locked_approval(approval)
    if approval.status != "pending":  # decided since it was found
        return
    if link_id is not None:
        await close_links([link_id], why)
        others = (
            "SELECT 1 AS one FROM approval_task_links l JOIN tasks t ON t.id = l.task_id"
            " WHERE l.approval_id = ? AND l.is_pending AND t.deleted_at IS NULL"
        )
        if await rows(others, approval_id):
            what = "One task of an approval is no longer asked about"
            record_change("approval.task_closed", approval, what, [task_id], f" {why}", note=why)
            return
    resolve(approval, system(approval.board.organization_id), CLOSED, why)
    if approval.gateway_id is not None:
        approval.answer, approval.answer_state = "deny", "waiting"
        notify(CHANNEL)
    await save_decision(approval)
    facts = {"action_type": approval.action_type, "decision": CLOSED, "note": why}
    record_change("approval.closed", approval, "Approval closed", [task_id], f" {why}", **facts)


async def moot_links(approval_id: UUID, restored: Mapping[str, str]) -> list[UUID]:
    """Return the links to tasks for which a decided approval is moot, should it wait again; Conflict when all are.

    `restored` are the tasks that return to the state in which it was asked.
    """
    sql = f"{_LINKED} WHERE l.approval_id = ? UNION ALL {_WITHOUT_TASK} AND a.id = ?"
    asks = await select(_Ask, sql, approval_id, approval_id)
    moot = [ask for ask in asks if ask.is_moot and str(ask.task_id) not in restored]
    if asks and len(moot) == len(asks):
        raise Conflict(ErrorCode.APPROVAL_CLOSED.detail(MOVED_ON))
    return [ask.link_id for ask in moot if ask.link_id is not None]


async def close_links(link_ids: Sequence[UUID], why: str) -> None:
    """Ask no longer about some tasks of an approval."""
    await ApprovalTask.filter(id__in=link_ids).update(is_pending=False, outcome=CLOSED, outcome_reason=why)
