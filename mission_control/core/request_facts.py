"""Facts of the running request that every layer may read."""

from contextvars import ContextVar, Token

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def current_request_id() -> str | None:
    """Return the id of the running request, None outside of one."""
    return _request_id.get()


def set_request_id(request_id: str) -> Token[str | None]:
    """Set the id of the running request; returns what `reset_request_id` takes."""
    return _request_id.set(request_id)


def reset_request_id(token: Token[str | None]) -> None:
    """Restore the id from before `set_request_id`."""
    _request_id.reset(token)
