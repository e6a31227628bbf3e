"""Agents' tokens over HTTP: for the people who manage them, and for agents that renew their own."""

from uuid import UUID

from mission_control.accounts.credentials import NewToken
from mission_control.accounts.models import Token
from mission_control.agents import tokens
from mission_control.agents.models import Agent
from mission_control.agents.queries import own_agent, visible_agent
from mission_control.agents.schemas import TokenCreate, TokenCreated, TokenRead, TokenRenewal, TokenUpdate
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.policy import require
from mission_control.core.schemas import OK, HTTPValidationError, LLMErrorResponse, OkResponse
from mission_control.operations.api import ALL_ROLES, Api, hints

api = Api(__name__, "agents")


@api.post("/agents/<agent_id>/tokens", rule="agent.manage_tokens")
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


@api.get("/agents/<agent_id>/tokens", rule="agent.manage_tokens")
async def list_agent_tokens(actor: Actor, agent: Agent) -> list[TokenRead]:
    """List an agent's tokens without their secrets, newest first."""
    found = await Token.filter(agent_id=agent.id).order_by("-created_at")
    return [TokenRead.of(token) for token in found]


async def agent_token(actor: Actor, agent_id: UUID, token_id: UUID) -> tuple[Agent, Token]:
    """A token of an agent that exists for this actor (else NotFound) and whose tokens it manages (else Forbidden)."""
    agent = await visible_agent(actor, agent_id)
    require(actor, "agent.manage_tokens", agent)
    token = await Token.get_or_none(id=token_id, agent_id=agent.id)
    if token is None:
        raise NotFound()
    return agent, token


@api.get("/agents/<agent_id>/tokens/<token_id>")
async def get_agent_token(actor: Actor, found: tuple[Agent, Token]) -> TokenRead:
    """Read a token; its secret is shown once, where it is made."""
    return TokenRead.of(found[1])


@api.patch("/agents/<agent_id>/tokens/<token_id>")
async def update_agent_token(actor: Actor, found: tuple[Agent, Token], data: TokenUpdate) -> TokenRead:
    """Change what a live token may, when it ends, its budget of requests, or its name; the secret stays."""
    token = await tokens.change_token(actor, found[0], found[1].id, data.model_dump(exclude_unset=True))
    return TokenRead.of(token)


@api.delete("/agents/<agent_id>/tokens/<token_id>")
async def revoke_agent_token(actor: Actor, found: tuple[Agent, Token]) -> OkResponse:
    """Revoke a token at once."""
    await tokens.revoke_token(actor, found[0], found[1].id)
    return OK


@api.post(
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
