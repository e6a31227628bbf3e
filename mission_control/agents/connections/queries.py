"""Read connections of programs on people's machines: who sees them, and which agents people may connect."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import Field
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from mission_control.agents.models import Connection
from mission_control.boards.models import Board
from mission_control.boards.queries import boards_of, on_readable_boards
from mission_control.boards.schemas import MOST_PATTERNS, MustPattern
from mission_control.core import times
from mission_control.core.actor import Actor, rule
from mission_control.core.errors import Forbidden, existing
from mission_control.core.programs import program_name
from mission_control.core.values import BlankToNone, Body, Moment, NonEmptyStr, Paging, Schema, example, parse_id
from mission_control.database.sql import Row, as_id, as_json, as_moment, placeholders, rows
from mission_control.http.registry import lookup
from mission_control.people.accounts.names import person_name
from mission_control.people.models import Token

MOST_CHECKS = 30


class Check(Body):
    """Something that a program tried, and what it found."""

    name: Annotated[NonEmptyStr, Field(max_length=64, description="What was tried, such as Version or Timeline")]
    state: Annotated[Literal["ok", "failed", "later"], Field(description="`later`: it was not tried yet")] = "ok"
    text: Annotated[str, Field(max_length=500, description="What was found, in one line")] = ""
    at: Annotated[Moment | None, Field(description="When; left out: now")] = None


class ConnectionReport(Body):
    """What the program of a connection says about itself."""

    model_config = example(
        client_version="2.1.332", checks=[{"name": "Timeline", "state": "ok", "text": "9 of 9 hooks answered"}]
    )

    client_version: Annotated[
        Annotated[str, Field(max_length=64, description="The version of the program that is connected")] | None,
        BlankToNone,
    ] = None
    checks: Annotated[
        list[Check] | None, Field(max_length=MOST_CHECKS, description="All of them, each time; left out: as they are")
    ] = None
    must: Annotated[
        list[MustPattern] | None,
        Field(max_length=MOST_PATTERNS, description="The calls that it holds until a person says yes, as patterns"),
    ] = None


class ConnectionQuery(Paging):
    """Which connections."""

    agent_id: UUID | None = None
    board_id: UUID | None = None
    is_live: Annotated[bool | None, Field(description="Only those that are live, or only those that ended")] = None


class ConnectionRead(Schema):
    """A program on somebody's machine that works as an agent."""

    id: UUID
    board_id: UUID
    board_name: str
    agent_id: UUID
    agent_name: str
    user_id: Annotated[UUID, Field(description="Who approved it")]
    user_name: str
    client: Annotated[str, Field(description="The program, or `other`")]
    client_version: str | None
    host_label: str | None
    user_label: Annotated[str | None, Field(description="The user of the machine, as the program says")]
    system: Annotated[str | None, Field(description="The operating system, as the program says")]
    checked: Annotated[list[Check], Field(description="What the program last found when it looked at its connection")]
    checked_at: datetime | None
    must: Annotated[list[str], Field(description="The calls that it holds until a person says yes, as patterns")]
    board_must: Annotated[list[str], Field(description="Those that the rules of its board want held")]
    board_allow: Annotated[list[str], Field(description="The calls that the rules of its board let run without asking")]
    board_ask: Annotated[list[str], Field(description="The calls that the rules of its board have people asked about")]
    created_at: datetime
    last_seen_at: Annotated[datetime, Field(description="Its last sign, to the minute")]
    token_id: UUID | None
    token_expires_at: Annotated[datetime | None, Field(description="Put off by each use of the token")]
    ended_at: datetime | None

    @property
    def program(self) -> str:
        return program_name(self.client, self.client)

    @property
    def is_live(self) -> bool:
        now = times.clock_now()
        return self.ended_at is None and self.token_expires_at is not None and self.token_expires_at > now


COLUMNS = (
    "c.id, c.board_id, b.name AS board_name, c.agent_id, g.name AS agent_name, c.user_id,"
    f" {person_name('u', 'User')} AS user_name, c.client, c.client_version, c.host_label, c.user_label, c.system,"
    " c.checked, c.checked_at, c.must, b.call_rules, c.created_at, t.last_used_at, t.id AS token_id,"
    " t.expires_at AS token_expires_at, c.ended_at"
)
RELATIONS = (
    " FROM connections c JOIN boards b ON b.id = c.board_id JOIN agents g ON g.id = c.agent_id"
    " JOIN users u ON u.id = c.user_id LEFT JOIN tokens t ON t.connection_id = c.id"
)


async def connections_read(connection_ids: Sequence[UUID]) -> list[ConnectionRead]:
    if not connection_ids:
        return []
    connections = await rows(
        f"SELECT {COLUMNS}{RELATIONS} WHERE c.id IN ({placeholders(len(connection_ids))})"
        " ORDER BY c.created_at DESC, c.id DESC",
        *connection_ids,
    )
    return [_read(row) for row in connections]


def _read(row: Any) -> ConnectionRead:
    signs = (as_moment(row[name]) for name in ("created_at", "checked_at", "last_used_at"))
    seen = max(sign for sign in signs if sign is not None)
    lists = {name: as_json(row[name]) or [] for name in ("checked", "must")}
    rules = as_json(row["call_rules"]) or {}
    lists |= {f"board_{name}": rules.get(name, []) for name in ("allow", "ask", "must")}
    return ConnectionRead.model_validate(row | lists | {"last_seen_at": seen})


def visible_connections(actor: Actor) -> QuerySet[Connection]:
    """Return the connections of the active organization that a person sees: their own, admins those of their boards."""
    seen = Q(user_id=actor.user_id)
    if actor.administers(actor.organization_id):
        whole, single = actor.readable_boards()
        seen |= Q(organization_id__in=whole) | Q(board_id__in=single)
    return Connection.filter(seen, organization_id=actor.organization_id, board__deleted_at=None)


@lookup
async def visible_connection(actor: Actor, connection_id: UUID) -> Connection:
    return await existing(visible_connections(actor).get_or_none(id=connection_id))


# SQL on `c`, a connection, and `t`, its token.
IS_LIVE = "(c.ended_at IS NULL AND t.revoked_at IS NULL AND t.expires_at > ?)"
HAS_ENDED = "(c.ended_at IS NOT NULL OR t.id IS NULL OR t.revoked_at IS NOT NULL OR t.expires_at <= ?)"


async def list_connections(actor: Actor, query: ConnectionQuery) -> tuple[list[ConnectionRead], int]:
    """Return the connections that somebody sees, as `visible_connections` says, newest first, and their number."""
    where, values = "WHERE c.organization_id = ? AND b.deleted_at IS NULL", list[object]([actor.organization_id])
    if actor.administers(actor.organization_id):
        readable, boards = on_readable_boards(actor, actor.organization_id, "c.board_id")
        where, values = f"{where} AND (c.user_id = ? OR (1 = 1{readable}))", [*values, actor.id, *boards]
    else:
        where, values = f"{where} AND c.user_id = ?", [*values, actor.id]
    for column, value in (("agent_id", query.agent_id), ("board_id", query.board_id)):
        if value is not None:
            where, values = f"{where} AND c.{column} = ?", [*values, value]
    if query.is_live is not None:
        where += f" AND {IS_LIVE if query.is_live else HAS_ENDED}"
        values.append(times.clock_now())
    connections = await rows(
        f"SELECT {COLUMNS}{RELATIONS} {where} ORDER BY c.created_at DESC, c.id DESC LIMIT ? OFFSET ?",
        *values,
        query.limit,
        query.offset,
    )
    [total] = await rows(f"SELECT COUNT(*) AS n{RELATIONS} {where}", *values)
    return [_read(row) for row in connections], int(total["n"])


async def connection_of(actor: Actor) -> Connection | None:
    if actor.scopes is None or "connect" not in actor.scopes:
        return None
    token = await Token.get_or_none(id=actor.credential[1])
    return await Connection.get_or_none(id=token.connection_id) if token and token.connection_id else None


async def own_connection(actor: Actor) -> Connection:
    """Return the connection whose token calls. Raise Forbidden for another token of the agent."""
    if (connection := await connection_of(actor)) is None:
        raise Forbidden("This token belongs to no connection. Sign in with the client program to make one.")
    return connection


@rule("agent.connect")
def may_connect(actor: Actor, board: Board) -> bool:
    """People who can write on the board."""
    return actor.is_user and actor.writes(board)


@rule("connection.read", "connection.end")
def may_end_connection(actor: Actor, connection: Connection) -> bool:
    """Whose it is, admins, and the program itself."""
    if actor.is_agent:
        return actor.id == connection.agent_id
    return connection.user_id == actor.user_id or actor.administers(connection.organization_id)


@rule("connection.report")
def may_report(actor: Actor, connection: Connection) -> bool:
    """The program itself."""
    return actor.is_agent and actor.id == connection.agent_id


def new_name(actor: Actor, client: str, wanted: str | None) -> str:
    """Return what a new agent is called: as its terminal wants, else the program and the person's first name."""
    if wanted and parse_id(wanted) is None:
        return wanted
    return f"{program_name(client, 'Program')} ({(actor.name.split() or ['User'])[0][:60]})"


class Choice(NamedTuple):
    """An agent that a person may connect a program to; without an id it is a new one."""

    organization_name: str
    board_id: UUID
    board_name: str
    agent_id: UUID | None
    agent_name: str

    @property
    def value(self) -> str:
        return f"{self.board_id}:{self.agent_id or 'new'}"


async def choices_of(actor: Actor, client: str, wanted: str | None = None) -> list[Choice]:
    """Return, for each board that a person can write on, a new agent and those that run without a gateway.

    Admins may choose any of them, others those that they connected before.
    """
    made: list[Choice] = []
    for organization_id, membership in actor.memberships.items():
        readable = await boards_of(replace(actor, organization_id=organization_id))
        boards = [board for board in readable if actor.writes(board)]
        agents = await _agents_of(actor, organization_id, [board.id for board in boards])
        for board in boards:
            place = membership.organization_name, board.id, board.name
            made.append(Choice(*place, None, new_name(actor, client, wanted)))
            own = (agent for agent in agents if as_id(agent["board_id"]) == board.id)
            made += [Choice(*place, as_id(agent["id"]), agent["name"]) for agent in own]
    return made


async def _agents_of(actor: Actor, organization_id: UUID, board_ids: Sequence[UUID]) -> list[Row]:
    if not board_ids:
        return []
    is_own, values = "", list[object](board_ids)
    if not actor.administers(organization_id):
        is_own, values = " AND id IN (SELECT agent_id FROM connections WHERE user_id = ?)", [*values, actor.id]
    return await rows(
        f"SELECT id, name, board_id FROM agents WHERE board_id IN ({placeholders(len(board_ids))})"
        f" AND gateway_id IS NULL{is_own} ORDER BY LOWER(name), id LIMIT 1000",
        *values,
    )
