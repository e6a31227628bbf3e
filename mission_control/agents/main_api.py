"""What the main agent of a gateway says to the leads of its boards; nobody else may."""

from typing import Any
from uuid import UUID

from mission_control.agents.coordination import message_lead, record_broadcast, require_gateway
from mission_control.agents.schemas import (
    GatewayLeadBroadcastBoardResult,
    GatewayLeadBroadcastRequest,
    GatewayLeadBroadcastResponse,
    GatewayLeadMessageRequest,
    GatewayLeadMessageResponse,
)
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import DomainError, Forbidden
from mission_control.core.policy import can
from mission_control.core.schemas import LLMErrorResponse
from mission_control.operations.api import Api, hints

api = Api(__name__, below="/agent")
REFUSALS = dict.fromkeys((403, 404, 422, 502), LLMErrorResponse)
VERB = "agent.message_leads"


def only_main_agents() -> Forbidden:
    """The refusal for every agent that works on a board."""
    message = "Only the main agent of a gateway does this; you work on a board. Use its memory, its chat or a nudge."
    return Forbidden({"message": message, "code": ErrorCode.MAIN_AGENT_ONLY})


async def main_agent(actor: Actor, **_: Any) -> None:
    """Refuse callers that are not main agents, before any look-up, and gateways that cannot work."""
    if not can(actor, VERB):
        raise only_main_agents()
    await require_gateway(actor.gateway_id)


async def board_of_gateway(actor: Actor, board_id: UUID) -> Board:
    """A board of the calling main agent's gateway, looked up after the caller's role."""
    await main_agent(actor)
    return await visible_board(actor, board_id)


@api.post(
    "/gateway/boards/<board_id>/lead/message",
    find=board_of_gateway,
    rule=VERB,
    errors=REFUSALS,
    hints=hints(
        "lead_direct_routing",
        "agent_main",
        use="As a gateway's main agent, to ask one board's lead or to hand something over to it.",
        avoid="Not for several boards; broadcast. Not as an agent of a board; use its chat.",
        needs="You are the main agent of the board's gateway.",
        effects="The lead gets the message and answers in the board's memory.",
        never="Do not send it again while the lead's answer is due.",
        route="Main agents of gateways only; everybody else is refused.",
        example="ask the lead of one board",
    ),
)
async def agent_main_message_board_lead(
    actor: Actor, board: Board, data: GatewayLeadMessageRequest
) -> GatewayLeadMessageResponse:
    """Send a message to a board's lead, as the main agent of the board's gateway. A board without lead gets one."""
    sent = await message_lead(actor, board, data)
    return GatewayLeadMessageResponse(
        board_id=board.id,
        lead_agent_id=sent.lead.id,
        lead_agent_name=sent.lead.name,
        lead_created=sent.is_new,
        delivery_ids=[sent.delivery_id],
    )


@api.post(
    "/gateway/leads/broadcast",
    find=main_agent,
    rule=VERB,
    errors=REFUSALS,
    hints=hints(
        "lead_broadcast_routing",
        "agent_main",
        use="As a gateway's main agent, to tell or ask the leads of several boards the same.",
        avoid="Not for one board; send the message to its lead.",
        needs="You are the main agent of the boards' gateway.",
        effects="Each lead gets the message; the answer says for which boards it was accepted.",
        never="Do not broadcast what concerns one board only.",
        route="Main agents of gateways only; everybody else is refused.",
        example="tell all leads about a new rule",
    ),
)
async def agent_main_broadcast_lead_message(
    actor: Actor, found: None, data: GatewayLeadBroadcastRequest
) -> GatewayLeadBroadcastResponse:
    """Send a message to the leads of your gateway's boards, the newest board first.

    `sent` counts what was accepted for delivery; what went wrong on one board stops no other.
    """
    boards = Board.visible_to(actor)
    if data.board_ids:
        boards = boards.filter(id__in=data.board_ids)
    delivery_ids: list[UUID] = []
    results = [
        await _message_one(actor, board, data, delivery_ids) for board in await boards.order_by("-created_at", "-id")
    ]
    sent = [one.board_id for one in results if one.ok]
    await record_broadcast(actor, None, sent, delivery_ids)
    return GatewayLeadBroadcastResponse(
        sent=len(sent), failed=len(results) - len(sent), results=results, delivery_ids=delivery_ids
    )


async def _message_one(
    actor: Actor, board: Board, data: GatewayLeadBroadcastRequest, delivery_ids: list[UUID]
) -> GatewayLeadBroadcastBoardResult:
    try:
        sent = await message_lead(actor, board, data)
    except DomainError as error:
        return GatewayLeadBroadcastBoardResult(board_id=board.id, error=error.sentence)
    delivery_ids.append(sent.delivery_id)
    lead = sent.lead
    return GatewayLeadBroadcastBoardResult(board_id=board.id, lead_agent_id=lead.id, lead_agent_name=lead.name, ok=True)
