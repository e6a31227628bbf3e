"""One request and its answer on their way through the server, in one pass.

The application gets `receive` and `send` of an Exchange, which do what concerns every request, in this order:

1. give the request an id, and trust a proxy about its client (`proxies`);
2. log how the request ends (`request_log`);
3. refuse what the server does not speak, and clients with too many requests under way;
4. hold an answer back until its request has arrived whole;
5. hold back the news that the client hung up, unless the request waits on purpose;
6. add the headers that every answer carries.
"""

import asyncio
import contextlib
import functools
import logging
import time
from collections import Counter
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from quart import request

from mission_control.core.request_facts import reset_request_id, set_request_id, unanswered
from mission_control.core.setting_values import TRACE
from mission_control.core.settings import Settings
from mission_control.http.proxies import (
    MALFORMED,
    UNKNOWN_HOST,
    Application,
    Header,
    Message,
    Receive,
    Scope,
    Send,
    is_foreign,
    is_malformed,
    is_trusted,
    rate_limit_key,
    refuse,
    scope_client_ip,
    scope_from_proxies,
)
from mission_control.http.request_log import WAITS, id_of, is_quiet, log_end, request_line, without_secret
from mission_control.http.request_log import logger as log

logger = logging.getLogger(__name__)

NO_WEBSOCKETS = "There are no WebSockets here. Use server-sent events."


def asks_for_websocket(scope: Scope) -> bool:
    return any(key == b"upgrade" and value.lower() == b"websocket" for key, value in scope["headers"])


async def refuse_websocket(scope: Scope, send: Send, request_id: str) -> None:
    """Refuse the handshake of a WebSocket over HTTP/2, and log it."""
    logger.info("websocket.refused", extra={"path": scope["path"], "client_ip": scope_client_ip(scope)})
    await refuse(send, 400, NO_WEBSOCKETS, request_id, kind="websocket.http.response")


# A client that sends for longer gets its answer in the middle of it.
PATIENCE_SECONDS = 5.0


# A request on its way, which is to arrive whole before its answer begins. An answer that overtakes its request closes
# the connection on a client that still sends, and is lost with it: the client sees a reset instead of the refusal.
class Arrival:
    """The messages of a request; `is_complete` when none is left, or when the client is gone."""

    __slots__ = ("_completed", "_is_read", "_receive", "is_complete")

    def __init__(self, receive: Receive) -> None:
        self.is_complete = False
        self._receive = receive
        self._is_read = False
        self._completed: asyncio.Event | None = None

    async def __call__(self) -> Message:
        self._is_read = True
        try:
            message = await self._receive()
        finally:
            self._is_read = False
        if message["type"] != "http.request" or not message.get("more_body", False):
            self.is_complete = True
            if self._completed is not None:
                self._completed.set()
        return message

    async def wait(self) -> None:
        """Wait until the request is complete; read and drop what nobody else reads. Gives up after some seconds."""
        self._completed = asyncio.Event()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not self.is_complete:
                    await (self._completed.wait() if self._is_read else self())


CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)

TOO_MANY = "Your address has too many requests under way. Wait until some have ended."


# Limit how many requests one client has under way, where many share a connection: behind a proxy, with HTTP/2.
# Elsewhere a connection has one request at a time, and `server/connections.py` counts the connections of an address.
class Simultaneous:
    """The requests under way, by the rate-limit key of their client; each may have MAX_CONNECTIONS_PER_ADDRESS."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: Counter[str] = Counter()

    def begin(self, client: str) -> bool:
        if self._under_way[client] >= self._most:
            return False
        self._under_way[client] += 1
        return True

    def end(self, client: str) -> None:
        self._under_way[client] -= 1
        if not self._under_way[client]:
            del self._under_way[client]


# A client may close its sending side once it has asked, and still wait for the answer; to the server that looks like a
# client that is gone. After so long even a request that does not wait on purpose is cut.
EXCHANGE = "mission_control.exchange"
COUNT_CONNECTION_AS = "mission_control.count_connection_as"  # by whom a connection is counted, where connections are


@dataclass(frozen=True, slots=True)
class Rules:
    settings: Settings
    headers: tuple[Header, ...]
    headers_of_https: tuple[Header, ...]
    simultaneous: Simultaneous | None

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        headers = {
            "x-content-type-options": settings.security_header_x_content_type_options,
            "x-frame-options": settings.security_header_x_frame_options,
            "referrer-policy": settings.security_header_referrer_policy,
            "permissions-policy": settings.security_header_permissions_policy,
            "content-security-policy": CONTENT_SECURITY_POLICY,
        }
        always = tuple((name.encode(), value.encode()) for name, value in headers.items() if value)
        lasting = settings.security_header_strict_transport_security.encode()
        counts = settings.trusted_proxies or settings.http2
        return cls(
            settings,
            always,
            (*always, (b"strict-transport-security", lasting)) if lasting else always,
            Simultaneous(settings.max_connections_per_address) if counts else None,
        )


class Exchange:
    """One request, from its first byte to the last one of its answer."""

    __slots__ = (
        *("_arrival", "_counted_as", "_is_settled", "_receive", "_rules", "_send", "_settled", "_status", "_streams"),
        *("id", "scope"),
    )

    def __init__(self, rules: Rules, scope: Scope, receive: Receive, send: Send) -> None:
        self.id = id_of(scope)
        trusted = rules.settings.trusted_proxies
        if trusted and is_trusted(scope_client_ip(scope), trusted):
            scope = scope_from_proxies(scope, trusted)
        scope[EXCHANGE] = self
        self.scope = scope
        self._rules = rules
        self._arrival = None if scope["method"] in ("GET", "HEAD") else Arrival(receive)
        self._receive = self._arrival or receive
        self._send = send
        self._status: int | None = None
        self._counted_as = ""
        self._streams = False
        self._is_settled = False
        self._settled: asyncio.Event | None = None

    async def run(self, app: Application) -> None:
        """Let the application answer the request, and log how it ended."""
        named = set_request_id(self.id)
        scope, settings = self.scope, self._rules.settings
        if is_quiet(scope["path"]) and not settings.request_log_include_health:
            try:
                await self._answer(app)
            finally:
                reset_request_id(named)
            return
        began = time.perf_counter()
        line = request_line.set((scope["method"], without_secret(scope["path"])))
        if log.isEnabledFor(TRACE):
            log.log(TRACE, "http.request.start")
        try:
            await self._answer(app)
        finally:
            waits = self._streams or WAITS in scope
            seconds, slow_ms = time.perf_counter() - began, settings.request_log_slow_ms
            log_end(scope, self._status, seconds, slow_ms=slow_ms, waits=waits)
            request_line.reset(line)
            reset_request_id(named)

    async def _answer(self, app: Application) -> None:
        scope, simultaneous = self.scope, self._rules.simultaneous
        if asks_for_websocket(scope):
            await refuse(self.send, 400, NO_WEBSOCKETS, self.id)
        elif is_malformed(scope):
            await refuse(self.send, 400, MALFORMED, self.id)
        elif is_foreign(scope, self._rules.settings.base_url):
            await refuse(self.send, 421, UNKNOWN_HOST, self.id)
        elif simultaneous is None:
            await self._answer_within(app)
        else:
            self._counted_as = rate_limit_key(scope_client_ip(scope))
            if not simultaneous.begin(self._counted_as):
                await refuse(self.send, 503, TOO_MANY, self.id, {"retry-after": "5"})
                return
            try:
                await self._answer_within(app)
            finally:
                simultaneous.end(self._counted_as)

    def count_as(self, caller: str) -> None:
        """Count the request and its connection by its caller, once known, as many may share an address.

        What one has beyond the limit stays with the address.
        """
        if (move := self.scope.get(COUNT_CONNECTION_AS)) is not None:
            move(caller)
        if self._counted_as and self._rules.simultaneous is not None and self._rules.simultaneous.begin(caller):
            self._rules.simultaneous.end(self._counted_as)
            self._counted_as = caller

    async def _answer_within(self, app: Application) -> None:
        with contextlib.nullcontext() if self._arrival is None else unanswered(self.id):
            await app(self.scope, self.receive, self.send)

    async def receive(self) -> Message:
        """Return the next message. The end of a request that is answered soon waits until it is answered."""
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self._is_settled:
            self._settled = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._settled.wait()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(message)
            if self._arrival is not None and not self._arrival.is_complete:
                await self._arrival.wait()
            await self._send(message)
            return
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.settle()

    def settle(self) -> None:
        """Let the request end as soon as its client hangs up: it waits on purpose, streams, or is answered."""
        self._is_settled = True
        if self._settled is not None:
            self._settled.set()

    def _begin(self, message: Message) -> None:
        self._status = message["status"]
        headers: list[Header] = list(message["headers"])
        names = set()
        for key, value in headers:
            name = key.lower()
            names.add(name)
            if name == b"content-type" and value.startswith(b"text/event-stream"):
                self._streams = True
                self.settle()
        ours = self._rules.headers_of_https if self.scope["scheme"] == "https" else self._rules.headers
        headers += [header for header in ours if header[0] not in names]
        if b"x-request-id" not in names:
            headers.append((b"x-request-id", self.id.encode()))
        headers.append((b"date", date_at(int(time.time()))))
        message["headers"] = headers


@functools.lru_cache(maxsize=1)
def date_at(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()


def count_as(scope: Any, caller: object) -> None:
    """Count the request of this scope by its caller instead of its address."""
    exchange: Exchange | None = scope.get(EXCHANGE)
    if exchange is not None:
        exchange.count_as(str(caller))


def end_on_disconnect(scope: Scope) -> None:
    """Let the request of this scope end as soon as its client hangs up."""
    exchange: Exchange | None = scope.get(EXCHANGE)
    if exchange is not None:
        exchange.settle()


def waits() -> None:
    """Mark the running request as one that waits on purpose: it is never slow, and ends when its client hangs up."""
    scope: Any = request.scope
    scope[WAITS] = True
    end_on_disconnect(scope)
