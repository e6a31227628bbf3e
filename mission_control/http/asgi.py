"""Types and helpers of ASGI middleware, which even the application's error answers pass."""

import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any

from quart import Quart

type Scope = dict[str, Any]
type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[..., Coroutine[Any, Any, None]]
type Header = tuple[bytes, bytes]


def wrap(app: Quart, layer: Callable[[Application], Application]) -> None:
    """Add a layer outside of those added before."""
    app.asgi_app = layer(app.asgi_app)  # type: ignore[method-assign]


def header(scope: Scope, name: bytes) -> str | None:
    """Return a request header by its lower-case name, several joined as in RFC 9110."""
    found = [value for key, value in scope["headers"] if key.lower() == name]
    return b", ".join(found).decode("latin-1") if found else None


def add_missing(message: Message, headers: Iterable[Header]) -> None:
    """Add response headers that a handler did not set itself."""
    present = {key.lower() for key, _ in message["headers"]}
    message["headers"] = [*message["headers"], *(item for item in headers if item[0] not in present)]


async def refuse(
    send: Send,
    status: int,
    detail: str,
    request_id: str | None,
    headers: Mapping[str, str] | None = None,
    kind: str = "http.response",
) -> None:
    """Answer with the error envelope of the API from middleware, without the application."""
    body = json.dumps({"detail": detail, "request_id": request_id}).encode()
    all_headers = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    pairs = [(name.encode(), value.encode()) for name, value in all_headers.items()]
    await send({"type": f"{kind}.start", "status": status, "headers": pairs})
    await send({"type": f"{kind}.body", "body": body, "more_body": False})
