"""What tests do with a real gateway, of whatever version: connect, and let a new agent call home."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mission_control.gateways.connections.checked_connection import connect
from mission_control.gateways.connections.open_connection import Connection, GatewayEvent
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.target import Target
from tests.gateways.real import RealGateway

PATIENCE = 60.0


class Listener:
    """A connection that remembers its events."""

    def __init__(self) -> None:
        self.events: list[GatewayEvent] = []
        self._news = asyncio.Event()

    def __call__(self, event: GatewayEvent) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, name: str, fits: Callable[[Any], bool]) -> Any:
        """The payload of the first event that fits."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [one.payload for one in self.events if one.name == name and fits(one.payload)]
                if found:
                    return found[0]
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def connected(
    gateway: RealGateway, listener: Listener | None = None, identity: Identity | None = None, **more: Any
) -> AsyncIterator[Connection]:
    """A connection to the real gateway."""
    where = Target(**{"url": gateway.url, "token": gateway.token, **more})
    connection = await connect(where, identity or Identity.new(), on_event=listener or Listener(), seconds=30)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def calls_of_agents() -> AsyncIterator[tuple[str, list[str]]]:
    """An address for agents to call, and the first lines of the requests that came."""
    seen: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        seen.append(head.splitlines()[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nnoted\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


async def listed(connection: Connection, agent_id: str) -> None:
    """Wait until the gateway has loaded a new agent."""
    async with asyncio.timeout(PATIENCE):
        while True:
            agents = (await connection.call("agents.list"))["agents"]
            if any(one["id"] == agent_id for one in agents):
                return
            await asyncio.sleep(0.2)


async def play_command(gateway: RealGateway) -> None:
    """Make an agent, let it run a command whose call arrives here, read what it said, and delete it."""
    listener, name = Listener(), f"connecting-{uuid.uuid4().hex[:8]}"
    async with connected(gateway, listener) as connection, calls_of_agents() as (url, seen):
        workspace = str(gateway.workspaces / name)
        assert (await connection.call("agents.create", {"name": name, "workspace": workspace}))["agentId"] == name
        await listed(connection, name)
        written = {"agentId": name, "name": "AGENTS.md", "content": "Call home."}
        assert (await connection.call("agents.files.set", written))["file"]["content"] == "Call home."
        run_id, key = str(uuid.uuid4()), f"agent:{name}:main"
        message = {"sessionKey": key, "message": f"RUN: curl -s {url}/arrived/{name}", "idempotencyKey": run_id}
        assert (await connection.call("chat.send", message))["runId"] == run_id
        await listener.until("chat", lambda said: said["runId"] == run_id and said["state"] == "final")
        assert seen == [f"GET /arrived/{name} HTTP/1.1"]
        history = (await connection.call("chat.history", {"sessionKey": key}))["messages"]
        assert {one["role"] for one in history} >= {"user", "assistant", "toolResult"}
        assert "noted" in history[-1]["content"][0]["text"]
        await connection.call("agents.delete", {"agentId": name, "deleteFiles": True})
    tools = [one.payload for one in listener.events if one.name == "agent" and one.payload.get("stream") == "tool"]
    assert tools, "the capability tool-events brings the calls of tools"
