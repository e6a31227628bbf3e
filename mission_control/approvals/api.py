"""Approvals over HTTP, for people and for agents."""

from typing import Any

from quart import Response

from mission_control.approvals.commands import change_approval, reopen_approval, request_approval
from mission_control.approvals.deadlines import ApprovalDeadline
from mission_control.approvals.decisions import decide_approval
from mission_control.approvals.history import ApprovalHistoryItem, approval_history
from mission_control.approvals.live import stream_of_approvals
from mission_control.approvals.models import Approval
from mission_control.approvals.overdue import set_deadline
from mission_control.approvals.queries import approval_read, visible_approval
from mission_control.approvals.schemas import (
    ApprovalConflictError,
    ApprovalCreate,
    ApprovalDecision,
    ApprovalQuery,
    ApprovalRead,
    ApprovalUpdate,
    StreamQuery,
)
from mission_control.approvals.waiting import wait_for_approvals, wait_for_decision
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.paging import Versioned, Wait
from mission_control.core.schemas import ErrorResponse
from mission_control.operations.api import Api
from mission_control.operations.hints import BOARD_ROLES, hints
from mission_control.operations.operation import operation

api = Api("approvals_api", __name__, url_prefix="/api/v1")
TAGS = ("approvals",)
CONFLICT = {409: ApprovalConflictError}
NO_WAIT = Wait()


async def list_approvals(actor: Actor, board: Board, query: ApprovalQuery) -> dict[str, Any]:
    """List approvals, newest first.

    With `wait_seconds`, and as `known` the `version` of the list that you have, the answer comes as soon as one is
    asked for, decided or closed, or unchanged after that time.
    """
    return await wait_for_approvals(actor, board, query)


async def create_approval(actor: Actor, board: Board, data: ApprovalCreate) -> dict[str, Any]:
    """Ask people for a decision.

    An agent's request is always pending and its own. One pending approval per task.
    """
    return await approval_read((await request_approval(actor, board, data)).id)


operation(
    api,
    "GET",
    "/boards/<board_id>/approvals",
    operation_id="list_approvals_api_v1_boards__board_id__approvals_get",
    tags=TAGS,
    who="actor",
    find=visible_board,
    verb="board.read",
    query=ApprovalQuery,
    returns=Versioned[ApprovalRead],
    is_long_poll=True,
)(list_approvals)

operation(
    api,
    "GET",
    "/agent/boards/<board_id>/approvals",
    operation_id="list_approvals_api_v1_agent_boards__board_id__approvals_get",
    tags=BOARD_ROLES,
    who="agent",
    find=visible_board,
    verb="board.read",
    query=ApprovalQuery,
    returns=Versioned[ApprovalRead],
    is_long_poll=True,
    hints=hints(
        "agent_board_approval_discovery",
        "any_agent",
        use="To see whether your request was decided, and how.",
        avoid="Not in a loop without wait_seconds and known; or follow the stream, or read your inbox.",
        never="Do not ask again for what is pending already.",
        route="Before a new request, and while you wait for a decision.",
        example="was my request approved",
    ),
)(list_approvals)

operation(
    api,
    "POST",
    "/boards/<board_id>/approvals",
    operation_id="create_approval_api_v1_boards__board_id__approvals_post",
    tags=TAGS,
    who="actor",
    find=visible_board,
    verb="approval.request",
    body=ApprovalCreate,
    returns=ApprovalRead,
    errors=CONFLICT,
)(create_approval)

operation(
    api,
    "POST",
    "/agent/boards/<board_id>/approvals",
    operation_id="create_approval_api_v1_agent_boards__board_id__approvals_post",
    tags=BOARD_ROLES,
    who="agent",
    find=visible_board,
    verb="approval.request",
    body=ApprovalCreate,
    returns=ApprovalRead,
    errors=CONFLICT,
    hints=hints(
        "agent_board_approval_request",
        "any_agent",
        use="Before something external, risky or final, and where the board asks for approval.",
        avoid="Not for routine steps that the board lets you take.",
        effects="People see the request at once; it stays pending until one of them decides.",
        never="Do not act on a request that is still pending; an agent cannot decide one.",
        route="Link the task by task_id and give the reason in lead_reasoning or payload.reason.",
        example="ask a person whether I may finish this task",
    ),
)(create_approval)


@operation(
    api,
    "GET",
    "/boards/<board_id>/approvals/stream",
    operation_id="stream_approvals_api_v1_boards__board_id__approvals_stream_get",
    tags=TAGS,
    who="actor",
    find=visible_board,
    verb="board.read",
    query=StreamQuery,
    returns=None,
    is_stream=True,
)
async def stream_approvals(actor: Actor, board: Board, query: StreamQuery) -> Response:
    """Follow approvals as they are asked for and decided."""
    return await stream_of_approvals(actor, board)


@operation(
    api,
    "GET",
    "/boards/<board_id>/approvals/<approval_id>",
    operation_id="get_approval",
    tags=TAGS,
    who="actor",
    find=visible_approval,
    query=Wait,
    returns=ApprovalRead,
    is_long_poll=True,
)
async def get_approval(actor: Actor, approval: Approval, query: Wait = NO_WAIT) -> dict[str, Any]:
    """Read an approval.

    With `wait_seconds` the answer to a pending one comes as soon as it is decided, or pending after that time.
    """
    return await wait_for_decision(actor, approval, query.wait_seconds)


@operation(
    api,
    "PATCH",
    "/boards/<board_id>/approvals/<approval_id>",
    operation_id="update_approval_api_v1_boards__board_id__approvals__approval_id__patch",
    tags=TAGS,
    who="user",
    find=visible_approval,
    verb="approval.decide",
    body=ApprovalUpdate,
    returns=ApprovalRead,
    errors=CONFLICT,
)
async def update_approval(actor: Actor, approval: Approval, data: ApprovalUpdate) -> dict[str, Any]:
    """Decide an approval, or make it wait again.

    `decision: changes_requested` sends the work back; its status is then rejected.
    """
    await change_approval(actor, approval, data.status, data.decision, data.note, data.substance, data.then)
    return await approval_read(approval.id)


@operation(
    api,
    "POST",
    "/boards/<board_id>/approvals/<approval_id>/decisions",
    operation_id="decide_approval",
    tags=TAGS,
    who="user",
    find=visible_approval,
    verb="approval.decide",
    body=ApprovalDecision,
    returns=ApprovalRead,
    errors={409: ErrorResponse},
)
async def decide_pending_approval(actor: Actor, approval: Approval, data: ApprovalDecision) -> dict[str, Any]:
    """Decide a pending approval; the first decision counts, another gets 409.

    To change a decision, PATCH the approval.
    """
    await decide_approval(
        actor,
        approval,
        data.decision,
        data.note,
        only_pending=True,
        always=data.always,
        seen=data.substance,
        then=data.then,
    )
    return await approval_read(approval.id)


@operation(
    api,
    "PUT",
    "/boards/<board_id>/approvals/<approval_id>/deadline",
    operation_id="set_approval_deadline",
    tags=TAGS,
    who="user",
    find=visible_approval,
    verb="approval.decide",
    body=ApprovalDeadline,
    returns=ApprovalRead,
    errors={409: ErrorResponse},
)
async def set_approval_deadline(actor: Actor, approval: Approval, data: ApprovalDeadline) -> dict[str, Any]:
    """Say until when a pending approval is to be decided, and what happens otherwise."""
    await set_deadline(actor, approval, data)
    return await approval_read(approval.id)


@operation(
    api,
    "DELETE",
    "/boards/<board_id>/approvals/<approval_id>/deadline",
    operation_id="remove_approval_deadline",
    tags=TAGS,
    who="user",
    find=visible_approval,
    verb="approval.decide",
    returns=ApprovalRead,
    errors={409: ErrorResponse},
)
async def remove_approval_deadline(actor: Actor, approval: Approval) -> dict[str, Any]:
    """Let a pending approval wait without a deadline."""
    await set_deadline(actor, approval, None)
    return await approval_read(approval.id)


@operation(
    api,
    "POST",
    "/boards/<board_id>/approvals/<approval_id>/reopenings",
    operation_id="reopen_approval",
    tags=TAGS,
    who="user",
    find=visible_approval,
    verb="approval.decide",
    returns=ApprovalRead,
    errors=CONFLICT,
)
async def reopen_decided_approval(actor: Actor, approval: Approval) -> dict[str, Any]:
    """Make a decided approval pending again, and undo what its decision did where nothing happened since."""
    await reopen_approval(actor, approval)
    return await approval_read(approval.id)


@operation(
    api,
    "GET",
    "/boards/<board_id>/approvals/<approval_id>/history",
    operation_id="get_approval_history",
    tags=TAGS,
    who="actor",
    find=visible_approval,
    returns=list[ApprovalHistoryItem],
)
async def get_approval_history(actor: Actor, approval: Approval) -> list[dict[str, Any]]:
    """Read who asked, who decided what and why, and who opened it again, oldest first."""
    return await approval_history(approval)
