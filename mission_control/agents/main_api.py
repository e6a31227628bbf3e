"""What the main agent of a gateway says to the leads of its boards; nobody else may."""

from typing import Any, NoReturn

from mission_control.agents.coordination_schemas import (
    GatewayLeadBroadcastRequest,
    GatewayLeadBroadcastResponse,
    GatewayLeadMessageRequest,
    GatewayLeadMessageResponse,
)
from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden
from mission_control.core.policy import can
from mission_control.core.schemas import LLMErrorResponse
from mission_control.operations.api import Api
from mission_control.operations.hints import MAIN, hints
from mission_control.operations.operation import operation

api = Api("agents_main_api", __name__, url_prefix="/api/v1/agent")
REFUSALS = dict.fromkeys((403, 404, 422, 502), LLMErrorResponse)
VERB = "agent.message_leads"


def only_main_agents() -> Forbidden:
    """The refusal for every agent that works on a board."""
    message = "Only the main agent of a gateway does this; you work on a board. Use its memory, its chat or a nudge."
    return Forbidden({"message": message, "code": "main_agent_only"})


async def main_agent(actor: Actor, **_: Any) -> None:
    """Refuse callers that are not main agents, before any look-up."""
    if not can(actor, VERB):
        raise only_main_agents()


@operation(
    api,
    "POST",
    "/gateway/boards/<board_id>/lead/message",
    operation_id="agent_main_message_board_lead",
    tags=MAIN,
    who="agent",
    find=main_agent,
    verb=VERB,
    body=GatewayLeadMessageRequest,
    returns=GatewayLeadMessageResponse,
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
async def message_lead(actor: Actor, found: None, data: GatewayLeadMessageRequest) -> NoReturn:
    """Send a message to a board's lead, as the main agent of the board's gateway."""
    raise only_main_agents()


@operation(
    api,
    "POST",
    "/gateway/leads/broadcast",
    operation_id="agent_main_broadcast_lead_message",
    tags=MAIN,
    who="agent",
    find=main_agent,
    verb=VERB,
    body=GatewayLeadBroadcastRequest,
    returns=GatewayLeadBroadcastResponse,
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
async def broadcast_to_leads(actor: Actor, found: None, data: GatewayLeadBroadcastRequest) -> NoReturn:
    """Send a message to the leads of your gateway's boards."""
    raise only_main_agents()
