"""What a lead does with its colleagues over HTTP."""

from uuid import UUID

from mission_control.agents.commands import delete_agent
from mission_control.agents.coordination import colleague_on, current_soul, nudge_agent, write_soul
from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentNudge, OkDelivered, SoulUpdateRequest
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.policy import require
from mission_control.core.schemas import OK, HTTPValidationError, LLMErrorResponse, OkResponse
from mission_control.operations.api import Api, hints

api = Api(__name__, below="/agent")
COLLEAGUE = "/boards/<board_id>/agents/<agent_id>"
REFUSALS = dict.fromkeys((403, 404, 422, 502), LLMErrorResponse)

Found = tuple[Board, Agent]


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
async def agent_lead_nudge_agent(actor: Actor, found: Found, data: AgentNudge) -> OkDelivered:
    """Nudge an agent of your board: your message goes to it as it is."""
    return OkDelivered(delivery_ids=[await nudge_agent(actor, *found, data.message)])


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
async def agent_lead_update_agent_soul(actor: Actor, found: Found, data: SoulUpdateRequest) -> OkDelivered:
    """Give an agent of your board another soul; what it was stays readable for people."""
    return OkDelivered(delivery_ids=await write_soul(actor, *found, data))


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
