"""Link agents that exist on a gateway to a board, and unlink them; they stay what they are."""

from typing import Any

from mission_control.agents.commands import delete_agent, save_unique
from mission_control.agents.models import Agent
from mission_control.agents.schemas import DEFAULT_HEARTBEAT
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, Unreachable
from mission_control.database.sql import rows
from mission_control.gateways.installation import is_made_by_us
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import CONNECTED
from mission_control.openclaw.errors import GatewayError
from mission_control.provisioning.files import make_workspace_token
from mission_control.provisioning.gateway_agent import READING_SECONDS, listed
from mission_control.provisioning.jobs import OPEN, request_provisioning
from mission_control.provisioning.models import ProvisioningJob
from mission_control.provisioning.schemas import Adoption


async def agents_there(gateway: Gateway) -> list[tuple[dict[str, Any], Agent | None]]:
    """Return the agents that a gateway lists, each with ours that it is. Raise Unreachable when it does not answer."""
    try:
        found = await listed(gateway.id, seconds=READING_SECONDS)
    except GatewayError as error:
        raise Unreachable(f"The gateway does not list its agents: {error.message}") from error
    ours = {one.gateway_agent_id: one for one in await Agent.filter(gateway_id=gateway.id)}
    return [(one, ours.get(key)) for key, one in sorted(found.items()) if one.get("kind") != "system"]


async def choices_to_link(gateway: Gateway) -> tuple[list[tuple[str, str]], str]:
    """Return the ids and names of the agents that can be linked, and why they cannot be listed.

    Agents that a Mission Control made, this one or another, are left out.
    """
    try:
        there = [
            found for found, ours in await agents_there(gateway) if ours is None and not is_made_by_us(found["id"])
        ]
    except Unreachable as error:
        return [], str(error.detail)
    named = [(one["id"], str(one.get("name") or one["id"])) for one in there]
    return [(key, name if name == key else f"{name} ({key})") for key, name in named], ""


@command("gateway.adopt")
async def adopt(
    actor: Actor, gateway: Gateway, board: Board, wanted: Adoption, *, workspace: str | None, main_key: str
) -> Agent:
    """Link an agent to a board; `main_key` names its main session.

    Raise Conflict when it is linked already, Invalid for a board of another gateway.
    """
    board = await locked_board(board)
    if board.gateway_id != gateway.id:
        raise Invalid("The board is on another gateway. Choose one of this gateway's boards.")
    key = wanted.gateway_agent_id
    if await _is_taken(gateway, key):
        raise Conflict("This agent is linked already.")
    await _forget_unlinking(gateway, key)
    agent = Agent(
        organization_id=board.organization_id,
        board_id=board.id,
        gateway_id=gateway.id,
        name=wanted.name,
        is_board_lead=wanted.is_board_lead,
        is_adopted=True,
        gateway_away_at=None if gateway.state == CONNECTED else clock.now(),
        gateway_agent_id=key,
        openclaw_session_id=f"agent:{key}:{main_key}",
        workspace_path=workspace,
        heartbeat_config=DEFAULT_HEARTBEAT,
    )
    agent.board = board
    await save_unique(agent)
    await make_workspace_token(agent)
    record("agent.created", agent, f"Agent linked: {agent.name}.", name=agent.name, is_board_lead=agent.is_board_lead)
    job = await request_provisioning(agent, action="adopt", followed=True)
    job.options = job.options | {"remember": wanted.remember}
    await job.save(update_fields=["options"])
    return agent


async def _forget_unlinking(gateway: Gateway, key: str) -> None:
    """Drop what waits to take back an earlier link, or it would undo the new one. Raise Conflict while that runs."""
    jobs = await ProvisioningJob.filter(gateway_id=gateway.id, action="unlink", state__in=OPEN).select_for_update()
    for job in jobs:
        if job.target.get("gateway_agent_id") != key:
            continue
        if job.state == "running":
            raise Conflict("This agent is being unlinked at the moment. Try again shortly.")
        await job.delete()


async def _is_taken(gateway: Gateway, key: str) -> bool:
    """Return whether an agent of a gateway works for us already.

    Several organizations may use one gateway; ids that Mission Control gave are unique whatever address a gateway has.
    """
    found = await rows(
        "SELECT 1 AS one FROM agents a JOIN gateways g ON g.id = a.gateway_id"
        " WHERE a.gateway_agent_id = ? AND (g.id = ? OR g.url = ? OR NOT a.is_adopted) LIMIT 1",
        key,
        gateway.id,
        gateway.url,
    )
    return bool(found)


@command("gateway.adopt")
async def unlink(actor: Actor, gateway: Gateway, agent: Agent) -> None:
    """Unlink an agent: what was added to its files is removed in the background, the agent itself stays."""
    if not agent.is_adopted:
        raise Conflict("This agent was created by Mission Control. Delete it instead.")
    await delete_agent(actor, agent)
