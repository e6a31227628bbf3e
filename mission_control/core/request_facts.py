"""Facts of the running request that every layer may read."""

import time
from contextvars import ContextVar, Token

_began_at: ContextVar[float | None] = ContextVar("began_at", default=None)
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def current_request_id() -> str | None:
    """Return the id of the running request, None outside of one."""
    return _request_id.get()


def set_request_id(request_id: str) -> Token[str | None]:
    """Begin a request with an id; returns what `reset_request_id` takes."""
    _began_at.set(time.time())
    return _request_id.set(request_id)


def reset_request_id(token: Token[str | None]) -> None:
    """Restore the id from before `set_request_id`."""
    _request_id.reset(token)


def request_began_at() -> float:
    """Return when the running request began, in seconds since the epoch; the present moment outside of one."""
    began = _began_at.get()
    return time.time() if began is None else began
