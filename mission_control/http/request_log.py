"""Log lines, as text or JSON, and one for every finished request."""

import logging
import sys
from typing import Any

from mission_control.config import Settings
from mission_control.config_values import TRACE
from mission_control.http.asgi import Scope
from mission_control.http.log_format import RequestContext, formatter
from mission_control.http.proxies import scope_client_ip

HEALTH_PATHS = {"/health", "/healthz", "/readyz"}
WAITS = "mission_control.waits"

logger = logging.getLogger("mission_control.request")
# Beginnings of paths, of the installed features: what follows them is a secret, which no log line carries.
SECRET_PATHS: list[str] = []


def without_secret(path: str) -> str:
    """Return a path as log lines carry it."""
    return next((f"{one}..." for one in SECRET_PATHS if path.startswith(one)), path)


def set_up_logging(settings: Settings) -> None:
    """Send everything to standard output, in the configured shape and from the configured level on."""
    logging.addLevelName(TRACE, "TRACE")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter(settings))
    handler.addFilter(RequestContext())
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name in ("httpx2", "httpcore2", "asyncio", "hypercorn.error", "mcp"):
        logging.getLogger(name).setLevel(max(logging.WARNING, settings.log_level))
    wants_sql = settings.log_level <= TRACE
    for name in ("tortoise", "tortoise.db_client"):
        logging.getLogger(name).setLevel(logging.DEBUG if wants_sql else logging.WARNING)


def is_quiet(path: str) -> bool:
    """Whether requests of this path are logged only when that is wanted."""
    return path in HEALTH_PATHS


def log_end(scope: Scope, status: int | None, seconds: float, *, slow_ms: int, waits: bool) -> None:
    """Log a request that has ended, without a status when nothing was answered.

    A slow one is a warning; streams and long polls, which wait on purpose, are never slow.
    """
    milliseconds = round(seconds * 1000, 2)
    is_slow = 0 < slow_ms <= milliseconds and not waits
    if status is None:
        # Agents that end while they wait for work, and pages that are left, are no trouble.
        level, message = logging.INFO if waits else logging.WARNING, "http.request.incomplete"
    else:
        level, message = _level(status), "http.request.complete"
    if not (is_slow or logger.isEnabledFor(level)):
        return
    extra: dict[str, Any] = {"duration_ms": milliseconds, "client_ip": scope_client_ip(scope)}
    if status is None:
        logger.log(level, message, extra=extra)
        return
    extra["status_code"] = status
    logger.log(level, message, extra=extra)
    if is_slow:
        logger.warning("http.request.slow", extra={**extra, "slow_threshold_ms": slow_ms})


def _level(status: int) -> int:
    if status >= 500:
        return logging.ERROR
    return logging.INFO if status >= 400 else logging.DEBUG
