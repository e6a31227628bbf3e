"""What lies around the application, and Quart without what no request here needs."""

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import quote

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable
from quart import Quart, Request, Response, g, jsonify, request
from quart.asgi import ASGIHTTPConnection
from quart.ctx import AppContext
from quart.globals import _cv_app
from quart.routing import QuartRule
from quart.sessions import NullSession, SecureCookieSession, SecureCookieSessionInterface
from quart.typing import ResponseReturnValue, ResponseTypes
from quart.utils import encode_headers
from quart.wrappers.base import BaseRequestWebsocket, ClientDisconnectedError
from quart.wrappers.response import DataBody
from tortoise.connection import get_connection
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequestKeyError, HTTPException, MethodNotAllowed
from werkzeug.routing import MapAdapter, RequestRedirect

from mission_control import __version__
from mission_control.core import limits
from mission_control.core.errors import ErrorCode, Invalid
from mission_control.core.settings import Settings
from mission_control.database.fit import Misfit
from mission_control.database.migrate import pending
from mission_control.database.outages import outage, trouble
from mission_control.events.commands import Compensations, compensated
from mission_control.http import agent_news, body_limit, registry, response_cache
from mission_control.http.compression import Compression
from mission_control.http.exchange import Exchange, Rules, refuse_websocket
from mission_control.http.proxies import Application as AsgiApplication
from mission_control.http.proxies import Receive, Scope, Send, is_trusted, scope_client_ip, scope_from_proxies, wrap
from mission_control.http.request_log import id_of

NO_SESSION = NullSession()


class NoSessions(SecureCookieSessionInterface):
    """Nothing is kept in Quart's session cookie; `http/authentication.py` knows the one of signed-in browsers."""

    _session = NO_SESSION

    async def open_session(self, app: Quart, request: BaseRequestWebsocket) -> SecureCookieSession | None:
        return self._session

    def is_null_session(self, instance: object) -> bool:
        return True


class RequestHeaders(Headers):
    """The headers of a request, by name: most look-ups are for headers that were not sent."""

    def __init__(self, sent: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        self._list = [*sent]
        self._first = {name.lower(): value for name, value in reversed(self._list)}

    def _get_key(self, key: str) -> str:
        if (value := self._first.get(key.lower())) is None:
            raise BadRequestKeyError(key)
        return value

    def __contains__(self, key: str) -> bool:
        return key.lower() in self._first

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]
        return super().get(key, default, type) if key.lower() in self._first else default


# An answer of so many bytes fits into what a connection holds back, so that sending it never waits for the client.
SENT_AT_ONCE = 2**15


class Connection(ASGIHTTPConnection):
    """A request and its answer: the handler runs in the server's task, beside one that reads messages.

    An answer that is there whole is two messages instead of three. What was claimed for a client that left before its
    answer is taken back, unless it sent an `Idempotency-Key`, with which it gets the answer later.
    """

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        handling = asyncio.current_task()
        assert handling is not None
        request = self._create_request_from_scope(send)
        reading = asyncio.create_task(self.handle_messages(request, receive, handling))
        actions = Compensations()
        try:
            with compensated(actions):
                await self.handle_request(request, send)
        except asyncio.CancelledError:
            if not self._disconnected:
                raise
            handling.uncancel()
            if "Idempotency-Key" not in request.headers:
                await actions.run()
        finally:
            reading.cancel()

    def _create_request_from_scope(self, send: ASGISendCallable) -> Request:
        scope, config = self.scope, self.app.config
        client = scope.get("client")
        headers = [(name.decode("latin1").title(), value.decode("latin1")) for name, value in scope["headers"]]
        return self.app.request_class(
            scope["method"],
            scope["scheme"],
            scope["path"],
            scope["query_string"],
            RequestHeaders([("Remote-Addr", client[0] if client else "<local>"), *headers]),
            "",
            scope["http_version"],
            scope,
            max_content_length=config["MAX_CONTENT_LENGTH"],
            body_timeout=config["BODY_TIMEOUT"],
            send_push_promise=partial(self._send_push_promise, send),
        )

    async def handle_request(self, request: Request, send: ASGISendCallable) -> None:
        """Answer a request, in the time that its answer has where sending it waits for the client."""
        with contextlib.suppress(ClientDisconnectedError):
            response = await self.app.handle_request(request)
            if isinstance(body := response.response, DataBody) and len(body.data) < SENT_AT_ONCE:
                await self._send_response(send, response)
                return
            seconds = getattr(response, "timeout", Ellipsis)
            seconds = self.app.config["RESPONSE_TIMEOUT"] if seconds is Ellipsis else seconds
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._send_response(send, response), seconds)

    async def _send_response(self, send: ASGISendCallable, response: ResponseTypes) -> None:
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


KEPT_HOSTS = 1000
LONGEST_KEPT_HOST = 300  # a name has at most 253 characters


class Application(Quart):
    url_rule_class = Route
    session_interface = NoSessions()
    asgi_http_class = Connection

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hosts: dict[tuple[str, str], str] = {}  # by scheme and as clients write them

    def create_url_adapter(self, request: BaseRequestWebsocket | None) -> MapAdapter | None:
        """Return what finds the route of a request. The host is checked and encoded when it is first seen."""
        if request is None or (host := self._hosts.get(key := (request.scheme, request.host))) is None:
            adapter = super().create_url_adapter(request)
            if request is not None and adapter is not None and len(request.host) <= LONGEST_KEPT_HOST:
                if len(self._hosts) >= KEPT_HOSTS:
                    self._hosts.clear()
                self._hosts[key] = adapter.server_name
            return adapter
        query = request.query_string.decode()
        return MapAdapter(self.url_map, host, "", "", request.scheme, request.path, request.method, query)

    async def handle_request(self, request: Request) -> ResponseTypes:
        """Answer a request as Quart does, but for what nothing here uses: signals, sessions, hooks of blueprints."""
        context = self.request_context(request)
        context._session = NO_SESSION
        token = _cv_app.set(context)
        try:
            if context.url_adapter is not None:
                context.match_request()
            try:
                return await self._dispatched(context)
            except Exception as error:
                return await self.handle_exception(context, error)
        finally:
            for function in self.teardown_request_funcs[None]:
                await self.ensure_async(function)(None)
            _cv_app.reset(token)

    async def _dispatched(self, context: AppContext) -> ResponseTypes:
        result: ResponseReturnValue | HTTPException | None = None
        try:
            for function in self.before_request_funcs[None]:
                if (result := await self.ensure_async(function)()) is not None:
                    break
            else:
                result = await self.dispatch_request(context)
        except Exception as error:
            result = await self.handle_user_exception(context, error)
        response = result if isinstance(result, Response) else await self.make_response(result)
        for function in (*context._after_request_functions, *reversed(self.after_request_funcs[None])):
            response = await self.ensure_async(function)(response)
        return response

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
        body = {"ok": True} if fine else {"ok": False, "checks": checks}
        return jsonify(body), 200 if fine else 503

    app.add_url_rule("/health", "health", alive)
    app.add_url_rule("/healthz", "healthz", alive)
    app.add_url_rule("/readyz", "readyz", ready)


async def failing(app: Quart) -> dict[str, str]:
    checks = await _checks(app, app.config["SETTINGS"])
    return {name: result for name, result in checks.items() if result != OK}


async def _checks(app: Quart, settings: Settings) -> dict[str, str]:
    """Return "ok" or a reason for each part, without secrets."""
    if app.extensions.get("mission_control.stopping"):
        return {"database": OK, "migrations": OK, "events": "the server is stopping"}
    database, migrations = await _database_checks(settings)
    broker = app.extensions.get("mission_control.broker")
    events = OK if broker is None else broker.healthy() or OK
    return {"database": database, "migrations": migrations, "events": events}


async def _database_checks(settings: Settings) -> tuple[str, str]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            waiting = await pending(get_connection("default"))
            wrong = await trouble.now(settings.sqlite_path)
    except TimeoutError:
        return "no answer in time", "unknown"
    except Misfit as error:
        return OK, str(error)
    except Exception as error:
        logger.exception("health.database.failed")
        return outage(error) or "cannot be reached", "unknown"
    return wrong or OK, f"{len(waiting)} pending" if waiting else OK


METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
EXPOSED = (
    "X-Total-Count, X-Limit, X-Offset, X-Request-Id, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset,"
    " Retry-After, ETag, Idempotency-Replayed, Location"
)
MAX_AGE_SECONDS = "600"


class Cors:
    """What web clients of the origins in CORS_ORIGINS may do."""

    def __init__(self, settings: Settings) -> None:
        self._allowed = frozenset(settings.cors_origins)

    @property
    def is_on(self) -> bool:
        return bool(self._allowed)

    def preflight(self) -> Response | None:
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        if _origin() not in self._allowed:
            return Response("Disallowed CORS origin", 400, mimetype="text/plain")
        response = Response("OK", mimetype="text/plain")
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Max-Age"] = MAX_AGE_SECONDS
        if headers := request.headers.get("Access-Control-Request-Headers"):
            response.headers["Access-Control-Allow-Headers"] = headers
        return response

    def mark(self, response: ResponseTypes) -> None:
        response.headers.add("Vary", "Origin")
        if (origin := _origin()) in self._allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Expose-Headers"] = EXPOSED


def _origin() -> str:
    return request.headers.get("Origin", "")


API = "/api/v1/"
ADDED_BY_QUART = {"HEAD", "OPTIONS"}


def _without_slash(app: Quart) -> Response | None:
    path, query = request.path.rstrip("/"), request.query_string.decode("latin-1")
    location = f"{request.scheme}://{request.host}{quote(path)}" + (f"?{query}" if query else "")
    return Response("", 307, {"Location": location}) if _methods(app, path) else None


def refused_or_redirected(app: Quart) -> Response | None:
    """Redirect `/api/v1/things/` to the path without the slash, and refuse OPTIONS on the API, and HEAD of a stream."""
    if not request.path.startswith(API):
        return None
    if request.path.endswith("/"):
        return _without_slash(app)
    if request.method in ADDED_BY_QUART and request.routing_exception is None:
        # They come with every GET; a route that declares them has no other method.
        rule = request.url_rule
        is_declared = rule is not None and rule.methods is not None and set(rule.methods) <= ADDED_BY_QUART
        if not is_declared and request.method not in (declared := _declared(app)):
            raise MethodNotAllowed(valid_methods=declared)
    return None


def _declared(app: Quart) -> list[str]:
    rule = request.url_rule
    is_stream = rule is not None and any(
        operation.is_stream and operation.path == rule.rule for operation in registry.OPERATIONS
    )
    return sorted(set(_methods(app, request.path)) - (ADDED_BY_QUART if is_stream else {"OPTIONS"}))


def _methods(app: Quart, path: str) -> Iterable[str]:
    adapter = app.create_url_adapter(request)
    if adapter is None:
        return []
    try:
        return adapter.allowed_methods(path)
    except RequestRedirect:
        return []


HEADERS = ("Idempotency-Key", "If-Match")
OPERATIONS = "/api/"
READS = ("GET", "HEAD", "OPTIONS")
# What calls itself so is told the version, and updates itself.
CLIENT = "mission-control-client/"
VERSION_HEADER = "X-Mission-Control-Version"


# The headers of safe writes, where nothing honours them: only operations of the API do (`http/retries.py`).
def refuse_unsupported(sent: Callable[[str], str | None]) -> None:
    """Raise Invalid when one of the headers is sent, rather than do what its sender does not expect."""
    for name in HEADERS:
        if sent(name):
            raise Invalid(ErrorCode.HEADER_NOT_SUPPORTED.detail(f"This address does not support {name}."))


def middleware_install(app: Quart, settings: Settings) -> None:
    """Put the middleware around the application; call this before anything else registers request functions."""
    app.url_map.merge_slashes = False  # two slashes are not taken for one
    limits.agent_requests.per_minute = settings.agent_requests_per_minute
    limits.person_requests.per_minute = settings.person_requests_per_minute
    response_cache.cache.clear()
    response_cache.cache.limit = settings.response_cache_mb * response_cache.MEGABYTE
    body_limit.install(app, settings)
    install(app, settings)
    _look_before_and_after(app, settings)
    wrap(app, lambda inner: _exchanging(inner, Rules.of(settings)))


def _look_before_and_after(app: Quart, settings: Settings) -> None:
    cors, compression, limit = Cors(settings), Compression(), settings.max_body_bytes

    async def before() -> Response | None:
        if cors.is_on and (preflight := cors.preflight()) is not None:
            return preflight
        body_limit.refuse_large_body(limit)
        if request.method not in READS and not request.path.startswith(OPERATIONS):
            refuse_unsupported(request.headers.get)
        return refused_or_redirected(app)

    async def after(response: ResponseTypes) -> ResponseTypes:
        if "Cache-Control" not in response.headers and not request.path.startswith("/static/"):
            response.headers["Cache-Control"] = "no-store" if request.path.startswith("/api/") else "no-cache"
        if (allowance := g.get("allowance")) is not None:
            response.headers.update(allowance.headers())
        if response.status_code == 405 and request.path.startswith(API):
            response.headers["Allow"] = ", ".join(_declared(app)) or "GET"
        if cors.is_on:
            cors.mark(response)
        if request.headers.get("User-Agent", "").startswith(CLIENT):
            response.headers[VERSION_HEADER] = __version__
        if isinstance(response, Response):
            await agent_news.carry(response)
            await compression.compress(response)
        return response

    app.before_request(before)
    app.after_request(after)


def _exchanging(inner: AsgiApplication, rules: Rules) -> AsgiApplication:
    async def exchanging(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await Exchange(rules, scope, receive, send).run(inner)
        elif scope["type"] == "websocket":  # of HTTP/2
            if is_trusted(scope_client_ip(scope), rules.settings.trusted_proxies):
                scope = scope_from_proxies(scope, rules.settings.trusted_proxies)
            await refuse_websocket(scope, send, id_of(scope))
        else:
            await inner(scope, receive, send)

    return exchanging
