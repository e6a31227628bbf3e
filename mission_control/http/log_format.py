"""Format log lines as text or JSON, and add the running request to them."""

import logging
import re
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

from mission_control import __version__
from mission_control.config import Settings
from mission_control.core.request_facts import current_request_id

APP_NAME = "mission-control"
NEEDS_QUOTES = re.compile(r'[\s"=]')
STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

request_line: ContextVar[tuple[str, str] | None] = ContextVar("request_line", default=None)


class RequestContext(logging.Filter):
    """Adds request id, method and path of the running request to a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        request_id, line = current_request_id(), request_line.get()
        if request_id is not None and not hasattr(record, "request_id"):
            record.request_id = request_id
        if line is not None:
            record.method, record.path = line
        return True


def formatter(settings: Settings) -> logging.Formatter:
    """Return the configured shape."""
    if settings.log_format == "json":
        return JsonFormatter(settings.environment)
    return TextFormatter(settings.log_use_utc)


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """Return what was passed as `extra`, or added by a filter."""
    return {name: value for name, value in vars(record).items() if name not in STANDARD}


class TextFormatter(logging.Formatter):
    """`time LEVEL logger message app=... version=... key=value`."""

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
        """Return the record as JSON; what JSON does not know becomes text."""
        line: dict[str, Any] = {
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
