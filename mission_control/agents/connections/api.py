"""Connections over HTTP: people read and end them, and their programs say how they are."""

from mission_control.agents.connections import queries
from mission_control.agents.connections.commands import end_connection, report_connection
from mission_control.agents.connections.queries import ConnectionQuery, ConnectionRead, ConnectionReport, own_connection
from mission_control.agents.models import Connection
from mission_control.core.actor import Actor
from mission_control.core.values import OK, JsonObject, LLMErrorResponse, OkResponse, Page, page
from mission_control.http.operation_api import Api

api = Api(__name__, "agents")


@api.get("/connections", Page[ConnectionRead])
async def list_connections(actor: Actor, query: ConnectionQuery) -> JsonObject:
    """List the programs that people connected as agents, newest first: one's own; admins see those of their boards."""
    return page(*await queries.list_connections(actor, query), query)


@api.get("/connections/<connection_id>", rule="connection.read")
async def get_connection(actor: Actor, connection: Connection) -> ConnectionRead:
    """Read a connection: whose it is, which agent its program is, and what the program last found of it."""
    return (await queries.connections_read([connection.id]))[0]


@api.delete("/connections/<connection_id>", rule="connection.end")
async def delete_connection(actor: Actor, connection: Connection) -> OkResponse:
    """End a connection and its token at once. The agent stays."""
    await end_connection(actor, connection)
    return OK


program_api = Api(__name__, "agents", below="/connect", who="agent")
ERRORS = {403: LLMErrorResponse, 422: LLMErrorResponse}


@program_api.get("/connection", find=own_connection, rule="connection.read", errors=ERRORS)
async def get_own_connection(actor: Actor, connection: Connection) -> ConnectionRead:
    """Read the connection whose token calls: its agent, its board, and until when the token is good."""
    return (await queries.connections_read([connection.id]))[0]


@program_api.put("/connection", find=own_connection, rule="connection.report", errors=ERRORS)
async def report_own_connection(actor: Actor, connection: Connection, data: ConnectionReport) -> ConnectionRead:
    """Say which version runs, and what was found when the connection was tried."""
    await report_connection(actor, connection, data)
    return (await queries.connections_read([connection.id]))[0]


@program_api.delete("/connection", find=own_connection, rule="connection.end", errors=ERRORS)
async def end_own_connection(actor: Actor, connection: Connection) -> OkResponse:
    """End the connection whose token calls, and the token with it."""
    await end_connection(actor, connection)
    return OK
