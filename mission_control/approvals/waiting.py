"""Wait for decisions without polling the database."""

from typing import Any
from uuid import UUID

from mission_control.approvals.decisions import channel_of
from mission_control.approvals.models import Approval
from mission_control.approvals.queries import approval_read, list_approvals, visible_approval
from mission_control.approvals.schemas import ApprovalQuery
from mission_control.boards.models import Board
from mission_control.boards.polls import settled_list
from mission_control.commands.reactions import Reactions
from mission_control.commands.unit_of_work import notify
from mission_control.core.actor import Actor
from mission_control.live.log import NewEvent
from mission_control.operations.operation import settled

reactions = Reactions()

MARKS = ("id", "status", "decision", "note", "resolved_at", "task_ids")


async def wait_for_decision(actor: Actor, approval: Approval, seconds: float) -> dict[str, Any]:
    """Return the approval once it is decided, or still pending when the time is over.

    An agent that lost the right to read it while it waited, such as by a move to another board, is refused.
    """
    return await settled(
        actor,
        approval,
        channel_of(approval.id),
        find=lambda present: visible_approval(present, approval.board_id, approval.id),
        read=lambda one: approval_read(one.id),
        is_settled=lambda answer: answer["status"] != "pending",
        seconds=seconds,
    )


async def wait_for_approvals(actor: Actor, board: Board, query: ApprovalQuery) -> dict[str, Any]:
    """Return the board's approvals once they are others than the caller knows, or when the time is over."""
    return await settled_list(actor, board, channel_of_list(board.id), query, list_approvals, MARKS)


@reactions.to(
    "approval.requested",
    "approval.decided",
    "approval.reopened",
    "approval.closed",
    "approval.task_closed",
    "approval.ended_on_gateway",
)
async def wake_polls_of_approvals(actor: Actor, event: NewEvent) -> None:
    """Another approval is listed on a board, or one is settled."""
    if event.scope.board_id is not None:
        notify(channel_of_list(event.scope.board_id))


def channel_of_list(board_id: UUID) -> str:
    """Return the wake-up channel that is notified when the approvals of a board change."""
    return f"approvals:{board_id}"
