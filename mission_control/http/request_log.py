"""Log lines, as text or JSON, and one for every finished request."""

import logging
import re
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import orjson

from mission_control import __version__
from mission_control.core.extensions import Part
from mission_control.core.request_facts import current_request_id
from mission_control.core.setting_values import TRACE
from mission_control.core.settings import Settings
from mission_control.http.proxies import Scope, header, scope_client_ip

ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def id_of(scope: Scope) -> str:
    stripped = (header(scope, b"x-request-id") or "").strip()
    return stripped if ACCEPTABLE.fullmatch(stripped) else uuid4().hex


APP_NAME = "mission-control"
NEEDS_QUOTES = re.compile(r'[\s"=]')
STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

request_line: ContextVar[tuple[str, str] | None] = ContextVar("request_line", default=None)


class RequestContext(logging.Filter):
    """Adds request id, method and path of the running request to a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        request_id, line = current_request_id(), request_line.get()
        if request_id is not None and not hasattr(record, "request_id"):
            record.request_id = request_id
        if line is not None:
            record.method, record.path = line
        return True


def formatter(settings: Settings) -> logging.Formatter:
    if settings.log_format == "json":
        return JsonFormatter(settings.environment)
    return TextFormatter(settings.log_use_utc)


def extras(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in STANDARD}


class TextFormatter(logging.Formatter):
    def __init__(self, use_utc: bool) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self.converter = time.gmtime if use_utc else time.localtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Append the extras to the line, before a traceback."""
        message = super().formatMessage(record).replace("\n", "\\n")
        named = {"app": APP_NAME, "version": __version__, **extras(record)}
        return " ".join([message, *(f"{key}={_plain(value)}" for key, value in named.items())])


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, environment: str) -> None:
        super().__init__()
        self._environment = environment

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "app": APP_NAME,
            "version": __version__,
            "environment": self._environment,
            "module": record.module,
            "function": record.funcName,
            "line": record.lineno,
            **extras(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _plain(value: object) -> str:
    """Return a value on one line, quoted where needed, so that a client cannot forge a second field."""
    text = str(value).encode("unicode_escape").decode("ascii")
    if text and not NEEDS_QUOTES.search(text):
        return text
    return '"' + text.replace('"', '\\"') + '"'


HEALTH_PATHS = {"/health", "/healthz", "/readyz"}
WAITS = "mission_control.waits"

logger = logging.getLogger("mission_control.request")
# The installed beginnings of paths: what follows them is a secret, which no log line carries.
SECRET_PATHS: list[str] = []


@dataclass(frozen=True, slots=True)
class SecretPath(Part):
    """The beginning of paths that carry a secret, which no log shows."""

    begins: str

    def install(self) -> None:
        SECRET_PATHS.append(self.begins)


def without_secret(path: str) -> str:
    return next((f"{beginning}..." for beginning in SECRET_PATHS if path.startswith(beginning)), path)


def set_up_logging(settings: Settings) -> None:
    """Send everything to standard output, in the configured shape and from the configured level on."""
    logging.addLevelName(TRACE, "TRACE")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter(settings))
    handler.addFilter(RequestContext())
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name in ("httpx2", "httpcore2", "asyncio", "hypercorn.error", "uvicorn.error", "mcp"):
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
    is_slow = 0 < slow_ms <= seconds * 1000 and not waits
    if status is None:
        # Agents that end while they wait for work, and pages that are left, are no trouble.
        level, message = logging.INFO if waits else logging.WARNING, "http.request.incomplete"
    else:
        level = logging.INFO if status >= 400 else logging.DEBUG
        level, message = logging.ERROR if status >= 500 else level, "http.request.complete"
    if not (is_slow or logger.isEnabledFor(level)):
        return
    extra = {"duration_ms": round(seconds * 1000, 2), "client_ip": scope_client_ip(scope)}
    if status is None:
        logger.log(level, message, extra=extra)
        return
    extra["status_code"] = status
    logger.log(level, message, extra=extra)
    if is_slow:
        logger.warning("http.request.slow", extra={**extra, "slow_threshold_ms": slow_ms})
