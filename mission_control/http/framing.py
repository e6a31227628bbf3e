"""Refuse what this server does not speak, or what two servers in a row could read differently."""

import logging
from dataclasses import dataclass, field

from mission_control.http.asgi import Scope, Send, refuse
from mission_control.http.proxies import scope_client_ip

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is answered 400, and what the answer tells the connection."""

    sentence: str
    headers: dict[str, str] = field(default_factory=dict)


NO_WEBSOCKETS = Refusal("There are no WebSockets here. Use server-sent events.")
TWO_LENGTHS = Refusal("A request has Content-Length or Transfer-Encoding, not both.", {"connection": "close"})


def refusal(scope: Scope) -> Refusal | None:
    """Return why a request is refused, None when it is not.

    Both headers that say where a body ends are the way to smuggle a request past a proxy.
    """
    lengths = set()
    for key, value in scope["headers"]:
        name = key.lower()
        if name == b"upgrade" and value.lower() == b"websocket":
            return NO_WEBSOCKETS
        if name in (b"content-length", b"transfer-encoding"):
            lengths.add(name)
    return TWO_LENGTHS if len(lengths) > 1 else None


async def refuse_websocket(scope: Scope, send: Send, request_id: str) -> None:
    """Refuse the handshake of a WebSocket over HTTP/2, and log it."""
    logger.info("websocket.refused", extra={"path": scope["path"], "client_ip": scope_client_ip(scope)})
    await refuse(send, 400, NO_WEBSOCKETS.sentence, request_id, kind="websocket.http.response")
