"""What agents ask about themselves, and read in their inboxes, over HTTP."""

from mission_control.agents import inbox, schemas
from mission_control.agents.commands import create_agent, report_heartbeat
from mission_control.agents.holds.schemas import AgentHold
from mission_control.agents.models import Agent
from mission_control.agents.notices import Inbox, InboxQuery
from mission_control.agents.queries import list_agents, own_agent
from mission_control.agents.work_state import wait_for_directive
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.boards.schemas import BoardRead
from mission_control.core.actor import Actor
from mission_control.core.values import HTTPValidationError, JsonObject, LLMErrorResponse, Page, Paging, page
from mission_control.http.operation_api import Api, hints
from mission_control.http.registry import ALL_ROLES

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
async def agent_healthz(actor: Actor, agent: Agent) -> schemas.AgentHealthStatusResponse:
    """Check the token and read whose it is."""
    return schemas.AgentHealthStatusResponse(
        agent_id=agent.id,
        board_id=agent.board_id,
        gateway_id=agent.gateway_id,
        status=agent.status,
        is_board_lead=agent.is_board_lead,
        scopes=None if actor.scopes is None else sorted(actor.scopes),
        token_expires_at=actor.expires_at,
        hold=AgentHold.stored(agent.hold),
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
        effects="You are shown as online for 15 minutes; the answer's `directive` says continue, pause or stop.",
        never="Do not stop working because a heartbeat failed once; try again. Do not go on when it says stop.",
        route="Independent of boards and tasks.",
        example="say that I am alive",
    ),
)
async def agent_heartbeat(actor: Actor, agent: Agent, query: schemas.AgentWait) -> schemas.AgentCheckedIn:
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
async def agent_list_boards(actor: Actor, query: Paging) -> JsonObject:
    """List the boards you may work on, newest first."""
    boards = Board.visible_to(actor)
    listed = await boards.order_by("-created_at", "-id").limit(query.limit).offset(query.offset)
    return page([BoardRead.of(board) for board in listed], await boards.count(), query)


@api.get(
    "/boards/<board_id>",
    find=visible_board,
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
    Page[schemas.AgentRead],
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
async def agent_list_agents(actor: Actor, query: schemas.AgentRosterQuery) -> JsonObject:
    """List the agents on your board, newest first."""
    agents, total = await list_agents(actor, query)
    return page([schemas.AgentRead.of(agent) for agent in agents], total, query)


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
async def agent_lead_create_agent(actor: Actor, data: schemas.AgentCreate) -> schemas.AgentCreated:
    """Make a worker on your board, whatever `board_id` says."""
    board = await Board.get(id=actor.board_id)
    agent, token = await create_agent(actor, board, data)
    return schemas.AgentCreated.of(agent, token=token)


@api.get(
    "/inbox",
    rule="inbox.read",
    errors={422: HTTPValidationError},
    is_long_poll=True,
    tells_news=True,
    hints=hints(
        "agent_inbox_read",
        roles=ALL_ROLES,
        use="In a loop with wait_seconds=50, to learn of assignments, mentions, comments, decisions and chat at once.",
        avoid="Not to read a task's comments or the chat's history; list those instead.",
        effects="Notices up to `after` are acknowledged and never given again; everything else is given again.",
        never="Do not send the `next` of an answer as `after` before you have dealt with its notices.",
        route="Start with after=0, then always with the `next` of the last answer.",
        example="wait until somebody wants something from me",
    ),
)
async def read_inbox(actor: Actor, query: InboxQuery) -> Inbox:
    """Read your notices in order, and acknowledge those up to `after`.

    With `wait_seconds` the answer comes as soon as there is a notice, or empty after that time. What was not
    acknowledged is given again, also after a restart with `after=0`.
    """
    return await inbox.read_inbox(actor, query)
