"""The programs that people connected as agents, and one of them with its checks and sessions."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from quart import Response
from quart.typing import ResponseReturnValue

from mission_control.agents.connections import queries
from mission_control.agents.connections.queries import ConnectionQuery, ConnectionRead
from mission_control.agents.holds.needs import asks_about
from mission_control.agents.holds.queries import hold_of
from mission_control.agents.models import Connection
from mission_control.core import times
from mission_control.core.actor import Actor, can, require
from mission_control.core.programs import is_held
from mission_control.database.sql import rows
from mission_control.events.broker import head_of
from mission_control.people.accounts.pages import terminals_of
from mission_control.runs.sessions.list_pages import SessionLine, line_of
from mission_control.runs.sessions.queries import COLUMNS, RELATIONS, signs
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import go
from mission_control.web.fragments import PageContext, render_block
from mission_control.web.lists import LiveList, Pages
from mission_control.web.regions import Concerns, Reads, Region, View, live_page
from mission_control.web.shell import PaletteEntry, shell_page, signed_in

MOST_LIVE, MOST_ENDED, MOST_SESSIONS = 200, 20, 20
CONNECTED = "/agents/connected"
CONNECTION = f"{CONNECTED}/<uuid:connection_id>"
KINDS = ("agent.", "member.", "board.")


async def _listed(actor: Actor, asked: str) -> PageContext:
    live, total = await queries.list_connections(actor, ConnectionQuery(is_live=True, limit=MOST_LIVE, offset=0))
    ended, _ = await queries.list_connections(actor, ConnectionQuery(is_live=False, limit=MOST_ENDED, offset=0))
    return {"live": live, "total": total, "ended": ended}


@terminals_of
async def own_terminals(actor: Actor) -> list[ConnectionRead]:
    live, _ = await queries.list_connections(actor, ConnectionQuery(is_live=True, limit=MOST_LIVE, offset=0))
    return [connection for connection in live if connection.user_id == actor.id]


pages = Pages("connection_pages", __name__)
LiveList(
    pages=pages, place="agents", path=CONNECTED, template="runs/connected.html", read=_listed, asks=str,
    blocks=("connected",), news=Concerns[View](KINDS, ("connection_id", "agent_id")),
)  # fmt: skip
ENTRY = PaletteEntry(
    "Connected programs", CONNECTED, "plug-zap", "terminals machines devices connect", position=32, searched_only=True
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView(View):
    """A connection as somebody sees it."""

    connection: Connection


async def sessions_of(connection_id: UUID) -> list[SessionLine]:
    found = await rows(
        f"SELECT {COLUMNS}, b.name AS board_name{RELATIONS} JOIN boards b ON b.id = s.board_id"
        f" WHERE s.connection_id = ? ORDER BY s.last_seen_at DESC, s.id LIMIT {MOST_SESSIONS}",
        connection_id,
    )
    now = times.clock_now()
    return [line_of(row | signs(row, now)) for row in found]


async def context_of(actor: Actor, connection: Connection) -> PageContext:
    [read] = await queries.connections_read([connection.id])
    sessions = await sessions_of(connection.id)
    may_end = read.is_live and can(actor, "connection.end", connection)
    failing = [check.name for check in read.checked if check.state == "failed"]
    lacks = is_held(connection.client) and not set(read.board_must) <= set(read.must)
    hold = await hold_of(connection.agent_id, connection.id)
    waits = {"hold": hold, "ask": next(iter((await asks_about(actor, [hold])).values()), None)}
    return {"one": read, "sessions": sessions, "may_end": may_end, "failing": failing, "lacks": lacks, **waits}


async def _block(name: str, view: ConnectionView) -> str:
    context = await view.reads.get(
        ("connection", view.connection.id, view.actor.id), lambda: context_of(view.actor, view.connection)
    )
    return await render_block("runs/connection.html", name, **context)


NEWS = Concerns[ConnectionView](
    ("agent.", "board.", "session.", "task.", "worker."), ("connection_id", "session_id", "agent_id")
)
PAGE = "connection"
REGIONS = tuple(
    Region(PAGE, f"#connection-{name}", NEWS, partial(_block, f"connection_{name}")) for name in ("head", "body")
)


@pages.get(CONNECTION)
async def show(connection_id: UUID) -> str:
    actor = await signed_in()
    connection = await queries.visible_connection(actor, connection_id)
    require(actor, "connection.read", connection)
    live_url = f"{CONNECTED}/{connection_id}/live?after={await head_of(actor.organization_id)}"
    context = await context_of(actor, connection)
    return await shell_page(actor, "runs/connection.html", active="agents", live_url=live_url, **context)


@pages.get(f"{CONNECTION}/live")
async def live(connection_id: UUID) -> Response:
    actor = await signed_in()
    require(actor, "connection.read", await queries.visible_connection(actor, connection_id))

    async def look(viewer: Actor, reads: Reads) -> ConnectionView | None:
        found = await queries.visible_connections(viewer).get_or_none(id=connection_id)
        if found is None:
            return None
        return ConnectionView(actor=viewer, pages=(PAGE,), active="agents", reads=reads, connection=found)

    return await live_page(actor, look)


@action(pages, f"{CONNECTION}/endings")
async def delete_connection(outcome: Outcome[Connection, None]) -> ResponseReturnValue:
    """End a connection; its page stays."""
    return go(f"{CONNECTED}/{outcome.found.id}")
