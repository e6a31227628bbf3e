"""Give every request an id that its answer, its errors, its events and its log lines carry."""

import re
from uuid import uuid4

from quart import Quart

from mission_control.config import Settings
from mission_control.core.request_facts import reset_request_id, set_request_id
from mission_control.http.asgi import Application, Message, Receive, Scope, Send, add_missing, header, wrap

ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def install(app: Quart, settings: Settings) -> None:
    """Take the client's X-Request-Id, or make one, and send it back with every answer."""
    wrap(app, _layer)


def _layer(inner: Application) -> Application:
    async def with_request_id(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await inner(scope, receive, send)
            return
        request_id = id_of(scope)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_missing(message, [(b"x-request-id", request_id.encode())])
            await send(message)

        token = set_request_id(request_id)
        try:
            await inner(scope, receive, send_with_id)
        finally:
            reset_request_id(token)

    return with_request_id


def id_of(scope: Scope) -> str:
    """Return the id that the client chose, else a new one."""
    stripped = (header(scope, b"x-request-id") or "").strip()
    return stripped if ACCEPTABLE.fullmatch(stripped) else uuid4().hex
