"""Commands that rotate, renew, change and revoke tokens of agents."""

from datetime import datetime
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from mission_control.agents.commands import locked_agent
from mission_control.agents.connections.commands import end_connections
from mission_control.agents.models import Agent
from mission_control.agents.schemas import TokenCreate, TokenUpdate
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, Invalid
from mission_control.core.values import JsonObject
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.http import lookups
from mission_control.people.accounts.credentials import NewToken, make_agent_token
from mission_control.people.models import Token

EVENTS = (
    Kind("agent.token_rotated", "An agent got a new token.", "rotated the token of"),
    Kind("agent.token_changed", "What a token of an agent may, or when it ends, changed.", "changed a token of"),
    Kind("agent.token_revoked", "A token of an agent was ended.", "revoked a token of"),
)

KEPT_WHEN_ROTATED = ("name", "scopes", "requests_per_minute")


@command("agent.manage_tokens")
async def rotate_token(actor: Actor, agent: Agent, new: TokenCreate) -> NewToken:
    """Create a token like the newest one, unless other properties are given. The live ones end after the overlap."""
    agent = await locked_agent(agent)
    if new.expires_at is not None and new.expires_at <= times.clock_now():
        raise Invalid("This expiry is in the past. Choose a later time.")
    replaced = await newest_live_token(agent.id)
    traits = {
        name: getattr(new if replaced is None or name in new.model_fields_set else replaced, name)
        for name in KEPT_WHEN_ROTATED
    }
    return await _replace(agent, new.overlap_seconds, new.expires_at, traits)


@command("agent.renew_token")
async def renew_token(actor: Actor, agent: Agent, overlap_seconds: int) -> NewToken:
    """Replace the token with which an agent calls by an equal one. Raise Conflict when it was replaced already."""
    agent = await locked_agent(agent)
    used = await newest_live_token(agent.id)
    if used is None or used.id != actor.credential[1]:
        raise Conflict(ErrorCode.TOKEN_REPLACED.detail())
    ends = None if used.expires_at is None else times.clock_now() + (used.expires_at - used.created_at)
    return await _replace(agent, overlap_seconds, ends, {name: getattr(used, name) for name in KEPT_WHEN_ROTATED})


async def _replace(agent: Agent, overlap_seconds: int, expires_at: datetime | None, traits: JsonObject) -> NewToken:
    made = await make_agent_token(agent.id, overlap_seconds=overlap_seconds, expires_at=expires_at, **traits)
    facts: JsonObject = {"token_id": made.row.id, "prefix": made.row.prefix}
    record("agent.token_rotated", agent, f"Token rotated: {agent.name}.", **facts)
    return made


async def newest_live_token(agent_id: UUID) -> Token | None:
    return await live_tokens(agent_id).order_by("-created_at", "-id").first()


def live_tokens(agent_id: UUID) -> QuerySet[Token]:
    own = Token.filter(agent_id=agent_id, connection_id=None, revoked_at=None)
    return own.filter(Q(expires_at=None) | Q(expires_at__gt=times.clock_now()))


@command("agent.manage_tokens")
async def change_token(actor: Actor, agent: Agent, token_id: UUID, sent: TokenUpdate) -> Token:
    """Change a token's name, scopes, end or budget. Open streams notice at once. Raise Conflict when it has ended."""
    agent = await locked_agent(agent)
    token = await Token.select_for_update().get(id=token_id)
    if token.connection_id is not None:
        raise Conflict("This token belongs to a connection, which renews it. Disconnect it instead.")
    if token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= times.clock_now()):
        raise Conflict(ErrorCode.TOKEN_ENDED.detail())
    sent_fields = sent.model_dump(exclude_unset=True)
    changes = {name: value for name, value in sent_fields.items() if getattr(token, name) != value}
    if not changes:
        return token
    if "expires_at" in changes and sent.expires_at is not None and sent.expires_at <= times.clock_now():
        raise Invalid("This expiry is in the past. Choose a later time, or revoke the token.")
    before = {name: getattr(token, name) for name in changes}
    token.update_from_dict(changes)
    await token.save(update_fields=list(changes))
    facts: JsonObject = {"token_id": token.id, "prefix": token.prefix, "before": before, "after": changes}
    record("agent.token_changed", agent, f"Token changed: {agent.name}.", **facts)
    lookups.recheck_streams()
    return token


@command("agent.manage_tokens")
async def revoke_token(actor: Actor, agent: Agent, token_id: UUID) -> None:
    """End one token of an agent at once; that of a connection with the connection."""
    token = await Token.get(id=token_id)
    if token.connection_id is not None:
        await end_connections(agent.organization_id, [token.connection_id], "Its token was revoked.")
    elif await Token.filter(id=token_id, revoked_at=None).update(revoked_at=times.clock_now()):
        record("agent.token_revoked", agent, f"Token revoked: {agent.name}.", token_id=token_id)
    lookups.recheck_streams()
