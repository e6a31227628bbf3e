"""MCP over HTTP: an ASGI application at `/mcp`, next to Quart and inside the same middleware.

Every call passes the checks of `Entry` (method, token with its rate limit, body size). Then the official SDK serves it
(`_server.py`), which the first call imports and starts, so that servers without clients of MCP do not pay for it.
"""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable
from importlib import import_module
from secrets import token_urlsafe
from typing import Any

from quart import Quart

from mission_control.core.actor import Actor
from mission_control.core.errors import DomainError, TooLarge, Unauthenticated
from mission_control.core.limits import Allowance
from mission_control.core.settings import Settings
from mission_control.core.values import to_json, whole_number
from mission_control.events.commands import compensated
from mission_control.http.authentication import caller_for
from mission_control.http.body_limit import bodies
from mission_control.http.exchange import count_as, end_on_disconnect
from mission_control.http.middleware import refuse_unsupported
from mission_control.http.proxies import (
    Application,
    Header,
    Message,
    Receive,
    Scope,
    Send,
    add_missing,
    header,
    rate_limit_key,
    scope_client_ip,
    wrap,
)
from mission_control.mcp import calls
from mission_control.mcp.answers import refusal
from mission_control.mcp.calls import Call

PATHS = ("/mcp", "/mcp/")
ACTOR = "mission_control.actor"
STREAMS = "mission_control.streams"  # the client wants to be told how far the call is
SERVER = "mission_control.mcp._server"
WHO = (
    "Send the token of an agent (mca_...) or a personal token (mcu_...) as `Authorization: Bearer <token>`."
    " The one sent is unknown, expired or revoked."
)
NOT_AN_AGENTS = "This is the token of a person. Send it as `Authorization: Bearer <token>`, not as X-Agent-Token."
REFUSED = -32000  # JSON-RPC reserves -32000 to -32099 for servers

_log = logging.getLogger(__name__)


class Disconnected(Exception):
    """The client disconnected before its request was complete."""


class TooSlow(DomainError, status=408):
    """The request was not complete in time."""

    def __init__(self) -> None:
        super().__init__("The request did not come to its end. Send it again.")
        self.headers["Connection"] = "close"


class NotAllowed(DomainError, status=405):
    """Only POST is allowed: a response is one JSON document, there is no stream to open."""

    def __init__(self) -> None:
        super().__init__("MCP is spoken with POST here; there is no stream to open and no session to end.")
        self.headers["Allow"] = "POST"


class Answer:
    """A `send` that adds what every answer carries, and knows how far it is."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._headers: list[Header] = [(b"cache-control", b"no-store")]
        self.has_begun = False
        self.has_ended = False

    def add(self, headers: dict[str, str]) -> None:
        self._headers += [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def complete(self, status: int, content_type: bytes, body: bytes) -> None:
        headers = [(b"content-type", content_type)]
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": body, "more_body": False})

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            add_missing(message, self._headers)
        elif not message.get("more_body", False):
            self.has_ended = True
        await self._send(message)


class Service:
    """The MCP servers of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ready: asyncio.Future[Application] | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def serve(self, scope: Scope, body: bytes, receive: Receive, answer: Answer) -> None:
        """Answer one message. A call ends when its client cancels or disconnects."""
        protocol = await self._begun()
        actor: Actor = scope[ACTOR]
        message = calls.parsed(body)
        if message.get("method") == "notifications/cancelled":
            await calls.cancel(scope, actor, message)
        elif message.get("method") == "initialize":
            answer.add({calls.SESSION: token_urlsafe(18)})
        if calls.wants_progress(message):
            scope[STREAMS] = True
        with calls.tracked_call(scope, actor, message) as call:
            with compensated(call.compensations):
                await _until_cancelled(protocol(scope, _replayed(body), answer), receive, answer, call)
            if call.cancelled.done() and not answer.has_begun:
                # A cancelled request gets no response, because clients complain about one.
                await answer.complete(200, b"text/event-stream", b"")

    async def stop(self) -> None:
        """Stop the SDK; another call can start it again."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._ready = self._keeper = None

    async def _begun(self) -> Application:
        if self._ready is None:
            self._ready = asyncio.get_running_loop().create_future()
            # The SDK's tasks must not inherit the context of the first caller.
            self._keeper = asyncio.create_task(self._keep(self._ready), context=contextvars.Context())
        return await asyncio.shield(self._ready)

    async def _keep(self, ready: "asyncio.Future[Application]") -> None:
        """Hold the SDK's task group open: the task that enters it must also leave it."""
        try:
            server = await asyncio.to_thread(import_module, SERVER)
            async with server.protocol(self._settings) as protocol:
                ready.set_result(protocol)
                await asyncio.get_running_loop().create_future()
        except Exception as error:
            self._ready = None  # the next call retries
            if ready.done():
                _log.exception("mcp.ended")
            else:
                ready.set_exception(error)


async def _until_cancelled(work: Awaitable[None], receive: Receive, answer: Answer, call: Call) -> None:
    working, watching = asyncio.ensure_future(work), asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({working, watching, call.cancelled}, return_when=asyncio.FIRST_COMPLETED)
        if answer.has_ended:
            await working  # the SDK's clean-up remains, which a cancellation would interrupt
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
        if not answer.has_ended:
            await call.compensations.run()
    if not working.cancelled():
        working.result()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _replayed(body: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        return await asyncio.get_running_loop().create_future()

    return receive


class Entry:
    """The ASGI application in front of the SDK. Refusals are JSON-RPC errors with an HTTP status."""

    def __init__(self, app: Quart, service: Service, max_body_bytes: int) -> None:
        self._app = app
        self._service = service
        self._limit = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = Answer(send)
        try:
            if scope["method"] != "POST":
                raise NotAllowed
            refuse_unsupported(lambda name: header(scope, name.lower().encode()))
            actor, allowance = await self._caller(scope)
            if allowance is not None:
                answer.add(allowance.headers())
            with bodies.counted(rate_limit_key(scope_client_ip(scope))) as reserve:
                try:
                    async with asyncio.timeout(self._app.config["BODY_TIMEOUT"]):
                        body = await self._body(scope, receive, reserve)
                except TimeoutError:
                    raise TooSlow from None
                scope[ACTOR] = actor.on("mcp")
                async with self._app.app_context():  # operations read the settings there, as in a request
                    await self._service.serve(scope, body, receive, answer)
        except Disconnected:
            return
        except Exception as error:
            if answer.has_begun:
                raise
            await _refuse(answer, error, has_body=scope["method"] != "HEAD")

    async def _caller(self, scope: Scope) -> tuple[Actor, Allowance | None]:
        secret = (header(scope, b"x-agent-token") or "").strip()
        is_for_agents = bool(secret)
        if not secret:
            scheme, _, bearer = (header(scope, b"authorization") or "").partition(" ")
            secret = bearer.strip() if scheme.lower() == "bearer" else ""
        if not secret:
            raise Unauthenticated(WHO)
        async with self._app.app_context():
            actor, allowance = await caller_for(secret, scope_client_ip(scope))
        if actor.is_user and is_for_agents:
            raise Unauthenticated(NOT_AN_AGENTS)
        count_as(scope, actor.id)
        return actor, allowance

    async def _body(self, scope: Scope, receive: Receive, reserve: Callable[[int], None]) -> bytes:
        if (whole_number(header(scope, b"content-length"), 19) or 0) > self._limit:
            raise TooLarge
        body: bytes = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise Disconnected
            reserve(len(message.get("body", b"")))
            body += message.get("body", b"")
            if len(body) > self._limit:
                raise TooLarge
            if not message.get("more_body", False):
                return body


async def _refuse(answer: Answer, error: Exception, *, has_body: bool) -> None:
    if isinstance(error, DomainError):
        answer.add(error.headers)
    if isinstance(error, Unauthenticated):
        error = error if error.sentence == NOT_AN_AGENTS else Unauthenticated(WHO)
        answer.add({"WWW-Authenticate": 'Bearer realm="Mission Control"'})
    sentence, values = refusal(error)
    body = to_json({"jsonrpc": "2.0", "id": None, "error": {"code": REFUSED, "message": sentence, "data": values}})
    answer.add({"Content-Length": str(len(body))})
    await answer.complete(values["status"], b"application/json", body if has_body else b"")


def install(app: Quart, settings: Settings) -> None:
    """Serve MCP. Call it before the middleware is installed, so that the middleware wraps it."""
    service = Service(settings)
    entry = Entry(app, service, settings.max_body_bytes)

    def layer(inner: Application) -> Application:
        async def dispatched(scope: Scope, receive: Receive, send: Send) -> None:
            is_ours = scope["type"] == "http" and scope["path"] in PATHS
            if is_ours:
                end_on_disconnect(scope)
            await (entry if is_ours else inner)(scope, receive, send)

        return dispatched

    wrap(app, layer)
    app.after_serving(service.stop)
