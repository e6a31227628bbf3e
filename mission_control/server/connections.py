"""Client connections: HTTP/1.1 by uvicorn, with what its protocol lacks. HTTP/2 is Hypercorn's (`http2.py`).

uvicorn's protocol on httptools is overridden here and nowhere else. As released,

- it reads heads and trailers of any size for any time, and one address may use up all files of the process;
- a client that closes its sending side after the request (`nc -N`, some libraries) is cut off instead of answered;
- a request behind another one on its connection hides from that one that the client is gone;
- the body of a request that offers another protocol is lost (Java's client offers HTTP/2 with its first request);
- trailers are taken for headers, which a proxy did not see;
- clients of HTTP/1.0 get chunks, which they do not know; HTTP/0.9, no Host and two of them are accepted;
- a request that ends without an answer because its client hung up, or that a stop cuts, is logged as an error.
"""

import asyncio
import contextvars
import json
import logging
import math
import resource
from collections import Counter
from email.utils import formatdate
from functools import partial
from http import HTTPStatus

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from mission_control.core import times
from mission_control.core.settings import Settings
from mission_control.http.exchange import COUNT_CONNECTION_AS
from mission_control.http.proxies import Application, Message, Receive, Scope, Send, is_trusted, rate_limit_key
from mission_control.server.http2 import KEEP_ALIVE_SECONDS, PREFACE, Http2, Session

# Open files reserved for the database, outgoing requests and attachments.
RESERVED_FILES = 64
SECONDS_BETWEEN_WARNINGS = 10.0
FULL = "The server has no room for more connections. Try again later."
TOO_MANY = "Your address has too many open connections. Close some, or wait."

MOST_HEAD_BYTES = 2**16
LINGER_SECONDS = 5.0  # for a client that still sends what nobody reads to see why it was refused

TOO_LARGE = "The headers of this request are too large."
HTTP2 = "This server speaks HTTP/1.1 here, not HTTP/2."
ONE_HOST = "A request of HTTP/1.1 has one header Host."

logger = logging.getLogger(__name__)


class Admission:
    """Decide which connections are accepted: so many of one address, and none when file descriptors run out.

    A connection on which somebody proved who they are is theirs, so that many agents and people may share an address.
    The addresses of trusted proxies are not counted: their connections carry everybody's requests, which
    `http/exchange.py` counts by client.
    """

    def __init__(self, settings: Settings) -> None:
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._last_file = files - min(RESERVED_FILES, files // 4)
        self._most = min(settings.max_connections_per_address, self._last_file // 2)
        self._trusted = settings.trusted_proxies
        self._open: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._warned_at: dict[str, float] = {}

    def refusal(self, key: str, file: int) -> str | None:
        """Return why a new connection cannot be served, None when it can.

        The system assigns the lowest free file number, so the number of a new file shows how many are open.
        """
        if file >= self._last_file:
            return FULL
        return TOO_MANY if self._open[key] >= self._most else None

    def key(self, address: str) -> str:
        """Return what the connections of an address are counted by, empty for a trusted proxy."""
        return "" if is_trusted(address, self._trusted) else rate_limit_key(address)

    def opened(self, key: str) -> None:
        if key:
            self._open[key] += 1

    def moved(self, key: str, caller: str) -> str:
        """Count a connection by its caller from now on, unless that has too many; return what it is counted by."""
        if not key or key == caller or self._open[caller] >= self._most:
            return key
        self.closed(key)
        self._open[caller] += 1
        return caller

    def closed(self, key: str) -> None:
        """Stop counting a connection."""
        if key and self._open[key] > 1:
            self._open[key] -= 1
        else:
            self._open.pop(key, None)

    def refused(self, reason: str, address: str) -> None:
        """Log refusals, aggregated by reason and at most every few seconds."""
        self._refused[reason] += 1
        now = times.monotonic()
        if now - self._warned_at.get(reason, -math.inf) < SECONDS_BETWEEN_WARNINGS:
            return
        self._warned_at[reason] = now
        message = "connections.files_used_up" if reason == FULL else "connections.too_many_of_address"
        extra = {"refused": self._refused.pop(reason), "client_ip": address}
        logger.error(message, extra={**extra, "most_of_address": self._most, "files": self._last_file})


class Server:
    """The connections of this process."""

    def __init__(self, app: Application, settings: Settings) -> None:
        self.app = app
        self.admission = Admission(settings)
        self.http2 = Http2(app) if settings.http2 else None
        self.state = ServerState()
        self.config = Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self.config.load()

    def connection(self) -> "Connection":
        return Connection(self)

    async def end(self, seconds: float) -> None:
        """Close the idle connections now, the others after their answers, and all of them after so many seconds."""
        if self.http2 is not None:
            await self.http2.end()
        for connection in list(self.state.connections):
            connection.shutdown()
        end = asyncio.get_running_loop().time() + seconds
        while self.state.connections or self.state.tasks:
            await asyncio.sleep(0.01)
            if asyncio.get_running_loop().time() > end:
                break
        for connection in list(self.state.connections):
            connection.transport.abort()


class Connection(HttpToolsProtocol):
    """One connection, from its first byte to the end of its last answer."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.config, server.state, {}, asyncio.get_running_loop())
        self._server = server
        self._key: str | None = None  # by which it is counted
        self._running: RequestResponseCycle | None = None
        self._session: Session | None = None  # of HTTP/2
        self._is_half_closed = False
        self._is_refused = False
        self._head: bytearray | None = bytearray()  # of the first request
        self._is_http1 = server.http2 is None
        self._between_bytes = 0  # of heads, trailers and what is no request, since anything else
        self._is_between = self._is_in_head = self._is_offer = False
        self._offer: tuple[bytes, bytes] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Serve the connection if it is accepted."""
        super().connection_made(transport)
        if self.client is None:  # gone already
            transport.abort()
            return
        address, admission = self.client[0], self._server.admission
        key = admission.key(address)
        if reason := admission.refusal(key, transport.get_extra_info("socket").fileno()):
            admission.refused(reason, address)
            self._is_refused = True
            transport.write(_refusal(503, reason, "retry-after: 5"))
            transport.close()
            return
        self._key = key
        admission.opened(key)
        self._begin_to_wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the running request that its client is gone."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self.pipeline.clear()
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()
        self.ended()

    def ended(self) -> None:
        """Count the connection no longer."""
        self.connections.discard(self)
        if self._key is not None:
            self._server.admission.closed(self._key)
            self._key = None

    def shutdown(self) -> None:
        """Close the connection after the answer that is under way."""
        if self._session is not None:
            self._session.close_idle()
        elif self._running is None:
            self.transport.close()
        else:
            self._running.keep_alive = False

    # What the client sends

    def data_received(self, data: bytes) -> None:
        """Read what has arrived."""
        if self._is_refused:
            return
        if self._head is not None:
            self._head += data
        if not self._is_http1:
            assert self._head is not None
            if PREFACE.startswith(self._head[: len(PREFACE)]):
                if len(self._head) >= len(PREFACE):
                    self._speak_http2()
                return
            self._is_http1, data = True, bytes(self._head)
        self._is_between = True
        self._feed(data)
        self._between_bytes = self._between_bytes + len(data) if self._is_between else 0
        if self._between_bytes > MOST_HEAD_BYTES and not self._is_refused:
            self._refuse(431, TOO_LARGE)

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])
        except httptools.HttpParserError as error:
            if self._head is not None and self._head.startswith(PREFACE):
                self._refuse(505, HTTP2)
                return
            reason = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else error
            if not isinstance(reason, ValueError | httptools.HttpParserError):
                raise
            self._refuse(400, f"This request cannot be read: {str(reason).removesuffix('.')}.")

    def _decline(self, rest: bytes) -> None:
        """Read a request that offers another protocol, and what follows, as if it did not; HTTP/2 may be taken."""
        self._is_offer = False
        offered = next((value for name, value in self.headers if name == b"upgrade"), b"")
        if self._server.http2 is not None and self._head is not None and offered.lower() == b"h2c":
            self._speak_http2()
            return
        if not offered:
            self._refuse(400, "This server is no proxy.")  # the method is CONNECT
            return
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        lines += [b"%s: %s" % (name, value) for name, value in self.headers if name != b"upgrade"]
        self._offer = b"upgrade", offered
        self.parser = httptools.HttpRequestParser(self)
        self._feed(b"\r\n".join(lines) + b"\r\n\r\n" + rest)

    def _speak_http2(self) -> None:
        assert self._head is not None and self._server.http2 is not None
        self._unset_keepalive_if_required()
        self._session = Session(self._server.http2, self.transport, bytes(self._head), self.ended)

    def _refuse(self, status: int, reason: str) -> None:
        """Answer what cannot be read as a request, after those before it; what still arrives is dropped."""
        self._is_refused = True
        last = self.cycle
        broken = last if last is not None and last.more_body and not last.response_complete else None
        if broken is not None and broken is not self._running:
            self.pipeline.popleft()
        if self._running is not None and broken is not self._running:
            return  # the last answer closes the connection
        if broken is not None:
            broken.disconnected = True
            broken.message_event.set()
            if broken.response_started:
                self.transport.close()
                return
        self._unset_keepalive_if_required()
        self.transport.write(_refusal(status, reason))
        self.transport.write_eof()
        self.timeout_keep_alive_task = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer the request of a client that closed its sending side; its long poll or stream ends."""
        if self._running is None or self._is_refused or self.cycle.more_body:
            return False
        self._is_half_closed = True
        self._running.message_event.set()
        return True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_between, self._is_in_head = False, True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:  # else it is a trailer
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_between = self._is_in_head = False
        if self.parser.should_upgrade():
            self._is_offer = True
            return
        self._head = None
        self._unset_keepalive_if_required()
        hosts = sum(name == b"host" for name, _ in self.headers)
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise ValueError("Invalid HTTP version")
        if hosts > 1 or (version == "1.1" and not hosts):
            raise ValueError(ONE_HOST)
        if not self.url.startswith(b"/"):  # a whole address, as proxies are asked
            address = httptools.parse_url(self.url)
            self.url = (address.path or b"/") + (b"?" + address.query if address.query else b"")
        if self._offer is not None:
            self.headers.append(self._offer)
            self._offer = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._is_between = False
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_between = False
        if not self._is_offer:
            super().on_message_complete()

    # Its requests

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: object) -> None:
        self._running = cycle
        answer = cycle.run_asgi(partial(self._answer, cycle))
        task = self.loop.create_task(answer, context=contextvars.Context())
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _answer(self, cycle: RequestResponseCycle, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer. A request without an answer because its client hung up is not an error."""
        is_read = False
        scope[COUNT_CONNECTION_AS] = self._count_as

        async def received() -> Message:
            nonlocal is_read
            if not is_read:
                message = await receive()
                is_read = not message.get("more_body", False)
                return message
            while not (self._is_half_closed or cycle.disconnected or cycle.response_complete):
                cycle.message_event.clear()
                await cycle.message_event.wait()
            return {"type": "http.disconnect"}

        async def sent_plain(message: Message) -> None:
            if message["type"] == "http.response.start":
                cycle.chunked_encoding = False
            else:
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        try:
            await self._server.app(scope, received, sent_plain if scope["http_version"] == "1.0" else send)
        except asyncio.CancelledError:
            self._abandon(cycle)
        if self._is_half_closed and not cycle.response_complete:
            self._abandon(cycle)

    def _count_as(self, caller: str) -> None:
        if self._key is not None:
            self._key = self._server.admission.moved(self._key, caller)

    def _abandon(self, cycle: RequestResponseCycle) -> None:
        cycle.disconnected = True
        self.transport.close()

    def on_response_complete(self) -> None:
        """Begin the next request that has arrived, or wait for one."""
        self._running = None
        if (self._is_refused or self._is_half_closed) and not self.pipeline:
            self.transport.close()
        super().on_response_complete()

    def _begin_to_wait(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(KEEP_ALIVE_SECONDS, self.timeout_keep_alive_handler)


def _refusal(status: int, reason: str, *headers: str) -> bytes:
    body = json.dumps({"detail": reason}).encode()
    lines = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"date: {formatdate(usegmt=True)}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *headers,
        "connection: close",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
