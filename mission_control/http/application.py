"""Quart without what no request here needs: sessions of its own, looks for synchronous functions, a message more.

And without what only some addresses need: functions that write them, which take most of the time of its start.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from quart import Quart, Response
from quart.asgi import ASGIHTTPConnection
from quart.routing import QuartRule
from quart.sessions import NullSession, SecureCookieSession, SecureCookieSessionInterface
from quart.typing import ResponseTypes
from quart.utils import encode_headers
from quart.wrappers.base import BaseRequestWebsocket, ClientDisconnectedError
from quart.wrappers.response import DataBody


class NoSessions(SecureCookieSessionInterface):
    """Nothing is kept in Quart's session cookie; `authn/authentication.py` knows the one of signed-in browsers."""

    _session = NullSession()

    async def open_session(self, app: Quart, request: BaseRequestWebsocket) -> SecureCookieSession | None:
        """Return a session that refuses to be written to."""
        return self._session

    def is_null_session(self, instance: object) -> bool:
        """Return True: no session is ever saved."""
        return True


class Connection(ASGIHTTPConnection):
    """A request whose answer, when it is there whole, is sent as two messages instead of three."""

    async def _send_response(self, send: Any, response: ResponseTypes) -> None:
        if not (isinstance(response, Response) and isinstance(response.response, DataBody)):
            await super()._send_response(send, response)
            return
        if self._disconnected:
            raise ClientDisconnectedError()
        headers = encode_headers(response.headers)
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": response.response.data, "more_body": False})


class Route(QuartRule):
    """A rule that compiles what writes its address when an address is first written."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Route, /, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(super(Route, rule)._compile_builder(append_unknown))
            return compiled[0](rule, **values)

        return build


class Application(Quart):
    """The application of this server."""

    url_rule_class = Route
    session_interface = NoSessions()
    asgi_http_class = Connection

    def ensure_async(self, func: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Return a coroutine function as it is, without looking through what may wrap it."""
        code = getattr(func, "__code__", None)
        return func if code is not None and code.co_flags & inspect.CO_COROUTINE else super().ensure_async(func)
