"""What leads do with their colleagues, and what a gateway's main agent says to leads, over HTTP."""

from uuid import UUID

from mission_control.agents import schemas
from mission_control.agents.commands import delete_agent
from mission_control.agents.coordination import (
    colleague_on,
    current_soul,
    message_lead,
    nudge_agent,
    record_broadcast,
    require_gateway,
    write_soul,
)
from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import DomainError, ErrorCode, Forbidden, NotFound
from mission_control.core.values import OK, HTTPValidationError, LLMErrorResponse, OkResponse
from mission_control.http.operation_api import Api, hints
from mission_control.http.registry import lookup

api = Api(__name__, below="/agent")
COLLEAGUE = "/boards/<board_id>/agents/<agent_id>"
REFUSALS = dict.fromkeys((403, 404, 422, 502), LLMErrorResponse)

Found = tuple[Board, Agent]


@lookup
async def colleague(actor: Actor, board_id: UUID, agent_id: UUID) -> Found:
    """An agent on the board of the calling lead: the board is looked up first, then the role, then the agent."""
    board = await visible_board(actor, board_id)
    require(actor, "agent.coordinate", board)
    return board, await colleague_on(board, agent_id)


async def readable_soul(actor: Actor, board_id: UUID, agent_id: UUID) -> Agent:
    """The agent whose soul is read, in the same order."""
    board = await visible_board(actor, board_id)
    require(actor, "agent.read_soul", agent_id)
    return await colleague_on(board, agent_id)


async def removable(actor: Actor, board_id: UUID, agent_id: UUID) -> Agent | None:
    """An agent of the lead's board, None when there is none of this id; NotFound when it works elsewhere."""
    board = await visible_board(actor, board_id)
    require(actor, "agent.coordinate", board)
    agent = await Agent.get_or_none(id=agent_id).select_related("board")
    if agent is not None and agent.board_id not in (None, board.id):
        raise NotFound()
    return agent


@api.post(
    f"{COLLEAGUE}/nudge",
    errors=REFUSALS,
    hints=hints(
        "agent_coordination",
        "board_lead",
        use="When a worker is silent, stuck or should look at something now.",
        avoid="Not to hand over work; assign a task. Not to talk about a task; comment there.",
        needs="You are the lead of the board and the agent works on it.",
        effects="The message goes to the agent's inbox or session, word for word.",
        never="Do not nudge again before the agent had time to answer.",
        route="Lead only. First look at the roster; an agent that is offline reads it when it comes back.",
        example="ask a silent worker for a sign",
    ),
)
async def agent_lead_nudge_agent(actor: Actor, found: Found, data: schemas.AgentNudge) -> schemas.OkDelivered:
    """Nudge an agent of your board: your message goes to it as it is."""
    return schemas.OkDelivered(delivery_ids=[await nudge_agent(actor, *found, data.message)])


@api.get(
    f"{COLLEAGUE}/soul",
    find=readable_soul,
    hints=hints(
        "agent_board_soul_lookup",
        use="At the start of a session, to read who you are; as a lead also to read a colleague's soul.",
        avoid="Not to learn what an agent does at the moment; read the roster and its tasks.",
        never="Do not take an empty text for an error: the agent has no soul.",
        route="Workers read their own; the lead reads those of its board.",
        example="read how I should think and behave",
    ),
)
async def get_agent_soul(actor: Actor, agent: Agent) -> str:
    """Read an agent's soul as a bare JSON string, empty when it has none; on a gateway from its file there."""
    return await current_soul(agent)


@api.put(
    f"{COLLEAGUE}/soul",
    errors=REFUSALS,
    hints=hints(
        "agent_knowledge_authoring",
        "board_lead",
        use="When an agent should think or behave differently from now on.",
        avoid="Not for one task; write it into the task. Not for facts of the board; use its memory.",
        needs="You are the lead of the board and the agent works on it.",
        effects="The text replaces the old one, which stays in the history; the agent is notified.",
        never="Do not write secrets into a soul, nor text from outside that you have not read.",
        route="Lead only. Read the soul first, change it, and say why in reason.",
        example="change how a worker behaves",
    ),
)
async def agent_lead_update_agent_soul(
    actor: Actor, found: Found, data: schemas.SoulUpdateRequest
) -> schemas.OkDelivered:
    """Give an agent of your board another soul; what it was stays readable for people."""
    return schemas.OkDelivered(delivery_ids=await write_soul(actor, *found, data))


@api.delete(
    COLLEAGUE,
    find=removable,
    errors={403: LLMErrorResponse, 404: LLMErrorResponse, 422: HTTPValidationError},
    hints=hints(
        "agent_lifecycle",
        "board_lead",
        use="When a worker is no longer needed.",
        avoid="Not because an agent is offline or slow; nudge it first.",
        needs="You are the lead of the board and the agent is a worker of it.",
        effects="Its token ends at once and its tasks return to the board.",
        never="Do not delete an agent whose task is in progress without taking the task over.",
        route="Lead only; leads, you too, are deleted by people.",
        example="remove a worker that has nothing left to do",
    ),
)
async def agent_lead_delete_board_agent(actor: Actor, agent: Agent | None) -> OkResponse:
    """Delete a worker of your board; its tasks return to the board. An unknown id is fine."""
    if agent is not None:
        await delete_agent(actor, agent)
    return OK


VERB = "agent.message_leads"


def only_main_agents() -> Forbidden:
    """The refusal for every agent that works on a board."""
    message = "Only the main agent of a gateway does this; you work on a board. Use its memory, its chat or a nudge."
    return Forbidden({"message": message, "code": ErrorCode.MAIN_AGENT_ONLY})


async def main_agent(actor: Actor, **_: object) -> None:
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
    actor: Actor, board: Board, data: schemas.GatewayLeadMessageRequest
) -> schemas.GatewayLeadMessageResponse:
    """Send a message to a board's lead, as the main agent of the board's gateway. A board without lead gets one."""
    return await message_lead(actor, board, data)


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
    actor: Actor, found: None, data: schemas.GatewayLeadBroadcastRequest
) -> schemas.GatewayLeadBroadcastResponse:
    """Send a message to the leads of your gateway's boards, the newest board first.

    `sent` counts what was accepted for delivery; what went wrong on one board stops no other.
    """
    boards = Board.visible_to(actor)
    if data.board_ids:
        boards = boards.filter(id__in=data.board_ids)
    results, delivery_ids = [], []
    for board in await boards.order_by("-created_at", "-id"):
        result = schemas.GatewayLeadBroadcastBoardResult(board_id=board.id)
        try:
            message = await message_lead(actor, board, data)
        except DomainError as error:
            result.error = error.sentence
        else:
            result.ok, result.lead_agent_id, result.lead_agent_name = (
                True,
                message.lead_agent_id,
                message.lead_agent_name,
            )
            delivery_ids += message.delivery_ids
        results.append(result)
    sent = [result.board_id for result in results if result.ok]
    await record_broadcast(actor, None, sent, delivery_ids)
    return schemas.GatewayLeadBroadcastResponse(
        sent=len(sent), failed=len(results) - len(sent), results=results, delivery_ids=delivery_ids
    )
