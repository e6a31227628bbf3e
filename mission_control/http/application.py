"""Quart without what no request here needs: sessions of its own, looks for synchronous functions, a message more.

And without what only some addresses need: functions that write them, which take most of the time of its start.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from quart import Quart, Response, jsonify
from quart.asgi import ASGIHTTPConnection
from quart.routing import QuartRule
from quart.sessions import NullSession, SecureCookieSession, SecureCookieSessionInterface
from quart.typing import ResponseTypes
from quart.utils import encode_headers
from quart.wrappers.base import BaseRequestWebsocket, ClientDisconnectedError
from quart.wrappers.response import DataBody
from tortoise.connection import get_connection

from mission_control.config import Settings
from mission_control.database.migrate import pending
from mission_control.database.outages import outage, trouble


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

        def build(rule: Route, /, **values: object) -> tuple[str, str]:
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


CHECK_SECONDS = 2.0
OK = "ok"

logger = logging.getLogger(__name__)


def install(app: Quart, settings: Settings) -> None:
    """Answer /health and /healthz while the process lives, /readyz when database and events work."""

    async def alive() -> Response:
        return jsonify({"ok": True})

    async def ready() -> tuple[Response, int]:
        checks = await _checks(app, settings)
        fine = all(result == OK for result in checks.values())
        body: dict[str, Any] = {"ok": True} if fine else {"ok": False, "checks": checks}
        return jsonify(body), 200 if fine else 503

    app.add_url_rule("/health", "health", alive)
    app.add_url_rule("/healthz", "healthz", alive)
    app.add_url_rule("/readyz", "readyz", ready)


async def failing(app: Quart) -> dict[str, str]:
    """Return the checks that fail, each with its reason in a few words."""
    checks = await _checks(app, app.config["SETTINGS"])
    return {name: result for name, result in checks.items() if result != OK}


async def _checks(app: Quart, settings: Settings) -> dict[str, str]:
    """Return "ok" or a reason for each part, without secrets."""
    if app.extensions.get("mission_control.stopping"):
        return {"database": OK, "migrations": OK, "events": "the server is stopping"}
    database, migrations = await _database_checks(settings)
    return {"database": database, "migrations": migrations, "events": _events_check(app)}


async def _database_checks(settings: Settings) -> tuple[str, str]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            waiting = await pending(get_connection("default"))
            wrong = await trouble.now(settings.sqlite_path)
    except TimeoutError:
        return "no answer in time", "unknown"
    except Exception as error:
        logger.exception("health.database.failed")
        return outage(error) or "cannot be reached", "unknown"
    return wrong or OK, f"{len(waiting)} pending" if waiting else OK


def _events_check(app: Quart) -> str:
    broker = app.extensions.get("mission_control.broker")
    return OK if broker is None else broker.healthy() or OK
