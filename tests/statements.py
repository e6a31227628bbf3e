"""How many SQL statements something costs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mission_control.http.response_cache import cache
from tests.cast import Caller

OF_SIGNING_IN = ("UPDATE tokens SET last_used_at", "UPDATE agents SET last_seen_at", "unnest($1::text[]) AS payload")
_log = logging.getLogger("tortoise.db_client")


_listening: ContextVar[tuple[list[str], tuple[str, ...]] | None] = ContextVar("listening", default=None)


class _Collector(logging.Handler):
    def __init__(self, everywhere: tuple[list[str], tuple[str, ...]] | None) -> None:
        super().__init__()
        self._everywhere = everywhere

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text of a statement, which Tortoise writes to its log first."""
        listening = self._everywhere or _listening.get()
        arguments: Any = record.args
        text = str(arguments[0]) if arguments else record.getMessage()
        if listening is not None and not any(word in text for word in listening[1]):
            listening[0].append(text)


@contextmanager
def counted(*, passing_over: tuple[str, ...] = OF_SIGNING_IN, everywhere: bool = False) -> Iterator[list[str]]:
    """Collect the statements of what is called here, except those that only remember when somebody called.

    What runs beside, such as the delivery loop, began in another context and is not heard, unless `everywhere`.
    """
    found: list[str] = []
    collector, level = _Collector((found, passing_over) if everywhere else None), _log.level
    token = _listening.set((found, passing_over))
    _log.addHandler(collector)
    _log.setLevel(logging.DEBUG)
    try:
        yield found
    finally:
        _log.removeHandler(collector)
        _log.setLevel(level)
        _listening.reset(token)


async def cost(caller: Caller, path: str) -> int:
    """How many statements a read costs that is not in the cache; the answer must be a success."""
    cache.clear()
    with counted() as found:
        (await caller.get(path)).ok()
    assert found, "Nothing was counted."
    return len(found)
