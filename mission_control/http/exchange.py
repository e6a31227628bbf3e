"""One request and its answer on their way through the server, in one pass.

The application gets `receive` and `send` of an Exchange, which do what concerns every request, in this order:

1. give the request an id, and trust a proxy about its client (`request_id`, `proxies`);
2. log how the request ends (`request_log`);
3. refuse what the server does not speak, and clients with too many requests under way (`framing`, `simultaneous`);
4. hold an answer back until its request has arrived whole (`arrival`);
5. hold back the news that the client hung up, unless the request waits on purpose;
6. add the headers that every answer carries (`security_headers`).
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import Any

from quart import request

from mission_control.config import Settings
from mission_control.config_values import TRACE, Network
from mission_control.core.request_facts import reset_request_id, set_request_id, unanswered
from mission_control.http import framing
from mission_control.http.arrival import Arrival
from mission_control.http.asgi import Application, Header, Message, Receive, Scope, Send, refuse
from mission_control.http.hosts import MALFORMED, UNKNOWN, is_foreign, is_malformed
from mission_control.http.log_format import request_line
from mission_control.http.proxies import is_trusted, rate_limit_key, scope_client_ip, scope_from_proxies
from mission_control.http.request_id import id_of
from mission_control.http.request_log import WAITS, is_quiet, log_end, logger, without_secret
from mission_control.http.security_headers import response_headers
from mission_control.http.simultaneous import TOO_MANY, Simultaneous

# A client may close its sending side once it has asked, and still wait for the answer; to the server that looks like a
# client that is gone. After so long even a request that does not wait on purpose is cut.
PATIENCE_SECONDS = 5.0
EXCHANGE = "mission_control.exchange"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say about every exchange."""

    trusted_proxies: tuple[Network, ...]
    logs_health: bool
    slow_ms: int
    base_url: str
    headers: tuple[Header, ...]
    simultaneous: Simultaneous | None

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """Return the rules of an installation."""
        return cls(
            tuple(settings.trusted_proxies),
            settings.request_log_include_health,
            settings.request_log_slow_ms,
            settings.base_url,
            tuple(response_headers(settings)),
            Simultaneous.of(settings),
        )


class Exchange:
    """One request, from its first byte to the last one of its answer."""

    __slots__ = (
        "_arrival",
        "_is_settled",
        "_receive",
        "_rules",
        "_send",
        "_settled",
        "_status",
        "_streams",
        "id",
        "scope",
    )

    def __init__(self, rules: Rules, scope: Scope, receive: Receive, send: Send) -> None:
        self.id = id_of(scope)
        if rules.trusted_proxies and is_trusted(scope_client_ip(scope), rules.trusted_proxies):
            scope = scope_from_proxies(scope, rules.trusted_proxies)
        scope[EXCHANGE] = self
        self.scope = scope
        self._rules = rules
        self._arrival = None if scope["method"] in ("GET", "HEAD") else Arrival(receive)
        self._receive = self._arrival or receive
        self._send = send
        self._status: int | None = None
        self._streams = False
        self._is_settled = False
        self._settled: asyncio.Event | None = None

    async def run(self, app: Application) -> None:
        """Let the application answer the request, and log how it ended."""
        named = set_request_id(self.id)
        scope, rules = self.scope, self._rules
        if is_quiet(scope["path"]) and not rules.logs_health:
            try:
                await self._answer(app)
            finally:
                reset_request_id(named)
            return
        began = time.perf_counter()
        line = request_line.set((scope["method"], without_secret(scope["path"])))
        if logger.isEnabledFor(TRACE):
            logger.log(TRACE, "http.request.start")
        try:
            await self._answer(app)
        finally:
            waits = self._streams or WAITS in scope
            log_end(scope, self._status, time.perf_counter() - began, slow_ms=rules.slow_ms, waits=waits)
            request_line.reset(line)
            reset_request_id(named)

    async def _answer(self, app: Application) -> None:
        scope, simultaneous = self.scope, self._rules.simultaneous
        if refusal := framing.refusal(scope):
            await refuse(self.send, 400, refusal.sentence, self.id, refusal.headers)
        elif is_malformed(scope):
            await refuse(self.send, 400, MALFORMED, self.id)
        elif is_foreign(scope, self._rules.base_url):
            await refuse(self.send, 421, UNKNOWN, self.id)
        elif simultaneous is None:
            await self._answer_within(app)
        else:
            client = rate_limit_key(scope_client_ip(scope))
            if not simultaneous.begin(client):
                await refuse(self.send, 503, TOO_MANY, self.id, {"retry-after": "5"})
                return
            try:
                await self._answer_within(app)
            finally:
                simultaneous.end(client)

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
        """Pass a message of the answer on."""
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
        headers += [one for one in self._rules.headers if one[0] not in names]
        if b"x-request-id" not in names:
            headers.append((b"x-request-id", self.id.encode()))
        message["headers"] = headers


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
