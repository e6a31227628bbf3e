"""Take client, scheme and host of a request from a reverse proxy, if the proxy is trusted."""

import functools
import ipaddress
import json
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from quart import Quart, request

from mission_control.core.setting_values import Network

type Scope = dict[str, Any]
type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[..., Coroutine[Any, Any, None]]
type Header = tuple[bytes, bytes]


def wrap[Layer: Application](app: Quart, layer: Callable[[Application], Layer]) -> Layer:
    """Add a layer outside of those added before, and return it."""
    app.asgi_app = made = layer(app.asgi_app)  # type: ignore[method-assign]
    return made


def header(scope: Scope, name: bytes) -> str | None:
    """Return a request header by its lower-case name, several joined as in RFC 9110."""
    values = [value for key, value in scope["headers"] if key.lower() == name]
    return b", ".join(values).decode("latin-1") if values else None


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


HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:[0-9]{1,5})?", re.ASCII)
AT_HOME = ("localhost", "local", "internal", "lan", "home.arpa", "test")
# What carries its own credentials, or says nothing that others must not know.
EVERYWHERE = ("/api/", "/mcp", "/healthz", "/readyz", "/health")
MALFORMED = "The Host of this request is not a name or an address with a port."
UNKNOWN_HOST = "This server does not know itself by the host that was asked for. Open it by its BASE_URL."


# By which names this server is asked: a page of another name must not be able to read what ours show. A name that
# anybody can register may lead here by its own DNS. What nobody can register never does: addresses, names without a
# dot, and those below the domains for use at home. So health checks and neighbours in a container network pass.
def is_malformed(scope: Scope) -> bool:
    host = header(scope, b"host")
    return bool(host) and HOST.fullmatch(host or "") is None


def is_foreign(scope: Scope, base_url: str) -> bool:
    """Return whether a page is asked for by a name that is not this server's. Without BASE_URL nobody knows."""
    host = HOST.fullmatch(header(scope, b"host") or "")
    if not base_url or host is None or scope["path"].startswith(EVERYWHERE):
        return False
    name = host["name"].lower().rstrip(".")
    return name != urlsplit(base_url).hostname and not _is_at_home(name)


def _is_at_home(name: str) -> bool:
    if "." not in name or any(name.endswith(f".{domain}") for domain in AT_HOME):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


UNKNOWN = "unknown"


def client_ip() -> str:
    return scope_client_ip(request.scope)  # type: ignore[arg-type]


def scope_client_ip(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else UNKNOWN


@functools.lru_cache(maxsize=4096)
def rate_limit_key(address: str) -> str:
    """Return the rate-limit key of an address: itself, or its /64 of IPv6, which one customer has for itself."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((parsed, 64), strict=False))
    return str(parsed or address)


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in trusted)


def first_untrusted(hops: Sequence[str], peer: str, trusted: Sequence[Network]) -> str:
    """Walk from the nearest hop outwards and return the first one that is not ours.

    Everything left of it was written by that client and proves nothing; an unreadable hop ends the walk.
    """
    nearest = peer
    for hop in reversed(hops):
        parsed = _parsed(hop)
        if parsed is None:
            return nearest
        nearest = str(parsed)
        if not is_trusted(nearest, trusted):
            return nearest
    return nearest


def forwarded_hops(scope: Scope) -> list[str]:
    """Return the chain of clients, farthest first: X-Forwarded-For, else `for=` of Forwarded.

    X-Forwarded-For wins since most proxies extend only that one and pass a client's Forwarded on unread.
    """
    listed = header(scope, b"x-forwarded-for")
    if listed is not None:
        return [part.strip() for part in listed.split(",")]
    return [element.get("for", "") for element in _forwarded(scope)]


def scope_from_proxies(scope: Scope, trusted: Sequence[Network]) -> Scope:
    changed = dict(scope)
    client = first_untrusted(forwarded_hops(scope), scope_client_ip(scope), trusted)
    changed["client"] = (client, 0)
    nearest = (_forwarded(scope) or [{}])[-1]
    scheme = _last(scope, b"x-forwarded-proto") or nearest.get("proto", "")
    if scheme.lower() in {"http", "https"}:
        changed["scheme"] = scheme.lower()
    host = _last(scope, b"x-forwarded-host") or nearest.get("host", "")
    if HOST.fullmatch(host):
        others = [(key, value) for key, value in scope["headers"] if key.lower() != b"host"]
        changed["headers"] = [(b"host", host.encode()), *others]
    return changed


def _last(scope: Scope, name: bytes) -> str:
    return (header(scope, name) or "").rpartition(",")[2].strip()


def _forwarded(scope: Scope) -> list[dict[str, str]]:
    listed = header(scope, b"forwarded") or ""
    elements = [[pair.partition("=") for pair in element.split(";")] for element in listed.split(",")] if listed else []
    return [{name.strip().lower(): value.strip().strip('"') for name, _, value in pairs} for pairs in elements]


def _parsed(hop: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    bare = hop.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
