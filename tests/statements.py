"""How many SQL statements something costs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.cast import Caller

OF_SIGNING_IN = ("UPDATE tokens SET last_used_at", "UPDATE agents SET last_seen_at", "pg_notify")
_log = logging.getLogger("tortoise.db_client")


class _Collector(logging.Handler):
    def __init__(self, found: list[str]) -> None:
        super().__init__()
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text of a statement, which Tortoise writes to its log first."""
        arguments: Any = record.args
        text = str(arguments[0]) if arguments else record.getMessage()
        if not any(word in text for word in OF_SIGNING_IN):
            self._found.append(text)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements that run meanwhile, except those that only remember when somebody called."""
    found: list[str] = []
    collector, level = _Collector(found), _log.level
    _log.addHandler(collector)
    _log.setLevel(logging.DEBUG)
    try:
        yield found
    finally:
        _log.removeHandler(collector)
        _log.setLevel(level)


async def cost(caller: Caller, path: str) -> int:
    """How many statements a read costs; the answer must be a success."""
    with counted() as found:
        (await caller.get(path)).ok()
    assert found, "Nothing was counted."
    return len(found)
