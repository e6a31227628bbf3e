"""What agents ask about themselves and their board, and what a lead does with its colleagues, over HTTP."""

from uuid import UUID

from mission_control.agents.commands import create_agent, delete_agent, report_heartbeat
from mission_control.agents.coordination import colleague_on, current_soul, nudge_agent, write_soul
from mission_control.agents.models import Agent
from mission_control.agents.queries import own_agent, roster
from mission_control.agents.schemas import (
    AgentCheckedIn,
    AgentCreate,
    AgentCreated,
    AgentHealthStatusResponse,
    AgentNudge,
    AgentRead,
    AgentRosterQuery,
    AgentWait,
    OkDelivered,
    SoulUpdateRequest,
)
from mission_control.agents.work_state import wait_for_directive
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.boards.schemas import BoardRead
from mission_control.core.actor import Actor, require
from mission_control.core.errors import NotFound
from mission_control.core.values import OK, HTTPValidationError, LLMErrorResponse, OkResponse, Page, Paging, page
from mission_control.http.operation_api import ALL_ROLES, Api, hints
from mission_control.http.registry import lookup

api = Api(__name__, below="/agent")


@api.get(
    "/healthz",
    find=own_agent,
    errors={422: HTTPValidationError},
    hints=hints(
        "agent_auth_health",
        roles=ALL_ROLES,
        use="At start, to learn that the token works and who you are.",
        avoid="Not as a sign of life; that is the heartbeat.",
        never="Do not go on working after a 401; ask for a new token.",
        route="First call of every session.",
        example="find out whether my token is valid",
    ),
)
async def agent_healthz(actor: Actor, agent: Agent) -> AgentHealthStatusResponse:
    """Check the token and read whose it is."""
    return AgentHealthStatusResponse(
        agent_id=agent.id,
        board_id=agent.board_id,
        gateway_id=agent.gateway_id,
        status=agent.status,
        is_board_lead=agent.is_board_lead,
        scopes=None if actor.scopes is None else sorted(actor.scopes),
        token_expires_at=actor.expires_at,
    )


@api.post(
    "/heartbeat",
    find=own_agent,
    rule="agent.heartbeat",
    errors={422: HTTPValidationError},
    is_long_poll=True,
    tells_presence=True,
    hints=hints(
        "agent_heartbeat",
        roles=ALL_ROLES,
        use="Every few minutes while you run, also without work; with wait_seconds to wait for the end of a pause.",
        avoid="Not to change a task; use the task operation.",
        effects="You are shown as online for ten minutes; the answer's `directive` says continue, pause or stop.",
        never="Do not stop working because a heartbeat failed once; try again. Do not go on when it says stop.",
        route="Independent of boards and tasks.",
        example="say that I am alive",
    ),
)
async def agent_heartbeat(actor: Actor, agent: Agent, query: AgentWait) -> AgentCheckedIn:
    """Send a heartbeat, and learn whether to continue.

    A body is not needed and is ignored. `directive` is `stop` when you, your board or your organization is stopped or a
    budget is used up, `pause` (take nothing new) when one of them is paused, else `continue`. With `wait_seconds` the
    answer comes as soon as the directive is another one than `known`, or after that time: while you are paused wait
    with `known=pause`.
    """
    return await wait_for_directive(actor, await report_heartbeat(actor, agent, None), query)


@api.get(
    "/boards",
    Page[BoardRead],
    hints=hints(
        "agent_board_discovery",
        roles=ALL_ROLES,
        use="To learn which boards you may work on and their ids.",
        avoid="Not when you know the board's id already.",
        never="Do not guess board ids.",
        route="Before any operation that needs a board id.",
        example="which boards can I work on",
    ),
)
async def agent_list_boards(actor: Actor, query: Paging) -> dict[str, object]:
    """List the boards you may work on, newest first."""
    boards = Board.visible_to(actor)
    found = await boards.order_by("-created_at", "-id").limit(query.limit).offset(query.offset)
    return page([BoardRead.of(board) for board in found], await boards.count(), query)


async def reachable_board(actor: Actor, board_id: UUID) -> Board:
    """A board of the calling agent; NotFound otherwise."""
    return await visible_board(actor, board_id)


@api.get(
    "/boards/<board_id>",
    find=reachable_board,
    rule="board.read",
    hints=hints(
        "agent_board_lookup",
        roles=ALL_ROLES,
        use="To read a board's goal and rules before you act on it.",
        avoid="Not to read tasks; list them instead.",
        never="Do not work against the rules that this answer shows.",
        route="After board discovery, before the first task change.",
        example="what is this board for and which rules hold",
    ),
)
async def agent_get_board(actor: Actor, board: Board) -> BoardRead:
    """Read a board's goal and rules."""
    return BoardRead.of(board)


@api.get(
    "/agents",
    Page[AgentRead],
    hints=hints(
        "agent_roster_discovery",
        roles=ALL_ROLES,
        use="To learn who works on the board and who is online.",
        avoid="Not to find people; agents only.",
        never="Do not assign work to an agent that is not in this list.",
        route="Before assigning or mentioning somebody.",
        example="who else works here",
    ),
)
async def agent_list_agents(actor: Actor, query: AgentRosterQuery) -> dict[str, object]:
    """List the agents on your board, newest first."""
    agents, total = await roster(actor, query.board_id, query)
    return page([AgentRead.of(agent) for agent in agents], total, query)


@api.post(
    "/agents",
    rule="agent.create",
    errors={403: LLMErrorResponse, 409: LLMErrorResponse, 422: LLMErrorResponse},
    hints=hints(
        "agent_management",
        "board_lead",
        use="When the board has work that no present worker can do.",
        avoid="Not when an idle worker fits; assign the task instead.",
        needs="You are the lead and the board has room (max_agents).",
        effects="A worker is made; the answer holds its token once.",
        never="Do not write the token into comments, memory or tasks.",
        route="Lead only; workers ask the lead.",
        example="add a worker to my board",
    ),
)
async def agent_lead_create_agent(actor: Actor, data: AgentCreate) -> AgentCreated:
    """Make a worker on your board, whatever `board_id` says."""
    board = await Board.get(id=actor.board_id)
    agent, token = await create_agent(actor, board, data)
    return AgentCreated.of_new(agent, token)


coordination_api = Api(__name__, below="/agent")
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


@coordination_api.post(
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


@coordination_api.get(
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


@coordination_api.put(
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


@coordination_api.delete(
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
