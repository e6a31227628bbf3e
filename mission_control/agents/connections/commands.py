"""Connections of programs on people's machines: how they begin and end, and what programs report of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from mission_control.agents.commands import create_agent, free_name, locked_agent
from mission_control.agents.connections.queries import Check, ConnectionReport, new_name
from mission_control.agents.models import Agent, Connection, DeviceCode
from mission_control.agents.schemas import AgentCreate
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, Scope, system
from mission_control.core.errors import Conflict, Forbidden
from mission_control.core.programs import program_name
from mission_control.core.text.masking import Mask
from mission_control.database.sql import Row, as_id, is_postgres, placeholders, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind, NewEvent
from mission_control.events.unit_of_work import reacts_to, record, signal
from mission_control.http import lookups
from mission_control.people.accounts.commands import tokens_ended
from mission_control.people.accounts.credentials import NewToken, make_connection_token

EVENTS = (
    Kind("agent.connected", "A person connected a program on a machine as an agent.", "connected a program to"),
    Kind(
        "agent.disconnected",
        "The connection of an agent's program ended: somebody ended it, or its person or agent left the board.",
        "disconnected a program from",
    ),
)

MASK = Mask()


class Connected(NamedTuple):
    """A connection just made, with the agent and the token of its program."""

    connection: Connection
    agent: Agent
    token: NewToken


WRITES = (
    "m.all_boards_write OR EXISTS (SELECT 1 FROM organization_board_access x WHERE x.organization_member_id = m.id"
    " AND x.board_id = {board} AND x.can_write)"
)
USED = "This code was used already."


@command("agent.connect")
async def connect(actor: Actor, board: Board, code: DeviceCode) -> Connected:
    """Make the connection that a person approved, once.

    Raise Conflict when it was made already, Forbidden when the person or the agent has left the board since.
    """
    locked = await DeviceCode.select_for_update().get_or_none(id=code.id, state="approved")
    if locked is None:
        raise Conflict(USED)
    await _refuse_former_writer(board, locked.user_id)
    agent = await _agent_for(actor, board, locked)
    connection = await Connection.create(
        organization_id=board.organization_id,
        board_id=board.id,
        agent_id=agent.id,
        user_id=locked.user_id,
        **{name: getattr(locked, name) for name in ("client", "host_label", "user_label", "system")},
    )
    name = ", ".join(filter(None, (program_name(locked.client), locked.host_label)))
    token = await make_connection_token(connection.id, agent.id, name)
    locked.state = "used"
    await locked.save(update_fields=["state"])
    record(
        "agent.connected", agent, f"Connected: {agent.name}.",
        connection_id=connection.id, client=connection.client, token_id=token.row.id, prefix=token.row.prefix,
    )  # fmt: skip
    return Connected(connection, agent, token)


async def _refuse_former_writer(board: Board, user_id: UUID | None) -> None:
    """Raise Forbidden unless a person can write on a board, and lock that until the running command ends."""
    hold = " FOR SHARE OF m" if is_postgres() else ""
    others = await rows(
        "SELECT 1 AS one FROM organization_members m WHERE m.user_id = ? AND m.organization_id = ?"
        f" AND ({WRITES.format(board='?')}){hold}",
        user_id,
        board.organization_id,
        board.id,
    )
    if not others:
        raise Forbidden("The person who approved this can no longer write on the board.")


async def _agent_for(actor: Actor, board: Board, code: DeviceCode) -> Agent:
    if code.agent_id is None:
        named = new_name(actor, code.client, code.wanted_agent)
        new = AgentCreate(name=await free_name(board, named), gateway_id=None)
        return (await create_agent(system(board.organization_id), board, new, is_connected=True))[0]
    agent = await Agent.get_or_none(id=code.agent_id, board_id=board.id, gateway_id=None)
    if agent is None:
        raise Forbidden("The agent is no longer on the board.")
    agent.board = board
    return await locked_agent(agent)


@command("connection.report")
async def report_connection(actor: Actor, connection: Connection, sent: ConnectionReport) -> Connection:
    """Store what a program says about its connection, without an event: a signal tells open pages."""
    now, changes = times.clock_now(), dict[str, object]()
    if sent.client_version is not None and sent.client_version != connection.client_version:
        changes["client_version"] = plain(sent.client_version, 64)
    if sent.checks is not None:
        changes["checked"] = [_kept(check, now) for check in sent.checks]
        changes["checked_at"] = now
    if sent.must is not None:
        changes["must"] = sent.must
    if changes:
        connection.update_from_dict(changes)
        await connection.save(update_fields=list(changes))
        signal(connection.organization_id, connection_id=str(connection.id), agent_id=str(connection.agent_id))
    return connection


def _kept(check: Check, now: datetime) -> Row:
    at = min(check.at or now, now)
    text = MASK.text(plain(check.text, 500) or "")
    return {"name": plain(check.name, 64) or "Check", "state": check.state, "text": text, "at": times.wire(at)}


def plain(text: str | None, longest: int = 255) -> str | None:
    """Return one line of a text that a program sent, without what cannot be seen, None when nothing is left."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text or "")
    return " ".join(printable.split())[:longest] or None


@command("connection.end")
async def end_connection(actor: Actor, connection: Connection) -> None:
    """End a connection and its token at once. Ending it again is a no-op."""
    why = "Its program signed out." if actor.is_agent else "Somebody ended it."
    await end_connections(connection.organization_id, [connection.id], why)


async def end_connections(organization_id: UUID, connection_ids: Sequence[UUID], why: str) -> None:
    """Inside a command: end those of some connections that have not ended, with their tokens."""
    if not connection_ids:
        return
    now, ids = times.clock_now(), placeholders(len(connection_ids))
    ended = await rows(
        f"UPDATE connections SET ended_at = ? WHERE ended_at IS NULL AND id IN ({ids})"
        " RETURNING id, board_id, agent_id",
        now,
        *connection_ids,
    )
    await rows(
        f"UPDATE tokens SET revoked_at = ? WHERE revoked_at IS NULL AND connection_id IN ({ids})", now, *connection_ids
    )
    agents = await Agent.filter(id__in=[row["agent_id"] for row in ended]).only("id", "name")
    names = {agent.id: agent.name for agent in agents}
    for row in sorted(ended, key=lambda row: str(row["id"])):
        agent_id = UUID(str(row["agent_id"]))
        scope = Scope(organization_id, board_id=as_id(row["board_id"]), agent_id=agent_id, subject_id=agent_id)
        message = f"Disconnected: {names.get(agent_id, 'an agent')}. {why}"
        record("agent.disconnected", scope, message, connection_id=as_id(row["id"]))
    lookups.recheck_streams()


@reacts_to("member.left", "member.removed", "member.access_changed", "member.role_changed")
async def end_connections_out_of_reach(actor: Actor, event: NewEvent) -> None:
    """End the connections of a person to boards on which the person can no longer write."""
    connections = await rows(
        "SELECT c.id FROM connections c WHERE c.user_id = ? AND c.organization_id = ? AND c.ended_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM organization_members m WHERE m.user_id = c.user_id"
        f" AND m.organization_id = c.organization_id AND ({WRITES.format(board='c.board_id')}))",
        event.data["user_id"],
        event.scope.organization_id,
    )
    why = "Its person can no longer write on the board."
    await end_connections(event.scope.organization_id, [UUID(str(row["id"])) for row in connections], why)


@tokens_ended
async def end_connections_of_person(user_id: UUID) -> None:
    """End the connections that a person approved, as somebody else may have done it in their name."""
    live = "SELECT id, organization_id FROM connections WHERE user_id = ? AND ended_at IS NULL"
    for row in await rows(live, user_id):
        await end_connections(UUID(str(row["organization_id"])), [UUID(str(row["id"]))], "Its person ended all tokens.")


@reacts_to("agent.updated")
async def end_connections_of_moved_agent(actor: Actor, event: NewEvent) -> None:
    """End the connections of an agent that moved: people approved them for the board before."""
    if "board_id" in event.data.get("after", {}):
        live = "SELECT id FROM connections WHERE agent_id = ? AND ended_at IS NULL"
        ids = [UUID(str(row["id"])) for row in await rows(live, event.scope.agent_id)]
        await end_connections(event.scope.organization_id, ids, "The agent went to another board.")
