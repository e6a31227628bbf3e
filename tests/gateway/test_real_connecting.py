"""The client with a real OpenClaw gateway: agents, runs, pairing, restarts."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mission_control.openclaw.connection import Connection, GatewayEvent, Target, connect
from mission_control.openclaw.errors import GatewayError, NotSupported, PairingRequired, TokenRefused, Unreachable
from mission_control.openclaw.identity import Identity
from tests.gateway.published import METHODS
from tests.gateway.real import START_SECONDS, RealGateway, from_elsewhere

pytestmark = pytest.mark.gateway

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


async def test_gateway_has_what_this_program_uses(real_gateway: RealGateway) -> None:
    async with connected(real_gateway) as connection:
        hello = connection.hello
        assert (hello.protocol, hello.version, hello.missing_scopes) == (4, "2026.9.6", ())
        assert [one for one in METHODS if not hello.has(one)] == []
        with pytest.raises(NotSupported):
            await connection.call("agents.files.delete", {"agentId": "main", "name": "SOUL.md"})
    with pytest.raises(TokenRefused):
        async with connected(real_gateway, token="a-wrong-token"):
            pass


async def test_agent_runs_a_command_and_its_call_arrives(real_gateway: RealGateway) -> None:
    listener, name = Listener(), f"connecting-{uuid.uuid4().hex[:8]}"
    async with connected(real_gateway, listener) as connection, calls_of_agents() as (url, seen):
        workspace = str(real_gateway.workspaces / name)
        assert (await connection.call("agents.create", {"name": name, "workspace": workspace}))["agentId"] == name
        await listed(connection, name)
        written = {"agentId": name, "name": "AGENTS.md", "content": "Call home."}
        assert (await connection.call("agents.files.set", written))["file"]["content"] == "Call home."
        run_id, key = str(uuid.uuid4()), f"agent:{name}:main"
        message = {"sessionKey": key, "message": f"RUN: curl -s {url}/arrived/{name}", "idempotencyKey": run_id}
        assert (await connection.call("chat.send", message))["runId"] == run_id
        final = await listener.until("chat", lambda said: said["runId"] == run_id and said["state"] == "final")
        assert "noted" in final["message"]["content"][0]["text"]
        assert seen == [f"GET /arrived/{name} HTTP/1.1"]
        history = (await connection.call("chat.history", {"sessionKey": key}))["messages"]
        assert {one["role"] for one in history} >= {"user", "assistant", "toolResult"}
        await connection.call("agents.delete", {"agentId": name, "deleteFiles": True})
    tools = [one.payload for one in listener.events if one.name == "agent" and one.payload.get("stream") == "tool"]
    assert tools, "the capability tool-events brings the calls of tools"


async def test_pairing_from_another_machine(real_gateway: RealGateway) -> None:
    identity = Identity.new()
    async with from_elsewhere(real_gateway) as url:
        with pytest.raises(PairingRequired) as caught:
            async with connected(real_gateway, identity=identity, url=url):
                pass
        assert caught.value.device_id == identity.device_id and caught.value.request_id
        program, *words = caught.value.command.split()
        assert program == "openclaw"
        await real_gateway.command(*words)
        async with connected(real_gateway, identity=identity, url=url) as connection:
            token = connection.hello.device_token
            assert token and connection.hello.missing_scopes == ()
        async with connected(real_gateway, identity=identity, url=url, token=None, device_token=token) as connection:
            assert (await connection.call("health"))["ok"] is True


async def test_restart_of_the_gateway(real_gateway: RealGateway) -> None:
    async with connected(real_gateway) as connection:
        before = connection.hello.boot_id
        await connection.call("gateway.restart.request", {"reason": "a test"})
        async with asyncio.timeout(PATIENCE):
            assert (await connection.wait_closed()).code == 1012
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                async with connected(real_gateway) as connection:
                    assert connection.hello.boot_id != before
                    return
            except Unreachable as problem:
                assert problem.is_retryable, problem
                await asyncio.sleep(problem.retry_after or 0.2)
            except GatewayError as problem:
                raise AssertionError(f"{problem.code} {problem}") from problem
