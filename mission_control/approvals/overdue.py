"""Set deadlines of approvals, and do what they say when nobody has decided."""

from typing import Any
from uuid import UUID

from mission_control.approvals.deadlines import (
    CHANNEL,
    COLUMNS,
    ApprovalDeadline,
    clear_deadline,
    name_of_writer,
    put_deadline,
)
from mission_control.approvals.decisions import decide_approval, held_tasks, locked_approval, task_ids_of
from mission_control.approvals.models import Approval
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import notify, record
from mission_control.core import clock, times
from mission_control.core.actor import Actor, system
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict


@command("approval.decide")
async def set_deadline(actor: Actor, approval: Approval, deadline: ApprovalDeadline | None) -> Approval:
    """Set or remove the deadline of a pending approval. Raise Conflict for a decided one, and for a gateway's own."""
    approval = await locked_approval(approval)
    if approval.status != "pending":
        raise Conflict(ErrorCode.APPROVAL_DECIDED.detail())
    if approval.gateway_id is not None:
        raise Conflict(ErrorCode.APPROVAL_OF_GATEWAY.detail())
    before = [getattr(approval, name) for name in COLUMNS]
    if deadline is None:
        clear_deadline(approval)
    else:
        await put_deadline(approval, approval.board, deadline)
    if before != [getattr(approval, name) for name in COLUMNS]:
        await _save(approval)
        message = f"Deadline changed: {approval.action_type}."
        due = {"decide_by": approval.decide_by, "otherwise": approval.otherwise}
        record("approval.deadline_changed", approval.scope(), message, **_facts(approval), **due)
    notify(CHANNEL)
    return approval


async def _save(approval: Approval) -> None:
    approval.updated_at = clock.now()
    await approval.save(update_fields=[*COLUMNS, "updated_at"])


def _facts(approval: Approval) -> dict[str, Any]:
    return {"agent_id": approval.agent_id, "approval_id": approval.id}


async def end_deadline(approval_id: UUID, organization_id: UUID) -> None:
    """Do what the deadline of an approval says; a no-op when it was decided or another process did it."""
    approval = await Approval.get_or_none(id=approval_id)
    if approval is not None:
        approval.board = await Board.get(id=approval.board_id)
        await apply_deadline(system(organization_id), approval)


@command("approval.apply_deadline")
async def apply_deadline(actor: Actor, approval: Approval) -> None:
    """Remind people, ask another one, or send back. One who can no longer answer is not asked: people are reminded."""
    await held_tasks(approval.board_id, await task_ids_of(approval))
    approval = await locked_approval(approval)
    due, otherwise, person = approval.decide_by, approval.otherwise, approval.otherwise_user_id
    if approval.status != "pending" or due is None or due > clock.now():
        return
    clear_deadline(approval)
    name = await name_of_writer(approval.board, person) if otherwise == "ask" else None
    if name is not None:
        approval.asked_user_id = person
        await _save(approval)
        message = f"Asked {name} because nobody decided: {approval.action_type}."
        record("approval.asked_another", approval.scope(), message, **_facts(approval), user_id=person)
    elif otherwise == "send_back":
        await _save(approval)
        note = f"Nobody decided by {times.absolute(due)}."
        await decide_approval(actor, approval, "changes_requested", note)
    else:
        approval.reminded_at = clock.now()
        await _save(approval)
        message = f"Still waits for a decision: {approval.action_type}."
        record("approval.reminded", approval.scope(), message, **_facts(approval))
