"""A board of a real server whose agents live on the real gateway."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mission_control.gateways.connections.checked_connection import connect
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.target import Target
from tests.gateways.real import RealGateway, free_port
from tests.gateways.scripted import Scripted
from tests.live.servers import API, Server, installation

PATIENCE = 150.0


@dataclass
class Team:
    """A board on the gateway with a lead and two workers, and its owner."""

    server: Server
    gateway_id: str
    board_id: str = ""
    lead_id: str = ""
    worker_ids: tuple[str, ...] = ()

    async def ask(self, method: str, path: str, json: Any = None, status: int = 200) -> Any:
        """What the owner is answered."""
        async with self.server.client() as owner:
            answer = await owner.request(method, f"{API}{path}", json=json)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def agent(self, agent_id: str) -> dict[str, Any]:
        """An agent as it is now."""
        found: dict[str, Any] = await self.ask("GET", f"/agents/{agent_id}")
        return found

    async def main_agent(self) -> dict[str, Any]:
        """The gateway's main agent."""
        everybody = (await self.ask("GET", "/agents?limit=100"))["items"]
        found: dict[str, Any]
        (found,) = [one for one in everybody if one["board_id"] is None]
        return found

    async def hire(self, name: str, *, is_lead: bool = False) -> str:
        """The id of a new agent on the board's gateway."""
        wanted = {"name": name, "board_id": self.board_id, "is_board_lead": is_lead}
        return str((await self.ask("POST", "/agents", wanted))["id"])

    async def begin(self) -> None:
        """Make the board and its agents, and wait until they have called."""
        self.board_id = await self.new_board("Work")
        self.lead_id = await self.hire("Atlas", is_lead=True)
        self.worker_ids = (await self.hire("Vega"), await self.hire("Lyra"))
        await checked_in(self, self.lead_id, *self.worker_ids)

    async def new_board(self, name: str) -> str:
        """The id of a new board on the gateway."""
        board = {"name": name, "slug": name.lower(), "description": "Look up.", "gateway_id": self.gateway_id}
        return str((await self.ask("POST", "/boards", board | {"require_approval_for_done": False}))["id"])

    async def told(self, gateway: RealGateway, agent_id: str) -> str:
        """Everything that an agent was told in its session, by the gateway's transcript."""
        session = (await self.agent(agent_id))["openclaw_session_id"]
        target = Target(gateway.url, token=gateway.token)
        connection = await connect(target, Identity.new(), on_event=lambda event: None)
        try:
            history = await connection.call("chat.history", {"sessionKey": session}, seconds=PATIENCE)
        finally:
            await connection.close()
        return "\n".join(str(one["content"]) for one in history["messages"] if one["role"] == "user")


async def until[T](look: Callable[[], Awaitable[T]], fits: Callable[[T], bool]) -> T:
    """What is seen once it fits; the last sight is shown when it never does."""
    found = await look()
    try:
        async with asyncio.timeout(PATIENCE):
            while not fits(found):
                await asyncio.sleep(0.3)
                found = await look()
    except TimeoutError:
        raise AssertionError(f"last seen: {found}") from None
    return found


async def checked_in(team: Team, *agent_ids: str) -> None:
    """Wait until agents have called by themselves."""
    for agent_id in agent_ids:
        await until(
            partial(team.agent, agent_id),
            lambda found: found["last_seen_at"] is not None and found["status"] == "online",
        )


@asynccontextmanager
async def team_on(gateway: RealGateway, folder: Path) -> AsyncIterator[Team]:
    """Mission Control with the gateway, a board on it, and three agents that have checked in."""
    async with beside(gateway, folder) as made:
        await made.begin()
        yield made


@asynccontextmanager
async def beside(gateway: RealGateway, folder: Path, checkin_seconds: int = 40) -> AsyncIterator[Team]:
    """Mission Control with the gateway, and nobody on it."""
    Scripted(gateway.model)
    async with installation(folder) as home:
        port = free_port()
        # A greeting that a restart of the gateway interrupts is sent again after this time.
        seconds = str(checkin_seconds)
        server = await home.start(port=port, BASE_URL=f"http://127.0.0.1:{port}", AGENT_CHECKIN_SECONDS=seconds)
        try:
            wanted = {
                "name": "Real", "url": gateway.url, "token": gateway.token, "workspace_root": str(gateway.workspaces)
            }  # fmt: skip
            made = Team(server, "")
            made.gateway_id = (await made.ask("POST", "/gateways", wanted))["id"]
            yield made
        finally:
            await server.stop()
            await server.kill()
