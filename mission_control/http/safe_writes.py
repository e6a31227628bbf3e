"""The headers of safe writes, where nothing honours them: only operations of the API do (`operations/retries.py`)."""

from collections.abc import Callable

from quart import request

from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Invalid

HEADERS = ("Idempotency-Key", "If-Match")
OPERATIONS = "/api/"
READS = ("GET", "HEAD", "OPTIONS")


def refuse_unsupported(sent: Callable[[str], str | None]) -> None:
    """Raise Invalid when one of the headers is sent, rather than do what its sender does not expect."""
    for name in HEADERS:
        if sent(name):
            raise Invalid(ErrorCode.HEADER_NOT_SUPPORTED.detail(f"This address does not support {name}."))


def refuse_on_pages() -> None:
    """Refuse the headers on writes of pages."""
    if request.method not in READS and not request.path.startswith(OPERATIONS):
        refuse_unsupported(request.headers.get)
