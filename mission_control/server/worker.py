"""One server process: connections around the application, with a stop that takes less than three seconds."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable

from mission_control.core.settings import Settings
from mission_control.database.fit import Misfit
from mission_control.http.proxies import Application, Message, Receive, Scope, Send, refuse, wrap
from mission_control.http.request_log import id_of
from mission_control.server.app import LEAVE, begin_shutdown, create_app
from mission_control.server.connections import Server
from mission_control.server.serving import BACKLOG, MISFIT

# After the signal to stop: requests are cut, then connections, and the process ends whatever still runs.
CUT_SECONDS, GRACE_SECONDS, LAST_RESORT_SECONDS = 1.5, 2.2, 2.8
CUT = "The server is stopping; whether this took effect is not known. Send it again with the same Idempotency-Key."

logger = logging.getLogger(__name__)


def run_worker(settings: Settings, listener: socket.socket, parent_pipe: int | None = None) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent at the other end of `parent_pipe` is gone.

    Raises Misfit after a stop because this process does not fit its database, or no longer does.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        reason = runner.run(_serve(settings, listener, parent_pipe))
    if reason is not None:
        raise Misfit(reason)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(settings: Settings, listener: socket.socket, parent_pipe: int | None) -> str | None:
    reasons: list[str] = []
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    if parent_pipe is not None:

        def parent_gone() -> None:
            loop.remove_reader(parent_pipe)
            stop.set()

        loop.add_reader(parent_pipe, parent_gone)

    def leave(reason: str) -> None:
        logger.error("server.does_not_fit", extra={"reason": reason})
        reasons.append(reason)
        stop.set()

    app = create_app(settings)
    app.extensions[LEAVE] = leave
    running = wrap(app, InFlight)
    app.before_serving(freeze_objects)
    server = Server(app, settings)
    await app.startup()
    listening = await loop.create_server(server.connection, sock=listener, backlog=BACKLOG)
    await stop.wait()
    listening.close()  # a successor may bind the address while the last requests end
    begin_shutdown(app)  # ends the streams now
    loop.call_later(CUT_SECONDS, running.cancel)
    loop.call_later(LAST_RESORT_SECONDS, _end, MISFIT if reasons else 0)
    await server.end(GRACE_SECONDS)
    await app.shutdown()
    return reasons[0] if reasons else None


async def freeze_objects() -> None:
    """Exempt what the application has made of what was imported (`loading.py`) from garbage collection, too."""
    gc.collect()
    gc.freeze()


def _end(code: int) -> None:
    """End the process, whatever holds it up. Every commit is on disk."""
    logger.warning("server.stop.forced")
    logging.shutdown()
    os._exit(code)


class InFlight:
    """ASGI middleware that tracks the running requests, so that a stop can cut the last of them.

    A request without a response gets 503: the server alone would send an empty 500.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self._tasks: set[asyncio.Task[object]] = set()
        self._cut = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self._app(scope, receive, send)
            return
        begun = False

        async def passed_on(message: Message) -> None:
            nonlocal begun
            if not self._cut:
                begun = True
                await send(message)

        self._tasks.add(task)
        try:
            await self._app(scope, receive, passed_on)
        except asyncio.CancelledError:
            if begun or not self._cut:
                raise
        finally:
            self._tasks.discard(task)
        if self._cut and not begun:  # also where what is cut answers, and ends as if nothing had happened
            request_id = id_of(scope)
            await refuse(send, 503, CUT, request_id, {"retry-after": "1", "x-request-id": request_id})

    def cancel(self) -> None:
        """Cancel every running request."""
        self._cut = True
        for task in self._tasks:
            with contextlib.suppress(RuntimeError):
                task.cancel()
