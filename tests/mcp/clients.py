"""Clients of MCP: the official SDK's, in this process or over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import orjson
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent, Tool
from quart import Quart

from tests.cast import Person, Program

URL = "http://127.0.0.1:8000/mcp"
ERAS = ("legacy", "2026-07-28")
PATIENCE = 60.0


class Tools:
    """Somebody who is connected and calls tools."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def names(self) -> set[str]:
        """The tools that are shown."""
        return {one.name for one in await self.listed()}

    async def listed(self) -> list[Tool]:
        """The tools as they are described."""
        return list((await self.client.list_tools()).tools)

    async def call(self, name: str, **arguments: Any) -> CallToolResult:
        """Call a tool; what came back, whatever it is."""
        return await self.client.call_tool(name, arguments)

    async def ok(self, name: str, **arguments: Any) -> Any:
        """Call a tool that must succeed; its structured content, which its text repeats but for the news."""
        return (await self.shown(name, **arguments)).structured_content

    async def shown(self, name: str, **arguments: Any) -> CallToolResult:
        """Call a tool that must succeed; all that came back."""
        result = await self.call(name, **arguments)
        assert not result.is_error, result.content
        sentence, text, *_ = result.content
        assert isinstance(sentence, TextContent) and isinstance(text, TextContent)
        assert result.structured_content is not None
        whole = {name: value for name, value in result.structured_content.items() if name != "news"}
        assert sentence.text and orjson.loads(text.text) == whole
        return result

    async def says(self, name: str, **arguments: Any) -> str:
        """Call a tool that must succeed; the sentence that a model reads first."""
        sentence: str = (await self.shown(name, **arguments)).content[0].text  # type: ignore[union-attr]
        return sentence

    async def refused(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that must refuse; its status, code and message, which its first text tells too."""
        result = await self.call(name, **arguments)
        assert result.is_error, result.structured_content
        sentence, text, *_ = (one.text for one in result.content)  # type: ignore[union-attr]
        values: dict[str, Any] = orjson.loads(text)
        assert sentence == f"Refused ({values['status']} {values['code']}): {values['message']}"
        assert "Traceback" not in sentence and values["request_id"]
        return values


def http(app: Quart, secret: str) -> httpx2.AsyncClient:
    """A plain client of the application in this process, with a token."""
    asgi: Any = app.asgi_app
    headers = {"Authorization": f"Bearer {secret}"}
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=asgi), headers=headers, timeout=PATIENCE)


@asynccontextmanager
async def connected(agent: Program | Person, mode: str = "auto", url: str = URL) -> AsyncIterator[Tools]:
    """Somebody of the cast, connected within this process."""
    async with http(agent.app, secret_of(agent)) as client, Client(_way(url, client), mode=mode) as it:
        yield Tools(it)


def secret_of(who: Program | Person) -> str:
    """The token of somebody of the cast."""
    return who.secret if isinstance(who, Program) else who.headers["Authorization"].removeprefix("Bearer ")


@asynccontextmanager
async def dialled(url: str, secret: str, mode: str = "auto") -> AsyncIterator[Tools]:
    """An agent, connected to a server over its socket."""
    headers = {"Authorization": f"Bearer {secret}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as client,
        Client(_way(f"{url}/mcp", client), mode=mode) as it,
    ):
        yield Tools(it)


class Call:
    """A call of a tool, begun on the bare application, whose client can hang up at any moment."""

    def __init__(
        self,
        agent: Program,
        era: str,
        tool: str,
        arguments: dict[str, Any],
        more: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        self.messages: list[str] = []
        self.answer = b""
        self._gone = asyncio.Event()
        self._body, headers = called(era, tool, arguments, **(params or {}))
        headers += [(name.lower().encode(), value.encode()) for name, value in (more or {}).items()]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/mcp",
            "raw_path": b"/mcp",
            "query_string": b"",
            "scheme": "http",
            "http_version": "1.1",
            "headers": [(b"host", b"localhost"), (b"x-agent-token", agent.secret.encode()), *headers],
            "client": ("127.0.0.1", 1),
        }
        asgi: Any = agent.app.asgi_app
        self._running = asyncio.create_task(asgi(scope, self._receive, self._send))

    def hang_up(self) -> None:
        """Go away without the answer."""
        self._gone.set()

    async def ended(self) -> list[str]:
        """What the application had sent when it was through with the call."""
        await asyncio.gather(self._running, return_exceptions=True)
        return self.messages

    async def _receive(self) -> dict[str, Any]:
        if self._body:
            body, self._body = self._body, b""
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.messages.append(message["type"])
        self.answer += message.get("body", b"")


def called(era: str, tool: str, arguments: dict[str, Any], **params: Any) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """A call of a tool as it is written on the wire in one of the protocol's eras: body and headers."""
    call = posted("tools/call", name=tool, arguments=arguments, **params)
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    if era != "legacy":
        about = {"protocolVersion": era, "clientCapabilities": {}}
        call["params"]["_meta"] = {f"io.modelcontextprotocol/{name}": value for name, value in about.items()}
        headers |= {"mcp-protocol-version": era, "mcp-method": "tools/call", "mcp-name": tool}
    return orjson.dumps(call), [(name.encode(), value.encode()) for name, value in headers.items()]


def _way(url: str, client: httpx2.AsyncClient) -> Any:
    return streamable_http_client(url, http_client=client)


def posted(method: str, **params: Any) -> dict[str, Any]:
    """A call as it is written on the wire."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


async def post(app: Quart, secret: str, json: Any, **options: Any) -> httpx2.Response:
    """Send one document as a client without the SDK would."""
    headers = {"Accept": "application/json, text/event-stream", **options.pop("headers", {})}
    async with http(app, secret) as client:
        return await client.post(options.pop("url", URL), json=json, headers=headers, **options)
