"""The token in an agent's files: created once, kept encrypted, replaced only when that is asked for."""

from datetime import timedelta
from uuid import UUID

from tortoise.expressions import Q

from mission_control.accounts.credentials import make_agent_token
from mission_control.accounts.models import Token
from mission_control.agents.models import Agent
from mission_control.authn import lookups
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.ids import fingerprint
from mission_control.gateways.models import Gateway
from mission_control.provisioning.installation import here

# A running turn keeps the token that it began with; it ends this long after the new one is in the agent's files.
OVERLAP = timedelta(hours=1)
UNTIL_WRITTEN = timedelta(days=30)


async def make_workspace_token(agent: Agent) -> UUID:
    """Inside a command: give an agent a token for its files and return the token's id.

    Earlier tokens stay valid for now: `end_replaced` ends them once the new one is written.
    """
    made = await make_agent_token(agent.id, overlap_seconds=int(UNTIL_WRITTEN.total_seconds()), name="Workspace files")
    agent.workspace_token = here().seal(made.secret)
    await agent.save(update_fields=["workspace_token"])
    if made.replaced_until is not None:
        record(
            "agent.token_rotated", agent, f"Token rotated: {agent.name}.", token_id=made.row.id, prefix=made.row.prefix
        )
    return made.row.id


async def end_replaced(agent_id: UUID, token_id: UUID) -> None:
    """Inside a command: end the other tokens of an agent after the overlap, because its files have the new one."""
    moment = clock.now() + OVERLAP
    others = Token.filter(agent_id=agent_id, revoked_at=None).exclude(id=token_id)
    await others.filter(Q(expires_at=None) | Q(expires_at__gt=moment)).update(expires_at=moment)
    lookups.recheck_streams()


async def is_lasting(agent: Agent) -> bool:
    """Return whether the token that we would write into the agent's files lets it in, and is not about to end."""
    if agent.workspace_token is None:
        return False
    print_ = fingerprint(here().unseal(agent.workspace_token))
    soon = clock.now() + timedelta(days=1)
    lasting = Token.filter(Q(expires_at=None) | Q(expires_at__gt=soon), agent_id=agent.id, revoked_at=None)
    return await lasting.filter(fingerprint=print_).exists()


@command("gateway.sync_templates")
async def keep_found_token(actor: Actor, gateway: Gateway, agent: Agent, secret: str) -> None:
    """Keep a valid token that was found in an agent's files."""
    agent.workspace_token = here().seal(secret)
    await Agent.filter(id=agent.id, workspace_token=None).update(workspace_token=agent.workspace_token)


async def is_token_of(agent_id: UUID, secret: str) -> bool:
    """Return whether a token that was found in a file still lets this agent in."""
    live = Token.filter(Q(expires_at=None) | Q(expires_at__gt=clock.now()), agent_id=agent_id, revoked_at=None)
    return await live.filter(fingerprint=fingerprint(secret)).exists()
