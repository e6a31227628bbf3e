"""Commands that create, change and delete agents, and record heartbeats."""

from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.accounts.tokens import end_agent_tokens, make_agent_token
from mission_control.agents.fields import PLAIN
from mission_control.agents.models import Agent
from mission_control.agents.placement import moved, place, refuse_twin, usable_gateway
from mission_control.agents.presence import CHECKED_IN, TOUCH_AGAIN_AFTER, WITHOUT_GATEWAY
from mission_control.agents.schemas import DEFAULT_HEARTBEAT, AgentCreate
from mission_control.agents.souls import begin_soul, keep_soul
from mission_control.authn import freshness
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.reactions import react
from mission_control.commands.unit_of_work import record, signal, unit_of_work
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Forbidden, NotFound
from mission_control.database.sql import lowered, rows


@command("agent.create")
async def create_agent(actor: Actor, board: Board, new: AgentCreate) -> tuple[Agent, str | None]:
    """Create an agent. Return it with the token of a direct agent; one on a gateway gets its token in its files.

    Raise Conflict for a taken name, a full board, a second lead.
    """
    if actor.is_agent and new.is_board_lead:
        raise Forbidden("Only an owner or admin can make an agent the lead.")
    board = await locked_board(board)
    if actor.is_agent and await Agent.filter(board_id=board.id, is_board_lead=False).count() >= board.max_agents:
        raise Conflict(f"This board takes at most {board.max_agents} worker agents.")
    agent = Agent(
        organization_id=board.organization_id,
        board_id=board.id,
        **new.model_dump(include=set(PLAIN)),
    )
    agent.heartbeat_config = agent.heartbeat_config or DEFAULT_HEARTBEAT
    gateway_id = new.gateway_id if "gateway_id" in new.model_fields_set else board.gateway_id
    if gateway_id is not None:
        gateway = await usable_gateway(board.organization_id, gateway_id)
        agent.update_from_dict(await place(agent, gateway, board))
        if not agent.is_board_lead:
            await refuse_twin(agent)
    await save_unique(agent)
    await begin_soul(agent)
    token = await make_agent_token(agent.id) if gateway_id is None else None
    record(
        "agent.created",
        agent,
        f"Agent created: {agent.name}.",
        name=agent.name,
        is_board_lead=agent.is_board_lead,
    )
    return agent, None if token is None else token.secret


async def save_unique(agent: Agent, fields: list[str] | None = None) -> None:
    """Save an agent. Raise Conflict where a unique index refuses it."""
    twins = await rows(
        f"SELECT 1 AS one FROM agents WHERE board_id = ? AND {lowered('name')} = ? AND id <> ?",
        agent.board_id,
        agent.name.lower(),
        agent.id,
    )
    if twins:
        raise Conflict(f"An agent named {agent.name} works on this board already.")
    if agent.is_board_lead and await Agent.filter(board_id=agent.board_id, is_board_lead=True).exclude(id=agent.id):
        raise Conflict("This board has a lead already.")
    try:
        async with in_transaction():
            await agent.save(update_fields=fields, force_create=fields is None)
    except IntegrityError:
        raise Conflict("Another agent of this board has this name or leads it.") from None


@command("agent.update")
async def update_agent(
    actor: Actor,
    agent: Agent,
    changes: dict[str, Any],
    board: Board | None = None,
    soul_reason: str | None = None,
    *,
    is_main: bool | None = None,
    force: bool = False,
) -> Agent:
    """Change an agent. A move to another board needs that board; tokens stay as they are.

    `is_main` makes an agent of a gateway its main agent, or takes that away. `force` provisions it anew.
    """
    agent = await locked_agent(agent)
    if board is not None and board.organization_id != agent.organization_id:
        raise NotFound()
    if "heartbeat_config" in changes and changes["heartbeat_config"] is None:
        changes["heartbeat_config"] = DEFAULT_HEARTBEAT
    changes |= await moved(agent, board, is_main=is_main)
    changes = {name: value for name, value in changes.items() if getattr(agent, name) != value}
    if changes:
        await _change(agent, changes, board, soul_reason)
    if force and agent.gateway_id is not None:
        record("agent.provisioning_requested", agent, f"Provisioning asked for: {agent.name}.", force_bootstrap=True)
    return agent


async def _change(agent: Agent, changes: dict[str, Any], board: Board | None, soul_reason: str | None) -> None:
    before = {name: getattr(agent, name) for name in changes}
    agent.update_from_dict(changes)
    agent.updated_at = clock.now()
    await save_unique(agent, [*changes, "updated_at"])
    if {"board_id", "is_board_lead"} & set(changes):
        freshness.recheck_streams()
    if "board_id" in changes:
        agent.board = board if agent.board_id is not None else None
    if "soul_template" in changes:
        await keep_soul(agent, before["soul_template"], reason=soul_reason)
    record("agent.updated", agent, f"Agent changed: {agent.name}.", before=before, after=changes)


@command("agent.delete")
async def delete_agent(actor: Actor, agent: Agent) -> None:
    """Delete an agent, unassign its tasks and end its tokens. Deleting it again is a no-op."""
    try:
        agent = await locked_agent(agent, for_good=True)
    except NotFound:
        return
    record("agent.deleted", agent, f"Agent deleted: {agent.name}.", name=agent.name)
    await react()
    unit = unit_of_work()
    unit.deliveries = [one for one in unit.deliveries if one.agent_id != agent.id]  # nobody reads them
    await end_agent_tokens(agent.id, clock.now())
    await rows("DELETE FROM kept_answers WHERE actor_id = ?", agent.id)
    await agent.delete()


@command("agent.heartbeat")
async def report_heartbeat(actor: Actor, agent: Agent, status: str | None) -> Agent:
    """Record a heartbeat, without an event.

    Without a status, the agent's own call makes it online, as does every call after a silence.
    """
    now = clock.now()
    written = await rows(
        f"UPDATE agents SET last_seen_at = ?, updated_at = ?, {CHECKED_IN}, status = COALESCE(?, CASE"
        f" WHEN {WITHOUT_GATEWAY} THEN 'error' WHEN status IN ('provisioning', 'updating', 'error')"
        " OR (id = ? AND status <> 'deleting' AND (last_seen_at IS NULL OR last_seen_at <= ?))"
        " THEN 'online' ELSE status END) WHERE id = ? RETURNING status",
        now,
        now,
        status,
        actor.id,
        now - TOUCH_AGAIN_AFTER,
        agent.id,
    )
    if not written:
        raise NotFound()
    agent.status, agent.last_seen_at, agent.updated_at = written[0]["status"], now, now
    signal(agent.organization_id, agent_id=str(agent.id), board_id=str(agent.board_id))
    return agent


async def locked_agent(agent: Agent, *, for_good: bool = False) -> Agent:
    """Lock the agent until the running command ends, and return it. Raise NotFound when it has been deleted.

    With `for_good`, lock it also against rows that refer to it, before it is deleted.
    """
    found = await Agent.select_for_update(no_key=not for_good).get_or_none(id=agent.id)
    if found is None:
        raise NotFound()
    found.board = agent.board
    return found
