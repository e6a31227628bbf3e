"""Approvals over HTTP, for people and for agents."""

from quart import Response

from mission_control.approvals import commands, decisions
from mission_control.approvals.commands import change_approval, request_approval
from mission_control.approvals.decisions import Verdict
from mission_control.approvals.models import Approval
from mission_control.approvals.queries import ApprovalHistoryItem, approval_history
from mission_control.approvals.schemas import (
    ApprovalConflictError,
    ApprovalCreate,
    ApprovalDeadline,
    ApprovalDecision,
    ApprovalQuery,
    ApprovalRead,
    ApprovalUpdate,
    StreamQuery,
)
from mission_control.approvals.streams import POLLS, stream_of_approvals
from mission_control.approvals.views import approval_read
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.values import ErrorResponse, JsonObject, Page, Paging, Versioned, Wait, page_of
from mission_control.http.operation_api import Api, hints

api = Api(__name__, "approvals", who="actor")
CONFLICT = {409: ApprovalConflictError}
NO_WAIT = Wait()
APPROVALS = "/boards/<board_id>/approvals"
APPROVAL = f"{APPROVALS}/<approval_id>"


@api.get(
    APPROVALS,
    Versioned[ApprovalRead],
    rule="board.read",
    is_long_poll=True,
    agents=hints(
        "agent_board_approval_discovery",
        use="To see whether your request was decided, and how.",
        avoid="Not in a loop without wait_seconds and known; or follow the stream, or read your inbox.",
        never="Do not ask again for what is pending already.",
        route="Before a new request, and while you wait for a decision.",
        example="was my request approved",
    ),
)
async def list_approvals(actor: Actor, board: Board, query: ApprovalQuery) -> JsonObject:
    """List approvals, newest first.

    With `wait_seconds`, and as `known` the `version` of the list that you have, the answer comes as soon as one is
    asked for, decided or closed, or unchanged after that time.
    """
    return await POLLS.listed(actor, board, query)


@api.post(
    APPROVALS,
    ApprovalRead,
    rule="approval.request",
    errors=CONFLICT,
    agents=hints(
        "agent_board_approval_request",
        use="Before something external, risky or final, and where the board asks for approval.",
        avoid="Not for routine steps that the board lets you take.",
        effects="People see the request at once; it stays pending until one of them decides.",
        never="Do not act on a request that is still pending; an agent cannot decide one.",
        route="Link the task by task_id and give the reason in lead_reasoning or payload.reason.",
        example="ask a person whether I may finish this task",
    ),
)
async def create_approval(actor: Actor, board: Board, data: ApprovalCreate) -> JsonObject:
    """Ask people for a decision.

    An agent's request is always pending and its own. One pending approval per task.
    """
    return await approval_read((await request_approval(actor, board, data)).id)


@api.get(f"{APPROVALS}/stream", rule="board.read", is_stream=True)
async def stream_approvals(actor: Actor, board: Board, query: StreamQuery) -> Response:
    """Follow approvals as they are asked for and decided."""
    return await stream_of_approvals(actor, board)


@api.get(APPROVAL, ApprovalRead, is_long_poll=True)
async def get_approval(actor: Actor, approval: Approval, query: Wait = NO_WAIT) -> JsonObject:
    """Read an approval.

    With `wait_seconds` the answer to a pending one comes as soon as it is decided, or pending after that time.
    """
    return await POLLS.one(actor, approval, query.wait_seconds)


@api.patch(APPROVAL, ApprovalRead, who="user", rule="approval.decide", errors=CONFLICT)
async def update_approval(actor: Actor, approval: Approval, data: ApprovalUpdate) -> JsonObject:
    """Decide an approval, or make it wait again.

    `decision: changes_requested` sends the work back; its status is then rejected.
    """
    await change_approval(actor, approval, data)
    return await approval_read(approval.id)


@api.post(f"{APPROVAL}/decisions", ApprovalRead, who="user", rule="approval.decide", errors={409: ErrorResponse})
async def decide_approval(actor: Actor, approval: Approval, data: ApprovalDecision) -> JsonObject:
    """Decide a pending approval; the first decision counts, another gets 409.

    To change a decision, PATCH the approval.
    """
    verdict = Verdict(data.decision, data.note, data.always, data.stop, data.substance, data.then)
    await decisions.decide_approval(actor, approval, verdict, only_pending=True)
    return await approval_read(approval.id)


@api.put(f"{APPROVAL}/deadline", ApprovalRead, who="user", rule="approval.decide", errors={409: ErrorResponse})
async def set_approval_deadline(actor: Actor, approval: Approval, data: ApprovalDeadline) -> JsonObject:
    """Say until when a pending approval is to be decided, and what happens otherwise."""
    await decisions.set_deadline(actor, approval, data)
    return await approval_read(approval.id)


@api.delete(f"{APPROVAL}/deadline", ApprovalRead, who="user", rule="approval.decide", errors={409: ErrorResponse})
async def remove_approval_deadline(actor: Actor, approval: Approval) -> JsonObject:
    """Let a pending approval wait without a deadline."""
    await decisions.set_deadline(actor, approval, None)
    return await approval_read(approval.id)


@api.post(f"{APPROVAL}/reopenings", ApprovalRead, who="user", rule="approval.decide", errors=CONFLICT)
async def reopen_approval(actor: Actor, approval: Approval) -> JsonObject:
    """Make a decided approval pending again, and undo what its decision did where nothing happened since."""
    await commands.reopen_approval(actor, approval)
    return await approval_read(approval.id)


@api.get(f"{APPROVAL}/history", Page[ApprovalHistoryItem])
async def get_approval_history(actor: Actor, approval: Approval, query: Paging) -> JsonObject:
    """Read who asked, who decided what and why, and who opened it again, oldest first."""
    return page_of(await approval_history(approval), query)
