"""Add an agent: what somebody runs, the lines that connect it, and its first signs as they come."""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from quart import request

from mission_control.agents.connections import queries
from mission_control.agents.connections.queries import ConnectionRead
from mission_control.agents.models import Connection
from mission_control.agents.token_pages import base_url
from mission_control.core import times
from mission_control.core.actor import Actor, can
from mission_control.core.programs import OTHER, PROGRAMS
from mission_control.core.values import parse_id
from mission_control.database.sql import rows
from mission_control.runs.connection_pages import sessions_of
from mission_control.web.fragments import PageContext
from mission_control.web.lists import LiveList, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import PaletteEntry

ADD = "/agents/connect"
JUST_NOW = timedelta(hours=1)
GATEWAY = "SELECT g.name FROM boards b JOIN gateways g ON g.id = b.gateway_id WHERE b.id = ? AND b.organization_id = ?"
LOOPBACK = "localhost", "127.0.0.1", "::1"


class Offer(NamedTuple):
    """What somebody may run: what it is called, what is said of it, how it is started, and a hint about that."""

    key: str
    name: str
    says: str
    can: str
    start: str
    hint: str = ""


def offers() -> list[Offer]:
    unchanged = "in your terminal, unchanged", "work live, notes, cost"
    programs = [
        Offer(client, program.name, *unchanged, program.start, program.hint)
        for client, program in sorted(PROGRAMS.items())
    ]
    return [
        *programs,
        Offer(OTHER, "A script of yours", "anything that can run a command", "claim, report, ask, hand in", ""),
    ]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody runs, for which board; `base` is the address at which programs find the server."""

    client: str
    base: str
    board: UUID | None = None

    @property
    def sign_in(self) -> str:
        address = urlsplit(self.base)
        is_safe = address.scheme == "https" or address.hostname in LOOPBACK
        command = f"connect {self.client}" if self.client in PROGRAMS else "sign-in"
        options = [f" --board {self.board}"] if self.board else []
        options += [] if is_safe else [" --allow-http"]
        return f"curl -fsSO {self.base}/client.pyz &&\npython3 client.pyz {command}{''.join(options)}"

    @classmethod
    def here(cls) -> "Wanted":
        asked = request.args.get("client", "")
        board = parse_id(request.args.get("board", ""))
        return cls(asked if asked in PROGRAMS or asked == OTHER else "claude-code", base_url(), board)


async def _read(actor: Actor, asked: Wanted) -> PageContext:
    found = await _newest(actor)
    return {
        "programs": offers(), "chosen": next(offer for offer in offers() if offer.key == asked.client),
        "sign_in": asked.sign_in,
        "is_connected": asked.client in PROGRAMS, "board": asked.board,
        "gateways": await rows(GATEWAY, asked.board, actor.organization_id), "one": found,
        "sessions": await sessions_of(found.id) if found is not None else [], "may_manage": can(actor, "agent.manage"),
    }  # fmt: skip


async def _newest(actor: Actor) -> ConnectionRead | None:
    since = times.clock_now() - JUST_NOW
    mine = Connection.filter(user_id=actor.id, organization_id=actor.organization_id, ended_at=None)
    found = await mine.filter(created_at__gt=since, board__deleted_at=None).order_by("-created_at", "-id").first()
    return (await queries.connections_read([found.id]))[0] if found is not None else None


pages = Pages("connect_pages", __name__)
LiveList(
    pages=pages, place="agents", path=ADD, template="runs/connect.html", read=_read, asks=Wanted.here,
    blocks=("first_sign",),
    news=Concerns[View](("agent.", "session.", "member.", "board."), ("connection_id", "session_id", "agent_id")),
)  # fmt: skip
ENTRY = PaletteEntry(
    "Add an agent", ADD, "plus", "connect terminal program claude codex opencode gemini", position=39, group="Do",
    searched_only=True,
)  # fmt: skip
