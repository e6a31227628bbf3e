"""How many SQL statements something costs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tests.cast import Caller

OF_SIGNING_IN = ("UPDATE tokens SET last_used_at", "UPDATE agents SET last_seen_at", "pg_notify")
_log = logging.getLogger("tortoise.db_client")


_listening: ContextVar[list[str] | None] = ContextVar("listening", default=None)


class _Collector(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text of a statement, which Tortoise writes to its log first."""
        found = _listening.get()
        arguments: Any = record.args
        text = str(arguments[0]) if arguments else record.getMessage()
        if found is not None and not any(word in text for word in OF_SIGNING_IN):
            found.append(text)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements of what is called here, except those that only remember when somebody called.

    What runs beside, such as the delivery loop, began in another context and is not heard.
    """
    found: list[str] = []
    collector, level = _Collector(), _log.level
    token = _listening.set(found)
    _log.addHandler(collector)
    _log.setLevel(logging.DEBUG)
    try:
        yield found
    finally:
        _log.removeHandler(collector)
        _log.setLevel(level)
        _listening.reset(token)


async def cost(caller: Caller, path: str) -> int:
    """How many statements a read costs; the answer must be a success."""
    with counted() as found:
        (await caller.get(path)).ok()
    assert found, "Nothing was counted."
    return len(found)
