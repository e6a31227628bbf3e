"""Read agents: who may, lists and streams, and whom a text mentions."""

import re
from collections.abc import Iterable
from uuid import UUID

from quart import Response
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentQuery, AgentRead, AgentRosterQuery
from mission_control.boards.models import Board
from mission_control.boards.queries import SILENT_AFTER, is_recent, online_sql, visible_board_here
from mission_control.core import times
from mission_control.core.actor import Actor, rule
from mission_control.core.errors import NotFound, existing
from mission_control.core.values import JsonObject, to_json
from mission_control.database.records import find, find_all
from mission_control.database.sql import as_id, rows
from mission_control.events import broker
from mission_control.events.broker import News, Signal
from mission_control.events.models import Event
from mission_control.events.shared_reads import Shared
from mission_control.events.stream import json_stream
from mission_control.gateways.queries import visible_gateway
from mission_control.http import lookups
from mission_control.http.registry import lookup, tag_of
from mission_control.http.response_cache import Answer, cache


def visible_agents(actor: Actor) -> QuerySet[Agent]:
    """Return the agents that this actor can see, without those of deleted boards."""
    if actor.is_main:
        there = Q(board__gateway_id=actor.gateway_id) | Q(board_id=None, gateway_id=actor.gateway_id)
        return Agent.filter(there, organization_id=actor.organization_id, board__deleted_at=None)
    if actor.is_agent:
        return Agent.filter(board_id=actor.board_id, organization_id=actor.organization_id)
    whole, single = actor.readable_boards()
    return Agent.filter(Q(organization_id__in=whole) | Q(board_id__in=single), board__deleted_at=None)


@lookup
async def visible_agent(actor: Actor, agent_id: UUID) -> Agent:
    """Return an agent of the actor's active organization, with its board. Raise NotFound otherwise."""
    agent = await reachable_agent(actor, agent_id)
    if agent.organization_id != actor.organization_id:
        raise NotFound()
    return agent


async def reachable_agent(actor: Actor, agent_id: UUID) -> Agent:
    """Return an agent of any organization of a person, with its board. Raise NotFound otherwise."""
    return await existing(visible_agents(actor).select_related("board").get_or_none(id=agent_id))


async def own_agent(actor: Actor, **_: object) -> Agent:
    agent = await existing(find(Agent, "id = ?", actor.id))
    agent.board = await find(Board, "id = ?", agent.board_id) if agent.board_id is not None else None
    return agent


async def agent_named(actor: Actor, name: str, board_id: UUID | None) -> Agent | None:
    named = visible_agents(actor).filter(organization_id=actor.organization_id, name=name)
    if board_id is not None:
        named = named.filter(board_id=board_id)
    return await named.select_related("board").order_by("created_at").first()


async def list_agents(actor: Actor, query: AgentRosterQuery) -> tuple[list[Agent], int]:
    agents = visible_agents(actor).filter(organization_id=actor.organization_id)
    if query.board_id is not None:
        await visible_board_here(actor, query.board_id)
        agents = agents.filter(board_id=query.board_id)
    if isinstance(query, AgentQuery) and query.gateway_id is not None:
        await visible_gateway(actor, query.gateway_id)
        agents = agents.filter(gateway_id=query.gateway_id)
    ordered = agents.order_by("-created_at", "-id").limit(query.limit).offset(query.offset)
    return await ordered, await agents.count()


OF_BOARD = "board_id = ? ORDER BY created_at DESC, id DESC"


async def agents_of_board(board: Board) -> list[Agent]:
    return await find_all(Agent, OF_BOARD, board.id)


async def agents_of_board_as_json(board: Board) -> bytes:
    """Return the agents of a board as they are answered. They are rendered again when a row or a status changed:
    signs of life are not in the log, and without one for some minutes an agent is offline."""
    agents = await rows(f"SELECT * FROM agents WHERE {OF_BOARD}", board.id)
    now = times.clock_now()
    recent = [row["gateway_id"] is None and is_recent(row["last_seen_at"], now) for row in agents]
    state = tag_of(to_json([agents, recent]))

    async def make() -> Answer:
        return Answer((to_json([AgentRead.of(agent) for agent in await agents_of_board(board)]),), "")

    return (await cache.answer(("agents", board.id), state, make)).pieces[0]


async def lead_id_of(board_id: UUID) -> UUID | None:
    leads = await rows("SELECT id FROM agents WHERE board_id = ? AND is_board_lead LIMIT 1", board_id)
    return as_id(leads[0]["id"]) if leads else None


async def main_agent_on(gateway_id: UUID) -> Agent | None:
    return await Agent.filter(gateway_id=gateway_id, board_id=None).order_by("created_at").first()


async def online_count(organization_id: UUID) -> int:
    [count] = await rows(
        "SELECT COUNT(*) AS n FROM agents g LEFT JOIN boards b ON b.id = g.board_id"
        f" WHERE g.organization_id = ? AND b.deleted_at IS NULL AND {online_sql('g')}",
        organization_id,
        times.clock_now() - SILENT_AFTER,
    )
    return int(count["n"])


async def agents_to_notify(board_ids: list[UUID]) -> list[Agent]:
    reachable = Q(gateway_id=None) | Q(openclaw_session_id__not_isnull=True)
    return await Agent.filter(reachable, board_id__in=board_ids).order_by("created_at", "id")


@rule("agent.manage")
def may_manage_agents(actor: Actor, thing: object) -> bool:
    """Owners and admins of the active organization."""
    return actor.is_user and actor.administers(actor.organization_id)


@rule("agent.create")
def may_create_agent(actor: Actor, board: Board | None) -> bool:
    """Admins who can write on the board, and its lead."""
    if actor.is_agent:
        return actor.is_lead and (board is None or actor.writes(board))
    if board is None:
        return actor.administers(actor.organization_id)
    return actor.administers(board.organization_id) and actor.writes(board)


@rule("agent.read")
def may_read_agent(actor: Actor, agent: Agent) -> bool:
    """Admins who can read the agent's board."""
    return actor.is_user and actor.administers(agent.organization_id)


@rule("agent.update", "agent.manage_tokens")
def may_update_agent(actor: Actor, agent: Agent) -> bool:
    """Admins who can write on the agent's board."""
    if not (actor.is_user and actor.administers(agent.organization_id)):
        return False
    return agent.board is None or actor.writes(agent.board)


@rule("agent.renew_token")
def may_renew_token(actor: Actor, agent: Agent) -> bool:
    """The agent itself."""
    return actor.is_agent and actor.id == agent.id


@rule("agent.delete")
def may_delete_agent(actor: Actor, agent: Agent) -> bool:
    """Admins who can write on the agent's board; a lead deletes workers of its own board."""
    if actor.is_agent:
        return actor.is_lead and agent.board_id == actor.board_id and not agent.is_board_lead
    return may_update_agent(actor, agent)


@rule("agent.coordinate")
def may_coordinate(actor: Actor, board: Board) -> bool:
    """The lead of the board."""
    return actor.is_agent and actor.is_lead and actor.writes(board)


@rule("agent.read_soul")
def may_read_soul(actor: Actor, agent_id: UUID) -> bool:
    """Agents read their own soul; leads also those of their colleagues."""
    return actor.is_agent and (actor.is_lead or actor.id == agent_id)


@rule("agent.message_leads")
def may_message_leads(actor: Actor, board: Board | None) -> bool:
    """The main agents of gateways, on the boards of their gateway."""
    return actor.is_main and (board is None or actor.writes(board))


@rule("agent.heartbeat")
def may_report_heartbeat(actor: Actor, agent: Agent) -> bool:
    """The agent itself, and people who can change it."""
    return actor.id == agent.id if actor.is_agent else may_update_agent(actor, agent)


@rule("agent.set_work_state")
def may_set_work_state(actor: Actor, agent: Agent) -> bool:
    """People who can write on the agent's board; of an agent without one, admins."""
    if agent.board is None:
        return actor.is_user and actor.administers(agent.organization_id)
    return actor.is_user and actor.writes(agent.board)


async def stream_of_agents(actor: Actor, board_id: UUID | None) -> Response:
    """One `agent` message per change, sign of life and departure of the agents an admin reaches."""

    async def alive() -> bool:
        current = await lookups.fresh(actor)
        return current is not None and current.administers(actor.organization_id)

    async def message_for(agent_id: object, source: News) -> bytes | None:
        key = (source.id if isinstance(source, Event) else id(source), broker.known_head(actor.organization_id))
        found = await _messages.get(key, lambda: _read(actor.organization_id, agent_id, source))
        current = await lookups.fresh(actor)
        where, message, _ = found
        if current is None or message is None or board_id not in (None, where):
            return None
        whole, single = current.readable_boards()
        return message if actor.organization_id in whole or where in single else None

    async def payload(event: Event) -> bytes | JsonObject | None:
        if event.kind == "agent.deleted":  # without the agent, which clients would add to their list again
            return {"agent": None, "deleted_agent_id": event.subject_id} if board_id in (None, event.board_id) else None
        return await message_for(event.subject_id, event) if event.kind.startswith("agent.") else None

    async def signal_payload(signal: Signal) -> bytes | None:
        return await message_for(signal["agent_id"], signal) if "agent_id" in signal else None

    return await json_stream(actor.organization_id, "agent", payload, alive, signal_payload)


# The board of an agent, the agent as all streams send it, and the event or signal for which it was read: by its
# identity the message is cached.
type AgentMessage = tuple[UUID | None, bytes | None, Event | dict[str, object]]
_messages: Shared[AgentMessage] = Shared()


async def _read(organization_id: UUID, agent_id: object, source: News) -> AgentMessage:
    agent = await Agent.get_or_none(id=agent_id, organization_id=organization_id, board__deleted_at=None)
    return (agent.board_id, to_json({"agent": AgentRead.of(agent)}), source) if agent else (None, None, source)


MENTION = re.compile(r"(?<!\w)@([A-Za-z][\w-]{0,31})")


def mentioned_names(text: str) -> set[str]:
    """Return the lower-cased names after `@`, without those in e-mail addresses."""
    return {name.lower() for name in MENTION.findall(text)}


def mentions(text: str, agent: Agent) -> bool:
    """Return whether a text mentions an agent: `@lead` for the lead, else its name or the first word of it."""
    names = mentioned_names(text)
    if "lead" in names and agent.is_board_lead:
        return True
    own = agent.name.lower()
    first_word = own.split()[0] if own.split() else own
    return bool((names - {"lead"}) & {own, first_word})


def mentioned(text: str, agents: Iterable[Agent]) -> list[Agent]:
    """Return the agents that a text mentions; `@Vega Two` is Vega Two and not also another Vega."""
    every = list(agents)
    return [agent for agent in every if mentions(_without_whole_names(text, agent, every), agent)]


def _without_whole_names(text: str, agent: Agent, every: list[Agent]) -> str:
    names = sorted({agent.name for agent in every if " " in agent.name}, key=len, reverse=True)
    if not names:
        return text
    own = agent.name.lower()
    whole = re.compile(rf"(?<!\w)@({'|'.join(map(re.escape, names))})(?!\w)", re.I)
    return whole.sub(lambda match: match[0] if match[1].lower() == own else "", text)
