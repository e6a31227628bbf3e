"""The tools as the official SDK serves them. Importing this takes a third of a second, so only `service.py` does."""

import functools
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    ImageContent,
    ListToolsResult,
    TextContent,
    Tool,
    ToolAnnotations,
)
from starlette.requests import Request

from mission_control import __version__
from mission_control.config import Settings
from mission_control.core.actor import Actor
from mission_control.core.errors import DomainError, NotFound
from mission_control.core.json import json_values, to_json
from mission_control.http.asgi import Application, Receive, Scope
from mission_control.http.request_log import WAITS
from mission_control.mcp import registry
from mission_control.mcp.instructions import FOR_PEOPLE, INSTRUCTIONS
from mission_control.mcp.refusals import refusal
from mission_control.mcp.service import ACTOR

LOCAL = ("127.0.0.1", "localhost", "[::1]")
EVERYWHERE = ("0.0.0.0", "::", "")
REASONS = {
    400: "Send JSON, with Content-Type: application/json.",
    403: "This request came from a page of another site.",
    421: "This server does not know itself by the host that was asked for. Use, or set, its BASE_URL.",
}


class Misdirected(DomainError):
    """The request is not for this server, or not in a shape that it reads."""

    def __init__(self, status: int) -> None:
        super().__init__(REASONS[status])
        self.status = status


@asynccontextmanager
async def protocol(settings: Settings) -> AsyncIterator[Application]:
    """The SDK, running: stateless, with JSON answers, for requests to the hosts by which this server is known."""
    agents, people = (
        StreamableHTTPSessionManager(_server(tools, instructions), json_response=True, stateless=True)
        for tools, instructions in ((registry.TOOLS, INSTRUCTIONS), (registry.PEOPLES_TOOLS, FOR_PEOPLE))
    )
    guard = TransportSecurityMiddleware(security(settings))

    async def answer(scope: Scope, receive: Receive, send: Any) -> None:
        refused = await guard.validate_request(Request(scope), is_post=True)
        if refused is not None:
            raise Misdirected(refused.status_code)
        actor: Actor = scope[ACTOR]
        await (people if actor.is_user else agents).handle_request(scope, receive, send)

    async with agents.run(), people.run():
        yield answer


def security(settings: Settings) -> TransportSecuritySettings:
    """The hosts and origins that are this server: local ones, the address it listens on, and BASE_URL."""
    names = [*LOCAL, *([settings.host] if settings.host not in EVERYWHERE else [])]
    hosts = [host for name in names for host in (name, f"{name}:*")]
    origins = [f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
    public = urlsplit(settings.base_url.lower())
    if public.netloc:
        hosts += [public.netloc, f"{public.hostname}:{public.port or (443 if public.scheme == 'https' else 80)}"]
        origins.append(f"{public.scheme}://{public.netloc}")
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)


def _server(tools: Mapping[str, registry.Tool], instructions: str) -> Server[Any]:
    return Server(
        "mission-control",
        version=__version__,
        title="Mission Control",
        instructions=instructions,
        get_tool_input_schema=lambda name: tools[name].schema() if name in tools else None,
        on_list_tools=_list_tools,
        on_call_tool=_call_tool,
    )


async def _list_tools(context: Any, _: Any) -> ListToolsResult:
    actor: Actor = context.request.scope[ACTOR]
    return ListToolsResult(tools=[_described(one) for one in registry.tools_of(actor).values() if one.is_for(actor)])


@functools.cache
def _described(one: registry.Tool) -> Tool:
    """Describe a tool in few words, because every session of a model begins with all of them.

    So there is no schema of its answer, which no model needs to call it, and no hint that has its usual value.
    """
    writes: dict[str, Any] = {"destructive_hint": False, "idempotent_hint": one.repeats or None}
    hints = {"read_only_hint": True} if one.reads else writes
    return Tool(
        name=one.name,
        title=one.title,
        description=one.description,
        input_schema=one.schema(),
        annotations=ToolAnnotations(**hints, open_world_hint=False),
    )


async def _call_tool(context: Any, asked: CallToolRequestParams) -> CallToolResult:
    """What a tool answers: a sentence, then the answer as JSON text and as structured content, which are the same.

    A refusal is text only: some clients hold structured content against the tool's schema even then.
    """
    found = registry.tools_of(context.request.scope[ACTOR]).get(asked.name)
    try:
        if found is None:
            raise NotFound(f"There is no tool {asked.name}. List the tools.")
        scope = context.request.scope
        if found.waits:
            scope[WAITS] = True
        sentence, answer = await found.call(scope[ACTOR], asked.arguments or {})
        values = json_values(answer)
    except Exception as error:
        sentence, values = refusal(error, found.schema() if found is not None else {})
        return CallToolResult(content=_texts(sentence, values), is_error=True)
    content = _texts(sentence, values)
    if isinstance(answer, registry.WithImage) and answer.image is not None:
        media_type, image = answer.image
        content.append(ImageContent(mime_type=media_type, data=b64encode(image).decode()))
    return CallToolResult(content=content, structured_content=values)


def _texts(sentence: str, values: dict[str, Any]) -> list[ContentBlock]:
    return [TextContent(text=sentence), TextContent(text=to_json(values).decode())]
