"""The checks before every MCP call: method, token with its rate limit, body size."""

import asyncio
from collections.abc import Callable

from quart import Quart

from mission_control.authn.authentication import caller_for
from mission_control.core.actor import Actor
from mission_control.core.errors import DomainError, TooLarge, Unauthenticated
from mission_control.core.json import to_json
from mission_control.core.limits import Allowance
from mission_control.http.asgi import Receive, Scope, Send, header
from mission_control.http.bodies import bodies
from mission_control.http.proxies import rate_limit_key, scope_client_ip
from mission_control.http.safe_writes import refuse_unsupported
from mission_control.mcp.answer import Answer
from mission_control.mcp.refusals import refusal
from mission_control.mcp.service import ACTOR, Service

WHO = (
    "Send the token of an agent (mca_...) or a personal token (mcu_...) as `Authorization: Bearer <token>`."
    " The one sent is unknown, expired or revoked."
)
NOT_AN_AGENTS = "This is the token of a person. Send it as `Authorization: Bearer <token>`, not as X-Agent-Token."
REFUSED = -32000  # JSON-RPC reserves -32000 to -32099 for servers


class Disconnected(Exception):
    """The client disconnected before its request was complete."""


class TooSlow(DomainError):
    """The request was not complete in time."""

    status = 408

    def __init__(self) -> None:
        super().__init__("The request did not come to its end. Send it again.")
        self.headers["Connection"] = "close"


class NotAllowed(DomainError):
    """Only POST is allowed: a response is one JSON document, there is no stream to open."""

    status = 405

    def __init__(self) -> None:
        super().__init__("MCP is spoken with POST here; there is no stream to open and no session to end.")
        self.headers["Allow"] = "POST"


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
                await self._service.serve(scope, body, receive, answer)
        except Disconnected:
            return
        except Exception as error:
            if answer.has_begun:
                raise
            await _refuse(answer, error, has_body=scope["method"] != "HEAD")

    async def _caller(self, scope: Scope) -> tuple[Actor, Allowance | None]:
        secret, is_for_agents = _secret(scope)
        async with self._app.app_context():
            actor, allowance = await caller_for(secret, scope_client_ip(scope))
        if actor.is_user and is_for_agents:
            raise Unauthenticated(NOT_AN_AGENTS)
        return actor, allowance

    async def _body(self, scope: Scope, receive: Receive, reserve: Callable[[int], None]) -> bytes:
        announced = header(scope, b"content-length") or ""
        if announced.isdigit() and int(announced) > self._limit:
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


def _secret(scope: Scope) -> tuple[str, bool]:
    """Return the token of the request, and whether it came in the agents' header."""
    if agents := (header(scope, b"x-agent-token") or "").strip():
        return agents, True
    scheme, _, bearer = (header(scope, b"authorization") or "").partition(" ")
    secret = bearer.strip() if scheme.lower() == "bearer" else ""
    if not secret:
        raise Unauthenticated(WHO)
    return secret, False


async def _refuse(answer: Answer, error: Exception, *, has_body: bool) -> None:
    if isinstance(error, DomainError):
        answer.add(error.headers)
    if isinstance(error, Unauthenticated):
        error = error if error.sentence == NOT_AN_AGENTS else Unauthenticated(WHO)
        answer.add({"WWW-Authenticate": 'Bearer realm="Mission Control"'})
    sentence, values = refusal(error)
    body = to_json({"jsonrpc": "2.0", "id": None, "error": {"code": REFUSED, "message": sentence, "data": values}})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await answer({"type": "http.response.start", "status": values["status"], "headers": headers})
    await answer({"type": "http.response.body", "body": body if has_body else b"", "more_body": False})
