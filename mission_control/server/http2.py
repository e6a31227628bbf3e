"""Connections of HTTP/2 without TLS, which Hypercorn serves for a proxy that wants it (HTTP2=true)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.task_group import TaskGroup, _handle
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol import ProtocolWrapper
from hypercorn.typing import AppWrapper, ASGIReceiveEvent, ASGISendEvent, ConnectionState, Scope

from mission_control.http.proxies import Application

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
KEEP_ALIVE_SECONDS = 75  # between two requests, in HTTP/1.1 also for the head of one
BODY_PIECES = 2  # chunks of 64 KiB between a connection and the application
PIECE = 2**16


class Messages:
    """The messages of one request to the application: body pieces wait while the queue is full.

    Hypercorn's own queue blocks the end message too, forever when the application has ended and reads nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._queue: asyncio.Queue[ASGIReceiveEvent] = asyncio.Queue()
        self._has_capacity = asyncio.Event()
        self._is_over = False

    async def get(self) -> ASGIReceiveEvent:
        message = await self._queue.get()
        self._has_capacity.set()
        return message

    async def put(self, message: ASGIReceiveEvent) -> None:
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

    async def spawn_app(
        self, app: AppWrapper, config: Config, scope: Scope, send: Callable[[ASGISendEvent | None], Awaitable[None]]
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        """Start the application for a request."""
        messages = Messages(config.max_app_queue_size)

        def call_soon(function: Callable[..., Any], *args: object) -> Any:
            return asyncio.run_coroutine_threadsafe(function(*args), self._loop).result()

        in_thread = partial(self._loop.run_in_executor, None)
        self.spawn(_handle, app, config, scope, messages.get, send, in_thread, call_soon)
        return messages.put


class Http2:
    """What all connections of HTTP/2 share."""

    def __init__(self, app: Application) -> None:
        self.app = ASGIWrapper(app)
        self.context = WorkerContext(None)
        self.config = Config()
        self.config.max_app_queue_size = BODY_PIECES
        self.config.accesslog = None
        self.config.errorlog = logging.getLogger("hypercorn.error")
        self.config.include_server_header = False
        self.config.include_date_header = False

    async def end(self) -> None:
        """Take no further requests."""
        await self.context.terminated.set()


class Session:
    """One connection, from its first bytes; `ended` is called when it is over."""

    def __init__(self, http2: Http2, transport: asyncio.Transport, data: bytes, ended: Callable[[], None]) -> None:
        self._http2, self._ended = http2, ended
        self._loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(self._reader)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        self._writer = asyncio.StreamWriter(transport, protocol, self._reader, self._loop)
        self._reader.feed_data(data)
        self._timer: asyncio.TimerHandle | None = None
        self._task = self._loop.create_task(self._run())

    def close_idle(self) -> None:
        """Close the connection if it has no request."""
        if self._timer is not None:
            self._group.spawn(self._close)

    async def _run(self) -> None:
        client, server = (self._writer.get_extra_info(name)[:2] for name in ("peername", "sockname"))
        try:
            async with Tasks(self._loop) as self._group:
                parts = (self._http2.app, self._http2.config, self._http2.context, self._group, ConnectionState({}))
                self._protocol = ProtocolWrapper(*parts, False, client, server, self._send)
                await self._protocol.initiate()
                self._set_idle(True)
                while data := await self._read():
                    await self._protocol.handle(RawData(data))
                await self._close()
        finally:
            self._set_idle(False)
            self._writer.close()
            self._ended()

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(PIECE)
        except OSError:
            return b""

    async def _send(self, event: Event) -> None:
        if isinstance(event, RawData):
            try:
                self._writer.write(event.data)
                await self._writer.drain()
            except (ConnectionError, RuntimeError):
                await self._protocol.handle(Closed())
        elif isinstance(event, Updated):
            self._set_idle(event.idle)
        elif isinstance(event, Closed):
            self._writer.close()

    async def _close(self) -> None:
        self._set_idle(False)
        await self._protocol.handle(Closed())
        self._writer.close()

    def _set_idle(self, is_idle: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(KEEP_ALIVE_SECONDS, self.close_idle) if is_idle else None
