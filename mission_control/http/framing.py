"""Refuse what this server does not speak, or what two servers in a row could read differently."""

import logging

from quart import Quart

from mission_control.config import Settings
from mission_control.core.request_facts import current_request_id
from mission_control.http.asgi import Application, Receive, Scope, Send, header, refuse, wrap
from mission_control.http.proxies import scope_client_ip

TWO_LENGTHS = "A request has Content-Length or Transfer-Encoding, not both."
NO_WEBSOCKETS = "There are no WebSockets here. What happens is told by server-sent events."

logger = logging.getLogger(__name__)


def install(app: Quart, settings: Settings) -> None:
    """Answer 400 to WebSockets and to requests whose end is told in two ways; the latter's connection is closed."""
    wrap(app, _layer)


def _layer(inner: Application) -> Application:
    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # of HTTP/2
            logger.info("websocket.refused", extra={"path": scope["path"], "client_ip": scope_client_ip(scope)})
            await refuse(send, 400, NO_WEBSOCKETS, current_request_id(), kind="websocket.http.response")
        elif scope["type"] == "http" and (header(scope, b"upgrade") or "").lower() == "websocket":
            await refuse(send, 400, NO_WEBSOCKETS, current_request_id())
        elif scope["type"] == "http" and has_two_lengths(scope):
            await refuse(send, 400, TWO_LENGTHS, current_request_id(), {"connection": "close"})
        else:
            await inner(scope, receive, send)

    return checked


def has_two_lengths(scope: Scope) -> bool:
    """Whether both headers that say where a body ends are there: the way to smuggle a request past a proxy."""
    return header(scope, b"content-length") is not None and header(scope, b"transfer-encoding") is not None
