"""Client connections: what Hypercorn's TCP server and HTTP/1.1 protocol lack.

Private parts of Hypercorn are overridden here and nowhere else. As released,

- a connection that its client has closed stays open until its keep-alive time is over, 75 seconds;
- a client that closes its sending side after the request (`nc -N`, some libraries) is cut off instead of answered;
- a request that is refused before its body is read holds its connection and its task forever;
- WebSockets and HTTP/2 without TLS are always on, and one address may use up all files of the process;
- each request starts and cancels a task that watches for idleness, and the head of an answer is a write of its own.
"""

import asyncio
import json
import logging
import math
import resource
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import h11
from hypercorn.asyncio import run as hypercorn_run
from hypercorn.asyncio.task_group import TaskGroup, _handle
from hypercorn.asyncio.tcp_server import MAX_RECV, TCPServer
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.events import Request, StreamClosed
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol
from hypercorn.protocol.http_stream import ASGIHTTPState, HTTPStream
from hypercorn.typing import ConnectionState
from hypercorn.utils import parse_socket_addr

from mission_control.config import Settings
from mission_control.core import times
from mission_control.http.proxies import is_trusted, rate_limit_key

# Open files reserved for the database, outgoing requests and attachments.
RESERVED_FILES = 64
SECONDS_BETWEEN_WARNINGS = 10.0
FULL = "The server has no room for more connections. Try again later."
TOO_MANY = "Your address has too many open connections. Close some, or wait."

logger = logging.getLogger(__name__)


def install(settings: Settings) -> None:
    """Let Hypercorn use this server for its connections from now on."""
    vars(hypercorn_run)["TCPServer"] = partial(Connection, Admission(settings), IdleConnections(), settings.http2)


class Admission:
    """Decide which connections are accepted: so many of one address, and none when file descriptors run out.

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


class IdleConnections:
    """Connections between two requests: each is closed when its keep-alive time is over, all when the server stops."""

    def __init__(self) -> None:
        self._since: dict[Connection, float] = {}  # in the order in which they became idle
        self._timer: asyncio.TimerHandle | None = None
        self._stop: asyncio.Task[None] | None = None

    def add(self, connection: "Connection") -> None:
        """Count the keep-alive time of a connection from now on."""
        self._since.pop(connection, None)
        self._since[connection] = connection.loop.time()
        if self._stop is None:
            self._stop = connection.loop.create_task(self._close_at_stop(connection.context))
        if self._timer is None:
            seconds = connection.config.keep_alive_timeout
            self._timer = connection.loop.call_later(seconds, self._close_overdue, connection.loop, seconds)

    def discard(self, connection: "Connection") -> None:
        """Leave a connection open: it has a request, or is closed already."""
        self._since.pop(connection, None)

    def _close_overdue(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._timer = None
        while self._since:
            connection, since = next(iter(self._since.items()))
            if since + seconds > loop.time():
                self._timer = loop.call_at(since + seconds, self._close_overdue, loop, seconds)
                return
            self._close(connection)

    async def _close_at_stop(self, context: Any) -> None:
        await context.terminated.wait()
        for connection in list(self._since):
            self._close(connection)

    def _close(self, connection: "Connection") -> None:
        del self._since[connection]
        connection.close_idle()


class Messages:
    """The messages of one request to the application: body pieces wait while the queue is full.

    Hypercorn's own queue blocks the end message too, forever when the application has ended and reads nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._has_capacity = asyncio.Event()
        self._is_over = False

    async def get(self) -> Any:
        message = await self._queue.get()
        self._has_capacity.set()
        return message

    async def put(self, message: Any) -> None:
        """Queue a message; drop everything after the end."""
        while message["type"] == "http.request" and self._queue.qsize() >= self._most and not self._is_over:
            self._has_capacity.clear()
            await self._has_capacity.wait()
        if not self._is_over:
            self._queue.put_nowait(message)
        if message["type"] == "http.disconnect":
            self._is_over = True
            self._has_capacity.set()


class Tasks(TaskGroup):
    """The tasks of one connection."""

    async def spawn_app(self, app: Any, config: Any, scope: Any, send: Any) -> Callable[[Any], Awaitable[None]]:
        """Start the application for a request."""
        messages = Messages(config.max_app_queue_size)

        def call_soon(function: Callable[..., Any], *args: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(function(*args), self._loop).result()

        in_thread = partial(self._loop.run_in_executor, None)
        self.spawn(_handle, app, config, scope, messages.get, send, in_thread, call_soon)
        return messages.put


class Exchange(HTTPStream):
    """One request and its answer."""

    has_disconnected = False

    async def app_send(self, message: Any) -> None:
        """Send a message of the answer. A request that ended without one because its client hung up is not an error."""
        if message is None and self.has_disconnected and self.state is ASGIHTTPState.REQUEST:
            await self.send(StreamClosed(stream_id=self.stream_id))
        else:
            await super().app_send(message)


class Http1(H11Protocol):
    """HTTP/1.1, with upgrades to HTTP/2 only where they are enabled."""

    speaks_http2 = False
    _head = b""

    async def half_closed(self) -> None:
        """Handle a client that closed its sending side: answer its request, and end long polls and streams."""
        is_whole = self.connection.their_state in (h11.DONE, h11.CLOSED, h11.MUST_CLOSE)
        if isinstance(self.stream, Exchange) and is_whole:
            self.stream.has_disconnected = True
            await self.stream.app_put({"type": "http.disconnect"})
        else:
            await self.handle(Closed())

    async def _send_h11_event(self, event: Any) -> None:
        """Write the head of an answer together with the beginning of its body, or its end."""
        try:
            data = self.connection.send(event) or b""
        except h11.LocalProtocolError:
            if self.connection.their_state != h11.ERROR:
                raise
            return
        if isinstance(event, h11.Response):
            self._head = data
            return
        data, self._head = self._head + data, b""
        if data:
            await self.send(RawData(data=data))

    async def _check_protocol(self, event: h11.Request) -> None:
        if self.speaks_http2:
            await super()._check_protocol(event)

    async def _create_stream(self, request: h11.Request) -> None:
        if request.http_version not in (b"1.0", b"1.1"):
            await self._send_error_response(505)
            await self.send(Closed())
            return
        # Hypercorn makes an upgrade to WebSocket a stream of its own, which never ends when its handshake is wrong.
        parts = (self.app, self.config, self.context, self.task_group, self.ssl, self.client, self.server)
        self.stream = Exchange(*parts, self.stream_send, STREAM_ID)
        await self.stream.handle(
            Request(
                stream_id=STREAM_ID,
                headers=list(request.headers),
                http_version=request.http_version.decode(),
                method=request.method.decode("ascii").upper(),
                raw_path=request.target,
                state=self.connection_state,
            )
        )
        self.keep_alive_requests += 1


class Connection(TCPServer):
    """One connection, from its first byte to the end of its last request."""

    def __init__(self, admission: Admission, idle: IdleConnections, speaks_http2: bool, *args: Any) -> None:
        super().__init__(*args)
        self._admission = admission
        self._idle = idle
        self._speaks_http2 = speaks_http2

    async def run(self) -> None:
        """Serve the connection if it is accepted."""
        socket = self.writer.get_extra_info("socket")
        try:
            client = parse_socket_addr(socket.family, socket.getpeername())
            server = parse_socket_addr(socket.family, socket.getsockname())
        except OSError:  # gone already
            await self._close()
            return
        address = str(client[0]) if client else ""
        key = self._admission.key(address)
        if reason := self._admission.refusal(key, socket.fileno()):
            self._admission.refused(reason, address)
            self.writer.write(_refusal(reason))
            await self._close()
            return
        self._admission.opened(key)
        try:
            await self._serve(client, server)
        finally:
            self._admission.closed(key)

    async def _serve(self, client: Any, server: Any) -> None:
        try:
            async with Tasks(self.loop) as task_group:
                self._task_group = task_group
                state = ConnectionState(self.state)
                parts = (self.app, self.config, self.context, task_group, state, False, client, server)
                self.protocol = ProtocolWrapper(*parts, self.protocol_send)
                self._http1 = self.protocol.protocol = Http1(*parts, self.protocol_send)
                self._http1.speaks_http2 = self._speaks_http2
                await self.protocol.initiate()
                self._idle.add(self)
                await self._read_data()
        except OSError:
            pass
        finally:
            self._idle.discard(self)
            await self._close()

    async def protocol_send(self, event: Event) -> None:
        """Write to the client, close the connection, or note whether it is between two requests."""
        if isinstance(event, RawData):
            try:
                self.writer.write(event.data)
                await self.writer.drain()
            except (ConnectionError, RuntimeError):
                await self.protocol.handle(Closed())
        elif isinstance(event, Updated):
            (self._idle.add if event.idle else self._idle.discard)(self)
        elif isinstance(event, Closed):
            await self._close()

    def close_idle(self) -> None:
        """Close the connection, which has no request."""
        self._task_group.spawn(self._initiate_server_close)

    async def _read_data(self) -> None:
        data = b"anything"
        while data:
            try:
                data = await self.reader.read(MAX_RECV)
            except OSError:
                break
            await self.protocol.handle(RawData(data))  # b"" too: Hypercorn must learn that no further request follows
        # Nothing more arrives: only the request under way keeps the connection open.
        self._idle.discard(self)
        if self.protocol.protocol is self._http1 and not self.writer.is_closing() and self.reader.exception() is None:
            await self._http1.half_closed()
        else:
            await self.protocol.handle(Closed())


def _refusal(reason: str) -> bytes:
    body = json.dumps({"detail": reason}).encode()
    lines = (
        "HTTP/1.1 503 Service Unavailable",
        f"date: {time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime())}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "retry-after: 5",
        "connection: close",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
