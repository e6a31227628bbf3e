"""Limit how many requests one client has under way, where many share a connection: behind a proxy, with HTTP/2.

Elsewhere a connection has one request at a time, and the connections of an address are counted (`connections.py`).
"""

from collections import Counter

from quart import Quart

from mission_control.config import Settings
from mission_control.core.request_facts import current_request_id
from mission_control.http.asgi import Application, Receive, Scope, Send, refuse, wrap
from mission_control.http.proxies import place_of, scope_client_ip

TOO_MANY = "Your address has too many requests under way. Wait until some have ended."


def install(app: Quart, settings: Settings) -> None:
    """Answer 503 to a client that has MAX_CONNECTIONS_PER_ADDRESS requests under way."""
    if not (settings.trusted_proxies or settings.http2):
        return
    most = settings.max_connections_per_address
    under_way: Counter[str] = Counter()

    def layer(inner: Application) -> Application:
        async def limited(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await inner(scope, receive, send)
                return
            client = place_of(scope_client_ip(scope))
            if under_way[client] >= most:
                await refuse(send, 503, TOO_MANY, current_request_id(), {"retry-after": "5"})
                return
            under_way[client] += 1
            try:
                await inner(scope, receive, send)
            finally:
                under_way[client] -= 1
                if not under_way[client]:
                    del under_way[client]

        return limited

    wrap(app, layer)
