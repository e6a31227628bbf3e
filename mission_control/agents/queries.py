"""Read agents."""

from typing import Any
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentQuery
from mission_control.boards.models import Board
from mission_control.boards.presence import OFFLINE_AFTER, online_sql
from mission_control.boards.queries import visible_board_here
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.paging import Paging
from mission_control.database.records import find, find_all
from mission_control.database.sql import as_id, placeholders, rows
from mission_control.gateways.queries import visible_gateway


def visible_agents(actor: Actor) -> QuerySet[Agent]:
    """Return the agents that this actor can see, without those of deleted boards."""
    if actor.is_main:
        there = Q(board__gateway_id=actor.gateway_id) | Q(board_id=None, gateway_id=actor.gateway_id)
        return Agent.filter(there, organization_id=actor.organization_id, board__deleted_at=None)
    if actor.is_agent:
        return Agent.filter(board_id=actor.board_id, organization_id=actor.organization_id)
    whole, single = actor.readable_boards()
    return Agent.filter(Q(organization_id__in=whole) | Q(board_id__in=single), board__deleted_at=None)


async def visible_agent(actor: Actor, agent_id: UUID) -> Agent:
    """Return an agent of the actor's active organization, with its board. Raise NotFound otherwise."""
    agent = await reachable_agent(actor, agent_id)
    if agent.organization_id != actor.organization_id:
        raise NotFound()
    return agent


async def reachable_agent(actor: Actor, agent_id: UUID) -> Agent:
    """Return an agent of any organization of a person, with its board. Raise NotFound otherwise."""
    agent = await visible_agents(actor).select_related("board").get_or_none(id=agent_id)
    if agent is None:
        raise NotFound()
    return agent


async def own_agent(actor: Actor, **_: Any) -> Agent:
    """Return the calling agent, with its board."""
    agent = await find(Agent, "id = ?", actor.id)
    if agent is None:
        raise NotFound()
    agent.board = await find(Board, "id = ?", agent.board_id) if agent.board_id is not None else None
    return agent


async def agent_named(actor: Actor, name: str, board_id: UUID | None) -> Agent | None:
    """Return the first agent of the active organization with exactly this name, on a board if one is given."""
    named = visible_agents(actor).filter(organization_id=actor.organization_id, name=name)
    if board_id is not None:
        named = named.filter(board_id=board_id)
    return await named.select_related("board").order_by("created_at").first()


async def list_agents(actor: Actor, query: AgentQuery) -> tuple[list[Agent], int]:
    """Return the agents of the active organization that the actor can see, newest first, and their number."""
    agents = visible_agents(actor).filter(organization_id=actor.organization_id)
    if query.board_id is not None:
        await visible_board_here(actor, query.board_id)
        agents = agents.filter(board_id=query.board_id)
    if query.gateway_id is not None:
        await visible_gateway(actor, query.gateway_id)
        agents = agents.filter(gateway_id=query.gateway_id)
    return await _page(agents, query)


async def roster(actor: Actor, board_id: UUID | None, paging: Paging) -> tuple[list[Agent], int]:
    """Return the agents that the calling agent can see, of one board if it is given. Raise NotFound for others."""
    agents = visible_agents(actor)
    if board_id is not None:
        await visible_board_here(actor, board_id)
        agents = agents.filter(board_id=board_id)
    return await _page(agents, paging)


async def _page(agents: QuerySet[Agent], paging: Paging) -> tuple[list[Agent], int]:
    ordered = agents.order_by("-created_at", "-id").limit(paging.limit).offset(paging.offset)
    return await ordered, await agents.count()


async def agents_of_board(board: Board) -> list[Agent]:
    """Return all agents of a board, newest first."""
    return await find_all(Agent, "board_id = ? ORDER BY created_at DESC, id DESC", board.id)


async def lead_id_of(board_id: UUID) -> UUID | None:
    """Return the id of the board's lead, if it has one."""
    found = await rows("SELECT id FROM agents WHERE board_id = ? AND is_board_lead LIMIT 1", board_id)
    return as_id(found[0]["id"]) if found else None


async def main_agent_on(gateway_id: UUID) -> Agent | None:
    """Return the main agent of a gateway, if it has one."""
    return await Agent.filter(gateway_id=gateway_id, board_id=None).order_by("created_at").first()


async def working_on(agent_ids: list[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """Return the tasks in progress of each agent: id, number, title, board_id, in_progress_at."""
    if not agent_ids:
        return {}
    found = await rows(
        "SELECT id, number, title, board_id, in_progress_at, assigned_agent_id FROM tasks WHERE deleted_at IS NULL"
        f" AND status = 'in_progress' AND assigned_agent_id IN ({placeholders(len(agent_ids))})"
        " ORDER BY in_progress_at DESC",
        *agent_ids,
    )
    by_agent: dict[UUID, list[dict[str, Any]]] = {}
    for row in found:
        by_agent.setdefault(UUID(str(row["assigned_agent_id"])), []).append(row)
    return by_agent


async def waiting_notices(agent_ids: list[UUID]) -> dict[UUID, int]:
    """Return the number of undelivered notices of each agent, including those that were given up."""
    if not agent_ids:
        return {}
    found = await rows(
        "SELECT agent_id, COUNT(*) AS n FROM deliveries WHERE state <> 'sent'"
        f" AND agent_id IN ({placeholders(len(agent_ids))}) GROUP BY agent_id",
        *agent_ids,
    )
    return {UUID(str(row["agent_id"])): int(row["n"]) for row in found}


async def online_count(organization_id: UUID) -> int:
    """Return the number of agents of an organization that are online."""
    [found] = await rows(
        "SELECT COUNT(*) AS n FROM agents g LEFT JOIN boards b ON b.id = g.board_id"
        f" WHERE g.organization_id = ? AND b.deleted_at IS NULL AND {online_sql('g')}",
        organization_id,
        clock.now() - OFFLINE_AFTER,
    )
    return int(found["n"])


async def agents_to_notify(board_ids: list[UUID]) -> list[Agent]:
    """Return the agents of some boards that can be notified: direct ones, and those with a session."""
    reachable = Q(gateway_id=None) | Q(openclaw_session_id__not_isnull=True)
    return await Agent.filter(reachable, board_id__in=board_ids).order_by("created_at", "id")
