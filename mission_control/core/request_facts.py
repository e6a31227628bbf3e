"""Facts of the running request that every layer may read."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar, Token

from mission_control.core import times

_began_at: ContextVar[float | None] = ContextVar("began_at", default=None)
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

# The writes of this process that have no answer yet, by the ids of their requests.
_unanswered: dict[str, asyncio.Event] = {}


def current_request_id() -> str | None:
    return _request_id.get()


def set_request_id(request_id: str) -> Token[str | None]:
    """Begin a request with an id; returns what `reset_request_id` takes."""
    _began_at.set(times.epoch_seconds())
    return _request_id.set(request_id)


def reset_request_id(token: Token[str | None]) -> None:
    _request_id.reset(token)


def request_began_at() -> float:
    """Return when the running request began, in seconds since the epoch; the present moment outside of one."""
    began = _began_at.get()
    return times.epoch_seconds() if began is None else began


@contextlib.contextmanager
def unanswered(request_id: str) -> Iterator[None]:
    """Let `answered` wait for a write until its answer is sent."""
    _unanswered[request_id] = is_answered = asyncio.Event()
    try:
        yield
    finally:
        is_answered.set()
        if _unanswered.get(request_id) is is_answered:
            del _unanswered[request_id]


async def answered(request_ids: Iterable[str | None], seconds: float) -> None:
    """Wait at most `seconds` until writes of this process have sent their answers."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            for request_id in request_ids:
                if request_id is not None and (waited := _unanswered.get(request_id)) is not None:
                    await waited.wait()
