"""Agents over HTTP, for people and for heartbeats: their fields, their tokens, pausing and stopping."""

from collections.abc import Mapping
from uuid import UUID

from quart import Response

from mission_control.agents import commands, tokens
from mission_control.agents.models import Agent
from mission_control.agents.queries import agent_named, own_agent, stream_of_agents, visible_agent, visible_agents
from mission_control.agents.queries import list_agents as agents_page
from mission_control.agents.schemas import (
    AgentCheckedIn,
    AgentCheckedInOrCreated,
    AgentCreate,
    AgentCreated,
    AgentHeartbeat,
    AgentHeartbeatCreate,
    AgentQuery,
    AgentRead,
    AgentStreamQuery,
    AgentUpdate,
    ForceQuery,
    TokenCreate,
    TokenCreated,
    TokenRead,
    TokenRenewal,
    TokenUpdate,
)
from mission_control.agents.work_state import directive_of, set_agent_state
from mission_control.boards.queries import visible_board, visible_board_here
from mission_control.core.actor import Actor, require
from mission_control.core.errors import Conflict, Forbidden, Invalid, NotFound
from mission_control.core.values import OK, HTTPValidationError, LLMErrorResponse, OkResponse, Page, page
from mission_control.http.operation_api import ALL_ROLES, Api, hints
from mission_control.http.registry import lookup
from mission_control.people.credentials import NewToken
from mission_control.people.models import Token
from mission_control.people.work_state import WorkStateChange

api = Api(__name__, "agents")


def _refuse_status(actor: Actor, agent: Agent, sent: Mapping[str, object]) -> None:
    if "status" in sent:
        raise Forbidden("An agent's status comes from its heartbeats.")


@api.get("/agents", Page[AgentRead], rule="agent.manage")
async def list_agents(actor: Actor, query: AgentQuery) -> dict[str, object]:
    """List agents, newest first."""
    agents, total = await agents_page(actor, query)
    return page([AgentRead.of(agent) for agent in agents], total, query)


@api.get("/agents/stream", rule="agent.manage", is_stream=True)
async def stream_agents(actor: Actor, query: AgentStreamQuery) -> Response:
    """Follow agents as they change, come and go.

    A message carries the agent as it is when the message is sent. For a deleted agent it says only that:
    `agent` is null, and `deleted_agent_id` names it.
    """
    if query.board_id is not None:
        await visible_board_here(actor, query.board_id)
    return await stream_of_agents(actor, query.board_id)


@api.post("/agents", who="actor", rule="agent.create")
async def create_agent(actor: Actor, data: AgentCreate) -> AgentCreated:
    """Make an agent, on the board's gateway unless `gateway_id` says otherwise.

    With `gateway_id: null`, or on a board without a gateway, it is a direct agent: the answer holds its token, this
    once. On a gateway it is created in the background; its status says how far that is.
    """
    board_id = data.board_id or actor.board_id
    if board_id is None:
        raise Invalid("board_id is needed: an agent works on a board.")
    agent, token = await commands.create_agent(actor, await visible_board(actor, board_id), data)
    return AgentCreated.of_new(agent, token)


@api.get("/agents/<agent_id>", rule="agent.read")
async def get_agent(actor: Actor, agent: Agent) -> AgentRead:
    """Read an agent."""
    return AgentRead.of(agent)


@api.patch("/agents/<agent_id>", rule="agent.update", refuses=_refuse_status)
async def update_agent(actor: Actor, agent: Agent, data: AgentUpdate, query: ForceQuery) -> AgentRead:
    """Change an agent; its token and its session stay.

    An agent on a gateway is updated there in the background; `force` does so without a change too, and has it start
    anew from its BOOTSTRAP.md.
    """
    changes = data.model_dump(exclude_unset=True)
    _refuse_status(actor, agent, changes)
    is_main, board = changes.pop("is_gateway_main", None), None
    if "board_id" in changes:
        board_id = changes.pop("board_id")
        if board_id is not None:
            board = await visible_board(actor, board_id)
            require(actor, "agent.create", board)
        elif not is_main:
            raise Invalid("An agent works on a board: board_id cannot be null.")
    await commands.update_agent(actor, agent, changes, board, is_main=is_main, force=query.force)
    return AgentRead.of(await visible_agent(actor, agent.id))


@api.post("/agents/<agent_id>/heartbeat", who="actor", rule="agent.heartbeat", tells_presence=True)
async def heartbeat_agent(actor: Actor, agent: Agent, data: AgentHeartbeat) -> AgentCheckedIn:
    """Report a sign of life of an agent; `directive` says whether it should continue, pause or stop."""
    agent = await commands.report_heartbeat(actor, agent, data.status)
    return AgentCheckedIn.of_directed(agent, *await directive_of(agent))


@api.post("/agents/heartbeat", who="actor", tells_presence=True)
async def heartbeat_or_create_agent(actor: Actor, data: AgentHeartbeatCreate) -> AgentCheckedInOrCreated:
    """Report a sign of life; a person's call makes the agent when there is none of that name."""
    found, token = (await own_agent(actor), None) if actor.is_agent else await _named_or_new(actor, data)
    agent = await commands.report_heartbeat(actor, found, data.status)
    return AgentCheckedInOrCreated.of_made(agent, *await directive_of(agent), token)


async def _named_or_new(actor: Actor, data: AgentHeartbeatCreate) -> tuple[Agent, str | None]:
    """The agent of exactly this name in the active organization, or a new one with its token."""
    if found := await agent_named(actor, data.name, data.board_id):
        return found, None
    require(actor, "agent.create")
    if data.board_id is None:
        raise Invalid("board_id is needed: there is no agent of this name yet.")
    board = await visible_board(actor, data.board_id)
    try:
        made, token = await commands.create_agent(actor, board, AgentCreate(name=data.name))
    except Conflict:
        if found := await agent_named(actor, data.name, data.board_id):
            return found, None  # somebody else made it at the same moment
        raise
    made.board = board
    return made, token


@api.delete("/agents/<agent_id>", rule="agent.manage")
async def delete_agent(actor: Actor, agent_id: UUID) -> OkResponse:
    """Delete an agent; its tasks return to the board. An unknown id is fine."""
    agent = await visible_agents(actor).select_related("board").get_or_none(id=agent_id)
    if agent is None:
        return OK
    if agent.organization_id != actor.organization_id:
        raise NotFound()
    await commands.delete_agent(actor, agent)
    return OK


token_api = Api(__name__, "agents")


@token_api.post("/agents/<agent_id>/tokens", rule="agent.manage_tokens")
async def create_agent_token(actor: Actor, agent: Agent, data: TokenCreate) -> TokenCreated:
    """Rotate an agent's token; the old one stays valid for `overlap_seconds` (0: it ends immediately)."""
    return _created(await tokens.rotate_token(actor, agent, data))


def _created(made: NewToken) -> TokenCreated:
    return TokenCreated(
        id=made.row.id,
        token=made.secret,
        prefix=made.row.prefix,
        expires_at=made.row.expires_at,
        replaced_until=made.replaced_until,
    )


@token_api.get("/agents/<agent_id>/tokens", rule="agent.manage_tokens")
async def list_agent_tokens(actor: Actor, agent: Agent) -> list[TokenRead]:
    """List an agent's tokens without their secrets, newest first."""
    found = await Token.filter(agent_id=agent.id).order_by("-created_at")
    return [TokenRead.of(token) for token in found]


@lookup
async def agent_token(actor: Actor, agent_id: UUID, token_id: UUID) -> tuple[Agent, Token]:
    """A token of an agent that exists for this actor (else NotFound) and whose tokens it manages (else Forbidden)."""
    agent = await visible_agent(actor, agent_id)
    require(actor, "agent.manage_tokens", agent)
    token = await Token.get_or_none(id=token_id, agent_id=agent.id)
    if token is None:
        raise NotFound()
    return agent, token


@token_api.get("/agents/<agent_id>/tokens/<token_id>")
async def get_agent_token(actor: Actor, found: tuple[Agent, Token]) -> TokenRead:
    """Read a token; its secret is shown once, where it is made."""
    return TokenRead.of(found[1])


@token_api.patch("/agents/<agent_id>/tokens/<token_id>")
async def update_agent_token(actor: Actor, found: tuple[Agent, Token], data: TokenUpdate) -> TokenRead:
    """Change what a live token may, when it ends, its budget of requests, or its name; the secret stays."""
    token = await tokens.change_token(actor, found[0], found[1].id, data)
    return TokenRead.of(token)


@token_api.delete("/agents/<agent_id>/tokens/<token_id>")
async def revoke_agent_token(actor: Actor, found: tuple[Agent, Token]) -> OkResponse:
    """Revoke a token at once."""
    await tokens.revoke_token(actor, found[0], found[1].id)
    return OK


@token_api.post(
    "/agent/tokens/rotations",
    find=own_agent,
    rule="agent.renew_token",
    errors={409: LLMErrorResponse, 422: HTTPValidationError},
    hints=hints(
        "agent_token_renewal",
        roles=ALL_ROLES,
        use="Before your token expires (token_expires_at of the health check), or when it may have been seen.",
        avoid="Not after a 401: a token that has ended cannot be renewed; ask a person for a new one.",
        needs="Your newest token, with the scope work.",
        effects="You get a token with the same powers and lifetime; the old one ends after overlap_seconds.",
        never="Do not throw the answer away: the new token is shown once. Send an Idempotency-Key to ask again.",
        route="Keep the new token where you keep the old one, then go on with it.",
        example="my token ends tomorrow, get the next one",
    ),
)
async def renew_own_token(actor: Actor, agent: Agent, data: TokenRenewal) -> TokenCreated:
    """Get the successor of your own token; the old one stays valid for `overlap_seconds` (0: it ends immediately)."""
    return _created(await tokens.renew_token(actor, agent, data.overlap_seconds))


work_state_api = Api(__name__, "agents")


@work_state_api.put("/agents/<agent_id>/work-state", rule="agent.set_work_state")
async def set_agent_work_state(actor: Actor, agent: Agent, data: WorkStateChange) -> AgentRead:
    """Pause, stop or resume an agent; needs the right to write on its board.

    Paused: no claims and no moves to in progress. Stopped: also, what it has in progress goes back to the inbox.
    """
    return AgentRead.of(await set_agent_state(actor, agent, data))
