"""Log lines, as text or JSON, and one for every finished request."""

import logging
import sys
import time
from typing import Any

from quart import Quart, request

from mission_control.config import Settings
from mission_control.config_values import TRACE
from mission_control.http import hang_ups
from mission_control.http.asgi import Application, Message, Receive, Scope, Send, wrap
from mission_control.http.log_format import RequestContext, formatter, request_line
from mission_control.http.proxies import scope_client_ip

HEALTH_PATHS = {"/health", "/healthz", "/readyz"}
WAITS = "mission_control.waits"

logger = logging.getLogger("mission_control.request")
_before_secrets: list[str] = []


def hide_after(beginning: str) -> None:
    """Let no log line carry what stands in a path after this beginning, for it is a secret."""
    _before_secrets.append(beginning)


def _shown(path: str) -> str:
    return next((f"{one}..." for one in _before_secrets if path.startswith(one)), path)


def set_up_logging(settings: Settings) -> None:
    """Send everything to standard output, in the configured shape and from the configured level on."""
    logging.addLevelName(TRACE, "TRACE")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter(settings))
    handler.addFilter(RequestContext())
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name in ("httpx", "httpcore", "asyncio", "hypercorn.error", "mcp"):
        logging.getLogger(name).setLevel(max(logging.WARNING, settings.log_level))
    wants_sql = settings.log_level <= TRACE
    for name in ("tortoise", "tortoise.db_client", "aiosqlite"):
        logging.getLogger(name).setLevel(logging.DEBUG if wants_sql else logging.WARNING)


def install(app: Quart, settings: Settings) -> None:
    """Log each request when it ends; slow ones are a warning, streams and long polls are never slow."""

    def layer(inner: Application) -> Application:
        async def logged(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or _is_quiet(scope["path"], settings):
                await inner(scope, receive, send)
                return
            await _Watched(scope, settings).run(inner, receive, send)

        return logged

    wrap(app, layer)


def waits() -> None:
    """The present request is one that may wait on purpose."""
    scope: Any = request.scope
    scope[WAITS] = True
    hang_ups.heed(scope)


def _is_quiet(path: str, settings: Settings) -> bool:
    return path in HEALTH_PATHS and not settings.request_log_include_health


class _Watched:
    """One request, from its first byte to its last."""

    def __init__(self, scope: Scope, settings: Settings) -> None:
        self._scope = scope
        self._slow_ms = settings.request_log_slow_ms
        self._started = time.perf_counter()
        self._status: int | None = None
        self._streams = False

    async def run(self, inner: Application, receive: Receive, send: Send) -> None:
        """Pass the request on and log how it ended."""

        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(message)
            await send(message)

        token = request_line.set((self._scope["method"], _shown(self._scope["path"])))
        logger.log(TRACE, "http.request.start")
        try:
            await inner(self._scope, receive, noting_send)
        finally:
            self._log()
            request_line.reset(token)

    def _note(self, message: Message) -> None:
        self._status = message["status"]
        headers = {key.lower(): value for key, value in message["headers"]}
        self._streams = headers.get(b"content-type", b"").startswith(b"text/event-stream")

    def _log(self) -> None:
        milliseconds = round((time.perf_counter() - self._started) * 1000, 2)
        extra = {"duration_ms": milliseconds, "client_ip": scope_client_ip(self._scope)}
        if self._status is None:
            # Agents that end while they wait for work, and pages that are left, are no trouble.
            logger.log(logging.INFO if self._waits() else logging.WARNING, "http.request.incomplete", extra=extra)
            return
        extra["status_code"] = self._status
        logger.log(_level(self._status), "http.request.complete", extra=extra)
        if 0 < self._slow_ms <= milliseconds and not self._waits():
            logger.warning("http.request.slow", extra={**extra, "slow_threshold_ms": self._slow_ms})

    def _waits(self) -> bool:
        return self._streams or WAITS in self._scope


def _level(status: int) -> int:
    if status >= 500:
        return logging.ERROR
    return logging.INFO if status >= 400 else logging.DEBUG
