"""Commands that create, change and delete agents: where they run, their souls, and a board's lead."""

from typing import Literal
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from mission_control.agents.fields import PLAIN
from mission_control.agents.models import Agent, AgentSoul
from mission_control.agents.reactions import NOTICE
from mission_control.agents.schemas import DEFAULT_HEARTBEAT, AgentCreate, AgentUpdate, SoulRead
from mission_control.agents.work_state import CHECKED_IN, TOUCH_AGAIN_AFTER, WITHOUT_GATEWAY
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, Forbidden, Invalid, NotFound, existing
from mission_control.core.values import Paging
from mission_control.database.sql import Row, lowered, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import deliver, react, record, signal, unit_of_work
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol import identity
from mission_control.gateways.queries import CONNECTED
from mission_control.http import lookups
from mission_control.people.accounts.credentials import end_agent_tokens, make_agent_token
from mission_control.people.accounts.names import person_name

EVENTS = (
    Kind("agent.created", "An agent was made.", "made the agent"),
    Kind("agent.updated", "An agent's fields changed, or it moved to another board.", "changed the agent"),
    Kind(
        "agent.provisioning_requested",
        "Somebody asked to set up an agent on its gateway anew.",
        "set up the agent anew",
    ),
    Kind("agent.deleted", "An agent was deleted; its tasks went back to the board.", "deleted the agent"),
)


async def usable_gateway(organization_id: UUID, gateway_id: UUID) -> Gateway:
    """Return a gateway on which agents can be created. Raise Invalid otherwise."""
    gateway = await Gateway.get_or_none(id=gateway_id, organization_id=organization_id)
    if gateway is None:
        raise Invalid("There is no gateway with this id in the organization.")
    if not gateway.url.strip():
        raise Invalid("The gateway has no address. Add one on its page.")
    if not gateway.workspace_root.strip():
        raise Invalid("The gateway has no workspace root. Add one on its page.")
    return gateway


async def place(agent: Agent, gateway: Gateway, board: Board | None) -> Row:
    """Return the fields that put an agent on a gateway; without a board it is the gateway's main agent."""
    if board is None:
        key = identity.main_session_key(gateway.id)
    elif agent.is_board_lead:
        key = identity.lead_session_key(board.id)
        # An earlier lead that became a worker keeps the name that it has on the gateway, with its memory.
        taken = Agent.filter(gateway_id=gateway.id, gateway_agent_id=identity.gateway_agent_id(key))
        if await taken.exclude(id=agent.id).exists():
            key = identity.worker_session_key(agent.id)
    else:
        key = identity.worker_session_key(agent.id)
    name = identity.gateway_agent_id(key)
    return {
        "gateway_id": gateway.id,
        "openclaw_session_id": key,
        "gateway_agent_id": name,
        "workspace_path": identity.workspace_path(gateway.workspace_root, name),
        "is_adopted": False,
        "gateway_away_at": None if gateway.state == CONNECTED else times.clock_now(),
        "run_began_at": None,
    }


async def refuse_namesake(agent: Agent, where: Literal["board", "gateway"]) -> None:
    """Raise Conflict when another agent of the board, or another worker of the gateway, has the name."""
    namesakes = await rows(
        f"SELECT 1 AS one FROM agents WHERE {where}_id = ? AND {lowered('name')} = ? AND id <> ?"
        " AND board_id IS NOT NULL LIMIT 1",
        getattr(agent, f"{where}_id"),
        agent.name.lower(),
        agent.id,
    )
    if namesakes:
        raise Conflict(f"An agent named {agent.name} works on this {where} already.")


async def moved(agent: Agent, board: Board | None, *, is_main: bool | None) -> Row:
    """Return the fields that a move changes: to another board, and so perhaps to its gateway, or to a gateway's top."""
    is_now_main = agent.board_id is None and agent.gateway_id is not None
    if is_main:
        return await _made_main(agent, board)
    if board is None:
        if is_main is False and is_now_main:
            raise Invalid("board_id is needed: an agent that is not a gateway's main agent works on a board.")
        return {}
    if is_now_main and is_main is None:
        raise Invalid("A gateway's main agent works on no board. Send is_gateway_main: false to move it to one.")
    if agent.gateway_id is None or (board.id == agent.board_id and not is_now_main):
        return {"board_id": board.id}
    return {"board_id": board.id} | await _on_gateway_of(agent, board, is_now_main=is_now_main)


async def _on_gateway_of(agent: Agent, board: Board, *, is_now_main: bool) -> Row:
    if board.gateway_id is None:
        raise Invalid("This board has no gateway. Give it one first, or choose another board.")
    if board.gateway_id == agent.gateway_id and not is_now_main:
        return {}
    if agent.is_adopted:
        raise Invalid("A linked agent stays on its gateway. Unlink it, then link one of the other gateway.")
    gateway = await usable_gateway(agent.organization_id, board.gateway_id)
    return await place(agent, gateway, board)


async def _made_main(agent: Agent, board: Board | None) -> Row:
    if agent.gateway_id is None:
        raise Invalid("An agent without a gateway cannot be a gateway's main agent.")
    gateway_id = board.gateway_id if board is not None else agent.gateway_id
    if gateway_id is None:
        raise Invalid("This board has no gateway. Give it one first, or choose another board.")
    if agent.board_id is None and gateway_id == agent.gateway_id:
        return {}
    if await Agent.filter(gateway_id=gateway_id, board_id=None).exclude(id=agent.id).exists():
        raise Conflict("This gateway has a main agent already.")
    gateway = await usable_gateway(agent.organization_id, gateway_id)
    return {"board_id": None, "is_board_lead": False} | await place(agent, gateway, None)


async def keep_soul(
    agent: Agent, before: str | None, source_url: str | None = None, reason: str | None = None
) -> tuple[AgentSoul, list[UUID]]:
    """Store the agent's current soul as a version, and notify the agent unless it is the author, by deliveries.

    A text from before versions were stored is kept first, so that it can be restored.
    """
    if before and not await AgentSoul.filter(agent_id=agent.id).exists():
        await AgentSoul.create(agent_id=agent.id, content=before, author_kind="system", created_at=agent.created_at)
    author = unit_of_work().actor
    soul = await _write_down(agent, author, source_url, reason)
    return soul, [_notify(agent, author, soul)] if author.agent_id != agent.id else []


async def _write_down(
    agent: Agent, author: Actor, source_url: str | None = None, reason: str | None = None
) -> AgentSoul:
    return await AgentSoul.create(
        agent_id=agent.id,
        content=agent.soul_template or "",
        source_url=source_url,
        reason=reason,
        author_kind=author.kind,
        author_id=author.id,
        author_name=None if author.is_user else author.name,
        created_at=times.clock_now(),
    )


def _notify(agent: Agent, author: Actor, soul: AgentSoul) -> UUID:
    about = (("Reason", soul.reason), ("Source", soul.source_url))
    lines = [f"By: {author.name}", *(f"{word}: {text}" for word, text in about if text)]
    lines += ["", f"Read it anew: GET /api/v1/agent/boards/{agent.board_id}/agents/{agent.id}/soul"]
    return deliver(NOTICE, agent.scope(), agent_id=agent.id, header="SOUL UPDATED", text="\n".join(lines)).id


async def list_souls(agent: Agent, paging: Paging) -> tuple[list[SoulRead], int]:
    [total] = await rows("SELECT COUNT(*) AS n FROM agent_souls WHERE agent_id = ?", agent.id)
    versions = await rows(
        "SELECT s.id, s.content, s.source_url, s.reason, s.author_kind, s.author_id, s.author_name, s.created_at,"
        f" {person_name('u', 'User')} AS user_name FROM agent_souls s"
        " LEFT JOIN users u ON u.id = s.author_id AND s.author_kind = 'user'"
        " WHERE s.agent_id = ? ORDER BY s.created_at DESC, s.id DESC LIMIT ? OFFSET ?",
        agent.id,
        paging.limit,
        paging.offset,
    )
    souls = []
    for row in versions:
        name = row["user_name"] if row["author_kind"] == "user" else row["author_name"] or "Mission Control"
        author = {"kind": row["author_kind"], "id": row["author_id"], "name": name}
        souls.append(SoulRead.model_validate(row | {"author": author}))
    return souls, int(total["n"])


@command("agent.create")
async def create_agent(
    actor: Actor, board: Board, new: AgentCreate, *, is_connected: bool = False
) -> tuple[Agent, str | None]:
    """Create an agent. Return it with the token of a direct agent; one on a gateway gets its token in its files.

    With `is_connected` it gets none of its own: its programs have those of their connections.

    Raise Conflict for a taken name, a full board, a second lead.
    """
    if actor.is_agent and new.is_board_lead:
        raise Forbidden("Only an owner or admin can make an agent the lead.")
    board = await locked_board(board)
    if actor.is_agent and await Agent.filter(board_id=board.id, is_board_lead=False).count() >= board.max_agents:
        raise Conflict(f"This board takes at most {board.max_agents} worker agents.")
    about = new.model_dump(include=set(PLAIN))
    agent = Agent(organization_id=board.organization_id, board_id=board.id, **about)
    agent.heartbeat_config = agent.heartbeat_config or DEFAULT_HEARTBEAT
    gateway_id = new.gateway_id if "gateway_id" in new.model_fields_set else board.gateway_id
    if gateway_id is not None:
        gateway = await usable_gateway(board.organization_id, gateway_id)
        agent.update_from_dict(await place(agent, gateway, board))
        if not agent.is_board_lead:
            await refuse_namesake(agent, "gateway")
    await save_unique(agent)
    if agent.soul_template:
        await _write_down(agent, actor)
    token = await make_agent_token(agent.id) if gateway_id is None and not is_connected else None
    sentence = f"Agent created: {agent.name}."
    record("agent.created", agent, sentence, name=agent.name, is_board_lead=agent.is_board_lead)
    return agent, None if token is None else token.secret


async def save_unique(agent: Agent, fields: list[str] | None = None) -> None:
    """Save an agent. Raise Conflict where a unique index refuses it."""
    await refuse_namesake(agent, "board")
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
    sent: AgentUpdate,
    board: Board | None = None,
    soul_reason: str | None = None,
    *,
    force: bool = False,
) -> Agent:
    """Change an agent; tokens stay as they are. A move to another board needs that. `force` provisions it anew."""
    agent = await locked_agent(agent)
    if board is not None and board.organization_id != agent.organization_id:
        raise NotFound()
    sent_fields = sent.model_dump(include=set(PLAIN), exclude_unset=True)
    if "heartbeat_config" in sent_fields and sent_fields["heartbeat_config"] is None:
        sent_fields["heartbeat_config"] = DEFAULT_HEARTBEAT
    sent_fields |= await moved(agent, board, is_main=sent.is_gateway_main)
    changes = {name: value for name, value in sent_fields.items() if getattr(agent, name) != value}
    if changes:
        await _change(agent, changes, board, soul_reason)
    if force and agent.gateway_id is not None:
        record("agent.provisioning_requested", agent, f"Provisioning asked for: {agent.name}.", force_bootstrap=True)
    return agent


async def _change(agent: Agent, changes: Row, board: Board | None, soul_reason: str | None) -> None:
    before = {name: getattr(agent, name) for name in changes}
    agent.update_from_dict(changes)
    agent.updated_at = times.clock_now()
    await save_unique(agent, [*changes, "updated_at"])
    if {"board_id", "is_board_lead"} & set(changes):
        lookups.recheck_streams()
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
    unit.deliveries = [delivery for delivery in unit.deliveries if delivery.agent_id != agent.id]  # nobody reads them
    await end_agent_tokens(agent.id, times.clock_now())
    await rows("DELETE FROM kept_answers WHERE actor_id = ?", agent.id)
    await agent.delete()


@command("agent.heartbeat")
async def report_heartbeat(actor: Actor, agent: Agent, status: str | None) -> Agent:
    """Record a heartbeat, without an event.

    Without a status, the agent's own call makes it online, as does every call after a silence.
    """
    now = times.clock_now()
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
    locked = await existing(Agent.select_for_update(no_key=not for_good).get_or_none(id=agent.id))
    locked.board = agent.board
    return locked


# What nobody said otherwise.
PROFILE = {"role": "Board Lead", "communication_style": "direct, concise, practical", "emoji": ":gear:"}


async def create_lead(
    board: Board, name: str | None = None, profile: dict[str, str] | None = None
) -> tuple[Agent, str | None]:
    """Create a lead; return it with the token of a direct one. The actor that asks for it need not be an admin."""
    name = await free_name(board, name or "Lead Agent")
    new = AgentCreate(name=name, identity_profile=PROFILE | (profile or {}), is_board_lead=True)
    return await create_agent(system(board.organization_id), board, new)


async def free_name(board: Board, wanted: str, *, of: Agent | None = None) -> str:
    agents = await Agent.filter(board_id=board.id).only("id", "name")
    taken = {agent.name.lower() for agent in agents if of is None or agent.id != of.id}
    names = [wanted, *(f"{wanted} {number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name.lower() not in taken)
